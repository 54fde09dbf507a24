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
  package var rotations: UInt64 = 0
  /// The first LSN of the current segment.
  package var currentSegment: UInt64 = 0
  /// How many bytes of that segment are written.
  package var currentSegmentBytes: UInt64 = 0
  /// Accepted bytes that are not durable yet.
  package var pendingBytes = 0

  package init() {}

  mutating func noteSync(nanoseconds: UInt64) {
    syncs += 1
    syncNanoseconds += nanoseconds
    longestSyncNanoseconds = max(longestSyncNanoseconds, nanoseconds)
    let microseconds = nanoseconds / 1000
    let bucket = microseconds < 2 ? 0 : 63 - microseconds.leadingZeroBitCount
    syncHistogram[min(bucket, syncHistogram.count - 1)] += 1
  }
}
