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

  /// The first that was skipped of what a newer version has written.
  package internal(set) var firstSkipped: SkippedPart?

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
        do throws(CodingError) {
          loaded.add(.success(try LoadedSection(bytes, of: section, partitioning, seals)))
        } catch {
          throw RecoveryError.unknown(what: snapshot.path, error)
        }
      } catch {
        loaded.add(.failure(error))
      }
    }
    for loaded in try loaded.all() {
      let section = loaded.section
      switch loaded.owner {
      case .directory(let state):
        directory = state
        directoryCovered = section.lsn
      case .partition(let state):
        partitions[Int(section.owner)] = state
        covered[Int(section.owner)] = section.lsn
        if state.state.people.hasUnsettledNames { hasUnsettledNames = true }
      }
      if loaded.hasSkipped { firstSkipped = .snapshot(snapshot.lsn) }
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
    apply(try Self.record(lsn, bytes, seals), lsn: lsn)
  }

  @inline(__always)
  static func record(_ lsn: LSN, _ bytes: UnsafeRawBufferPointer, _ seals: KeyStore?) throws(RecoveryError) -> Record {
    var reader = ByteReader(bytes)
    do throws(CodingError) {
      return try Record(from: &reader, seals)
    } catch {
      throw .unknown(what: "record \(lsn)", error)
    }
  }

  /// Applies one record, which must be the next.
  package mutating func apply(_ record: Record, lsn: LSN) {
    records += 1
    newestTime = record.time
    note(record, lsn)
    apply(record.first, lsn: lsn)
    for part in record.others { apply(part, lsn: lsn) }
    if hasUnsettledNames, lsn >= lastCovered { settleNames() }
  }
}

extension Restoration {
  /// Notes what was skipped of a record.
  @inline(__always)
  mutating func note(_ record: Record, _ lsn: LSN) {
    if !record.isWhole, firstSkipped == nil { firstSkipped = .record(lsn) }
  }

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
  private let results = Mutex<[Result<LoadedSection, any Error>]>([])

  func add(_ result: Result<LoadedSection, any Error>) { results.withLock { $0.append(result) } }

  func all() throws -> [LoadedSection] { try results.withLock { try $0.map { try $0.get() } } }
}

private struct LoadedSection: Sendable {
  enum Owner: Sendable {
    case directory(DirectoryState)
    case partition(PartitionCell)
  }

  let section: SnapshotSection
  let owner: Owner
  let hasSkipped: Bool

  init(
    _ bytes: ContiguousArray<UInt8>, of section: SnapshotSection, _ partitioning: Partitioning, _ seals: KeyStore?
  ) throws(CodingError) {
    let decoded = bytes.withUnsafeBytes { raw -> Result<(Owner, Bool), CodingError> in
      Result { () throws(CodingError) -> (Owner, Bool) in
        var reader = ByteReader(raw)
        if section.owner == Snapshot.directoryOwner {
          return (.directory(try DirectoryState(from: &reader, seals)), reader.hasSkipped)
        }
        let state = try PartitionState(from: &reader, index: Int(section.owner), partitioning: partitioning, seals)
        return (.partition(PartitionCell(state)), reader.hasSkipped)
      }
    }
    self.section = section
    let read = try decoded.get()
    owner = read.0
    hasSkipped = read.1
  }
}
