internal import Synchronization

/// Callbacks of the log. They are called on its own threads, or on the thread that calls `commit` or `close`.
package struct LogHandlers: Sendable {
  /// All records through this LSN are durable now. Called with ever larger numbers.
  package var onDurable: @Sendable (UInt64) -> Void = { _ in }
  /// The log accepts records again, or no longer.
  package var onStateChange: @Sendable (LogState) -> Void = { _ in }
  /// A segment is complete and will not change again.
  package var onSealed: @Sendable (SegmentInfo) -> Void = { _ in }

  package init() {}
}

/// What the log's threads and its callers share.
final class LogCore: Sendable {
  let location: LogLocation
  let options: LogOptions
  let handlers: LogHandlers
  let staging: Mutex<Staging>
  let statistics = Mutex(LogStatistics())
  let spares = Mutex(Spares())
  let room = Mutex(LogRoom())
  /// The epoch of the frames that are written: this writer's own, or while following that of the last frame.
  let epoch: Atomic<UInt64>
  /// Since when accepted records cannot be written, in `MonotonicClock`'s time; 0 if they can.
  let stuckSince = Atomic<UInt64>(0)
  /// The remedy for the error that made the log fail.
  let remedy = Mutex<String?>(nil)
  let durableLSN: Atomic<UInt64>
  /// The LSN through which everything is synced. With `LogDurability.interval` it lags behind `durableLSN`.
  let syncedLSN: Atomic<UInt64>
  /// Group commit: how many nanoseconds a writer waits for more records before it writes those at hand. Half the
  /// duration of recent commits.
  let commitDelay = Atomic<UInt64>(0)
  /// Where other sinks take part, how many records the last commit had: so many are gathered before the next.
  let gathered = Atomic<Int>(0)
  let writerBell = Doorbell()
  let keeperBell = Doorbell()

  /// Files prepared by the keeper for the writer, and the other way round.
  struct Spares {
    enum Slot {
      case absent
      case ready
      /// One of the two threads is renaming, removing or writing the file; the other must not touch the name.
      case leaving
    }

    var next = Slot.absent
    var reserve = Slot.absent
    /// Where writing began in the current segment, if that segment was not filled with zeros.
    var unfilledStart: UInt64?
    /// Complete segments that are not trimmed yet.
    var sealed: [SegmentInfo] = []

    /// Takes a file for the calling thread, if it is ready.
    mutating func take(_ slot: WritableKeyPath<Spares, Slot>) -> Bool {
      guard self[keyPath: slot] == .ready else { return false }
      self[keyPath: slot] = .leaving
      return true
    }

    /// Returns a file that was taken, by its name.
    mutating func putBack(_ name: String) {
      if name == LogFormat.nextName { next = .ready }
      if name == LogFormat.reserveName { reserve = .ready }
    }
  }

  init(_ location: LogLocation, _ options: LogOptions, _ handlers: LogHandlers, lastLSN: UInt64, epoch: UInt64) {
    self.location = location
    self.epoch = Atomic(epoch)
    self.options = options
    self.handlers = handlers
    staging = Mutex(Staging(nextLSN: lastLSN + 1, options: options))
    durableLSN = Atomic(lastLSN)
    syncedLSN = Atomic(lastLSN)
  }

  var hasFailed: Bool {
    staging.withLock { if case .failed = $0.state { true } else { false } }
  }

  /// Stops the log for good. The first reason is kept.
  func fail(_ error: DiskError) { fail(error.description, remedy: error.trouble.remedy) }

  func fail(_ reason: String, remedy: String) {
    self.remedy.withLock { if $0 == nil { $0 = remedy } }
    change { state in
      switch state {
      case .open, .full, .following: .failed(reason)
      case .failed, .closed: nil
      }
    }
  }

  func close() {
    change { state in if case .failed = state { nil } else { .closed } }
  }

  /// A call has failed for lack of room: no records are accepted until `endShortage`.
  func beginShortage(_ error: DiskError) {
    room.withLock { $0.begin(error, now: MonotonicClock.now()) }
    change { state in
      switch state {
      case .open: .full
      // Whoever hands out the frames tries again.
      case .full, .failed, .closed, .following: nil
      }
    }
  }

  /// Accepted records cannot be written for now. Called by the committing thread only.
  func beginWaiting(_ error: DiskError) {
    let now = MonotonicClock.now()
    if stuckSince.load(ordering: .relaxed) == 0 { stuckSince.store(now, ordering: .relaxed) }
    room.withLock { $0.beginWaiting(error, now: now) }
    beginShortage(error)
  }

  /// No records are accepted until `endHoldingBack`, though all that were can be written. Called by the committing thread
  /// only.
  func holdBack(_ error: DiskError) {
    room.withLock { $0.beginWaiting(error, now: MonotonicClock.now()) }
    beginShortage(error)
  }

  func endHoldingBack() {
    room.withLock { $0.endWaiting() }
    keeperBell.ring()
  }

  func endWaiting() {
    guard stuckSince.load(ordering: .relaxed) != 0 else { return }
    stuckSince.store(0, ordering: .relaxed)
    room.withLock { $0.endWaiting() }
  }

  /// A write has succeeded, so there is room again.
  func endShortage() {
    guard room.withLock({ $0.end(now: MonotonicClock.now()) }) else { return }
    change { state in
      switch state {
      case .full: .open
      case .open, .failed, .closed, .following: nil
      }
    }
  }

  /// Records the duration of a commit, in all sinks. A single slow one is damped, so that it hardly changes the delay.
  func noteCommit(nanoseconds: UInt64, isShared: Bool) {
    let before = commitDelay.load(ordering: .relaxed)
    let now = before == 0 ? nanoseconds / 2 : (7 * before + min(nanoseconds / 2, 2 * before)) / 8
    commitDelay.store(min(now, isShared ? Self.longestSharedDelay : Self.longestDelay), ordering: .relaxed)
  }

  /// How many nanoseconds a record waits for others at most, however slow the disk is; and where the log is shared.
  private static let longestDelay: UInt64 = 1_000_000
  private static let longestSharedDelay: UInt64 = 5_000_000

  func change(_ next: (LogState) -> LogState?) {
    let new = staging.withLock { staging -> LogState? in
      guard let new = next(staging.state) else { return nil }
      staging.setState(new)
      return new
    }
    if let new { handlers.onStateChange(new) }
  }

  /// Creates a file of a segment's size, with its space allocated, so that writing to it does not run out of space.
  /// - Parameter fills: whether to fill it with zeros, which makes syncs of it cheaper.
  func makeSegmentFile(_ name: String, fills: Bool) throws(DiskError) {
    let path = location.path(name)
    if location.disk.exists(path) { try location.disk.remove(path) }
    let file = try location.disk.openFile(path, .create)
    defer { file.close() }
    do throws(DiskError) {
      try uninterrupted { () throws(DiskError) in try file.allocate(options.segmentBytes) }
      if fills { try fill(file) }
    } catch {
      // Half a segment would only take up space that is scarce already.
      try? location.disk.remove(path)
      throw error
    }
  }

  private func fill(_ file: any DiskFile) throws(DiskError) {
    let chunk = 1 << 20
    let zeros = [UInt8](repeating: 0, count: Int(min(UInt64(chunk), options.segmentBytes)))
    var offset: UInt64 = 0
    // If the log is closing, the file is not needed any more.
    while offset < options.segmentBytes, !staging.withLock({ $0.wantsClose }) {
      let count = Int(min(UInt64(zeros.count), options.segmentBytes - offset))
      try zeros.withUnsafeBufferPointer { zeros throws(DiskError) in
        try file.writeAll(UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(zeros)[..<count]), at: offset)
      }
      // Sync a little at a time: one sync of the whole file would block the writer's syncs.
      try file.sync()
      offset += UInt64(count)
    }
  }
}
