/// Whether the log has what it needs to keep writing: disk space and, when it changes files, descriptors.
///
/// The log is full from the first call that fails for lack of either, until a write proves that there is room: the
/// writer has nothing left that it could not write, the reserve exists, and a block of it was written and synced. Free
/// space as reported by the file system is no proof: a quota or a thin volume may still refuse.
///
/// If room comes and goes, the log waits longer each time before it accepts records again (exponential backoff). So its
/// state does not change many times a second, and few records are accepted that cannot be written.
struct LogRoom {
  /// Why the log is full; nil if it is not.
  private(set) var shortage: DiskError?
  /// Whether the writer could not write a frame, or could not begin a segment, and is waiting.
  private(set) var isWriterWaiting = false
  /// How often in a row creating a file failed for lack of room, and when it may be tried again.
  private var failedAttempts = 0
  private var nextAttempt: UInt64 = 0
  /// No record is accepted before this moment.
  private var reopening: UInt64 = 0
  private var pause: UInt64 = 0
  private var lastEnd: UInt64?

  /// Nanoseconds: the first pause after a shortage has come back, and the longest.
  private static let shortestPause: UInt64 = 1_000_000_000
  private static let longestPause: UInt64 = 8_000_000_000
  /// A shortage that comes back later than this is a new one, which may end at once.
  private static let calm: UInt64 = 60_000_000_000
  /// How long to wait after creating a file has failed twice in a row: each attempt may fill the disk before it fails.
  private static let attemptPause: UInt64 = 1_000_000_000

  mutating func begin(_ error: DiskError, now: UInt64) {
    if shortage == nil {
      let isBack = lastEnd.map { now - $0 < Self.calm } ?? false
      pause = isBack ? min(max(2 * pause, Self.shortestPause), Self.longestPause) : 0
      reopening = now + pause
    }
    shortage = error
  }

  mutating func beginWaiting(_ error: DiskError, now: UInt64) {
    isWriterWaiting = true
    begin(error, now: now)
  }

  mutating func endWaiting() { isWriterWaiting = false }

  /// Whether to check if there is room again.
  func mayEnd(now: UInt64) -> Bool { shortage != nil && !isWriterWaiting && now >= reopening }

  /// - Returns: false if the writer is still waiting for room.
  mutating func end(now: UInt64) -> Bool {
    guard !isWriterWaiting else { return false }
    shortage = nil
    lastEnd = now
    return true
  }

  func mayAttempt(now: UInt64) -> Bool { now >= nextAttempt }

  mutating func noteAttempt(succeeded: Bool, now: UInt64) {
    nextAttempt = failedAttempts > 0 && !succeeded ? now + Self.attemptPause : 0
    failedAttempts = succeeded ? 0 : failedAttempts + 1
  }
}
