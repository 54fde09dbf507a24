/// The key under which a webhook's requests are signed: HMAC-SHA256, as Standard Webhooks says.
public struct WebhookSecret: Sendable, Equatable, CustomStringConvertible {
  /// None before the fields are read, and once the webhook is deleted.
  public private(set) var bytes: [UInt8] = []

  /// What Standard Webhooks allows.
  static let sizes = 24...64
  static let prefix = "whsec_"

  init() {}

  /// One of 192 bits. A multiple of three bytes, because some receivers want padded base64 and others none.
  init(_ first: (UInt64, UInt64), _ second: (UInt64, UInt64)) {
    for word in [first.0, first.1, second.0] { withUnsafeBytes(of: word) { bytes += $0 } }
  }

  /// `whsec_` and base64.
  ///
  /// - Returns: nil if it is none, or too short or long.
  public init?(_ text: String) {
    guard text.hasPrefix(Self.prefix), let bytes = Base64.bytes(text.dropFirst(Self.prefix.count)),
      Self.sizes.contains(bytes.count)
    else { return nil }
    self.bytes = bytes
  }

  fileprivate init(bytes: some Collection<UInt8>) { self.bytes = Array(bytes) }

  /// As receivers take it.
  var text: String { Self.prefix + Base64.text(bytes) }

  /// So that no message shows it.
  public var description: String { "(secret)" }
}

enum WebhookSecretForm: FieldForm {
  static func write(_ value: WebhookSecret, to writer: inout ByteWriter) { writer.block(ContiguousArray(value.bytes)) }

  static func read(from reader: inout ByteReader) throws(CodingError) -> WebhookSecret {
    WebhookSecret(bytes: try reader.block())
  }

  static func split(_ value: WebhookSecret, clear: inout ByteWriter, hidden: inout ByteWriter) {
    clear.flag(!value.bytes.isEmpty)
    if !value.bytes.isEmpty { write(value, to: &hidden) }
  }

  static func join(clear: inout ByteReader, hidden: inout ByteReader?) throws(CodingError) -> WebhookSecret {
    guard try clear.flag(), var rest = hidden else { return WebhookSecret() }
    defer { hidden = rest }
    return try read(from: &rest)
  }
}
