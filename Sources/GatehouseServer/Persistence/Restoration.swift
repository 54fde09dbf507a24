import GatehouseCore
import GatehouseStorage
import Synchronization

/// Brings back the state that a data folder holds: the newest sound snapshot, then the log after it.
///
/// A section of a snapshot says through which record its owner's state goes; each owner skips the records
/// it already has. The same `apply` that served the commands replays them.
struct Restoration {
  private(set) var partitions: [PartitionState]
  private(set) var directory: DirectoryState
  /// Through which record each partition's snapshot goes.
  private var covered: [LSN]
  private var directoryCovered: LSN = 0
  private(set) var records = 0

  private let partitioning: Partitioning

  init(partitioning: Partitioning, created: Milliseconds) {
    self.partitioning = partitioning
    partitions = (0..<partitioning.count).map { PartitionState(index: $0, partitioning: partitioning) }
    directory = DirectoryState(created: created)
    covered = Array(repeating: 0, count: partitioning.count)
  }

  /// Takes the sections of a snapshot, several at a time.
  mutating func load(_ snapshot: SnapshotReader) throws {
    let sections = snapshot.sections
    let loaded = Mutexed<[(SnapshotSection, LoadedSection)]>([])
    let failure = Mutexed<(any Error)?>(nil)
    let partitioning = partitioning
    inParallel(count: sections.count) { index in
      let section = sections[index]
      do {
        let bytes = try snapshot.read(section)
        let state = try LoadedSection(bytes, of: section, partitioning)
        loaded.withLock { $0.append((section, state)) }
      } catch {
        failure.withLock { $0 = $0 ?? error }
      }
    }
    if let error = failure.withLock({ $0 }) { throw error }
    for (section, state) in loaded.withLock({ $0 }) {
      switch state {
      case .directory(let state):
        directory = state
        directoryCovered = section.lsn
      case .partition(let state):
        partitions[Int(section.owner)] = state
        covered[Int(section.owner)] = section.lsn
      }
    }
  }

  /// Applies one record to the owners that do not have it.
  mutating func replay(_ lsn: LSN, _ bytes: UnsafeRawBufferPointer) throws {
    var reader = ByteReader(bytes)
    let record = try Record(from: &reader)
    records += 1
    for change in record.changes {
      change.forEachOwner(partitioning) { index in
        if lsn > covered[index] { partitions[index].apply(change, lsn: lsn, header: record.header) }
      } directory: {
        if lsn > directoryCovered { directory.apply(change, lsn: lsn, header: record.header) }
      }
    }
  }
}

private enum LoadedSection: Sendable {
  case directory(DirectoryState)
  case partition(PartitionState)

  init(_ bytes: ContiguousArray<UInt8>, of section: SnapshotSection, _ partitioning: Partitioning) throws {
    let decoded = bytes.withUnsafeBytes { raw -> Result<LoadedSection, CodingError> in
      Result { () throws(CodingError) -> LoadedSection in
        var reader = ByteReader(raw)
        if section.owner == Snapshot.directoryOwner { return .directory(try DirectoryState(from: &reader)) }
        return .partition(
          try PartitionState(from: &reader, index: Int(section.owner), partitioning: partitioning))
      }
    }
    self = try decoded.get()
  }
}
