internal import Glibc
internal import Synchronization

/// What the log needs done beside the writing, so that the writer never waits for it: segments made ahead,
/// the reserve, the witness, and the trimming of sealed segments.
final class LogKeeper: Sendable {
  private let core: LogCore
  private let epoch: UInt64
  private let witness: Mutex<WitnessFile>
  private let isStopping = Atomic(false)

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
    do throws(DiskError) {
      try writeWitness()
      try trimSealed()
      try makeSpares()
    } catch {
      core.fail(error.description)
    }
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
        guard error.isFull else { throw error }
      }
    }
  }

  /// Gives back what sealed segments were allocated and did not use. Losing that in a crash loses nothing.
  func trimSealed() throws(DiskError) {
    while let sealed = core.spares.withLock({ $0.sealed.first }) {
      do throws(DiskError) {
        let file = try core.location.disk.openFile(core.location.path(sealed.name), .write)
        defer { file.close() }
        try file.truncate(to: sealed.bytes)
      } catch {
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
      guard try make(LogFormat.reserveName, fills: false) else { return core.setFull(true) }
      core.spares.withLock { $0.reserve = .ready }
      core.setFull(false)
    }
    if next == .absent, isNextWorthMaking, try make(LogFormat.nextName, fills: core.options.fillsSegments) {
      core.spares.withLock { $0.next = .ready }
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

  /// - Returns: false where the disk has no room.
  private func make(_ name: String, fills: Bool) throws(DiskError) -> Bool {
    // Asked first, so that a full disk is not filled up and emptied ten times a second.
    guard try core.location.disk.freeBytes(core.location.directory) >= core.options.segmentBytes else { return false }
    do throws(DiskError) {
      try core.makeSegmentFile(name, fills: fills)
      return true
    } catch {
      guard error.isFull else { throw error }
      return false
    }
  }
}
