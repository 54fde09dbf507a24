import Testing

@testable import GatehouseCore

/// The log of a core without a server, and the state made from the log alone: the replica.
final class HarnessLog {
  /// The encoded records; the first has LSN 1.
  private(set) var encoded: [ContiguousArray<UInt8>] = []
  /// The records that were written, decoded again.
  private(set) var records: [Record] = []
  var replica: [PartitionCell]
  /// It knows no zones: the meaning of records does not depend on them.
  let replicaDirectory: DirectoryCell
  private let seals = HarnessSeals()

  init(replica: [PartitionCell], _ directory: DirectoryCell) {
    self.replica = replica
    replicaDirectory = directory
  }

  var lsn: LSN { LSN(encoded.count) }

  func append(_ whole: Record) {
    var writer = ByteWriter()
    writer.seals = seals
    whole.encode(into: &writer)
    encoded.append(writer.bytes)
    let record = Self.record(writer.bytes, seals)
    #expect(record == whole, "a record that is decoded is another")
    records.append(record)
    Self.apply(record, lsn, to: replica, replicaDirectory)
  }

  static func record(_ bytes: ContiguousArray<UInt8>, _ seals: HarnessSeals = HarnessSeals()) -> Record {
    bytes.withUnsafeBytes { raw in
      var reader = ByteReader(raw)
      guard let record = try? Record(from: &reader, seals), reader.isAtEnd else {
        preconditionFailure("a record that cannot be decoded")
      }
      return record
    }
  }

  /// Applies a record like a replay: each owner takes its part unless it has it already.
  static func apply(_ record: Record, _ lsn: LSN, to cells: [PartitionCell], _ directory: DirectoryCell) {
    let known = Set(cells.filter { $0.state.lsn >= lsn }.map(\.index))
    let isKnown = directory.state.lsn >= lsn
    record.forEachPart { part in
      for change in part.changes {
        change.forEachOwner(cells[0].state.partitioning) { partition in
          if !known.contains(partition) { cells[partition].state.apply(change, lsn: lsn, header: part.header) }
        } directory: {
          if !isKnown { directory.state.apply(change, lsn: lsn, header: part.header) }
        }
        if change.movesCounters, !isKnown { directory.state.count(change, lsn: lsn) }
      }
    }
  }
}
