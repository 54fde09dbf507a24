import GatehouseCore
import GatehouseWire

/// Numbers in readable form.
enum Figures {
  /// `12.3 MB`.
  static func bytes(_ count: UInt64) -> String {
    var value = Double(count)
    for unit in ["bytes", "kB", "MB", "GB"] {
      if value < 1000 { return unit == "bytes" ? "\(count) bytes" : "\(tenths(value)) \(unit)" }
      value /= 1000
    }
    return "\(tenths(value)) TB"
  }

  /// `1 record`, `12 records`.
  static func count(_ number: some BinaryInteger, _ noun: String) -> String {
    "\(number) \(noun)\(number == 1 ? "" : "s")"
  }

  /// `records 12 to 40`.
  static func records(_ range: ClosedRange<UInt64>) -> String {
    range.count == 1 ? "record \(range.lowerBound)" : "records \(range.lowerBound) to \(range.upperBound)"
  }

  static func time(_ milliseconds: UInt64) -> String { TimeText.text(of: Milliseconds(clamping: milliseconds)) }

  private static func tenths(_ value: Double) -> String {
    let tenths = Int((value * 10).rounded())
    return "\(tenths / 10).\(tenths % 10)"
  }
}

/// A JSON object with its fields in the order in which they were added.
struct JSONObject {
  private(set) var pairs: [RESPValue.Pair] = []

  var value: RESPValue { .map(pairs) }
  var line: String { value.json() }

  mutating func add(_ name: String, _ value: RESPValue) { pairs.append(RESPValue.Pair(.bulk(name), value)) }
  mutating func add(_ name: String, _ text: String?) { add(name, text.map { .bulk($0) } ?? .null) }
  mutating func add(_ name: String, _ flag: Bool) { add(name, .boolean(flag)) }

  mutating func add<Number: BinaryInteger>(_ name: String, _ number: Number?) {
    // LSNs and byte counts never reach 63 bits.
    add(name, number.map { .integer(Int64(clamping: $0)) } ?? .null)
  }

  mutating func add(_ name: String, _ elements: [RESPValue]) { add(name, .array(elements)) }
  mutating func add(_ name: String, texts: [String]) { add(name, .array(texts.map { .bulk($0) })) }
}
