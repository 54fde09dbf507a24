import GatehouseWire

/// A page of a list, `[cursor, items]`.
struct ListPage {
  let items: [RESPValue]
  /// nil at the end.
  let cursor: String?

  init(_ reply: RESPValue) {
    let parts = reply.elements ?? []
    items = parts.count == 2 ? parts[1].elements ?? [] : []
    let next = parts.first.flatMap { $0.string ?? $0.integer.map(String.init) } ?? "0"
    cursor = next == "0" ? nil : next
  }
}

extension RESPValue {
  /// A field as text, also one with several values; empty if it is not set.
  func shown(_ field: String) -> String { self[field]?.shown ?? "" }

  var shown: String {
    switch self {
    case .null: ""
    case .integer(let number): String(number)
    default: string ?? elements?.map(\.shown).filter { !$0.isEmpty }.joined(separator: ", ") ?? ""
    }
  }

  func flag(_ field: String) -> Bool { self[field]?.integer == 1 }
}
