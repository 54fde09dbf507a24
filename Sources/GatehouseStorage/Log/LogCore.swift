internal import Synchronization

/// What the log tells its owner, always from a thread of its own.
package struct LogHandlers: Sendable {
  /// All records through this LSN are durable now. Called by the writer's thread, with ever larger numbers.
  package var onDurable: @Sendable (UInt64) -> Void = { _ in }
  /// The log takes records again, or no longer.
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
  /// Since when something that was accepted could not be written, in `MonotonicClock`'s time; 0 for nothing.
  let stuckSince = Atomic<UInt64>(0)
  /// The remedy for the error that the log failed of.
  let remedy = Mutex<String?>(nil)
  let durableLSN: Atomic<UInt64>
  /// The LSN through which everything was synced: with `LogDurability.interval` it trails `durableLSN`.
  let syncedLSN: Atomic<UInt64>
  /// For how long a writer waits for more records before it takes those that are there, in nanoseconds: half of what a
  /// sync takes of late.
  let commitDelay = Atomic<UInt64>(0)
  let writerBell = Doorbell()
  let keeperBell = Doorbell()

  /// Files that wait for the keeper or for the writer.
  struct Spares {
    enum Slot {
      case absent
      case ready
      /// One of the two threads renames, removes or writes the file: the other leaves the name alone.
      case leaving
    }

    var next = Slot.absent
    var reserve = Slot.absent
    /// Where the writing began in the segment that is written, if that was not filled with zeros.
    var unfilledStart: UInt64?
    /// Segments that are complete and not yet trimmed.
    var sealed: [SegmentInfo] = []

    /// Takes a file for the thread that asks, if it is ready.
    mutating func take(_ slot: WritableKeyPath<Spares, Slot>) -> Bool {
      guard self[keyPath: slot] == .ready else { return false }
      self[keyPath: slot] = .leaving
      return true
    }

    /// Gives back a file that was taken, by its name.
    mutating func putBack(_ name: String) {
      if name == LogFormat.nextName { next = .ready }
      if name == LogFormat.reserveName { reserve = .ready }
    }
  }

  init(_ location: LogLocation, _ options: LogOptions, _ handlers: LogHandlers, lastLSN: UInt64) {
    self.location = location
    self.options = options
    self.handlers = handlers
    staging = Mutex(Staging(nextLSN: lastLSN + 1, options: options))
    durableLSN = Atomic(lastLSN)
    syncedLSN = Atomic(lastLSN)
  }

  var hasFailed: Bool {
    staging.withLock { if case .failed = $0.state { true } else { false } }
  }

  /// Stops the log for good. The first reason stays.
  func fail(_ error: DiskError) { fail(error.description, remedy: error.trouble.remedy) }

  func fail(_ reason: String, remedy: String) {
    self.remedy.withLock { if $0 == nil { $0 = remedy } }
    change { state in
      switch state {
      case .open, .full: .failed(reason)
      case .failed, .closed: nil
      }
    }
  }

  func close() {
    change { state in if case .failed = state { nil } else { .closed } }
  }

  /// A call has failed for want of room: no records are accepted until `endShortage`.
  func beginShortage(_ error: DiskError) {
    room.withLock { $0.begin(error, now: MonotonicClock.now()) }
    change { state in
      switch state {
      case .open: .full
      case .full, .failed, .closed: nil
      }
    }
  }

  /// What was accepted cannot be written for now. Called by the writer's thread alone.
  func beginWaiting(_ error: DiskError) {
    let now = MonotonicClock.now()
    if stuckSince.load(ordering: .relaxed) == 0 { stuckSince.store(now, ordering: .relaxed) }
    room.withLock { $0.beginWaiting(error, now: now) }
    beginShortage(error)
  }

  func endWaiting() {
    guard stuckSince.load(ordering: .relaxed) != 0 else { return }
    stuckSince.store(0, ordering: .relaxed)
    room.withLock { $0.endWaiting() }
  }

  /// A write has shown that there is room again.
  func endShortage() {
    guard room.withLock({ $0.end(now: MonotonicClock.now()) }) else { return }
    change { state in
      switch state {
      case .full: .open
      case .open, .failed, .closed: nil
      }
    }
  }

  /// Takes a sync into account. One that took much longer than those before it counts little.
  func noteSync(nanoseconds: UInt64) {
    statistics.withLock { $0.noteSync(nanoseconds: nanoseconds) }
    let before = commitDelay.load(ordering: .relaxed)
    let now = before == 0 ? nanoseconds / 2 : (7 * before + min(nanoseconds / 2, 2 * before)) / 8
    commitDelay.store(min(now, Self.longestDelay), ordering: .relaxed)
  }

  /// Nanoseconds that a record waits for others at most, however slow the disk.
  private static let longestDelay: UInt64 = 1_000_000

  private func change(_ next: (LogState) -> LogState?) {
    let new = staging.withLock { staging -> LogState? in
      guard let new = next(staging.state) else { return nil }
      staging.setState(new)
      return new
    }
    if let new { handlers.onStateChange(new) }
  }

  /// Makes a file of a segment's size, on which a writer will not run out of space.
  /// - Parameter fills: whether it is filled with zeros, so that syncs of it are cheap.
  func makeSegmentFile(_ name: String, fills: Bool) throws(DiskError) {
    let path = location.path(name)
    if location.disk.exists(path) { try location.disk.remove(path) }
    let file = try location.disk.openFile(path, .create)
    defer { file.close() }
    do throws(DiskError) {
      try uninterrupted { () throws(DiskError) in try file.allocate(options.segmentBytes) }
      if fills { try fill(file) }
    } catch {
      // Half a segment would only take the space that is missing already.
      try? location.disk.remove(path)
      throw error
    }
  }

  private func fill(_ file: any DiskFile) throws(DiskError) {
    let chunk = 1 << 20
    let zeros = [UInt8](repeating: 0, count: Int(min(UInt64(chunk), options.segmentBytes)))
    var offset: UInt64 = 0
    // At the log's end the file is not needed any more.
    while offset < options.segmentBytes, !staging.withLock({ $0.wantsClose }) {
      let count = Int(min(UInt64(zeros.count), options.segmentBytes - offset))
      try zeros.withUnsafeBufferPointer { zeros throws(DiskError) in
        try file.writeAll(UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(zeros)[..<count]), at: offset)
      }
      // A little at a time: one sync of the whole file would hold up the writer's.
      try file.sync()
      offset += UInt64(count)
    }
  }
}
