/// The directory in a snapshot: a head, and sections with a tag and a length each. The same state is always the same bytes.
extension DirectoryState {
  /// The version of this coding. A reader refuses what is newer. Version 1 does not say which restrictions were lifted; up
  /// to version 2 the parts stood one after the other, without tags and lengths.
  public static let codingVersion: UInt8 = 3

  private enum Section: UInt8, CaseIterable {
    case workspaces = 1
    case products
    case services
    case seats
    case superAdministrators
    /// The workspaces that services are bound to.
    case bindings
    case roles

    /// The parts that there were before they were sections.
    static let unmeasured: [Section] = [.workspaces, .products, .services, .seats, .superAdministrators]
  }

  public func encode(into writer: inout ByteWriter) {
    writer.byte(Self.codingVersion)
    writer.varint(lsn)
    writer.varint(view.lsn)
    writer.varint(Section.allCases.count)
    for section in Section.allCases { StoredSection.write(section.rawValue, to: &writer) { encode(section, &$0) } }
  }

  private func encode(_ section: Section, _ writer: inout ByteWriter) {
    switch section {
    case .workspaces: writer.list(view.workspaces) { $0.stored($1) }
    case .products: writer.list(view.products) { $0.stored($1) }
    case .services: writer.list(view.services) { $0.stored($1) }
    case .seats:
      writer.list(counters.usage.sorted { ($0.key.product, $0.key.licence) < ($1.key.product, $1.key.licence) }) {
        writer, entry in
        writer.varint(entry.key.product)
        writer.byte(entry.key.licence)
        writer.varint(entry.value)
      }
    case .superAdministrators:
      writer.list(counters.superAdministrators.sorted { $0.key < $1.key }) { writer, entry in
        writer.id(entry.key)
        writer.flag(entry.value)
      }
    case .bindings:
      writer.list(view.services.filter { $0.workspaces != nil }) { writer, service in
        writer.varint(service.id)
        writer.list(service.workspaces ?? []) { $0.varint($1) }
      }
    case .roles: writer.list(view.tables.roles) { $0.stored($1) }
    }
  }

  /// What the sections come to.
  private struct Draft {
    var tables = DirectoryTables()
    var usage: [SeatKey: Int] = [:]
    var superAdministrators: [UserID: Bool] = [:]

    mutating func decode(
      _ section: Section, _ reader: inout ByteReader, _ layout: StoredLayout
    ) throws(CodingError) {
      switch section {
      case .workspaces:
        for _ in 0..<(try reader.count()) { try add(try reader.stored(Workspace.none, layout), reader) }
      case .products:
        for _ in 0..<(try reader.count()) { try add(try reader.stored(Product.none, layout), reader) }
      case .services:
        for _ in 0..<(try reader.count()) {
          let service = try reader.stored(ServiceIdentity.none, layout)
          tables.add(service.numbered(ServiceID(tables.services.count + 1)))
        }
      case .seats:
        for _ in 0..<(try reader.count()) {
          usage[SeatKey(product: try reader.number(), licence: try reader.byte())] = try reader.number()
        }
      case .superAdministrators:
        for _ in 0..<(try reader.count()) { superAdministrators[try reader.id()] = try reader.flag() }
      case .bindings:
        for _ in 0..<(try reader.count()) {
          let service: ServiceID = try reader.number()
          let workspaces = try reader.list { (reader) throws(CodingError) in try reader.number(WorkspaceID.self) }
          guard (1..<(tables.services.count + 1)).contains(Int(service)) else {
            throw reader.failure("a service that is bound and not there")
          }
          tables.bind(service, to: workspaces)
        }
      case .roles:
        for _ in 0..<(try reader.count()) { tables.add(try reader.stored(RoleDefinition.none, layout)) }
      }
    }

    private mutating func add(_ workspace: Workspace, _ reader: ByteReader) throws(CodingError) {
      guard Directory(lsn: 0, tables: tables, zones: .utcOnly).workspaceID(workspace.name) == nil else {
        throw reader.failure("workspaces whose names are not their own")
      }
      tables.add(workspace.numbered(WorkspaceID(tables.workspaces.count + 1)))
    }

    private mutating func add(_ product: Product, _ reader: ByteReader) throws(CodingError) {
      guard (1...max(1, tables.workspaces.count)).contains(Int(product.workspace)), !tables.workspaces.isEmpty else {
        throw reader.failure("a product whose workspace is not there")
      }
      tables.add(product.numbered(ProductID(tables.products.count + 1)))
    }
  }

  public init(from reader: inout ByteReader) throws(CodingError) {
    let version = try reader.byte()
    guard (1...Self.codingVersion).contains(version) else {
      throw reader.failure("a directory of an unknown version")
    }
    let lsn = try reader.varint()
    let viewLSN = try reader.varint()
    var draft = Draft()
    if version < 3 {
      for section in Section.unmeasured { try draft.decode(section, &reader, version == 1 ? .first : .second) }
    } else {
      var last: UInt8 = 0
      for _ in 0..<(try reader.count()) {
        guard let (section, bytes) = try StoredSection.read(from: &reader, as: Section.self) else { continue }
        guard section.rawValue > last else { throw bytes.failure("sections out of order") }
        last = section.rawValue
        var values = bytes
        try draft.decode(section, &values, .measured)
      }
    }
    guard !draft.tables.workspaces.isEmpty else { throw reader.failure("a directory without a workspace") }
    self.init(
      view: Directory(lsn: viewLSN, tables: draft.tables, zones: .utcOnly), lsn: lsn,
      counters: Counters(usage: draft.usage, superAdministrators: draft.superAdministrators, lsn: lsn))
  }
}

// Numbers are not written: they follow from the order.

extension Workspace: StoredValue {
  fileprivate static let none = Workspace(id: 0, name: "", created: 0, plan: "")

  fileprivate func numbered(_ id: WorkspaceID) -> Workspace {
    var workspace = self
    workspace.id = id
    return workspace
  }

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
  fileprivate static let none = Product(id: 0, workspace: 0, name: "", created: 0)

  fileprivate func numbered(_ id: ProductID) -> Product {
    var product = self
    product.id = id
    return product
  }

  mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try visitor.value(&workspace, as: WorkspaceForm.self)
    try visitor.value(&name, as: TextForm.self)
    try visitor.value(&created, as: TimeForm.self)
    try visitor.value(&pools, as: ListForm<PoolForm>.self)
  }
}

extension ServiceIdentity: StoredValue {
  fileprivate static let none = ServiceIdentity(id: 0, name: "", created: 0, secret: .zero, rights: [])

  fileprivate func numbered(_ id: ServiceID) -> ServiceIdentity {
    var service = self
    service.id = id
    return service
  }

  mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try visitor.value(&name, as: TextForm.self)
    try visitor.value(&created, as: TimeForm.self)
    try visitor.value(&secret, as: DigestForm.self)
    try visitor.value(&rights, as: RightsForm.self)
    try visitor.value(&isDeleted, as: FlagForm.self)
  }
}

extension RoleDefinition: StoredValue {
  fileprivate static let none = RoleDefinition(
    role: .individual, workspace: nil, name: "", permissions: PermissionSet())

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
