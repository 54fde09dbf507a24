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
  var text: String {
    var text = ""
    write(to: &text)
    return text
  }

  private func write(to text: inout String) {
    switch self {
    case .null: text += "null"
    case .bool(let value): text += value ? "true" : "false"
    case .integer(let value): text += String(value)
    case .number(let value): text += value.isFinite ? "\(value)" : "null"
    case .decimal(let value): text += value
    case .string(let value): Self.write(value, to: &text)
    case .array(let elements):
      text += "["
      for (index, element) in elements.enumerated() {
        if index > 0 { text += "," }
        element.write(to: &text)
      }
      text += "]"
    case .object(let members):
      text += "{"
      for (index, member) in members.enumerated() {
        if index > 0 { text += "," }
        Self.write(member.name, to: &text)
        text += ":"
        member.value.write(to: &text)
      }
      text += "}"
    }
  }

  private static func write(_ string: String, to text: inout String) {
    text += "\""
    for scalar in string.unicodeScalars {
      switch scalar {
      case "\"": text += "\\\""
      case "\\": text += "\\\\"
      case "\n": text += "\\n"
      case "\r": text += "\\r"
      case "\t": text += "\\t"
      // Angle brackets too, so that no browser ever takes a piece of JSON for HTML.
      case "\u{0}"..."\u{1f}", "<", ">", "\u{2028}", "\u{2029}":
        let digits = String(scalar.value, radix: 16)
        text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: text.unicodeScalars.append(scalar)
      }
    }
    text += "\""
  }
}

extension Response {
  init(json: JSON, status: HTTPResponse.Status = .ok, type: String = "application/json") {
    self.init(
      status: status, headers: [.contentType: type], body: ResponseBody(byteBuffer: ByteBuffer(string: json.text)))
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
