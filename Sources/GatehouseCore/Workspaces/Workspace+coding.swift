extension Workspace: StoredValue {
  mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try visitor.value(&name, as: TextForm.self)
    try visitor.value(&created, as: TimeForm.self)
    try visitor.value(&plan, as: TextForm.self)
    try visitor.value(&owner, as: OwnerForm.self)
    try visitor.value(&subdomain, as: OptionalTextForm.self)
    try visitor.value(&policies, as: PoliciesForm.self)
    try visitor.value(&version, as: NumberForm<UInt32>.self)
    try visitor.later()
    try visitor.value(&lifted, as: LiftedForm.self)
  }
}

/// The owner of a workspace; 0 means none.
private enum OwnerForm: FieldForm {
  static func write(_ value: UserID?, to writer: inout ByteWriter) { writer.varint(value?.raw ?? 0) }

  static func read(from reader: inout ByteReader) throws(CodingError) -> UserID? {
    let raw = try reader.varint()
    return raw == 0 ? nil : UserID(raw: raw)
  }
}

/// An optional text; empty means none.
private enum OptionalTextForm: FieldForm {
  static func write(_ value: String?, to writer: inout ByteWriter) { writer.text(value ?? "") }

  static func read(from reader: inout ByteReader) throws(CodingError) -> String? {
    let text = try reader.text()
    return text.isEmpty ? nil : text
  }
}

private enum PoliciesForm: FieldForm {
  static func write(_ value: Policies, to writer: inout ByteWriter) {
    writer.list(value.texts.sorted { $0.key < $1.key }) { writer, policy in
      writer.text(policy.key)
      writer.text(policy.value)
    }
  }

  static func read(from reader: inout ByteReader) throws(CodingError) -> Policies {
    var policies = Policies()
    for _ in 0..<(try reader.count()) { policies.set(try reader.text(), try reader.text()) }
    return policies
  }
}

private enum LiftedForm: FieldForm {
  static func write(_ value: [Workspace.Restriction: LSN], to writer: inout ByteWriter) {
    writer.list(value.sorted { $0.key.rawValue < $1.key.rawValue }) { writer, entry in
      writer.byte(entry.key.rawValue)
      writer.varint(entry.value)
    }
  }

  static func read(from reader: inout ByteReader) throws(CodingError) -> [Workspace.Restriction: LSN] {
    var lifted: [Workspace.Restriction: LSN] = [:]
    for _ in 0..<(try reader.count()) { lifted[try reader.choice()] = try reader.varint() }
    return lifted
  }
}
