/// The directory in a snapshot: a head, and sections with a tag and a length each. The same state is always the same bytes.
extension DirectoryState {
  /// The version of this coding. A reader refuses what is newer. Version 1 does not say which restrictions were lifted.
  public static let codingVersion: UInt8 = 3

  private static let sections = StoredSections(StoredDirectory.sections, lastUntagged: 5)

  public func encode(into writer: inout ByteWriter) {
    writer.byte(Self.codingVersion)
    writer.varint(lsn)
    writer.varint(view.lsn)
    Self.sections.write(StoredDirectory(tables: view.tables, counters: counters), to: &writer)
  }

  public init(from reader: inout ByteReader) throws(CodingError) {
    let version = try reader.byte()
    guard (1...Self.codingVersion).contains(version) else {
      throw reader.failure("a directory of an unknown version")
    }
    let lsn = try reader.varint()
    let viewLSN = try reader.varint()
    var stored = StoredDirectory()
    try Self.sections.read(into: &stored, from: &reader, version: version)
    guard !stored.tables.workspaces.isEmpty else { throw reader.failure("a directory without a workspace") }
    self.init(
      view: Directory(lsn: viewLSN, tables: stored.tables, zones: .utcOnly), lsn: lsn,
      counters: stored.counters.asOf(lsn))
  }
}

/// What a snapshot has of the directory.
struct StoredDirectory {
  var tables = DirectoryTables()
  var counters = Counters()
}

extension StoredSection<StoredDirectory> {
  /// The rows of a table.
  ///
  /// - Parameters:
  ///   - blank: the next row of a table, without its fields. Numbers are not written: they follow from the order.
  ///   - add: puts a row in its place.
  fileprivate static func rows<Row: StoredValue & Sendable>(
    _ tag: UInt8, _ rows: @escaping @Sendable (StoredDirectory) -> PagedArray<Row>,
    blank: @escaping @Sendable (UInt32) -> Row,
    add: @escaping @Sendable (inout DirectoryTables, Row, ByteReader) throws(CodingError) -> Void
  ) -> StoredSection {
    .list(tag, rows) {
      $0.stored($1)
    } read: { (directory, reader, layout) throws(CodingError) in
      let row = try reader.stored(blank(UInt32(rows(directory).count + 1)), layout)
      try add(&directory.tables, row, reader)
    }
  }
}

extension StoredDirectory {
  static let sections: [StoredSection<StoredDirectory>] =
    [
      .rows(1) {
        $0.tables.workspaces
      } blank: {
        Workspace(id: $0, name: "", created: 0, plan: "")
      } add: { (tables, workspace, reader) throws(CodingError) in
        guard Directory(lsn: 0, tables: tables, zones: .utcOnly).workspaceID(workspace.name) == nil else {
          throw reader.failure("workspaces whose names are not their own")
        }
        tables.add(workspace)
      },
      .rows(2) {
        $0.tables.products
      } blank: {
        Product(id: $0, workspace: 0, name: "", created: 0)
      } add: { (tables, product, reader) throws(CodingError) in
        guard (1..<(tables.workspaces.count + 1)).contains(Int(product.workspace)) else {
          throw reader.failure("a product whose workspace is not there")
        }
        tables.add(product)
      },
      .rows(3) {
        $0.tables.services
      } blank: {
        ServiceIdentity(id: $0, name: "", created: 0, secret: .zero, rights: [])
      } add: { tables, service, _ in
        tables.add(service)
      },
      .list(6) {
        $0.tables.services.filter { $0.workspaces != nil }
      } write: { writer, service in
        writer.varint(service.id)
        writer.list(service.workspaces ?? []) { $0.varint($1) }
      } read: { (directory, reader, _) throws(CodingError) in
        let service: ServiceID = try reader.number()
        let workspaces = try reader.list { (reader) throws(CodingError) in try reader.number(WorkspaceID.self) }
        guard (1..<(directory.tables.services.count + 1)).contains(Int(service)) else {
          throw reader.failure("a service that is bound and not there")
        }
        directory.tables.bind(service, to: workspaces)
      },
      .rows(7) {
        $0.tables.roles
      } blank: { _ in
        RoleDefinition(role: .individual, workspace: nil, name: "", permissions: PermissionSet())
      } add: { tables, role, _ in
        tables.add(role)
      },
    ] + Counters.sections
}

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

extension Product: StoredValue {
  mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try visitor.value(&workspace, as: WorkspaceForm.self)
    try visitor.value(&name, as: TextForm.self)
    try visitor.value(&created, as: TimeForm.self)
    try visitor.value(&pools, as: ListForm<PoolForm>.self)
  }
}

extension ServiceIdentity: StoredValue {
  mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try visitor.value(&name, as: TextForm.self)
    try visitor.value(&created, as: TimeForm.self)
    try visitor.value(&secret, as: DigestForm.self)
    try visitor.value(&rights, as: RightsForm.self)
    try visitor.value(&isDeleted, as: FlagForm.self)
  }
}

extension RoleDefinition: StoredValue {
  mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try visitor.value(&role, as: RoleForm.self)
    try visitor.value(&workspace, as: OptionalForm<WorkspaceForm>.self)
    try visitor.value(&name, as: TextForm.self)
    try visitor.value(&permissions, as: PermissionsForm.self)
    try visitor.value(&narrowed, as: NumberForm<LSN>.self)
    try visitor.value(&isDropped, as: FlagForm.self)
  }
}

/// The owner of a workspace; 0 for none.
private enum OwnerForm: FieldForm {
  static func write(_ value: UserID?, to writer: inout ByteWriter) { writer.varint(value?.raw ?? 0) }

  static func read(from reader: inout ByteReader) throws(CodingError) -> UserID? {
    let raw = try reader.varint()
    return raw == 0 ? nil : UserID(raw: raw)
  }
}

/// A text that may be absent; empty for none.
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

private enum PoolForm: FieldForm {
  static func write(_ value: Pool, to writer: inout ByteWriter) {
    writer.text(value.type)
    writer.varint(value.bought)
  }

  static func read(from reader: inout ByteReader) throws(CodingError) -> Pool {
    Pool(type: try reader.text(), bought: try reader.number())
  }
}
