import GatehouseCore
import GatehouseWire
import HTTPTypes

/// *Why can't they log in?*: a person and a product, and every rule green or red. What mends a red one is a button.
struct WhyPages: ConsolePages {
  static let address = Address("why")

  var areas: [Area] { [Area("Why can't they log in?", .login, Self.address, needs: ["user.read"])] }

  /// The page about one person and product.
  static func address(of user: String, _ product: String) -> Address {
    address.adding("user", user).adding("product", product)
  }

  func add(to console: ConsoleRouter) {
    console.get("why") { visit in .page(try await Self.page(visit)) }
    console.post("why/mend") { visit in
      let (user, product) = (visit.form["user"], visit.form["product"])
      guard let remedy = Remedy(visit.form["remedy"], for: user, product, type: visit.form["type"]) else {
        throw Problem(.badRequest, "ERR", "this remedy is not known; load the page again")
      }
      let reply = try await visit.write(remedy.command)
      let decision = try await visit.read("LOGIN.CHECK", user, product).string ?? ""
      let now = decision == "ALLOW" ? "\(user) may log in to \(product) now." : "The next rule still refuses it."
      let here = Self.address(of: user, product).adding("at", visit.form["at"].nonEmpty)
      return .redirect(here, await visit.done(reply, "\(remedy.done) \(now)"))
    }
  }

  private static func page(_ visit: Visit) async throws -> Page {
    let (user, product) = (visit.query["user"], visit.query["product"])
    let question = try await form(visit, user, product)
    guard !user.isEmpty, !product.isEmpty else {
      return Page(
        "Why can't they log in?", area: address,
        intro: [.text("Name a person and a product, and see every rule that decides.")], [question])
    }
    let explanation: RESPValue
    let moment: Int64?
    do {
      moment = try Self.moment(visit)
      explanation = try await visit.read(
        ["LOGIN.EXPLAIN", user, product] + (moment.map { ["AT", TimeText.text(of: $0)] } ?? []))
    } catch let failure as CommandFailure {
      return Page("Why can't they log in?", area: address, status: failure.status, [question, failure.block])
    }
    let rules = explanation.elements ?? []
    // What was cannot be mended.
    let isPast = moment.map { $0 < visit.now } ?? false
    var blocks = [question, Self.verdict(rules, user, product, at: visit.query["at"].nonEmpty, isPast: isPast)]
    let first = rules.first { $0["passed"]?.integer == 0 }
    if !isPast {
      if let first {
        let remedies = await Remedy.buttons(
          against: first.shown("rule"), first.shown("detail"), visit, user, product)
        if !remedies.isEmpty { blocks.append(.buttons(remedies)) }
      }
      if first?.shown("rule") == "unknown-user" {
        if let people = try await Self.namesakes(visit, user) { blocks.append(people) }
      } else if moment == nil {
        blocks += try await Self.password(visit, user, product)
      }
    }
    if let id = try? await visit.readQuietly(["USER.GET", user])["id"]?.integer {
      blocks.append(.text(.link("The page of \(user)", Address("people", String(id)))))
    }
    blocks.append(await Self.table(rules, isPast ? nil : visit, user, product))
    return Page("Why can't they log in?", area: address, blocks)
  }

  // MARK: Parts

  private static func form(_ visit: Visit, _ user: String, _ product: String) async throws -> Block {
    let products = try await visit.productNames()
    let options = [Field.Option("", "Choose a product")] + products.map { Field.Option($0) }
    return Form(
      address, .get, layout: .row,
      fields: [
        Field("user", "Person", value: user, hint: "Username, or # and the number.", required: true),
        Field("product", "Product", .choice(options), value: product, required: true),
        Field("at", "As of", .day, value: visit.query["at"], hint: "Empty for now."),
      ], submit: "Explain"
    ).block
  }

  /// The end of the day that was asked for, in UTC; nil for now.
  private static func moment(_ visit: Visit) throws -> Int64? {
    let day = visit.query["at"]
    guard !day.isEmpty else { return nil }
    guard let time = TimeText.time(day + "T23:59:59Z") else {
      throw CommandFailure("ERR the day \(day) is not understood; write it as 2026-11-30")
    }
    return time
  }

  private static func verdict(
    _ rules: [RESPValue], _ user: String, _ product: String, at day: String?, isPast: Bool
  ) -> Block {
    let when = day.map { " on \($0)" } ?? ""
    guard let first = rules.first(where: { $0["passed"]?.integer == 0 }) else {
      return .notice(.good, "\(user) may log in to \(product)\(when)", [.text("All rules pass.")])
    }
    let remedy = ConsoleWords().said(first.shown("remedy"))
    return .notice(
      .bad, "\(user) may not log in to \(product)\(when)",
      [.text("The first rule that refuses it: "), .code(first.shown("rule")), .text(", \(first.shown("detail")).")]
        + (!isPast && !remedy.isEmpty ? [.text(" What to do: \(remedy).")] : []))
  }

  /// What stands in the way of a password, for who may see that: the rules do not ask for it.
  private static func password(_ visit: Visit, _ user: String, _ product: String) async throws -> [Block] {
    guard let password = try await visit.readIfAllowed("PASSWORD.GET", user) else { return [] }
    if let until = password["waits-until"]?.integer {
      let notice = Block.notice(
        .warn, "No password of \(user) is looked at for now",
        [
          .text("\(password["failures"]?.integer ?? 0) wrong ones were given. The wait ends "), .time(until),
          .text("."),
        ])
      let button = await Remedy.button(.unlock, "End the wait", visit, user, product)
      return [notice] + (button.map { [.buttons([$0])] } ?? [])
    }
    if password["set"]?.integer == nil {
      return [
        .notice(
          .accent, "\(user) has no password",
          [.text("An invitation or “Mail a new password” on the person's page lets them choose one.")])
      ]
    }
    guard let failures = password["failures"]?.integer, failures > 0 else { return [] }
    return [.notice(.accent, "\(failures) wrong passwords since the last login")]
  }

  /// Those whom somebody may have meant who typed a name or an address in place of a username.
  private static func namesakes(_ visit: Visit, _ name: String) async throws -> Block? {
    let words = SearchPages.words(ofName: name)
    guard !words.isEmpty,
      let people = try await visit.readIfAllowed(["USER.SEARCH"] + words + ["LIMIT", "5"])?.elements,
      !people.isEmpty
    else { return nil }
    let product = visit.query["product"]
    let cells = people.flatMap { person -> [Cell] in
      let username = person.shown("username")
      return [.link(username, Self.address(of: username, product)), .text(" (\(person.shown("name"))) ")]
    }
    return .notice(.accent, "Do you mean …", cells)
  }

  /// - Parameter visit: for the remedies; nil where nothing can be mended, such as in the past. Those of the first rule that
  ///   refuses stand above.
  private static func table(_ rules: [RESPValue], _ visit: Visit?, _ user: String, _ product: String) async -> Block {
    var rows: [Table.Row] = []
    let first = rules.firstIndex { $0["passed"]?.integer == 0 }
    for (index, rule) in rules.enumerated() {
      let hasPassed = rule["passed"]?.integer == 1
      let name = rule["rule"]?.string ?? ""
      var buttons: [Button] = []
      if let visit, !hasPassed, index != first {
        buttons = await Remedy.buttons(against: name, rule.shown("detail"), visit, user, product)
      }
      rows.append(
        Table.Row(
          [
            [hasPassed ? .badge("passes", .good) : .badge("refuses", .bad)], [.code(name)], [.value(rule["detail"])],
            [.text(ConsoleWords().said(rule.shown("remedy")))],
          ], buttons: buttons))
    }
    return Table(
      caption: "Every rule of a login",
      columns: [.init("Result"), .init("Rule"), .init("What was found"), .init("What to do")], rows: rows
    ).block
  }
}

extension Visit {
  /// Whether somebody cannot log in to a product, among other reasons, because it needs a licence that they do not have.
  func lacksLicence(_ user: String, _ product: String) async -> Bool {
    guard let rules = try? await readQuietly(["LOGIN.EXPLAIN", user, product]).elements else { return false }
    return rules.contains { $0.shown("rule") == "no-licence" && $0["passed"]?.integer == 0 }
  }

  /// The names of the products that the person may see, as commands take them.
  func productNames() async throws -> [String] {
    (try await read("PRODUCT.LIST").elements ?? []).compactMap { $0["product"]?.string }
  }
}
