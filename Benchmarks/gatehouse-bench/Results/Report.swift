import FoundationEssentials
import Histogram

/// The figures of one run, as printed.
struct Report: Codable, Sendable {
  struct Latency: Codable, Sendable {
    var mean: Double
    var p50: Double
    var p90: Double
    var p99: Double
    var p999: Double
    var max: Double

    /// Converts nanoseconds to microseconds.
    init(_ histogram: Histogram<UInt64>) {
      func at(_ percentile: Double) -> Double { Double(histogram.valueAtPercentile(percentile)) / 1000 }
      mean = histogram.totalCount == 0 ? 0 : histogram.mean / 1000
      p50 = at(50)
      p90 = at(90)
      p99 = at(99)
      p999 = at(99.9)
      max = Double(histogram.max) / 1000
    }
  }

  struct Line: Codable, Sendable {
    var work: String
    var replies: Int
    var perSecond: Double
    /// Microseconds.
    var latency: Latency
  }

  struct Errors: Codable, Sendable {
    var count: Int
    var first: String?
  }

  struct Settings: Codable, Sendable {
    var target: String
    var mix: String
    var connections: Int
    var depth: Int
    var threads: Int
    /// Requests a second of an open loop; null for a closed one.
    var rate: Double?
    var users: Int
    var seed: UInt64
  }

  var settings: Settings
  var seconds: Double
  var replies: Int
  var perSecond: Double
  /// Microseconds of the server's processor time per reply, if its process ID was given.
  var serverMicroseconds: Double?
  var errors: Errors
  /// All kinds of requests together, then one line each.
  var all: Line
  var works: [Line]

  init(_ measurement: Measurement, settings: Settings) {
    self.settings = settings
    seconds = measurement.seconds
    replies = measurement.replies
    errors = Errors(count: measurement.errors, first: measurement.firstError)
    let perSecond = { (count: Int) in measurement.seconds > 0 ? Double(count) / measurement.seconds : 0 }
    self.perSecond = perSecond(measurement.replies)
    serverMicroseconds = measurement.serverProcessorTime.flatMap {
      measurement.replies > 0 ? $0 / Double(measurement.replies) : nil
    }
    var total = Measurement.emptyHistogram()
    works = []
    for work in Work.allCases {
      guard let histogram = measurement.latencies[Int(work.rawValue)] else { continue }
      total.add(histogram)
      let count = Int(histogram.totalCount)
      works.append(
        Line(work: work.name, replies: count, perSecond: perSecond(count), latency: Latency(histogram)))
    }
    all = Line(
      work: "all", replies: measurement.replies, perSecond: perSecond(measurement.replies), latency: Latency(total))
  }
}

extension Report {
  enum Format: Sendable {
    case text
    case json
    case csv
  }

  func rendered(_ format: Format) throws -> String {
    switch format {
    case .text: text
    case .csv: csv
    case .json:
      String(decoding: try Self.encoder.encode(self), as: UTF8.self)
    }
  }

  private static var encoder: JSONEncoder {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
    encoder.keyEncodingStrategy = .convertToSnakeCase
    return encoder
  }

  private var lines: [Line] { works.count > 1 ? works + [all] : works }

  private var csv: String {
    let header = "target,work,replies,per_second,mean_us,p50_us,p90_us,p99_us,p999_us,max_us,errors"
    let rows = lines.map { line in
      let latency = line.latency
      let figures = [latency.mean, latency.p50, latency.p90, latency.p99, latency.p999, latency.max]
      return "\(settings.target),\(line.work),\(line.replies),\(fixed(line.perSecond, 0)),"
        + figures.map { fixed($0, 1) }.joined(separator: ",") + ",\(errors.count)"
    }
    return ([header] + rows).joined(separator: "\n")
  }

  private var text: String {
    let loop = settings.rate.map { "open loop at \(fixed($0, 0))/s" } ?? "closed loop"
    var output = """
      \(settings.target), \(settings.mix): \(settings.connections) connections, depth \(settings.depth), \
      \(settings.threads) thread\(settings.threads == 1 ? "" : "s"), \(loop), \(fixed(seconds, 2)) s

      """
    let widths = [16, 11, 11, 9, 9, 9, 9, 9, 10]
    let titles = ["work", "replies", "per second", "mean µs", "p50", "p90", "p99", "p99.9", "max"]
    output += zip(titles, widths).map { padded($0, $1, left: $0 == "work") }.joined(separator: " ") + "\n"
    for line in lines {
      let latency = line.latency
      let figures = [latency.mean, latency.p50, latency.p90, latency.p99, latency.p999, latency.max]
      let cells = [line.work, "\(line.replies)", fixed(line.perSecond, 0)] + figures.map { fixed($0, 1) }
      output += zip(cells, widths).enumerated().map { padded($1.0, $1.1, left: $0 == 0) }.joined(separator: " ") + "\n"
    }
    if let serverMicroseconds { output += "server: \(fixed(serverMicroseconds, 3)) µs of processor time a reply\n" }
    if errors.count > 0 { output += "ERRORS: \(errors.count), the first: \(errors.first ?? "")\n" }
    return output
  }

  private func padded(_ text: String, _ width: Int, left: Bool) -> String {
    let spaces = String(repeating: " ", count: Swift.max(0, width - text.count))
    return left ? text + spaces : spaces + text
  }
}

/// `value` with this many decimals.
func fixed(_ value: Double, _ decimals: Int) -> String {
  guard value.isFinite else { return "-" }
  var scale = 1.0
  for _ in 0..<decimals { scale *= 10 }
  let scaled = Int((abs(value) * scale).rounded())
  let whole = scaled / Int(scale)
  let sign = value < 0 && scaled != 0 ? "-" : ""
  if decimals == 0 { return sign + String(whole) }
  let fraction = String(scaled % Int(scale))
  return sign + "\(whole)." + String(repeating: "0", count: decimals - fraction.utf8.count) + fraction
}
