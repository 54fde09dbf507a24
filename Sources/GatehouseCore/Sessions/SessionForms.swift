/// The login from which an impersonation began; its partition lists the impersonation. nil means none.
enum ActorSessionForm: FieldForm {
  static func write(_ value: SessionID?, to writer: inout ByteWriter) { writer.varint(value.map { $0.raw + 1 } ?? 0) }

  static func read(from reader: inout ByteReader) throws(CodingError) -> SessionID? {
    let raw = try reader.varint()
    return raw == 0 ? nil : SessionID(raw: raw - 1)
  }

  static func text(_ value: SessionID?, in directory: Directory?) -> String? { value.map { "#\($0.raw)" } }

  static func partition(_ value: SessionID?, _ partitioning: Partitioning) -> Int? {
    value.map { partitioning.partition(of: $0) }
  }
}

enum ImpersonationForm: FieldForm {
  static func write(_ value: Impersonation?, to writer: inout ByteWriter) {
    writer.optional(value) { $1.encode(&$0) }
  }

  static func read(from reader: inout ByteReader) throws(CodingError) -> Impersonation? {
    try reader.optional { (reader) throws(CodingError) in try Impersonation(from: &reader) }
  }

  // The reason stays readable: it tells why something was done (`SealedChange`).
  static func split(_ value: Impersonation?, clear: inout ByteWriter, hidden: inout ByteWriter) {
    clear.flag(value != nil)
    guard let value else { return }
    clear.id(value.actor)
    TextForm.split(value.actorName, clear: &clear, hidden: &hidden)
    clear.id(value.actorSession)
    clear.text(value.reason)
  }

  static func join(clear: inout ByteReader, hidden: inout ByteReader?) throws(CodingError) -> Impersonation? {
    guard try clear.flag() else { return nil }
    let actor: UserID = try clear.id()
    let name = try TextForm.join(clear: &clear, hidden: &hidden)
    return Impersonation(actor: actor, actorName: name, actorSession: try clear.id(), reason: try clear.text())
  }

  static func shown(
    _ name: String, old: Impersonation??, new: Impersonation??, in directory: Directory?
  ) -> [ChangeText.Field] {
    guard let impersonation = new ?? nil else { return [] }
    return UserForm.shown("actor", old: nil, new: impersonation.actor, in: directory)
      + SessionForm.shown("actor-session", old: nil, new: impersonation.actorSession, in: directory)
      + TextForm.shown("reason", old: nil, new: impersonation.reason, in: directory)
  }

  static func partition(_ value: Impersonation?, _ partitioning: Partitioning) -> Int? {
    value.map { partitioning.partition(of: $0.actorSession) }
  }

  static func addKeys(of value: Impersonation?, to keys: inout [UInt64]) {
    if let value { UserForm.addKeys(of: value.actor, to: &keys) }
  }
}
