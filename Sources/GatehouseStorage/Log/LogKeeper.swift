internal import Glibc
internal import Synchronization

/// The log's background work, so that the writer never waits for it: making segments ahead, the reserve and the
/// witness, trimming sealed segments, and checking that the folder's files are still the ones that were opened.
final class LogKeeper: Sendable {
  private let core: LogCore
  private let witness: Mutex<WitnessFile>
  private let isStopping = Atomic(false)
  /// When the files are checked again.
  private let nextLook = Atomic<UInt64>(0)
  /// The size of the current segment at the last check.
  private let seen = Mutex<(segment: UInt64, bytes: UInt64)>((0, 0))

  init(_ core: LogCore, witness: WitnessFile) {
    self.core = core
    self.witness = Mutex(witness)
  }

  func run() {
    let interval = UInt64(core.options.witnessMilliseconds) * 1_000_000
    while !isStopping.load(ordering: .acquiring) {
      tick()
      // A rotation rings the bell, so that the next segment is ready long before it is needed.
      core.keeperBell.wait(until: MonotonicClock.now() + interval)
    }
  }

  /// Makes `run` return soon.
  func stop() {
    isStopping.store(true, ordering: .releasing)
    core.keeperBell.ring()
  }

  /// Does whatever is due.
  func tick() {
    guard !core.hasFailed else { return }
    let now = MonotonicClock.now()
    if now >= nextLook.load(ordering: .relaxed) {
      nextLook.store(now + UInt64(core.options.lookMilliseconds) * 1_000_000, ordering: .relaxed)
      lookAtFiles()
    }
    do throws(DiskError) {
      try writeWitness()
      try trimSealed()
      try makeSpares()
    } catch {
      if error.isShortage { core.beginShortage(error) } else { core.fail(error) }
    }
  }

  /// Stops the log if a file of the folder is no longer the one that this process created or opened. What is written to
  /// an unlinked file is lost with the process, and what is written to a foreign file damages that.
  func lookAtFiles() {
    guard let watch = core.location.watch, let problem = watch.stray() ?? shortSegment() else { return }
    core.fail(
      "\(problem): somebody else has changed the folder under the running server",
      remedy: "bring back what was there, or restore a backup, then start again")
  }

  /// The current segment has no fixed size, but it never becomes shorter, and never ends before what was written.
  private func shortSegment() -> String? {
    let (segment, written) = core.statistics.withLock { ($0.currentSegment, $0.currentSegmentBytes) }
    let path = core.location.path(LogFormat.segmentName(segment))
    guard let size = try? core.location.disk.status(path).size else { return nil }
    let before = seen.withLock { seen -> UInt64 in
      defer { seen = (segment, size) }
      return seen.segment == segment ? max(seen.bytes, written) : written
    }
    guard size < before, core.statistics.withLock(\.currentSegment) == segment else { return nil }
    return "\(path) has \(size) bytes and had \(before)"
  }

  /// Records durably how far the log is durable. If even that finds no room, as on copy-on-write file systems, the
  /// older witness stays: it lags behind, but is true.
  func writeWitness() throws(DiskError) {
    let eager = core.options.sabotage.contains(.eagerWitness)
    let synced = eager ? core.staging.withLock { $0.nextLSN - 1 } : core.syncedLSN.load(ordering: .acquiring)
    let newest = core.epoch.load(ordering: .acquiring)
    try witness.withLock { witness throws(DiskError) in
      let epoch = max(newest, witness.current.epoch)
      guard witness.current.durableLSN != synced || witness.current.epoch != epoch else { return }
      do throws(DiskError) {
        try witness.write(epoch: epoch, durableLSN: synced)
      } catch {
        guard error.isShortage else { throw error }
      }
    }
  }

  /// The largest epoch that this folder's log was ever opened in.
  var greatestEpoch: UInt64 { max(core.epoch.load(ordering: .acquiring), witness.withLock { $0.current.epoch }) }

  /// Records durably that this process writes frames of a new epoch, so that none is ever used twice.
  func begin(epoch: UInt64) throws(DiskError) {
    let synced = core.syncedLSN.load(ordering: .acquiring)
    try witness.withLock { witness throws(DiskError) in try witness.write(epoch: epoch, durableLSN: synced) }
  }

  /// Frees the space that sealed segments were allocated but did not use. A crash before that does no harm; and if it
  /// is not possible now, as on file systems that need room to free some, it can wait.
  func trimSealed() throws(DiskError) {
    while let sealed = core.spares.withLock({ $0.sealed.first }) {
      do throws(DiskError) {
        let file = try core.location.disk.openFile(core.location.path(sealed.name), .write)
        defer { file.close() }
        try file.truncate(to: sealed.bytes)
      } catch {
        if error.isShortage { return }
        // A compaction that was quick may have taken the segment away already.
        guard error.code == ENOENT else { throw error }
      }
      core.spares.withLock { _ = $0.sealed.removeFirst() }
      core.handlers.onSealed(sealed)
    }
  }

  /// Creates the reserve and the next segment, if they are missing and there is room. Without a reserve the log counts
  /// as full.
  private func makeSpares() throws(DiskError) {
    let (reserve, next) = core.spares.withLock { ($0.reserve, $0.next) }
    if reserve == .absent {
      guard try make(LogFormat.reserveName, fills: false) else { return }
      core.spares.withLock { $0.reserve = .ready }
    }
    if core.room.withLock({ $0.shortage != nil }) {
      guard core.room.withLock({ $0.mayEnd(now: MonotonicClock.now()) }), try hasRoom() else { return }
      core.endShortage()
    }
    if next == .absent, isNextWorthMaking, try make(LogFormat.nextName, fills: core.options.fillsSegments) {
      core.spares.withLock { $0.next = .ready }
    }
  }

  /// Whether a block can be written and synced; figures of free space do not prove it. It is tried on the reserve,
  /// whose content has no meaning.
  private func hasRoom() throws(DiskError) -> Bool {
    guard core.spares.withLock({ $0.take(\.reserve) }) else { return false }
    defer { core.spares.withLock { $0.reserve = .ready } }
    do throws(DiskError) {
      let file = try core.location.disk.openFile(core.location.path(LogFormat.reserveName), .write)
      defer { file.close() }
      let block = [UInt8](repeating: 0, count: Int(LogFormat.segmentStart))
      try block.withUnsafeBufferPointer { block throws(DiskError) in
        try file.writeAll(UnsafeRawBufferPointer(block), at: 0)
      }
      try file.sync()
      return true
    } catch {
      guard error.isShortage else { throw error }
      return false
    }
  }

  /// Whether to make the next segment now: not before half of the current one is written, since most small
  /// installations never get there between two starts. But the first segment after a start was not filled with zeros,
  /// so each sync of it costs more; it is replaced earlier, once a megabyte is written.
  private var isNextWorthMaking: Bool {
    let written = core.statistics.withLock(\.currentSegmentBytes)
    if written > core.options.segmentBytes / 2 { return true }
    guard core.options.fillsSegments, let start = core.spares.withLock(\.unfilledStart) else { return false }
    return written > start + Self.muchWritten
  }

  private static let muchWritten: UInt64 = 1 << 20

  /// - Returns: false if there is no room for it. If it is the reserve that is missing, the log is then full.
  private func make(_ name: String, fills: Bool) throws(DiskError) -> Bool {
    guard core.room.withLock({ $0.mayAttempt(now: MonotonicClock.now()) }) else { return false }
    do throws(DiskError) {
      // Check free space first, so that a full disk is not filled and emptied ten times a second.
      guard try core.location.disk.freeBytes(core.location.directory) >= core.options.segmentBytes else {
        throw DiskError(call: "posix_fallocate", path: core.location.path(name), code: ENOSPC)
      }
      try makeFile(name, fills: fills)
      return true
    } catch {
      guard error.isShortage else { throw error }
      if name == LogFormat.reserveName { core.beginShortage(error) }
      return false
    }
  }

  private func makeFile(_ name: String, fills: Bool) throws(DiskError) {
    var succeeded = false
    defer { core.room.withLock { $0.noteAttempt(succeeded: succeeded, now: MonotonicClock.now()) } }
    try core.makeSegmentFile(name, fills: fills)
    succeeded = true
  }
}
