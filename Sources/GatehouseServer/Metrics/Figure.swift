/// A figure of the server, described once: how `INFO` shows it, and what monitoring reads from it.
struct Figure {
  /// A sample of a metric.
  struct Sample {
    let metric: Metric
    let value: MetricFamily.Value
  }

  /// The field of `INFO` and its text; nil if only monitoring reads it.
  let field: (name: String, text: String)?
  let samples: [Sample]

  /// A text, or a number that another figure already tells monitoring.
  init(_ name: String, _ text: any CustomStringConvertible) {
    field = (name, text.description)
    samples = []
  }

  init(_ name: String, _ value: some BinaryInteger, _ metric: Metric) {
    field = (name, "\(value)")
    samples = [Sample(metric: metric, value: metric.value(value))]
  }

  init(_ name: String, _ value: Double, _ metric: Metric) {
    field = (name, "\(value)")
    samples = [Sample(metric: metric, value: .number(value * metric.scale))]
  }

  /// What monitoring reads otherwise than `INFO` shows it.
  ///
  /// - Parameters:
  ///   - text: as `INFO` shows it.
  ///   - samples: what monitoring reads instead.
  init(_ name: String, _ text: any CustomStringConvertible, samples: [Sample]) {
    field = (name, text.description)
    self.samples = samples
  }

  /// What only monitoring reads.
  init(samples: [Sample]) {
    field = nil
    self.samples = samples
  }
}

/// What a number means to monitoring.
struct Metric {
  let name: String
  let kind: MetricFamily.Kind
  let help: String
  var labels: [MetricFamily.Label] = []
  /// Monitoring reads seconds and bytes; `INFO` often shows smaller units.
  var scale = 1.0

  static func counter(_ name: String, _ help: String, scale: Double = 1, _ labels: MetricFamily.Label...) -> Metric {
    Metric(name: "gatehouse_" + name, kind: .counter, help: help, labels: labels, scale: scale)
  }

  static func gauge(_ name: String, _ help: String, scale: Double = 1, _ labels: MetricFamily.Label...) -> Metric {
    Metric(name: "gatehouse_" + name, kind: .gauge, help: help, labels: labels, scale: scale)
  }

  static func histogram(_ name: String, _ help: String, _ labels: MetricFamily.Label...) -> Metric {
    Metric(name: "gatehouse_" + name, kind: .histogram, help: help, labels: labels)
  }

  static let microseconds = 1e-6
  static let milliseconds = 1e-3

  func value(_ value: some BinaryInteger) -> MetricFamily.Value {
    scale == 1 ? .integer(Int64(clamping: value)) : .number(Double(value) * scale)
  }

  func sample(_ number: some BinaryInteger) -> Figure.Sample { Figure.Sample(metric: self, value: value(number)) }

  func sample(_ histogram: MetricHistogram) -> Figure.Sample {
    Figure.Sample(metric: self, value: .histogram(histogram))
  }
}

extension MetricFamily {
  /// The samples of figures by metric, in the order in which the metrics first appear.
  static func families(of figures: some Sequence<Figure>) -> [MetricFamily] {
    var families: [MetricFamily] = []
    var places: [String: Int] = [:]
    for figure in figures {
      for sample in figure.samples {
        let metric = sample.metric
        let place = places[metric.name] ?? families.count
        if place == families.count {
          places[metric.name] = place
          families.append(MetricFamily(name: metric.name, help: metric.help, kind: metric.kind, samples: []))
        }
        families[place].samples.append(Sample(labels: metric.labels, value: sample.value))
      }
    }
    return families
  }
}
