/// Durations in settings: a whole number of milliseconds, or a number with `ms`, `s`, `m`, `h` or `d`.
enum DurationText {
  private static let units: [(suffix: String, milliseconds: Int64)] = [
    ("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000),
  ]

  static func parse(_ text: String) -> Duration? {
    let digits = text.prefix { $0.isASCII && $0.isNumber }
    guard let number = Int64(digits) else { return nil }
    let suffix = text.dropFirst(digits.count).lowercased()
    guard let unit = suffix.isEmpty ? 1 : units.first(where: { $0.suffix == suffix })?.milliseconds else { return nil }
    let (milliseconds, overflow) = number.multipliedReportingOverflow(by: unit)
    return overflow ? nil : .milliseconds(milliseconds)
  }

  /// The shortest text that parses to the same duration: in the largest unit that divides it.
  static func format(_ duration: Duration) -> String {
    let milliseconds = duration.milliseconds
    if milliseconds == 0 { return "0" }
    let unit = units.last { milliseconds % $0.milliseconds == 0 }!
    return "\(milliseconds / unit.milliseconds)\(unit.suffix)"
  }
}

/// Sizes in settings: bytes, or a number with `kb`, `mb` or `gb`, in powers of 1024.
enum SizeText {
  private static let units: [(suffix: String, bytes: Int)] = [
    ("", 1), ("kb", 1 << 10), ("mb", 1 << 20), ("gb", 1 << 30),
  ]

  static func parse(_ text: String) -> Int? {
    let digits = text.prefix { $0.isASCII && $0.isNumber }
    guard let number = Int(digits) else { return nil }
    let suffix = text.dropFirst(digits.count).lowercased()
    guard let unit = units.first(where: { $0.suffix == suffix })?.bytes else { return nil }
    let (bytes, overflow) = number.multipliedReportingOverflow(by: unit)
    return overflow ? nil : bytes
  }

  static func format(_ bytes: Int) -> String {
    if bytes == 0 { return "0" }
    let unit = units.last { bytes % $0.bytes == 0 }!
    return "\(bytes / unit.bytes)\(unit.suffix)"
  }
}

extension Duration {
  /// Whole milliseconds, the resolution of settings.
  package var milliseconds: Int64 {
    let (seconds, attoseconds) = components
    return seconds * 1000 + attoseconds / 1_000_000_000_000_000
  }
}

extension Setting {
  static func integer(
    _ name: String, _ property: any WritableKeyPath<ServerConfiguration, Int> & Sendable, value: String = "n",
    live: Bool = false, _ range: ClosedRange<Int>, _ summary: String
  ) -> Setting {
    Setting(
      name, property, value: value, live: live,
      expected: "a whole number from \(range.lowerBound) to \(range.upperBound)",
      parse: { Int($0).flatMap { range.contains($0) ? $0 : nil } },
      format: { String($0) },
      summary)
  }

  /// - Parameter wanted: what to give, for the error.
  static func address(
    _ name: String, _ property: any WritableKeyPath<ServerConfiguration, String> & Sendable, _ wanted: String,
    _ summary: String
  ) -> Setting {
    Setting(
      name, property, value: "address",
      expected: "an address; give \(wanted)",
      parse: { $0.isEmpty || $0.contains(where: { $0.isWhitespace || $0 == "\0" }) ? nil : $0 },
      format: { $0 },
      summary)
  }

  /// - Parameter mayBeOff: whether 0 is accepted too, as "off".
  static func size(
    _ name: String, _ property: any WritableKeyPath<ServerConfiguration, Int> & Sendable, live: Bool = false,
    _ range: ClosedRange<Int>, mayBeOff: Bool = false, _ summary: String
  ) -> Setting {
    let bounds = "from \(SizeText.format(range.lowerBound)) to \(SizeText.format(range.upperBound))"
    return Setting(
      name, property, value: "size", live: live,
      expected: "a size \(bounds), such as 64mb" + (mayBeOff ? ", or 0 for off" : ""),
      parse: { SizeText.parse($0).flatMap { range.contains($0) || (mayBeOff && $0 == 0) ? $0 : nil } },
      format: { SizeText.format($0) },
      summary)
  }

  static func duration(
    _ name: String, _ property: any WritableKeyPath<ServerConfiguration, Duration> & Sendable, live: Bool = false,
    _ range: ClosedRange<Duration>, _ summary: String
  ) -> Setting {
    let bounds = "from \(DurationText.format(range.lowerBound)) to \(DurationText.format(range.upperBound))"
    return Setting(
      name, property, value: "duration", live: live,
      expected: "a duration \(bounds), such as 90s, 15m, 8h or 30d, or 0 for off",
      parse: { DurationText.parse($0).flatMap { range.contains($0) || $0 == .zero ? $0 : nil } },
      format: { DurationText.format($0) },
      summary)
  }

  /// A text without blanks, or `none`.
  ///
  /// - Parameter wanted: what to give, for the error.
  static func optionalText(
    _ name: String, _ property: any WritableKeyPath<ServerConfiguration, String?> & Sendable, value: String,
    _ wanted: String, _ summary: String
  ) -> Setting {
    Setting(
      name, property, value: value,
      expected: "\(wanted), or none",
      parse: { text -> String?? in
        if text == "none" { return .some(nil) }
        return text.isEmpty || text.utf8.contains { $0 <= 32 } ? nil : text
      },
      format: { $0 ?? "none" },
      summary)
  }

  /// A path, or `none`.
  static func optionalFile(
    _ name: String, _ property: any WritableKeyPath<ServerConfiguration, String?> & Sendable, _ summary: String
  ) -> Setting {
    Setting(
      name, property, value: "file|none",
      expected: "a path; give a file, or none",
      parse: { text -> String?? in
        if text == "none" { return .some(nil) }
        return text.isEmpty || text.utf8.contains(0) ? nil : text
      },
      format: { $0 ?? "none" },
      summary)
  }

  static func choice<Value: CaseIterable & RawRepresentable<String> & Sendable>(
    _ name: String, _ property: any WritableKeyPath<ServerConfiguration, Value> & Sendable, live: Bool = false,
    _ summary: String
  ) -> Setting {
    let values = Value.allCases.map(\.rawValue).joined(separator: "|")
    return Setting(
      name, property, value: values, live: live,
      expected: "one of \(values)",
      parse: { Value(rawValue: $0.lowercased()) },
      format: { $0.rawValue },
      summary)
  }
}
