import GatehouseCore

/// The counts and times of each command, and the traffic, of one lane or of all fronts without a lane.
struct CommandMetrics: Sendable {
  struct Line: Sendable {
    var calls: UInt64 = 0
    var nanoseconds: UInt64 = 0
    /// Refused by a gate.
    var rejected: UInt64 = 0
    /// Answered with an error by the command's body.
    var failed: UInt64 = 0
    var times = LatencyHistogram()
  }

  private(set) var lines: ContiguousArray<Line>
  /// Error replies by error code.
  private(set) var errors: [String: UInt64] = [:]
  private(set) var total: UInt64 = 0
  var inputBytes: UInt64 = 0
  var outputBytes: UInt64 = 0
  /// How long commands waited for a partition or the directory because another thread held it.
  var holdWaits = LatencyHistogram()
  /// Logins that were let in.
  var admissions = AdmissionTally()
  /// How long replies waited for the log to be durable.
  var logWaits = LatencyHistogram()

  init() {
    lines = ContiguousArray(repeating: Line(), count: CommandTable.entries.count)
  }

  mutating func count(_ commandIndex: Int, calls: Int) {
    lines[commandIndex].calls &+= UInt64(calls)
    total &+= UInt64(calls)
  }

  mutating func reject(_ commandIndex: Int?, _ code: String) {
    if let commandIndex {
      lines[commandIndex].rejected += 1
    }
    errors[code, default: 0] += 1
  }

  mutating func fail(_ commandIndex: Int?, _ code: String) {
    if let commandIndex {
      lines[commandIndex].failed += 1
    }
    errors[code, default: 0] += 1
  }

  /// Records the total time of `calls` calls of a command.
  mutating func time(_ commandIndex: Int, calls: Int, nanoseconds: UInt64) {
    lines[commandIndex].nanoseconds &+= nanoseconds
    lines[commandIndex].times.add(nanoseconds / UInt64(max(1, calls)), calls: calls)
  }

  mutating func reset() { self = CommandMetrics() }

  mutating func add(_ other: CommandMetrics) {
    total += other.total
    inputBytes += other.inputBytes
    outputBytes += other.outputBytes
    holdWaits.add(other.holdWaits)
    logWaits.add(other.logWaits)
    admissions.add(other.admissions)
    for (code, count) in other.errors { errors[code, default: 0] += count }
    for (index, line) in other.lines.enumerated() {
      lines[index].calls += line.calls
      lines[index].nanoseconds += line.nanoseconds
      lines[index].rejected += line.rejected
      lines[index].failed += line.failed
      lines[index].times.add(line.times)
    }
  }
}
