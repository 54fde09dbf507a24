import GatehouseCore

/// A reply for tests: a tree instead of a flat list of nodes.
indirect enum Answer: Equatable {
  /// A status line, a text or a secret.
  case text(String)
  case error(String)
  case integer(Int64)
  case double(Double)
  case null
  case list([Answer])
  case map([Pair])

  struct Pair: Equatable {
    let key: String
    let value: Answer
  }

  init(_ reply: Reply, showingSecrets: Bool = true) {
    var place = 0
    self = Self.read(reply, &place, showingSecrets)
    precondition(place == reply.nodes.count, "a reply of more than one value: \(self)")
  }

  private static func read(_ reply: Reply, _ place: inout Int, _ showingSecrets: Bool) -> Answer {
    precondition(place < reply.nodes.count, "a reply that lacks values")
    let node = reply.nodes[place]
    place += 1
    switch node.kind {
    case .simple, .text, .verbatim: return .text(reply.text(of: node))
    case .secret: return .text(showingSecrets ? reply.text(of: node) : "secret")
    case .error: return .error(reply.text(of: node))
    case .integer: return .integer(node.value)
    case .double: return .double(Double(bitPattern: UInt64(bitPattern: node.value)))
    case .null: return .null
    case .array, .push: return .list((0..<Int(node.count)).map { _ in read(reply, &place, showingSecrets) })
    case .map:
      return .map(
        (0..<Int(node.count)).map { _ in
          Pair(key: read(reply, &place, showingSecrets).text ?? "", value: read(reply, &place, showingSecrets))
        })
    }
  }

  // MARK: Looking in

  /// The value of a map's key; null if the map lacks it.
  subscript(key: String) -> Answer {
    guard case .map(let pairs) = self else { return .null }
    return pairs.first { $0.key == key }?.value ?? .null
  }

  subscript(index: Int) -> Answer {
    guard case .list(let items) = self, items.indices.contains(index) else { return .null }
    return items[index]
  }

  var text: String? {
    switch self {
    case .text(let text), .error(let text): text
    default: nil
    }
  }

  var integer: Int64? { if case .integer(let value) = self { value } else { nil } }
  var items: [Answer] { if case .list(let items) = self { items } else { [] } }
  var keys: [String] { if case .map(let pairs) = self { pairs.map(\.key) } else { [] } }
  var isError: Bool { if case .error = self { true } else { false } }
  var isNull: Bool { self == .null }
}

extension Answer: CustomStringConvertible {
  /// One line: `{id: 3, actor: nil}`, `[1, 2]`; texts and errors unchanged.
  var description: String {
    switch self {
    case .text(let text), .error(let text): text
    case .integer(let value): "\(value)"
    case .double(let value): "\(value)"
    case .null: "nil"
    case .list(let items): "[" + items.map(\.description).joined(separator: ", ") + "]"
    case .map(let pairs): "{" + pairs.map { "\($0.key): \($0.value)" }.joined(separator: ", ") + "}"
    }
  }
}
