import GatehouseCore
import GatehouseWire

/// A reply in readable form: lists of maps as tables, maps as aligned pairs, times as local time.
struct ReplyView {
  let style: TextStyle
  let width: Int
  let names: UserNames
  let field: ShownField

  init(style: TextStyle, width: Int, names: UserNames = UserNames(), field: ShownField = ShownField()) {
    self.style = style
    self.width = width
    self.names = names
    self.field = field
  }

  func lines(of reply: RESPValue) -> [String] {
    switch reply {
    case .error(let text): return [style.bad("✗ \(ShownText.line(text))")]
    case .null: return [style.faint("(nothing)")]
    case .verbatim: return [String(decoding: reply.plain(), as: UTF8.self)]
    case .map(let pairs): return trialLines(of: reply) ?? lines(of: pairs, indent: 0)
    case .array(let elements), .set(let elements), .push(let elements):
      if let page = Page(elements) { return lines(of: page) }
      return lines(ofList: elements, indent: 0)
    case .simple, .integer, .boolean, .double, .bigNumber, .bulk: return [decision(field.text(reply, field: ""))]
    }
  }

  /// Colours `ALLOW` and `DENY reason`, the most common answers.
  private func decision(_ text: String) -> String {
    if text == "ALLOW" { return style.good(text) }
    return text.hasPrefix("DENY ") ? style.bad(text) : text
  }

  /// What a command would do that is only tried: a line for each change, then the logins and the seats.
  private func trialLines(of reply: RESPValue) -> [String]? {
    guard let changes = reply["changes"]?.elements, let logins = reply["logins"]?.elements,
      let seats = reply["seats"]?.elements
    else { return nil }
    let trail = TrailView(names: names, field: field)
    func section(_ heading: String, _ lines: [String]) -> [String] {
      [style.heading(heading)] + (lines.isEmpty ? [style.faint("(none)")] : lines).map { "  " + $0 }
    }
    return section("changes", changes.map { trail.line(of: $0) })
      + section("logins", logins.isEmpty ? [] : lines(ofList: logins, indent: 2) + more(reply["logins-left-out"]))
      + section("seats", seats.isEmpty ? [] : lines(ofList: seats, indent: 2))
  }

  private func more(_ count: RESPValue?) -> [String] {
    guard let count = count?.integer, count > 0 else { return [] }
    return [style.faint("(and those of \(count) more people)")]
  }

  // MARK: Pages

  /// A page of a list that may continue: a cursor and items.
  private struct Page {
    let cursor: String
    let items: [RESPValue]

    init?(_ elements: [RESPValue]) {
      guard elements.count == 2, case .bulk = elements[0], case .array(let items) = elements[1],
        let cursor = elements[0].string, cursor.contains(where: \.isNumber)
      else { return nil }
      self.cursor = cursor
      self.items = items
    }
  }

  private func lines(of page: Page) -> [String] {
    let items = lines(ofList: page.items, indent: 0)
    guard page.cursor != "0" else { return items }
    return items + [style.faint("(more with CURSOR \(ShownText.line(page.cursor)))")]
  }

  // MARK: Lists

  private func lines(ofList elements: [RESPValue], indent: Int) -> [String] {
    if elements.isEmpty { return [style.faint("(none)")] }
    let maps = elements.compactMap { value in if case .map(let pairs) = value { pairs } else { nil } }
    guard maps.count == elements.count else { return lines(ofMixed: elements, indent: indent) }
    if let rules = RulesView(maps) { return rules.lines(style: style) }
    if let trail = TrailView(maps, names: names, field: field) { return trail.lines(style: style) }
    return table(maps, indent) ?? records(maps, indent)
  }

  private func lines(ofMixed elements: [RESPValue], indent: Int) -> [String] {
    elements.flatMap { element -> [String] in
      switch element {
      case .error: lines(of: element)
      case .map(let pairs): lines(of: pairs, indent: indent)
      case .array(let inner), .set(let inner), .push(let inner): lines(ofList: inner, indent: indent)
      default: [element.isNull ? style.faint("(nothing)") : decision(field.text(element, field: ""))]
      }
    }
  }

  /// A table of maps; nil if they contain maps or do not fit.
  private func table(_ maps: [[RESPValue.Pair]], _ indent: Int) -> [String]? {
    var headings: [String] = []
    for pair in maps.joined() where !headings.contains(key(pair)) { headings.append(key(pair)) }
    var rows: [[String]] = []
    for map in maps {
      var row = Array(repeating: "", count: headings.count)
      for pair in map {
        guard let text = inline(pair.value, field: key(pair)) else { return nil }
        row[headings.firstIndex(of: key(pair))!] = text
      }
      rows.append(row)
    }
    let whole = headings.indices.filter { place in Self.areDecisions(rows.map { $0[place] }) }
    return TextTable(headings: headings, rows: rows, whole: Set(whole)).lines(width: width - indent, style: style)
  }

  /// Whether a column says whether logins are refused, and why: in words that begin alike and must be read to their end.
  private static func areDecisions(_ texts: [String]) -> Bool {
    texts.allSatisfy { text in
      let reason = text.hasPrefix("DENY ") ? text.dropFirst(5) : text[...]
      return text == "ALLOW" || LoginDenial.allCases.contains { "\($0.reason)" == reason }
    }
  }

  /// One map after the other, if a table would not be readable.
  private func records(_ maps: [[RESPValue.Pair]], _ indent: Int) -> [String] {
    Array(maps.map { lines(of: $0, indent: indent) }.joined(separator: [""]))
  }

  // MARK: Maps

  private func lines(of pairs: [RESPValue.Pair], indent: Int) -> [String] {
    if pairs.isEmpty { return [style.faint("(none)")] }
    let keys = pairs.map(key)
    let column = keys.reduce(0) { max($0, TextWidth.of($1)) } + 2
    var lines: [String] = []
    for (pair, key) in zip(pairs, keys) {
      let label = style.heading(TextWidth.padded(key, to: column))
      if let text = inline(pair.value, field: key) {
        lines.append(
          text.isEmpty
            ? style.heading(key) + style.faint(TextWidth.padded("", to: column - TextWidth.of(key)) + "-")
            : label + text)
      } else {
        lines.append(style.heading(key))
        lines += nested(pair.value, indent + 2).map { "  " + $0 }
      }
    }
    return lines
  }

  private func nested(_ value: RESPValue, _ indent: Int) -> [String] {
    if case .map(let pairs) = value { return lines(of: pairs, indent: indent) }
    return lines(ofList: value.elements ?? [], indent: indent)
  }

  /// The value on one line; nil for maps, and for lists that contain maps.
  private func inline(_ value: RESPValue, field name: String) -> String? {
    switch value {
    case .map: return nil
    case .array(let elements), .set(let elements), .push(let elements):
      var texts: [String] = []
      for element in elements {
        guard let text = inline(element, field: name) else { return nil }
        texts.append(text)
      }
      return texts.joined(separator: ", ")
    default: return field.text(value, field: name)
    }
  }

  private func key(_ pair: RESPValue.Pair) -> String { ShownText.line(pair.key.string ?? "\(pair.key)") }
}
