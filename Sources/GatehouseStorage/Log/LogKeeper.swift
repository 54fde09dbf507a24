internal import Glibc
internal import Synchronization

/// What the log needs done beside the writing, so that the writer never waits for it: segments made ahead,
/// the reserve, the witness, the trimming of sealed segments, and the look whether the folder is still the one that was
/// opened.
final class LogKeeper: Sendable {
  private let core: LogCore
  private let epoch: UInt64
  private let witness: Mutex<WitnessFile>
  private let isStopping = Atomic(false)
  /// When the files are looked at again.
  private let nextLook = Atomic<UInt64>(0)
  /// How long the segment that is written was at the last look.
  private let seen = Mutex<(segment: UInt64, bytes: UInt64)>((0, 0))

  init(_ core: LogCore, epoch: UInt64, witness: WitnessFile) {
    self.core = core
    self.epoch = epoch
    self.witness = Mutex(witness)
  }

  func run() {
    let interval = UInt64(core.options.witnessMilliseconds) * 1_000_000
    while !isStopping.load(ordering: .acquiring) {
      tick()
      // A rotation rings: the next segment should be ready long before it is needed.
      core.keeperBell.wait(until: MonotonicClock.now() + interval)
    }
  }

  /// Lets `run` return soon.
  func stop() {
    isStopping.store(true, ordering: .releasing)
    core.keeperBell.ring()
  }

  /// Does what there is to do.
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

  /// Stops the log where a file of the folder is no longer the one that this process has made or opened: what is written
  /// to a file without a name is gone with the process, and what is written under a stranger's name damages that.
  func lookAtFiles() {
    guard let watch = core.location.watch, let problem = watch.stray() ?? shortSegment() else { return }
    core.fail(
      "\(problem): somebody else has changed the folder under the running server",
      remedy: "bring back what was there, or restore a backup, then start again")
  }

  /// The segment that is written has no size that it must have. But it never becomes shorter, and never ends before what
  /// is written.
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

  /// Notes durably how far the log is durable. Where even that finds no room, as on file systems that write what is
  /// overwritten to a new place, the older note stands: it says less, and is true.
  func writeWitness() throws(DiskError) {
    let eager = core.options.sabotage.contains(.eagerWitness)
    let synced = eager ? core.staging.withLock { $0.nextLSN - 1 } : core.syncedLSN.load(ordering: .acquiring)
    try witness.withLock { witness throws(DiskError) in
      guard witness.current.durableLSN != synced else { return }
      do throws(DiskError) {
        try witness.write(epoch: epoch, durableLSN: synced)
      } catch {
        guard error.isShortage else { throw error }
      }
    }
  }

  /// Gives back what sealed segments were allocated and did not use. Losing that in a crash loses nothing, and where it
  /// cannot be done now, as on file systems that need room to give some back, it can wait.
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

  /// Makes the reserve and the next segment, where they are missing and there is room. Without a reserve the log is full.
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

  /// Whether a block can be written and synced, which no figure of free space proves. The reserve is what it is tried on:
  /// its content means nothing.
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

  /// Not before the half of a segment is written: most small installations never get there between two starts. The
  /// first after a start was not filled, though, and is left once much has been written: each sync of it costs more.
  private var isNextWorthMaking: Bool {
    let written = core.statistics.withLock(\.currentSegmentBytes)
    if written > core.options.segmentBytes / 2 { return true }
    guard core.options.fillsSegments, let start = core.spares.withLock(\.unfilledStart) else { return false }
    return written > start + Self.muchWritten
  }

  private static let muchWritten: UInt64 = 1 << 20

  /// - Returns: false where there is no room for it, which makes the log full if it is the reserve that is missing.
  private func make(_ name: String, fills: Bool) throws(DiskError) -> Bool {
    guard core.room.withLock({ $0.mayAttempt(now: MonotonicClock.now()) }) else { return false }
    do throws(DiskError) {
      // Asked first, so that a full disk is not filled up and emptied ten times a second.
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
