import Histogram

/// What one thread has measured: latencies by kind of request, and errors.
struct Measurement: Sendable {
  /// Longer latencies are recorded as this.
  static let longestLatency: UInt64 = 120_000_000_000

  /// Nanoseconds, one histogram per kind of request, created when the kind first occurs.
  private(set) var latencies: [Histogram<UInt64>?] = Array(repeating: nil, count: Work.allCases.count)
  private(set) var replies = 0
  private(set) var errors = 0
  private(set) var firstError: String?
  /// When counting began, and when the last counted reply came, by the monotonic clock.
  var start: UInt64 = 0
  var end: UInt64 = 0
  /// Microseconds of processor time that the server used between start and end, if measured.
  var serverProcessorTime: Double?

  var seconds: Double { end > start ? Double(end - start) / 1_000_000_000 : 0 }

  static func emptyHistogram() -> Histogram<UInt64> {
    Histogram(highestTrackableValue: longestLatency, numberOfSignificantValueDigits: .three)
  }

  @inline(__always)
  mutating func record(_ work: Work, nanoseconds: UInt64, count: Int) {
    let index = Int(work.rawValue)
    if latencies[index] == nil { latencies[index] = Self.emptyHistogram() }
    latencies[index]!.record(min(nanoseconds, Self.longestLatency), count: UInt64(count))
    replies += count
  }

  /// Counts an unexpected answer, and keeps the text of the first.
  mutating func recordError(_ text: @autoclosure () -> String) {
    errors += 1
    if firstError == nil { firstError = text() }
  }

  mutating func merge(_ other: Measurement) {
    for (index, histogram) in other.latencies.enumerated() {
      guard let histogram else { continue }
      if latencies[index] == nil { latencies[index] = Self.emptyHistogram() }
      latencies[index]!.add(histogram)
    }
    replies += other.replies
    errors += other.errors
    firstError = firstError ?? other.firstError
    start = start == 0 ? other.start : min(start, other.start)
    end = max(end, other.end)
    serverProcessorTime = serverProcessorTime ?? other.serverProcessorTime
  }
}
