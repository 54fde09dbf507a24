import GatehouseWire
import HTTPTypes
import Hummingbird
import NIOCore

/// A JSON value. What is written keeps the order of its members.
enum JSON: Sendable {
  typealias Member = (name: String, value: JSON)

  case null
  case bool(Bool)
  case integer(Int64)
  case number(Double)
  /// A number that neither of these is exactly, as it was written.
  case decimal(String)
  case string(String)
  case array([JSON])
  case object([Member])
}

// MARK: Reading

extension JSON {
  /// Reads JSON.
  ///
  /// - Throws: `Problem` 400 that says what is wrong, and where.
  init(parsing bytes: ByteBuffer) throws { try self.init(Result(parsing: bytes)) }

  init(text: String) throws {
    var text = text
    try self.init(text.withUTF8 { Result(parsing: UnsafeRawBufferPointer($0)) })
  }

  private init(_ result: Result<JSON, JSONParser.Fault>) throws {
    switch result {
    case .success(let value): self = value
    case .failure(let fault):
      throw Problem(.badRequest, "ERR", "the body is not JSON: \(fault.what), at byte \(fault.position)")
    }
  }

  /// The member of an object.
  subscript(name: String) -> JSON? {
    guard case .object(let members) = self else { return nil }
    return members.first { $0.name == name }?.value
  }

  var string: String? { if case .string(let text) = self { text } else { nil } }
  var integer: Int64? { if case .integer(let value) = self { value } else { nil } }
  var bool: Bool? { if case .bool(let value) = self { value } else { nil } }
  var array: [JSON]? { if case .array(let elements) = self { elements } else { nil } }
  var members: [Member]? { if case .object(let members) = self { members } else { nil } }
}

extension Result<JSON, JSONParser.Fault> {
  fileprivate init(parsing bytes: UnsafeRawBufferPointer) {
    self = Result { () throws(JSONParser.Fault) in try JSONParser.value(of: bytes) }
  }

  fileprivate init(parsing bytes: ByteBuffer) { self = bytes.withUnsafeReadableBytes { Result(parsing: $0) } }
}

// MARK: Writing

extension JSON {
  /// The value as JSON on one line.
  var text: String { String(decoding: bytes, as: UTF8.self) }

  fileprivate var bytes: [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(512)
    write(to: &bytes)
    return bytes
  }

  private func write(to bytes: inout [UInt8]) {
    switch self {
    case .null: bytes += "null".utf8
    case .bool(let value): bytes += (value ? "true" : "false").utf8
    case .integer(let value): bytes += String(value).utf8
    case .number(let value): bytes += (value.isFinite ? "\(value)" : "null").utf8
    case .decimal(let value): bytes += value.utf8
    case .string(let value): Self.write(value, to: &bytes)
    case .array(let elements):
      bytes.append(UInt8(ascii: "["))
      for (index, element) in elements.enumerated() {
        if index > 0 { bytes.append(UInt8(ascii: ",")) }
        element.write(to: &bytes)
      }
      bytes.append(UInt8(ascii: "]"))
    case .object(let members):
      bytes.append(UInt8(ascii: "{"))
      for (index, member) in members.enumerated() {
        if index > 0 { bytes.append(UInt8(ascii: ",")) }
        Self.write(member.name, to: &bytes)
        bytes.append(UInt8(ascii: ":"))
        member.value.write(to: &bytes)
      }
      bytes.append(UInt8(ascii: "}"))
    }
  }

  /// Writes pieces that need no escape as they are, whole.
  private static func write(_ string: String, to bytes: inout [UInt8]) {
    var string = string
    bytes.append(UInt8(ascii: "\""))
    string.withUTF8 { text in
      var start = 0
      for index in text.indices {
        guard let (escape, length) = escape(at: index, in: text) else { continue }
        bytes += text[start..<index]
        bytes += escape.utf8
        start = index + length
      }
      bytes += text[start...]
    }
    bytes.append(UInt8(ascii: "\""))
  }

  /// What stands for the character at `index` in JSON, and how many bytes it has; nil if it stands for itself.
  private static func escape(at index: Int, in text: UnsafeBufferPointer<UInt8>) -> (escape: String, length: Int)? {
    let byte = text[index]
    switch byte {
    case UInt8(ascii: "\""): return ("\\\"", 1)
    case UInt8(ascii: "\\"): return ("\\\\", 1)
    case UInt8(ascii: "\n"): return ("\\n", 1)
    case UInt8(ascii: "\r"): return ("\\r", 1)
    case UInt8(ascii: "\t"): return ("\\t", 1)
    // Angle brackets too, so that no browser ever takes a piece of JSON for HTML.
    case 0x00...0x1f, UInt8(ascii: "<"), UInt8(ascii: ">"):
      let digits = String(byte, radix: 16)
      return ("\\u00" + (digits.count < 2 ? "0" : "") + digits, 1)
    // The line and paragraph separators, U+2028 and U+2029, which end a line in old JavaScript.
    case 0xe2 where text[index + 1] == 0x80 && text[index + 2] & 0xfe == 0xa8:
      return ("\\u20" + String(text[index + 2] - 0x80, radix: 16), 3)
    default: return nil
    }
  }
}

extension Response {
  init(json: JSON, status: HTTPResponse.Status = .ok, type: String = "application/json") {
    self.init(
      status: status, headers: [.contentType: type], body: ResponseBody(byteBuffer: ByteBuffer(bytes: json.bytes)))
  }
}

extension JSON {
  /// A value of a command's reply.
  init(_ value: RESPValue) {
    switch value {
    case .null: self = .null
    case .boolean(let value): self = .bool(value)
    case .integer(let value): self = .integer(value)
    case .double(let value): self = .number(value)
    case .simple(let text), .error(let text), .bigNumber(let text): self = .string(text)
    case .bulk, .verbatim: self = .string(value.string ?? "")
    case .array(let elements), .set(let elements), .push(let elements): self = .array(elements.map(JSON.init))
    case .map(let pairs): self = .object(pairs.map { ($0.key.string ?? "", JSON($0.value)) })
    }
  }
}
