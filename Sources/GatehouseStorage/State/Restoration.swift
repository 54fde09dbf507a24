internal import Dispatch
package import GatehouseCore
internal import Synchronization

/// Restores the state that a data folder holds: the newest sound snapshot, then the log after it.
///
/// Each section of a snapshot has the LSN of its owner's state, and the owner skips records up to it. Replay uses the
/// same `apply` as the running server.
package struct Restoration: Sendable {
  package private(set) var partitions: [PartitionCell]
  package internal(set) var directory: DirectoryState
  /// The LSN of each partition's snapshot section.
  private(set) var covered: [LSN]
  private(set) var directoryCovered: LSN = 0
  /// Whether the snapshot's names were indexed with other Unicode tables than this program's. They can be settled only
  /// after the records through `lastCovered`, because until then the sections are not of one point in time.
  private(set) var hasUnsettledNames = false
  /// Whether names were settled.
  package private(set) var hasSettledNames = false
  /// How many records were replayed.
  package internal(set) var records = 0
  /// The time of the last record replayed. If there was none, the time of the snapshot, which is taken after its
  /// records; nil if there is neither.
  package internal(set) var newestTime: Milliseconds?

  /// The first record replayed of which something was skipped that a newer version has written.
  package internal(set) var firstSkipping: LSN?

  let partitioning: Partitioning
  /// Opens what is sealed; nil if the folder has no keys, or they cannot be used.
  let seals: KeyStore?

  /// The state of a folder before its first record.
  package init(_ folder: DataFolder) {
    let partitioning = Partitioning(folder.manifest)
    self.partitioning = partitioning
    seals = folder.keys
    partitions = (0..<partitioning.count).map {
      PartitionCell(PartitionState(index: $0, partitioning: partitioning))
    }
    directory = DirectoryState(created: Milliseconds(clamping: folder.manifest.createdAt))
    covered = Array(repeating: 0, count: partitioning.count)
  }

  /// Loads the sections of a snapshot, several in parallel.
  package mutating func load(_ snapshot: SnapshotReader) throws {
    newestTime = Milliseconds(clamping: snapshot.info.createdAt)
    let sections = snapshot.sections
    let loaded = LoadedSections()
    let (partitioning, seals) = (partitioning, seals)
    DispatchQueue.concurrentPerform(iterations: sections.count) { index in
      let section = sections[index]
      do {
        let bytes = try snapshot.read(section)
        let state = try LoadedSection(bytes, of: section, partitioning, seals)
        loaded.add(.success((section, state)))
      } catch {
        loaded.add(.failure(error))
      }
    }
    for (section, state) in try loaded.all() {
      switch state {
      case .directory(let state):
        directory = state
        directoryCovered = section.lsn
      case .partition(let state):
        partitions[Int(section.owner)] = state
        covered[Int(section.owner)] = section.lsn
        if state.state.people.hasUnsettledNames { hasUnsettledNames = true }
      }
    }
    if let seals { ForgettingAgain.run(partitions, asOf: covered, seals) }
    // Some sections may have been written with other tables than the rest; all are settled together.
    if hasUnsettledNames, covered.min() == lastCovered { settleNames() }
  }

  /// The largest LSN of the snapshot's partition sections.
  private var lastCovered: LSN { covered.max() ?? 0 }

  private mutating func settleNames() {
    SettlingNames.run(partitions)
    hasUnsettledNames = false
    hasSettledNames = true
  }

  /// Applies one record to the owners that do not have it yet.
  package mutating func replay(_ lsn: LSN, _ bytes: UnsafeRawBufferPointer) throws {
    var reader = ByteReader(bytes)
    apply(try Record(from: &reader, seals), lsn: lsn)
  }

  /// Applies one record, which must be the next.
  package mutating func apply(_ record: Record, lsn: LSN) {
    records += 1
    newestTime = record.time
    if !record.isWhole, firstSkipping == nil { firstSkipping = lsn }
    apply(record.first, lsn: lsn)
    for part in record.others { apply(part, lsn: lsn) }
    if hasUnsettledNames, lsn >= lastCovered { settleNames() }
  }
}

extension Restoration {
  private mutating func apply(_ part: RecordPart, lsn: LSN) {
    for change in part.changes {
      change.forEachOwner(partitioning) { index in
        if lsn > covered[index] { partitions[index].state.apply(change, lsn: lsn, header: part.header) }
      } directory: {
        if lsn > directoryCovered { directory.apply(change, lsn: lsn, header: part.header) }
      }
      if change.movesCounters, lsn > directoryCovered { directory.count(change, lsn: lsn) }
    }
  }

  /// Gives the state the time zones for its decisions.
  package mutating func use(_ zones: ZoneTable) { directory.use(zones) }

  /// Writes the sections of a snapshot as of the record `lsn`, the last one replayed.
  package func save(to writer: SnapshotWriter, lsn: LSN) throws(SnapshotError) {
    try writer.add(directory, lsn: lsn)
    for partition in partitions { try writer.add(partition.state, lsn: lsn) }
  }
}

/// Collects what several threads have loaded.
private final class LoadedSections: Sendable {
  private let results = Mutex<[Result<(SnapshotSection, LoadedSection), any Error>]>([])

  func add(_ result: Result<(SnapshotSection, LoadedSection), any Error>) {
    results.withLock { $0.append(result) }
  }

  func all() throws -> [(SnapshotSection, LoadedSection)] { try results.withLock { try $0.map { try $0.get() } } }
}

private enum LoadedSection: Sendable {
  case directory(DirectoryState)
  case partition(PartitionCell)

  init(
    _ bytes: ContiguousArray<UInt8>, of section: SnapshotSection, _ partitioning: Partitioning, _ seals: KeyStore?
  ) throws {
    let decoded = bytes.withUnsafeBytes { raw -> Result<LoadedSection, CodingError> in
      Result { () throws(CodingError) -> LoadedSection in
        var reader = ByteReader(raw)
        if section.owner == Snapshot.directoryOwner { return .directory(try DirectoryState(from: &reader, seals)) }
        return .partition(
          PartitionCell(
            try PartitionState(from: &reader, index: Int(section.owner), partitioning: partitioning, seals)))
      }
    }
    self = try decoded.get()
  }
}
