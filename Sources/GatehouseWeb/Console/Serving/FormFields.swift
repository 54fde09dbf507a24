import HTTPTypes

/// The fields of a form or a query, in their order. A name may come several times.
struct FormFields: Sendable {
  private(set) var pairs: [(name: String, value: String)] = []

  /// What a form may send: the checkboxes of a long page of people, and a long note.
  static let mostBytes = 256 * 1024
  static let mostFields = 5000

  /// - Throws: `Problem` 400 if the text is not `application/x-www-form-urlencoded`.
  init(parsing text: String) throws {
    for pair in text.parts(separatedBy: "&", keepsEmpty: false) {
      guard pairs.count < Self.mostFields else {
        throw Problem(.badRequest, "LIMIT", "the form has more than \(Self.mostFields) fields")
      }
      let parts = pair.parts(separatedBy: "=", most: 2)
      pairs.append((try Self.decoded(parts[0]), parts.count > 1 ? try Self.decoded(parts[1]) : ""))
    }
  }

  init() {}

  init(pairs: [(name: String, value: String)]) { self.pairs = pairs }

  /// The first value of a field without blanks around it; empty if there is none.
  subscript(name: String) -> String { raw(name).trimmed }

  /// The first value as it was typed, as passwords need it.
  func raw(_ name: String) -> String { pairs.first { $0.name == name }?.value ?? "" }

  func all(_ name: String) -> [String] { pairs.filter { $0.name == name }.map(\.value) }

  func has(_ name: String) -> Bool { pairs.contains { $0.name == name } }

  func number(_ name: String) -> Int64? { Int64(self[name]) }

  private static func decoded(_ text: String) throws -> String {
    guard let decoded = text.percentDecoded(plusIsBlank: true) else {
      throw Problem(.badRequest, "ERR", "the form is not UTF-8 in application/x-www-form-urlencoded")
    }
    return decoded
  }
}

extension StringProtocol {
  /// nil if a `%` stands alone, or what is encoded is not UTF-8 or has a NUL.
  func percentDecoded(plusIsBlank: Bool = false) -> String? {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(utf8.count)
    var rest = Array(utf8)[...]
    while let byte = rest.popFirst() {
      switch byte {
      case UInt8(ascii: "+") where plusIsBlank: bytes.append(UInt8(ascii: " "))
      case UInt8(ascii: "%"):
        // Two digits and nothing else: Swift would take `+1` for a number, too.
        guard let high = rest.popFirst().flatMap(Self.hexDigit), let low = rest.popFirst().flatMap(Self.hexDigit) else {
          return nil
        }
        bytes.append(high << 4 | low)
      default: bytes.append(byte)
      }
    }
    return bytes.contains(0) ? nil : String(validating: bytes, as: UTF8.self)
  }

  private static func hexDigit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
    default: nil
    }
  }

  var trimmed: String {
    var rest = Substring(self).unicodeScalars
    while rest.first?.properties.isWhitespace == true { rest.removeFirst() }
    while rest.last?.properties.isWhitespace == true { rest.removeLast() }
    return String(rest)
  }
}
