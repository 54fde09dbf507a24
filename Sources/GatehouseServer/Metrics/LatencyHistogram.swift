/// A histogram of times, with buckets in powers of two.
struct LatencyHistogram: Sendable {
  /// Bucket n counts the times below 2^n nanoseconds and not below 2^(n−1); empty until there is one.
  private(set) var buckets = ContiguousArray<UInt64>()
  private(set) var longest: UInt64 = 0
  /// All times together, in nanoseconds.
  private(set) var sum: UInt64 = 0

  mutating func add(_ nanoseconds: UInt64, calls: Int = 1) {
    if buckets.isEmpty { buckets = ContiguousArray(repeating: 0, count: 65) }
    buckets[UInt64.bitWidth - nanoseconds.leadingZeroBitCount] &+= UInt64(calls)
    sum &+= nanoseconds &* UInt64(calls)
    if nanoseconds > longest { longest = nanoseconds }
  }

  mutating func add(_ other: LatencyHistogram) {
    if other.buckets.isEmpty { return }
    if buckets.isEmpty { buckets = ContiguousArray(repeating: 0, count: 65) }
    for bucket in buckets.indices { buckets[bucket] += other.buckets[bucket] }
    longest = max(longest, other.longest)
    sum &+= other.sum
  }

  var count: UInt64 { buckets.reduce(0, +) }

  /// The percentile for a share such as 0.99, in microseconds: the upper edge of its bucket.
  func percentile(_ share: Double) -> Double {
    let wanted = UInt64((Double(count) * share).rounded(.up))
    var sum: UInt64 = 0
    for (bucket, count) in buckets.enumerated() {
      sum += count
      if sum >= wanted, sum > 0 { return Double(UInt64(1) << UInt64(min(bucket, 62))) / 1000 }
    }
    return 0
  }

  /// `p50=…,p99=…,p99.9=…` in microseconds, as `INFO latencystats` shows them.
  var percentiles: String {
    [("p50", 0.5), ("p99", 0.99), ("p99.9", 0.999)]
      .map { name, share in "\(name)=\((percentile(share) * 1000).rounded() / 1000)" }.joined(separator: ",")
  }
}
