package import GatehouseCore

extension SnapshotWriter {
  /// Adds the section of a partition, with its state after the record `lsn` and before any later one.
  package func add(_ state: borrowing PartitionState, lsn: LSN) throws(SnapshotError) {
    var writer = ByteWriter()
    writer.seals = folder.keys
    state.encode(into: &writer)
    try writer.withBytes { bytes throws(SnapshotError) in
      try add(owner: UInt16(state.index), lsn: lsn, bytes: bytes)
    }
  }

  /// Adds the section of the directory, with its state after the record `lsn` and before any later one.
  package func add(_ state: DirectoryState, lsn: LSN) throws(SnapshotError) {
    var writer = ByteWriter()
    state.encode(into: &writer)
    try writer.withBytes { bytes throws(SnapshotError) in
      try add(owner: Snapshot.directoryOwner, lsn: lsn, bytes: bytes)
    }
  }
}
