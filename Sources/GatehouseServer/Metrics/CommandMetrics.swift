import GatehouseCore

/// Counts and times of every command on one lane, and its traffic.
struct CommandMetrics: Sendable {
  struct Line: Sendable {
    var calls: UInt64 = 0
    var nanoseconds: UInt64 = 0
    /// Turned away by a gate.
    var rejected: UInt64 = 0
    /// Answered with an error by the body.
    var failed: UInt64 = 0
    /// Calls by the magnitude of their time: bucket n counts those below 2^n nanoseconds.
    var buckets = ContiguousArray<UInt64>()
  }

  private(set) var lines: ContiguousArray<Line>
  /// Error replies by their code.
  private(set) var errors: [String: UInt64] = [:]
  private(set) var total: UInt64 = 0
  var inputBytes: UInt64 = 0
  var outputBytes: UInt64 = 0

  init() {
    lines = ContiguousArray(repeating: Line(), count: CommandTable.entries.count)
  }

  mutating func count(_ place: Int, calls: Int) {
    lines[place].calls &+= UInt64(calls)
    total &+= UInt64(calls)
  }

  mutating func reject(_ place: Int?, _ code: String) {
    if let place {
      lines[place].rejected += 1
    }
    errors[code, default: 0] += 1
  }

  mutating func fail(_ place: Int?, _ code: String) {
    if let place {
      lines[place].failed += 1
    }
    errors[code, default: 0] += 1
  }

  /// Notes that `calls` calls of a command took so long together.
  mutating func time(_ place: Int, calls: Int, nanoseconds: UInt64) {
    lines[place].nanoseconds &+= nanoseconds
    let each = nanoseconds / UInt64(max(1, calls))
    let bucket = UInt64.bitWidth - each.leadingZeroBitCount
    if lines[place].buckets.isEmpty { lines[place].buckets = ContiguousArray(repeating: 0, count: 65) }
    lines[place].buckets[bucket] &+= UInt64(calls)
  }

  mutating func reset() { self = CommandMetrics() }

  mutating func add(_ other: CommandMetrics) {
    total += other.total
    inputBytes += other.inputBytes
    outputBytes += other.outputBytes
    for (code, count) in other.errors { errors[code, default: 0] += count }
    for (index, line) in other.lines.enumerated() {
      lines[index].calls += line.calls
      lines[index].nanoseconds += line.nanoseconds
      lines[index].rejected += line.rejected
      lines[index].failed += line.failed
      if line.buckets.isEmpty { continue }
      if lines[index].buckets.isEmpty { lines[index].buckets = ContiguousArray(repeating: 0, count: 65) }
      for bucket in line.buckets.indices { lines[index].buckets[bucket] += line.buckets[bucket] }
    }
  }
}

extension CommandMetrics.Line {
  /// The time below which a share of the calls stayed, in microseconds: the upper edge of its bucket.
  func percentile(_ share: Double) -> Double {
    let wanted = UInt64((Double(buckets.reduce(0, +)) * share).rounded(.up))
    var sum: UInt64 = 0
    for (bucket, count) in buckets.enumerated() {
      sum += count
      if sum >= wanted, sum > 0 { return Double(UInt64(1) << UInt64(min(bucket, 62))) / 1000 }
    }
    return 0
  }
}
