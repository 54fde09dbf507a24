import GatehouseTestSupport
import GatehouseWire

/// Names in the directory as a sequential object: services, which come and go, or workspaces, which are only added.
struct NameSet: SequentialObject {
  enum Kind: String { case service = "SERVICE", workspace = "WORKSPACE" }

  let kind: Kind
  /// A prefix that makes its names unique on the server.
  let prefix: String

  var initial: Set<String> { [] }

  enum Call: Sendable {
    case add(String), remove(String), list
  }

  enum Answer: Sendable, Hashable {
    case done, conflict, notFound
    case names(Set<String>)
    case unexpected(String)
  }

  func words(of call: Call) -> [String] {
    switch call {
    case .add(let name): ["\(kind).CREATE", name]
    case .remove(let name): ["\(kind).DELETE", name]
    case .list: ["\(kind).LIST"]
    }
  }

  func answer(_ reply: RESPValue, to call: Call) -> Answer {
    if let error = reply.errorText {
      return error.hasPrefix("CONFLICT") ? .conflict : error.hasPrefix("NOTFOUND") ? .notFound : .unexpected(error)
    }
    guard case .list = call else { return .done }
    return .names(Set(reply.items.compactMap { Fields($0)?["name"] }.filter { $0.hasPrefix(prefix) }))
  }

  func next(_ state: Set<String>, _ call: Call, _ answer: Answer) -> Set<String>? {
    switch (call, answer) {
    case (.add(let name), .done): state.contains(name) ? nil : state.union([name])
    case (.add(let name), .conflict): state.contains(name) ? state : nil
    case (.remove(let name), .done): state.contains(name) ? state.subtracting([name]) : nil
    case (.remove(let name), .notFound): state.contains(name) ? nil : state
    case (.list, .names(let names)): names == state ? state : nil
    default: nil
    }
  }
}
