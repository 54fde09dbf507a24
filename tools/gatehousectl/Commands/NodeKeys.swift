import GatehouseWire

/// What a node says of its keys (`NODE.KEYS`), to be compared with the others'.
struct NodeKeys: Equatable {
  /// What must be the same on all nodes, by the field of the reply.
  ///
  /// The generation of the store is not among it: nodes that have destroyed the same keys may have done so in fewer or
  /// more steps.
  static let compared: [(field: String, name: String)] = [
    ("store", "store of people's keys"), ("destroyed", "destroyed keys"), ("nodes", "number of key nodes"),
    ("keys", "people's keys"), ("ring", "key ring"), ("master", "master key"), ("data-keys", "data keys"),
    ("data-key", "data key of new files"),
  ]

  /// What becomes the same by itself, once each node has destroyed what it is to destroy.
  private static let settling: Set = ["destroyed", "nodes", "keys"]

  /// By field; nothing for what the node does not have.
  let values: [String: String]

  init(values: [String: String]) { self.values = values }

  init(_ reply: RESPValue) {
    values = Dictionary(
      uniqueKeysWithValues: (Self.compared.map(\.field) + ["generation", "lsn"]).compactMap { field in
        let value = reply[field]
        return (value?.integer.map { "\($0)" } ?? value?.string).map { (field, $0) }
      })
  }

  /// What one node has otherwise than another, in words; empty if nothing.
  func differences(from other: NodeKeys) -> [String] {
    Self.compared.compactMap { field, name in
      let (mine, others) = (values[field], other.values[field])
      return mine == others ? nil : "\(name): \(mine ?? "none"), and not \(others ?? "none")"
    }
  }

  /// Whether two nodes differ in more than the keys that one of them has yet to destroy.
  func hasOthers(than other: NodeKeys) -> Bool {
    Self.compared.contains { !Self.settling.contains($0.field) && values[$0.field] != other.values[$0.field] }
  }

  /// For programs.
  var reply: RESPValue {
    .map(values.sorted { $0.key < $1.key }.map { RESPValue.Pair(.bulk($0.key), .bulk($0.value)) })
  }
}
