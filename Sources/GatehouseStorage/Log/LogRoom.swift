/// Whether the log has what it needs to write on: space on the disk and, as the log changes files, descriptors.
///
/// The log is full from the first call that fails for want of it, whichever call that is, until a write shows that there
/// is room: the writer has nothing left that it could not write, the reserve is there, and a block of it was written and
/// synced. What the file system says of free space is not enough: a quota or a thin volume may refuse all the same.
///
/// Where room comes and goes, the log waits longer each time before it takes records again, so that its state does not
/// change many times a second and few records are accepted that cannot be written.
struct LogRoom {
  /// Why the log is full; nil while it is not.
  private(set) var shortage: DiskError?
  /// Whether the writer has a frame, or a segment to begin, that it could not write yet.
  private(set) var isWriterWaiting = false
  /// How often in a row a file was begun for which there was no room, and when it is tried again.
  private var failedAttempts = 0
  private var nextAttempt: UInt64 = 0
  /// No record is taken before this moment.
  private var reopening: UInt64 = 0
  private var pause: UInt64 = 0
  private var lastEnd: UInt64?

  /// Nanoseconds. The first pause after a return of the shortage, and the longest.
  private static let shortestPause: UInt64 = 1_000_000_000
  private static let longestPause: UInt64 = 8_000_000_000
  /// A shortage that comes back later than this is a new one, which may end at once.
  private static let calm: UInt64 = 60_000_000_000
  /// How long a file that found no room twice is not tried again: it may fill the disk each time before it fails.
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

  /// Whether it is worth finding out if there is room again.
  func mayEnd(now: UInt64) -> Bool { shortage != nil && !isWriterWaiting && now >= reopening }

  /// - Returns: false where something waits for room all the same.
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
