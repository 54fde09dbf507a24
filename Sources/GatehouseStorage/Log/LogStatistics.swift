/// What a writer has done since it was opened.
package struct LogStatistics: Sendable, Equatable {
  package var frames: UInt64 = 0
  package var records: UInt64 = 0
  /// The records' bytes with their lengths, before compression.
  package var rawBytes: UInt64 = 0
  /// The bytes written for them: headers, bodies and padding.
  package var storedBytes: UInt64 = 0
  package var syncs: UInt64 = 0
  package var syncNanoseconds: UInt64 = 0
  package var longestSyncNanoseconds: UInt64 = 0
  /// How many syncs took less than 2, 4, 8, 16 and so on microseconds; the last bucket counts all longer ones.
  package var syncHistogram = [UInt64](repeating: 0, count: 24)
  /// How long it took from handing frames to the other sinks until all of them had them: the appends of a shared log.
  package var shared = SharedAppends()
  package var rotations: UInt64 = 0
  /// The first LSN of the current segment.
  package var currentSegment: UInt64 = 0
  /// How many bytes of that segment are written.
  package var currentSegmentBytes: UInt64 = 0
  /// Accepted bytes that are not durable yet.
  package var pendingBytes = 0

  package init() {}

  /// The appends to sinks other than the folder's files.
  package struct SharedAppends: Sendable, Equatable {
    package var count: UInt64 = 0
    package var nanoseconds: UInt64 = 0
    /// As `syncHistogram`.
    package var histogram = [UInt64](repeating: 0, count: 24)

    mutating func note(nanoseconds: UInt64) {
      count += 1
      self.nanoseconds += nanoseconds
      histogram[LogStatistics.bucket(of: nanoseconds)] += 1
    }
  }

  private static func bucket(of nanoseconds: UInt64) -> Int {
    let microseconds = nanoseconds / 1000
    return microseconds < 2 ? 0 : min(63 - microseconds.leadingZeroBitCount, 23)
  }

  mutating func noteSync(nanoseconds: UInt64) {
    syncs += 1
    syncNanoseconds += nanoseconds
    longestSyncNanoseconds = max(longestSyncNanoseconds, nanoseconds)
    syncHistogram[Self.bucket(of: nanoseconds)] += 1
  }
}
