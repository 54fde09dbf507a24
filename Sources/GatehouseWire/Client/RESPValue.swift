/// A reply as a client sees it: any value of RESP2 or RESP3. Attributes are read and dropped.
public enum RESPValue: Sendable, Equatable {
  case simple(String)
  /// The text starts with the error's code.
  case error(String)
  case integer(Int64)
  case bulk([UInt8])
  /// A text for people; the format is `txt` or `mkd`.
  case verbatim(format: String, [UInt8])
  case null
  case boolean(Bool)
  case double(Double)
  /// An integer of more than 64 bits, in decimal.
  case bigNumber(String)
  case array([RESPValue])
  /// In the order sent.
  case map([Pair])
  case set([RESPValue])
  /// A message that is not a reply to a command.
  case push([RESPValue])

  public struct Pair: Sendable, Equatable {
    public var key: RESPValue
    public var value: RESPValue

    public init(_ key: RESPValue, _ value: RESPValue) {
      self.key = key
      self.value = value
    }
  }
}

extension RESPValue {
  public static func bulk(_ text: String) -> RESPValue { .bulk(Array(text.utf8)) }

  /// The text of a simple, bulk or verbatim value.
  public var string: String? {
    switch self {
    case .simple(let text): text
    case .bulk(let bytes), .verbatim(_, let bytes): String(decoding: bytes, as: UTF8.self)
    default: nil
    }
  }

  public var integer: Int64? {
    if case .integer(let value) = self { value } else { nil }
  }

  public var errorText: String? {
    if case .error(let text) = self { text } else { nil }
  }

  public var isNull: Bool { self == .null }

  /// The elements of an array, a set or a push.
  public var elements: [RESPValue]? {
    switch self {
    case .array(let elements), .set(let elements), .push(let elements): elements
    default: nil
    }
  }

  /// The pairs of a map, or of the flat array of keys and values that stands for a map in RESP2.
  public var pairs: [Pair]? {
    switch self {
    case .map(let pairs): pairs
    case .array(let elements) where elements.count.isMultiple(of: 2):
      stride(from: 0, to: elements.count, by: 2).map { Pair(elements[$0], elements[$0 + 1]) }
    default: nil
    }
  }

  /// The value of a map's field; also works on a RESP2 map.
  public subscript(field: String) -> RESPValue? {
    switch self {
    case .map(let pairs): return pairs.first { $0.key.hasText(field) }?.value
    case .array(let elements) where elements.count.isMultiple(of: 2):
      let key = stride(from: 0, to: elements.count, by: 2).first { elements[$0].hasText(field) }
      return key.map { elements[$0 + 1] }
    default: return nil
    }
  }

  /// Whether its text is this one; found out without making a string of it.
  private func hasText(_ text: String) -> Bool {
    switch self {
    case .simple(let own): own == text
    case .bulk(let bytes), .verbatim(_, let bytes): bytes.count == text.utf8.count && bytes.elementsEqual(text.utf8)
    default: false
    }
  }
}
