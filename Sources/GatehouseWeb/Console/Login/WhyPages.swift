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
      return .redirect(Self.address(of: user, product), await visit.done(reply, "\(remedy.done) \(now)"))
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
    do {
      let moment = try Self.moment(visit)
      explanation = try await visit.read(
        ["LOGIN.EXPLAIN", user, product] + (moment.map { ["AT", TimeText.text(of: $0)] } ?? []))
    } catch let failure as CommandFailure {
      return Page("Why can't they log in?", area: address, status: failure.status, [question, failure.block])
    }
    let rules = explanation.elements ?? []
    let isPast = !visit.query["at"].isEmpty
    let verdict = Self.verdict(rules, user, product, at: isPast ? visit.query["at"] : nil)
    let table = await Self.table(rules, isPast ? nil : visit, user, product)
    return Page("Why can't they log in?", area: address, [question, verdict, table])
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

  private static func verdict(_ rules: [RESPValue], _ user: String, _ product: String, at day: String?) -> Block {
    let when = day.map { " on \($0)" } ?? ""
    guard let first = rules.first(where: { $0["passed"]?.integer == 0 }) else {
      return .notice(.good, "\(user) may log in to \(product)\(when)", [.text("All rules pass.")])
    }
    return .notice(
      .bad, "\(user) may not log in to \(product)\(when)",
      [.text("The first rule that refuses it: "), .code(first["rule"]?.string ?? ""), .text(".")])
  }

  /// - Parameter visit: for the remedies; nil where nothing can be mended, such as in the past.
  private static func table(_ rules: [RESPValue], _ visit: Visit?, _ user: String, _ product: String) async -> Block {
    var rows: [Table.Row] = []
    for rule in rules {
      let hasPassed = rule["passed"]?.integer == 1
      let name = rule["rule"]?.string ?? ""
      var buttons: [Button] = []
      if let visit, !hasPassed {
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
  /// The names of the products that the person may see, as commands take them.
  func productNames() async throws -> [String] {
    (try await read("PRODUCT.LIST").elements ?? []).compactMap { $0["product"]?.string }
  }
}
