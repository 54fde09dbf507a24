/// A user's second factor, or the beginning of one.
public struct SecondFactor: Sendable, Equatable {
  var lsn: LSN = 0
  /// The secret in force, once a code has confirmed that the user's app has it.
  var secret: TimeSecret?
  /// A secret that was handed out and is yet to be confirmed.
  var pending: TimeSecret?
  /// When it was handed out.
  var begun: Milliseconds = 0
  var confirmed: Milliseconds = 0
  /// The step whose code was accepted last.
  var lastStep: Int64 = 0
  /// The digests of the recovery codes that were not used yet.
  var recovery: [Digest] = []
}

extension SecondFactor: StoredValue {
  mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try visitor.value(&lsn, as: NumberForm<LSN>.self)
    try visitor.secret(&secret, as: OptionalForm<TimeSecretForm>.self)
    try visitor.secret(&pending, as: OptionalForm<TimeSecretForm>.self)
    try visitor.value(&begun, as: TimeForm.self)
    try visitor.value(&confirmed, as: TimeForm.self)
    try visitor.value(&lastStep, as: SignedForm.self)
    try visitor.secret(&recovery, as: ListForm<DigestForm>.self)
  }
}

/// A login that has shown the right password and waits for the second factor.
public struct LoginChallenge: Sendable, Equatable {
  /// SHA-256 of what the application was given.
  var digest = Digest.zero
  /// Serial number of the user.
  var user: UInt32 = 0
  var product: ProductID = 0
  /// Only the service that asked may answer; 0 is `local`.
  var service: ServiceID = 0
  var expires: Milliseconds = 0
  /// Whether the code also confirms a second factor that the user had to begin.
  var enrols = false
  var wish = SessionWish()
  /// The record that issued it. What a workspace has asked for since is asked of the login, too.
  var lsn: LSN = 0
}

extension LoginChallenge: StoredValue {
  mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try visitor.secret(&digest, as: DigestForm.self)
    try visitor.value(&user, as: NumberForm<UInt32>.self)
    try visitor.value(&product, as: ProductForm.self)
    try visitor.value(&service, as: NumberForm<ServiceID>.self)
    try visitor.value(&expires, as: TimeForm.self)
    try visitor.value(&enrols, as: FlagForm.self)
    try visitor.value(&wish, as: SessionWishForm.self)
    try visitor.later()
    try visitor.value(&lsn, as: NumberForm<LSN>.self)
  }
}

/// What an application asks of the session that a login opens.
struct SessionWish: Sendable, Equatable {
  /// `TTL`.
  var life: Milliseconds?
  /// `IDLE`.
  var idle: Milliseconds?
  var origin = SessionOrigin()
}

enum SessionWishForm: FieldForm {
  static func write(_ value: SessionWish, to writer: inout ByteWriter) {
    writer.optional(value.life) { $0.signed($1) }
    writer.optional(value.idle) { $0.signed($1) }
    writer.text(value.origin.address)
    writer.text(value.origin.agent)
  }

  static func read(from reader: inout ByteReader) throws(CodingError) -> SessionWish {
    var wish = SessionWish()
    wish.life = try reader.optional { (reader) throws(CodingError) in try reader.signed() }
    wish.idle = try reader.optional { (reader) throws(CodingError) in try reader.signed() }
    wish.origin.address = try reader.text()
    wish.origin.agent = try reader.text()
    return wish
  }

  static func split(_ value: SessionWish, clear: inout ByteWriter, hidden: inout ByteWriter) {
    clear.optional(value.life) { $0.signed($1) }
    clear.optional(value.idle) { $0.signed($1) }
    TextForm.split(value.origin.address, clear: &clear, hidden: &hidden)
    TextForm.split(value.origin.agent, clear: &clear, hidden: &hidden)
  }

  static func join(clear: inout ByteReader, hidden: inout ByteReader?) throws(CodingError) -> SessionWish {
    var wish = SessionWish()
    wish.life = try clear.optional { (reader) throws(CodingError) in try reader.signed() }
    wish.idle = try clear.optional { (reader) throws(CodingError) in try reader.signed() }
    wish.origin.address = try TextForm.join(clear: &clear, hidden: &hidden)
    wish.origin.agent = try TextForm.join(clear: &clear, hidden: &hidden)
    return wish
  }

  static func shown(
    _ name: String, old: SessionWish?, new: SessionWish?, in directory: Directory?
  ) -> [ChangeText.Field] {
    guard let wish = new else { return [] }
    return [("ip", wish.origin.address), ("agent", wish.origin.agent)].filter { !$0.1.isEmpty }.map {
      ChangeText.Field(name: $0.0, old: nil, new: $0.1)
    }
  }
}
