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

  /// For programs.
  var reply: RESPValue {
    .map(values.sorted { $0.key < $1.key }.map { RESPValue.Pair(.bulk($0.key), .bulk($0.value)) })
  }
}
