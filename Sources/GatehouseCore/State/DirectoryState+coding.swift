/// The directory in a snapshot: the same state is always the same bytes.
extension DirectoryState {
  /// The version of this coding. A reader refuses what is newer. Version 1 does not say which restrictions were lifted.
  public static let codingVersion: UInt8 = 2

  public func encode(into writer: inout ByteWriter) {
    writer.byte(Self.codingVersion)
    writer.varint(lsn)
    writer.varint(view.lsn)
    writer.list(view.workspaces) { $1.encode(&$0) }
    writer.list(view.products) { $1.encode(&$0) }
    writer.list(view.services) { $1.encode(&$0) }
    writer.list(counters.usage.sorted { ($0.key.product, $0.key.licence) < ($1.key.product, $1.key.licence) }) {
      writer, entry in
      writer.varint(entry.key.product)
      writer.byte(entry.key.licence)
      writer.varint(entry.value)
    }
    writer.list(counters.superAdministrators.sorted { $0.key < $1.key }) { writer, entry in
      writer.id(entry.key)
      writer.flag(entry.value)
    }
  }

  public init(from reader: inout ByteReader) throws(CodingError) {
    let version = try reader.byte()
    guard (1...Self.codingVersion).contains(version) else {
      throw reader.failure("a directory of an unknown version")
    }
    let lsn = try reader.varint()
    let viewLSN = try reader.varint()
    var tables = DirectoryTables()
    for _ in 0..<(try reader.count()) {
      let workspace = try Workspace(from: &reader, id: WorkspaceID(tables.workspaces.count + 1), version: version)
      guard Directory(lsn: 0, tables: tables, zones: .utcOnly).workspaceID(workspace.name) == nil else {
        throw reader.failure("workspaces whose names are not their own")
      }
      tables.add(workspace)
    }
    guard !tables.workspaces.isEmpty else { throw reader.failure("a directory without a workspace") }
    for _ in 0..<(try reader.count()) {
      let product = try Product(from: &reader, id: ProductID(tables.products.count + 1))
      guard (1...tables.workspaces.count).contains(Int(product.workspace)) else {
        throw reader.failure("a product whose workspace is not there")
      }
      tables.add(product)
    }
    for _ in 0..<(try reader.count()) {
      tables.add(try ServiceIdentity(from: &reader, id: ServiceID(tables.services.count + 1)))
    }
    var usage: [SeatKey: Int] = [:]
    for _ in 0..<(try reader.count()) {
      usage[SeatKey(product: try reader.number(), licence: try reader.byte())] = try reader.number()
    }
    var superAdministrators: [UserID: Bool] = [:]
    for _ in 0..<(try reader.count()) { superAdministrators[try reader.id()] = try reader.flag() }
    self.init(
      view: Directory(lsn: viewLSN, tables: tables, zones: .utcOnly), lsn: lsn,
      counters: Counters(usage: usage, superAdministrators: superAdministrators, lsn: lsn))
  }
}

extension Workspace {
  fileprivate func encode(_ writer: inout ByteWriter) {
    writer.text(name)
    writer.signed(created)
    writer.text(plan)
    writer.varint(owner?.raw ?? 0)
    writer.text(subdomain ?? "")
    writer.list(policies.texts.sorted { $0.key < $1.key }) { writer, policy in
      writer.text(policy.key)
      writer.text(policy.value)
    }
    writer.varint(version)
    writer.list(lifted.sorted { $0.key.rawValue < $1.key.rawValue }) { writer, entry in
      writer.byte(entry.key.rawValue)
      writer.varint(entry.value)
    }
  }

  fileprivate init(from reader: inout ByteReader, id: WorkspaceID, version coding: UInt8) throws(CodingError) {
    self.init(id: id, name: try reader.text(), created: try reader.signed(), plan: try reader.text())
    let owner = try reader.varint()
    self.owner = owner == 0 ? nil : UserID(raw: owner)
    let subdomain = try reader.text()
    self.subdomain = subdomain.isEmpty ? nil : subdomain
    for _ in 0..<(try reader.count()) { policies.set(try reader.text(), try reader.text()) }
    version = try reader.number()
    guard coding >= 2 else { return }
    for _ in 0..<(try reader.count()) { setLifted(try reader.choice(), by: try reader.varint()) }
  }
}

extension Product {
  fileprivate func encode(_ writer: inout ByteWriter) {
    writer.varint(workspace)
    writer.text(name)
    writer.signed(created)
    writer.list(pools) { writer, pool in
      writer.text(pool.type)
      writer.varint(pool.bought)
    }
  }

  fileprivate init(from reader: inout ByteReader, id: ProductID) throws(CodingError) {
    self.init(id: id, workspace: try reader.number(), name: try reader.text(), created: try reader.signed())
    pools = try reader.list { (reader) throws(CodingError) in
      Pool(type: try reader.text(), bought: try reader.number())
    }
  }
}

extension ServiceIdentity {
  fileprivate func encode(_ writer: inout ByteWriter) {
    writer.text(name)
    writer.signed(created)
    writer.digest(secret)
    writer.byte(rights.rawValue)
    writer.flag(isDeleted)
  }

  fileprivate init(from reader: inout ByteReader, id: ServiceID) throws(CodingError) {
    self.init(
      id: id, name: try reader.text(), created: try reader.signed(), secret: try reader.digest(),
      rights: ServiceRights(rawValue: try reader.byte()))
    isDeleted = try reader.flag()
  }
}
