package import GatehouseCore

extension SnapshotWriter {
  /// Adds the section of a partition that has applied the record `lsn`, and none after it.
  package func add(_ state: borrowing PartitionState, lsn: LSN) throws(SnapshotError) {
    var writer = GatehouseCore.ByteWriter()
    state.encode(into: &writer)
    try add(owner: UInt16(state.index), lsn: lsn, writer.bytes)
  }

  /// Adds the section of the directory that has applied the record `lsn`, and none after it.
  package func add(_ state: DirectoryState, lsn: LSN) throws(SnapshotError) {
    var writer = GatehouseCore.ByteWriter()
    state.encode(into: &writer)
    try add(owner: Snapshot.directoryOwner, lsn: lsn, writer.bytes)
  }

  private func add(owner: UInt16, lsn: LSN, _ bytes: ContiguousArray<UInt8>) throws(SnapshotError) {
    let result = bytes.withUnsafeBytes { raw in
      Result { () throws(SnapshotError) in try add(owner: owner, lsn: lsn, bytes: raw) }
    }
    try result.get()
  }
}
