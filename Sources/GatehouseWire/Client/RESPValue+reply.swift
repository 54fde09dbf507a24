public import GatehouseCore

extension RESPValue {
  /// A reply of the core, as a RESP3 client would see it. For programs that use the core without a server.
  public init(_ reply: Reply) {
    var nodes = reply.nodes
    self = Self.next(&nodes, reply)
  }

  private static func next(_ nodes: inout ArraySlice<Reply.Node>, _ reply: Reply) -> RESPValue {
    guard let node = nodes.popFirst() else { preconditionFailure("a reply that lacks values") }
    switch node.kind {
    case .simple: return .simple(reply.text(of: node))
    case .error: return .error(reply.text(of: node))
    case .integer: return .integer(node.value)
    case .text, .secret: return .bulk(bytes(of: node, reply))
    case .verbatim: return .verbatim(format: "txt", bytes(of: node, reply))
    case .double: return .double(Double(bitPattern: UInt64(bitPattern: node.value)))
    case .null: return .null
    case .array: return .array((0..<Int(node.count)).map { _ in next(&nodes, reply) })
    case .push: return .push((0..<Int(node.count)).map { _ in next(&nodes, reply) })
    case .map:
      return .map((0..<Int(node.count)).map { _ in Pair(next(&nodes, reply), next(&nodes, reply)) })
    }
  }

  private static func bytes(of node: Reply.Node, _ reply: Reply) -> [UInt8] {
    reply.withParts { _, bytes in Array(node.text(bytes)) }
  }
}
