/// A kind of entity with ids, and the word shown for it.
public protocol IdentifiedEntity {
  static var word: String { get }
  /// The key by which records about one of them are found; nil if there is none.
  static func key(_ id: Identifier<Self>) -> UInt64?
}

extension IdentifiedEntity {
  public static func key(_ id: Identifier<Self>) -> UInt64? { nil }
}

extension UserEntity: IdentifiedEntity {
  public static var word: String { "user" }
  public static func key(_ id: UserID) -> UInt64? { RecordKey.of(id) }
}

extension ContactEntity: IdentifiedEntity {
  public static var word: String { "contact" }
  public static func key(_ id: ContactID) -> UInt64? { RecordKey.of(id) }
}

extension SessionEntity: IdentifiedEntity {
  public static var word: String { "session" }
}

extension EntryEntity: IdentifiedEntity {
  public static var word: String { "entry" }
}

extension MailEntity: IdentifiedEntity {
  public static var word: String { "mail" }
}

public enum IdentifierForm<Entity: IdentifiedEntity>: SubjectForm {
  public static func write(_ value: Identifier<Entity>, to writer: inout ByteWriter) { writer.id(value) }

  public static func read(from reader: inout ByteReader) throws(CodingError) -> Identifier<Entity> {
    try reader.id()
  }

  public static func text(_ value: Identifier<Entity>, in directory: Directory?) -> String? {
    value == .none ? ChangeText.new : "#\(value.raw)"
  }

  public static func entity(_ value: Identifier<Entity>, in directory: Directory?) -> String {
    "\(Entity.word) \(text(value, in: directory) ?? "")"
  }

  public static func home(_ value: Identifier<Entity>, _ partitioning: Partitioning) -> Int? {
    partitioning.partition(of: value)
  }

  public static func addKeys(of value: Identifier<Entity>, to keys: inout [UInt64]) {
    if let key = Entity.key(value) { keys.append(key) }
  }

  public static func names(_ value: Identifier<Entity>, _ entity: NamedEntity) -> Bool {
    entity == .numbered(Entity.word, value.raw)
  }
}

public typealias UserForm = IdentifierForm<UserEntity>
public typealias ContactForm = IdentifierForm<ContactEntity>
public typealias SessionForm = IdentifierForm<SessionEntity>
public typealias EntryForm = IdentifierForm<EntryEntity>
public typealias MailForm = IdentifierForm<MailEntity>

/// A username: a change that has one also modifies the partition that indexes the name.
public enum UsernameForm: FieldForm {
  public static func write(_ value: String, to writer: inout ByteWriter) { writer.text(value) }
  public static func read(from reader: inout ByteReader) throws(CodingError) -> String { try reader.text() }
  public static func text(_ value: String, in directory: Directory?) -> String? { value }

  public static func partition(_ value: String, _ partitioning: Partitioning) -> Int? {
    NameKey(value, partitioning).partition
  }
}

/// An entity of the directory, by number; 0 means none.
public protocol DirectoryEntity {
  static var word: String { get }
  static var kind: RecordKey.DirectoryKind { get }
  static func name(_ number: UInt32, in directory: Directory) -> String?
}

public enum WorkspaceEntity: DirectoryEntity {
  public static var word: String { "workspace" }
  public static var kind: RecordKey.DirectoryKind { .workspace }

  public static func name(_ number: UInt32, in directory: Directory) -> String? {
    number > 0 && Int(number) <= directory.workspaces.count ? directory.workspace(number).name : nil
  }
}

public enum ProductEntity: DirectoryEntity {
  public static var word: String { "product" }
  public static var kind: RecordKey.DirectoryKind { .product }

  public static func name(_ number: UInt32, in directory: Directory) -> String? {
    directory.product(number).map { directory.productName($0) }
  }
}

public enum ServiceEntity: DirectoryEntity {
  public static var word: String { "service" }
  public static var kind: RecordKey.DirectoryKind { .service }

  public static func name(_ number: UInt32, in directory: Directory) -> String? { directory.service(number)?.name }
}

public enum DirectoryForm<Entity: DirectoryEntity>: SubjectForm {
  public static func write(_ value: UInt32, to writer: inout ByteWriter) { writer.varint(value) }
  public static func read(from reader: inout ByteReader) throws(CodingError) -> UInt32 { try reader.number() }

  public static func text(_ value: UInt32, in directory: Directory?) -> String? {
    value == 0 ? nil : directory.flatMap { Entity.name(value, in: $0) } ?? "\(value)"
  }

  public static func entity(_ value: UInt32, in directory: Directory?) -> String {
    "\(Entity.word) \(text(value, in: directory) ?? "0")"
  }

  public static func home(_ value: UInt32, _ partitioning: Partitioning) -> Int? { nil }

  public static func addKeys(of value: UInt32, to keys: inout [UInt64]) {
    if value != 0 { keys.append(RecordKey.of(Entity.kind, value)) }
  }
}

public typealias WorkspaceForm = DirectoryForm<WorkspaceEntity>
public typealias ProductForm = DirectoryForm<ProductEntity>
public typealias ServiceForm = DirectoryForm<ServiceEntity>
