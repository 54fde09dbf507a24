import Testing

@testable import GatehouseCore

/// States as bytes, to compare and to restore them.
extension PartitionCell {
  /// The state as in a snapshot.
  var encoded: ContiguousArray<UInt8> {
    var writer = ByteWriter()
    state.encode(into: &writer)
    return writer.bytes
  }

  /// The state without what only memory has: uses of sessions and keys that were not logged.
  var encodedAsLogged: ContiguousArray<UInt8> {
    let copy = PartitionCell(state.copy())
    copy.forgetUses()
    return copy.encoded
  }

  func forgetUses() {
    for slot in 1..<(state.sessions.rows.last + 1) { state.sessions[slot].lastSeen = state.sessions[slot].loggedSeen }
    for key in 1..<(state.apiKeys.rows.last + 1) {
      state.apiKeys.rows[key].lastUsed = state.apiKeys.rows[key].loggedUse
    }
  }

  /// - Parameter isSkipping: whether something of a newer version is to be skipped.
  static func decode(
    _ bytes: ContiguousArray<UInt8>, index: Int, _ partitioning: Partitioning, skipping isSkipping: Bool = false
  ) throws -> PartitionCell {
    try bytes.withUnsafeBytes { raw in
      var reader = ByteReader(raw)
      let state = try PartitionState(from: &reader, index: index, partitioning: partitioning)
      #expect(reader.isAtEnd && reader.hasSkipped == isSkipping)
      return PartitionCell(state)
    }
  }
}

extension DirectoryCell {
  var encoded: ContiguousArray<UInt8> {
    var writer = ByteWriter()
    writer.seals = HarnessSeals()
    state.encode(into: &writer)
    return writer.bytes
  }

  static func decode(_ bytes: ContiguousArray<UInt8>) throws -> DirectoryCell {
    try bytes.withUnsafeBytes { raw in
      var reader = ByteReader(raw)
      let state = try DirectoryState(from: &reader, HarnessSeals())
      #expect(reader.isAtEnd && !reader.hasSkipped)
      return DirectoryCell(state)
    }
  }
}

extension CoreHarness {
  /// Expects that replaying the log gives the state that the commands made.
  func expectReplicated(_ location: SourceLocation = #_sourceLocation) {
    for (cell, copy) in zip(cells, replica) {
      #expect(
        cell.encodedAsLogged == copy.encodedAsLogged, "partition \(cell.index) differs from its log",
        sourceLocation: location)
    }
    #expect(
      DirectoryCell(wholeDirectory).encoded == replicaDirectory.encoded, "the directory differs from its log",
      sourceLocation: location)
  }

  /// Restores the state from a snapshot, as after a restart.
  func restart() throws {
    let partitioning = partitioning
    let cells = try cells.map { try PartitionCell.decode($0.encoded, index: $0.index, partitioning) }
    let directory = try DirectoryCell.decode(DirectoryCell(wholeDirectory).encoded)
    for (before, after) in zip(self.cells, cells) { #expect(before.encoded == after.encoded) }
    #expect(DirectoryCell(wholeDirectory).encoded == directory.encoded)
    take(cells, directory)
  }
}
