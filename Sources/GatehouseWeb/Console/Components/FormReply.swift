import GatehouseWire

/// What a form sent and why it was refused, for the page that shows the form once more: what was typed stands in it, and the
/// field that the refusal names is marked and has the focus. Every form of every page is marked here, and nowhere else.
struct FormReply: Sendable {
  /// Where the form was sent to.
  let action: String
  let sent: FormFields
  let failure: CommandFailure
  private let words: ConsoleWords
  /// The field that is marked.
  private let marked: String?

  /// The refusal, and the same blocks with the form filled in and marked.
  ///
  /// - Parameter refills: whether what was sent is put into the fields; a page that makes its form from what was sent has
  ///   done so.
  func applied(to blocks: [Block], refills: Bool) -> [Block] {
    var isMarked = false
    var fields: [(name: String, label: String)] = []
    for block in blocks { collect(&fields, block.values) }
    let labels = Dictionary(fields.filter { !$0.label.isEmpty }.map { ($0.name, $0.label) }) { $1 }
    let reply = FormReply(
      action: action, sent: sent, failure: failure, words: ConsoleWords(labels: labels),
      marked: failure.formField(among: fields, sent))
    let shown = blocks.map { block in
      var block = block
      block.values = reply.form(block.values, refills: refills, &isMarked)
      return block
    }
    return [failure.said(reply.words).block] + shown
  }

  init(
    action: String, sent: FormFields, failure: CommandFailure, words: ConsoleWords = ConsoleWords(),
    marked: String? = nil
  ) {
    self.action = action
    self.sent = sent
    self.failure = failure
    self.words = words
    self.marked = marked
  }

  /// The form's fields with their labels.
  private func collect(_ fields: inout [(name: String, label: String)], _ values: Values) {
    var values = values
    if let name = values.text("name") { fields.append((name, values.text("label") ?? "")) }
    let isOther = values.text("template") == "form" && values.text("action").map(Self.path) != Self.path(action)
    if isOther { return }
    for name in Block.nested + ["fields", "fieldsets", "more"] {
      values.mapEach(name) {
        collect(&fields, $0)
        return $0
      }
    }
  }

  /// Looks through blocks in blocks.
  private func form(_ values: Values, refills: Bool, _ isMarked: inout Bool) -> Values {
    var values = values
    guard values.text("template") == "form" else {
      for name in Block.nested { values.mapEach(name) { form($0, refills: refills, &isMarked) } }
      return values
    }
    guard values.text("action").map(Self.path) == Self.path(action) else { return values }
    for name in ["fields", "fieldsets", "more"] {
      values.mapEach(name) { part in
        var part = part
        if name == "fields" { return field(part, refills: refills, &isMarked) }
        part.mapEach("fields") { field($0, refills: refills, &isMarked) }
        if name == "more", isMarked { part["isOpen"] = true }
        return part
      }
    }
    return values
  }

  private static func path(_ address: String) -> String { address.head(before: "?", "#") }

  private func field(_ values: Values, refills: Bool, _ isMarked: inout Bool) -> Values {
    var values = values
    guard let name = values.text("name") else { return values }
    if refills { refill(&values, name) }
    guard !isMarked, name == marked else { return values }
    isMarked = true
    values["error"] = failure.said(words).why + "."
    values["described"] = true
    values["isFocused"] = true
    return values
  }

  private func refill(_ values: inout Values, _ name: String) {
    if var box = values.values("checkbox") {
      let ticked = box.text("ticked") ?? "1"
      box["isOn"] = sent.all(name).contains(ticked)
      values["checkbox"] = box
      return
    }
    // Passwords are typed again.
    guard sent.has(name), values.text("inputType") != "password" else { return }
    let typed = values.isSet("isMoment") ? Moment.field(Moment.time(sent[name])) : sent[name]
    values["value"] = typed
    guard var options = values.values("options") else { return }
    options.mapEach("choices") { choice in
      var choice = choice
      choice["isChosen"] = choice.text("choice") == typed
      return choice
    }
    values["options"] = options
  }
}

extension CommandFailure {
  /// The field of a form that the refusal is about: the one that it says itself, else the first that its text names.
  func formField(among fields: [(name: String, label: String)], _ sent: FormFields) -> String? {
    let own = field.map { $0.lowercased() }
    if let own, let found = fields.first(where: { Self.names(of: $0.name, $0.label).contains(own) }) {
      return found.name
    }
    return fields.first { names($0.name, label: $0.label, value: sent[$0.name]) }?.name
  }

  /// What commands and people call a field of a form. A field that a workspace has added has a mark before its name.
  private static func names(of field: String, _ label: String) -> [String] {
    [field, field.hasPrefix("x:") ? String(field.dropFirst(2)) : field, label].map { $0.lowercased() }
  }

  /// Whether the text of a refusal that says no more is about a field of a form: it begins with the field's name, as commands
  /// and settings call it, or with its label; or it quotes what was typed there.
  private func names(_ field: String, label: String, value: String) -> Bool {
    if field == Self.passwordField(rule, why) { return true }
    let names = Self.names(of: field, label)
    let begun = [why, (rule?.head(before: ".") ?? "") + " "].map { $0.lowercased() }
    for name in names where !name.isEmpty {
      // `email is not …`, `no kind 'x'`, `the username …`
      for before in ["", "no ", "the "] {
        let start = before + name
        if begun.contains(where: { $0 == start || $0.hasPrefix(start + " ") || $0.hasPrefix(start + ":") }) {
          return true
        }
      }
    }
    let words = why.split { " ,:;'\"()".contains($0) }
    // It lists the fields that are missing.
    if rule == "user.required-fields", words.contains(where: { names.contains($0.lowercased()) }) { return true }
    guard value.utf8.count >= 2 else { return false }
    return words.contains { $0 == value || $0.dropLast() == value && $0.last == "." }
  }
}

extension CommandFailure {
  /// Of two passwords, the one that a rule about passwords means.
  private static func passwordField(_ rule: String?, _ why: String) -> String? {
    guard rule?.head(before: ".") == "password" || rule == "wait" else { return nil }
    return rule == "wait" || why.hasPrefix("the old one") ? "old" : "new"
  }
}

extension Block {
  /// Where a block has others.
  fileprivate static let nested = ["blocks", "main", "side"]
}
