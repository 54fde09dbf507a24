/// All samples of one metric, as monitoring reads them: one name, one meaning, one unit.
package struct MetricFamily: Sendable {
  package enum Kind: Sendable {
    /// Only grows, until the server starts again or `CONFIG RESETSTAT`.
    case counter
    case gauge
    case histogram
  }

  package enum Value: Sendable {
    case integer(Int64)
    case number(Double)
    case histogram(MetricHistogram)
  }

  package struct Sample: Sendable {
    package let labels: [Label]
    package let value: Value
  }

  package typealias Label = (name: String, value: String)

  /// Without the `_total` of counters. Where it ends in `_seconds` or `_bytes`, that is the unit.
  package let name: String
  package let help: String
  package let kind: Kind
  package internal(set) var samples: [Sample]
}

/// A histogram of seconds.
package struct MetricHistogram: Sendable {
  /// How many times were not above each bound, in ascending order.
  package private(set) var buckets: [(seconds: Double, count: UInt64)] = []
  package let count: UInt64
  /// All times together, in seconds.
  package let sum: Double

  /// Every second power of two from 1 µs to 17 s: fine enough to see a change, and few enough for hundreds of commands.
  init(_ times: LatencyHistogram, nanoseconds: UInt64) {
    var (below, next) = (UInt64(0), 0)
    for power in stride(from: 10, through: 34, by: 2) {
      while next <= power, next < times.buckets.count {
        below += times.buckets[next]
        next += 1
      }
      buckets.append((Double(UInt64(1) << UInt64(power)) / 1e9, below))
    }
    count = times.count
    sum = Double(nanoseconds) / 1e9
  }

  /// - Parameter doublings: how many times were below 2, 4, 8 and so on microseconds; the last element counts all longer
  ///   ones.
  init(doublings: [UInt64], nanoseconds: UInt64) {
    var below: UInt64 = 0
    for (index, count) in doublings.dropLast().enumerated() {
      below += count
      if index % 2 == 1 { buckets.append((Double(UInt64(2) << UInt64(index)) / 1e6, below)) }
    }
    count = below + (doublings.last ?? 0)
    sum = Double(nanoseconds) / 1e9
  }
}
