import GatehouseServer

/// The text formats that Prometheus reads.
struct PrometheusText {
  enum Format: Equatable {
    /// The text format 0.0.4.
    case prometheus
    /// OpenMetrics 1.0.
    case openMetrics

    var mediaType: String {
      switch self {
      case .prometheus: "text/plain; version=0.0.4; charset=utf-8"
      case .openMetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8"
      }
    }

    /// OpenMetrics for who prefers it to plain text; the old format for everybody else, so that `curl` shows text.
    init(accept: String?) {
      var (openMetrics, text) = (0.0, 0.0)
      for range in (accept ?? "*/*").split(separator: ",") {
        let parts = range.split(separator: ";").map { $0.filter { $0 != " " }.lowercased() }
        let weight = parts.dropFirst().first { $0.hasPrefix("q=") }.flatMap { Double($0.dropFirst(2)) } ?? 1
        switch parts.first {
        case "application/openmetrics-text": openMetrics = max(openMetrics, weight)
        case "text/plain", "text/*", "*/*": text = max(text, weight)
        default: break
        }
      }
      self = openMetrics > 0 && openMetrics >= text ? .openMetrics : .prometheus
    }
  }

  private let format: Format
  private(set) var text = ""

  init(_ families: [MetricFamily], _ format: Format) {
    self.format = format
    for family in families { write(family) }
    if format == .openMetrics { text += "# EOF\n" }
  }

  // MARK: Writing

  private mutating func write(_ family: MetricFamily) {
    let isCounter = family.kind == .counter
    let name = isCounter && format == .prometheus ? family.name + "_total" : family.name
    let kind =
      switch family.kind {
      case .counter: "counter"
      case .gauge: "gauge"
      case .histogram: "histogram"
      }
    text += "# HELP \(name) "
    escape(family.help, quotes: format == .openMetrics)
    text += "\n# TYPE \(name) \(kind)\n"
    if format == .openMetrics, let unit = ["seconds", "bytes"].first(where: { name.hasSuffix("_" + $0) }) {
      text += "# UNIT \(name) \(unit)\n"
    }
    for sample in family.samples {
      switch sample.value {
      case .integer(let value): line(family.name, isCounter ? "_total" : "", sample.labels, "\(value)")
      case .number(let value): line(family.name, isCounter ? "_total" : "", sample.labels, "\(value)")
      case .histogram(let histogram): write(histogram, family.name, sample.labels)
      }
    }
  }

  private mutating func write(_ histogram: MetricHistogram, _ name: String, _ labels: [MetricFamily.Label]) {
    for bucket in histogram.buckets {
      line(name, "_bucket", labels + [("le", "\(bucket.seconds)")], "\(bucket.count)")
    }
    line(name, "_bucket", labels + [("le", "+Inf")], "\(histogram.count)")
    line(name, "_sum", labels, "\(histogram.sum)")
    line(name, "_count", labels, "\(histogram.count)")
  }

  private mutating func line(_ name: String, _ suffix: String, _ labels: [MetricFamily.Label], _ value: String) {
    text += name
    text += suffix
    var separator = "{"
    for label in labels {
      text += separator
      text += label.name
      text += "=\""
      escape(label.value, quotes: true)
      text += "\""
      separator = ","
    }
    text += labels.isEmpty ? " " : "} "
    text += value
    text += "\n"
  }

  private mutating func escape(_ string: String, quotes: Bool) {
    guard string.utf8.contains(where: { $0 == 0x5c || $0 == 0x0a || $0 == 0x22 }) else {
      text += string
      return
    }
    for scalar in string.unicodeScalars {
      switch scalar {
      case "\\": text += "\\\\"
      case "\n": text += "\\n"
      case "\"" where quotes: text += "\\\""
      default: text.unicodeScalars.append(scalar)
      }
    }
  }
}
