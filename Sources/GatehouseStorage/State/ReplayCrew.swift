internal import GatehouseCore
internal import Glibc
internal import Synchronization

/// Threads that apply records in parallel, while other threads read, check and decode the following ones.
///
/// Each thread has a share of the partitions, and the first also the directory. So each partition gets its changes in
/// order, without waiting for others. This works because the effect of a change on one owner does not depend on another
/// owner's state.
final class ReplayCrew: Sendable {
  /// What the threads share: the owners, and the LSN through which each one's snapshot goes.
  struct Owners: Sendable {
    let partitioning: Partitioning
    let partitions: [PartitionCell]
    let covered: [LSN]
    let directory: DirectoryCell
    let directoryCovered: LSN
  }

  /// Consecutive records; `first` is the LSN of the first.
  struct Batch: Sendable {
    var first: LSN
    var records: [Record] = []
  }

  /// How many batches may wait for one thread.
  private static let depth = 4

  private final class Member: Sendable {
    let batches = Mutex<(waiting: [Batch], isEnding: Bool)>(([], false))
    let work = Doorbell()
    let room = Doorbell()
  }

  private let owners: Owners
  private let members: [Member]
  private let threads: Mutex<[PosixThread]>

  /// How many threads are useful: the cores left beside the two that read and decode. On two cores, one more thread
  /// cost 15 % more processor time and was no faster.
  static var bestSize: Int { max(0, min(4, sysconf(Int32(_SC_NPROCESSORS_ONLN)) - 2)) }

  /// - Parameter size: how many threads, at least one.
  init(_ owners: Owners, size: Int) {
    self.owners = owners
    let members = (0..<size).map { _ in Member() }
    self.members = members
    threads = Mutex([])
    threads.withLock { threads in
      threads = members.indices.map { index in
        PosixThread { [owners] in Self.run(members[index], index, of: size, owners) }
      }
    }
  }

  /// Hands a batch to all threads; blocks while one of them is behind.
  func apply(_ batch: Batch) {
    for member in members {
      while !member.batches.withLock({ state in
        guard state.waiting.count < Self.depth else { return false }
        state.waiting.append(batch)
        return true
      }) { member.room.wait() }
      member.work.ring()
    }
  }

  /// Waits until everything is applied. Call it once, and last.
  func finish() {
    for member in members {
      member.batches.withLock { $0.isEnding = true }
      member.work.ring()
    }
    for thread in threads.withLock({ $0 }) { thread.join() }
  }

  private static func run(_ member: Member, _ index: Int, of size: Int, _ owners: Owners) {
    while true {
      let (batch, isEnding) = member.batches.withLock { state -> (Batch?, Bool) in
        (state.waiting.isEmpty ? nil : state.waiting.removeFirst(), state.isEnding)
      }
      if let batch {
        member.room.ring()
        apply(batch, index, of: size, owners)
      } else if isEnding {
        return
      } else {
        member.work.wait()
      }
    }
  }

  private static func apply(_ part: RecordPart, _ lsn: LSN, _ member: Int, of size: Int, _ owners: Owners) {
    for change in part.changes {
      change.forEachOwner(owners.partitioning) { partition in
        guard partition % size == member, lsn > owners.covered[partition] else { return }
        owners.partitions[partition].state.apply(change, lsn: lsn, header: part.header)
      } directory: {
        guard member == 0, lsn > owners.directoryCovered else { return }
        owners.directory.state.apply(change, lsn: lsn, header: part.header)
      }
      if member == 0, change.movesCounters, lsn > owners.directoryCovered {
        owners.directory.state.count(change, lsn: lsn)
      }
    }
  }

  private static func apply(_ batch: Batch, _ member: Int, of size: Int, _ owners: Owners) {
    var lsn = batch.first
    for record in batch.records {
      record.forEachPart { apply($0, lsn, member, of: size, owners) }
      lsn += 1
    }
  }
}

extension Restoration {
  /// How many records are handed on at once.
  private static let batchRecords = 2048

  /// Applies all records of a source with several threads: one reads and checks, this one decodes, others apply.
  /// - Parameter threads: how many threads apply; by default as many as the machine has cores for. With 0, this thread
  ///   applies.
  /// - Returns: the source's end; for a `Recovery`, where the writer continues.
  package mutating func replay<Source: LogSource>(_ source: inout Source, threads: Int? = nil) throws -> Source.End {
    let size = threads ?? ReplayCrew.bestSize
    // Names must be settled between two records, by one thread that has all partitions.
    guard size > 0, !hasUnsettledNames else { return try replayHere(&source) }
    let cell = DirectoryCell(directory)
    let owners = ReplayCrew.Owners(
      partitioning: partitioning, partitions: partitions, covered: covered, directory: cell,
      directoryCovered: directoryCovered)
    let crew = ReplayCrew(owners, size: size)
    var batch = ReplayCrew.Batch(first: 0)
    defer {
      crew.finish()
      directory = cell.state
    }
    let seals = seals
    let end = try source.read { lsn, bytes in
      if batch.records.isEmpty {
        batch.first = lsn
        batch.records.reserveCapacity(Self.batchRecords)
      }
      let record = try Self.record(lsn, bytes, seals)
      newestTime = record.time
      note(record, lsn)
      batch.records.append(record)
      records += 1
      if batch.records.count == Self.batchRecords {
        crew.apply(batch)
        batch.records = []
      }
    }
    if !batch.records.isEmpty { crew.apply(batch) }
    return end
  }

  /// Applies all records of a source on this thread, in small batches whose memory is prefetched.
  private mutating func replayHere<Source: LogSource>(_ source: inout Source) throws -> Source.End {
    var batch = ReplayCrew.Batch(first: 0)
    batch.records.reserveCapacity(Record.lookAhead)
    let seals = seals
    let end = try source.read { lsn, bytes in
      if batch.records.isEmpty { batch.first = lsn }
      let record = try Self.record(lsn, bytes, seals)
      record.prefetchRows(in: partitions, partitioning)
      batch.records.append(record)
      if batch.records.count == Record.lookAhead { apply(&batch) }
    }
    apply(&batch)
    return end
  }

  private mutating func apply(_ batch: inout ReplayCrew.Batch) {
    for record in batch.records { record.prefetchDetails(in: partitions, partitioning) }
    for (place, record) in batch.records.enumerated() { apply(record, lsn: batch.first + LSN(place)) }
    batch.records.removeAll(keepingCapacity: true)
  }

  /// Applies what a source has, and whatever comes later, for as long as wanted.
  /// - Parameters:
  ///   - pause: nanoseconds between two polls of the source.
  ///   - goesOn: called with the source's end after each poll; returns whether to continue.
  package mutating func follow<Source: LogSource>(
    _ source: inout Source, every pause: UInt64, while goesOn: (Source.End) throws -> Bool
  ) throws {
    // A few records at a time are not worth several threads.
    while try goesOn(replay(&source, threads: 0)) { usleep(UInt32(clamping: pause / 1000)) }
  }
}
