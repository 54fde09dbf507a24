/// An account by its name. Changes that name one also name its workspace, which places them in the trail.
enum AccountForm: SubjectForm {
  static func write(_ value: AccountID, to writer: inout ByteWriter) { writer.varint(value) }
  static func read(from reader: inout ByteReader) throws(CodingError) -> AccountID { try reader.number() }
  static func text(_ value: AccountID, in directory: Directory?) -> String? {
    directory?.accountName(value) ?? "#\(value)"
  }
  static func entity(_ value: AccountID, in directory: Directory?) -> String {
    "account \(text(value, in: directory) ?? "")"
  }
  static func names(_ value: AccountID, _ entity: NamedEntity) -> Bool { entity == .account(value) }
  static func home(_ value: AccountID, _ partitioning: Partitioning) -> Int? { nil }
}

/// An account group by its name.
enum GroupForm: SubjectForm {
  static func write(_ value: GroupID, to writer: inout ByteWriter) { writer.varint(value) }
  static func read(from reader: inout ByteReader) throws(CodingError) -> GroupID { try reader.number() }
  static func text(_ value: GroupID, in directory: Directory?) -> String? {
    directory?.groupName(value) ?? "#\(value)"
  }
  static func entity(_ value: GroupID, in directory: Directory?) -> String {
    "group \(text(value, in: directory) ?? "")"
  }
  static func names(_ value: GroupID, _ entity: NamedEntity) -> Bool { entity == .group(value) }
  static func home(_ value: GroupID, _ partitioning: Partitioning) -> Int? { nil }
}
