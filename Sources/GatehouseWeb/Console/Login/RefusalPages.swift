import GatehouseCore
import GatehouseWire

/// The refused logins of the last hours, by reason and product; one click leads to the explanation.
struct RefusalPages: ConsolePages {
  static let address = Address("refusals")

  var areas: [Area] { [Area("Refused logins", .login, Self.address, needs: ["audit.read"])] }

  func add(to console: ConsoleRouter) {
    console.get("refusals") { visit in .page(try await Self.page(visit)) }
  }

  /// How far back is looked.
  private enum Span: String, CaseIterable {
    case hour = "1h"
    case day = "24h"
    case week = "7d"

    var name: String {
      switch self {
      case .hour: "Last hour"
      case .day: "Last day"
      case .week: "Last week"
      }
    }

    var milliseconds: Int64 {
      switch self {
      case .hour: 3_600_000
      case .day: 86_400_000
      case .week: 7 * 86_400_000
      }
    }
  }

  /// As many as are counted and shown.
  private static let most = 1000

  private static func page(_ visit: Visit) async throws -> Page {
    let span = Span(rawValue: visit.query["span"]) ?? .hour
    let (reason, product) = (visit.query["reason"], visit.query["product"])
    let since = TimeText.text(of: visit.now - span.milliseconds)
    let reply = try await visit.read("REFUSALS.LIST", "SINCE", since, "COUNT", String(most))
    let all = reply.elements ?? []
    let shown = all.filter { refusal in
      (reason.isEmpty || refusal["reason"]?.string == reason)
        && (product.isEmpty || refusal["product"]?.string == product)
    }
    var blocks = [
      Block.links(
        "Time",
        Span.allCases.map { one in
          (
            one.name,
            address.adding("span", one.rawValue).adding("reason", reason.nonEmpty).adding("product", product.nonEmpty),
            one == span
          )
        })
    ]
    guard !all.isEmpty else {
      blocks.append(.empty("No login was refused", "Nothing was refused in this time, as far as it is remembered."))
      return Page("Refused logins", area: address, intro: intro, blocks)
    }
    if all.count >= most { blocks.append(.notice(.warn, "Only the newest \(most) are counted")) }
    if !reason.isEmpty || !product.isEmpty {
      blocks.append(.buttons([.link("Show all of them", address.adding("span", span.rawValue))]))
    }
    blocks.append(
      .columns(
        main: [.section("Who was refused", [table(shown).block])],
        side: [
          counts("By reason", "reason", all, span), counts("By product", "product", all, span),
        ]))
    return Page("Refused logins", area: address, intro: intro, blocks)
  }

  private static let intro: [Cell] = [
    .text("Kept in memory by each thread of the server; a restart forgets them.")
  ]

  private static func table(_ refusals: [RESPValue]) -> Table {
    let rows = refusals.prefix(200).map { refusal -> Table.Row in
      let name = refusal["username"]?.string ?? ""
      let product = refusal["product"]?.string ?? ""
      let user = refusal["user"]?.integer
      let person: Cell =
        user.map { .link(name, Address("people", String($0))) } ?? .muted(name.isEmpty ? "–" : name)
      let isExplained = !name.isEmpty && !product.isEmpty && name != "(redacted)"
      return Table.Row(
        [
          [.time(refusal["time"]?.integer)], [person], [product.isEmpty ? .none : .text(product)],
          [.badge(refusal["reason"]?.string ?? "", .bad)],
        ], buttons: isExplained ? [.link("Why?", WhyPages.address(of: name, product))] : [])
    }
    return Table(
      caption: "Refused logins", columns: [.init("When"), .init("Person"), .init("Product"), .init("Reason")],
      rows: Array(rows), empty: .empty("None of these", "No refused login has this reason and product."))
  }

  /// How many there are of each value of a field, most first; each leads to its own.
  private static func counts(_ heading: String, _ field: String, _ refusals: [RESPValue], _ span: Span) -> Block {
    var counts: [String: Int64] = [:]
    for refusal in refusals { counts[refusal[field]?.string ?? "", default: 0] += 1 }
    let rows = counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.prefix(20).map { name, count -> Table.Row in
      let link: Cell =
        name.isEmpty ? .none : .link(name, address.adding("span", span.rawValue).adding(field, name))
      return Table.Row([[link], [.number(count)]])
    }
    return .section(
      heading,
      [Table(caption: heading, columns: [.init("Name"), .init("Times", isNumeric: true)], rows: Array(rows)).block])
  }
}

extension String {
  /// nil if there is nothing in it.
  var nonEmpty: String? { isEmpty ? nil : self }
}
