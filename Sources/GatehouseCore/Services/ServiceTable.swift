/// The services with their indexes.
struct ServiceTable: Sendable {
  private(set) var rows = PagedArray<ServiceIdentity>()
  /// The facts that the hot path reads, flat, by number.
  private(set) var facts = PagedArray<ServiceFacts>()
  /// The names of services that are not deleted.
  private var names = SharedIndex()
  /// How many services are not deleted.
  private(set) var live = 0
  /// How many of them may manage the server.
  private(set) var administering = 0
  /// The services that client certificates stand for, by the name in those. Names are told apart without case, as those
  /// of machines are. Folders of earlier versions may have one name for several services.
  private var byCertificate: [String: [ServiceID]] = [:]

  mutating func add(_ service: ServiceIdentity) {
    precondition(Int(service.id) == rows.count + 1, "service numbers have a gap")
    rows.append(service)
    facts.append(ServiceFacts(service))
    count(service, 1)
    if !service.isDeleted { names.insert(Int(service.id), hash: SharedIndex.hash(of: service.name)) }
  }

  mutating func delete(_ id: ServiceID) {
    let service = rows[Int(id) - 1]
    precondition(!service.isDeleted, "a service is deleted twice")
    update(id) { $0.isDeleted = true }
    names.remove(Int(id), hash: SharedIndex.hash(of: service.name))
    note(nil, insteadOf: service.certificate, of: id)
  }

  mutating func rotate(_ id: ServiceID, to secret: Digest, oldUntil: Milliseconds) {
    change(id) {
      $0.oldSecret = oldUntil > 0 ? ServiceIdentity.OldSecret(secret: $0.secret, until: oldUntil) : nil
      $0.secret = secret
    }
  }

  /// Changes a service that is not deleted.
  mutating func change(_ id: ServiceID, _ body: (inout ServiceIdentity) -> Void) {
    let before = rows[Int(id) - 1]
    precondition(!before.isDeleted, "a deleted service is changed")
    update(id, body)
    note(rows[Int(id) - 1].certificate, insteadOf: before.certificate, of: id)
  }

  /// Also of a deleted service, as snapshots have them.
  mutating func bind(_ id: ServiceID, to workspaces: [WorkspaceID], products: [ProductID]? = nil) {
    update(id) {
      $0.workspaces = workspaces
      $0.products = products
    }
  }

  /// Changes a row, and what is derived from it.
  private mutating func update(_ id: ServiceID, _ body: (inout ServiceIdentity) -> Void) {
    let index = Int(id) - 1
    count(rows[index], -1)
    body(&rows[index])
    count(rows[index], 1)
    facts[index] = ServiceFacts(rows[index])
  }

  private mutating func note(_ certificate: String?, insteadOf old: String?, of id: ServiceID) {
    if certificate == old { return }
    if let old { byCertificate[Self.folded(old)]?.removeAll { $0 == id } }
    if let certificate { byCertificate[Self.folded(certificate), default: []].append(id) }
  }

  private static func folded(_ name: String) -> String { name.lowercased() }

  /// The services that a client certificate with these names stands for, each once.
  func bearers(of names: [String]) -> [ServiceID] {
    if byCertificate.isEmpty || names.isEmpty { return [] }
    return Set(names.flatMap { byCertificate[Self.folded($0)] ?? [] }).sorted()
  }

  /// Counts a service as it is. A deleted one counts for nothing, whatever is read or changed of it.
  private mutating func count(_ service: ServiceIdentity, _ step: Int) {
    if service.isDeleted { return }
    live += step
    if service.administersServer { administering += step }
  }

  func find(_ name: String) -> ServiceIdentity? {
    names.find(SharedIndex.hash(of: name)) { rows[$0 - 1].name == name }.map { rows[$0 - 1] }
  }
}

/// What the check of a session needs to know of the service that opened it, flat, so that reading it costs no reference
/// counting.
struct ServiceFacts: Sendable, BitwiseCopyable {
  let isDeleted: Bool
  /// Whether it is bound to workspaces or products (W6).
  let isBound: Bool

  init(_ service: ServiceIdentity) {
    isDeleted = service.isDeleted
    isBound = service.workspaces != nil || service.products != nil
  }
}

extension ServiceTable: DirectoryTable {
  static let sections: [StoredSection<StoredDirectory>] = [
    .rows(3) {
      $0.tables.services.rows
    } blank: {
      ServiceIdentity(id: $0, name: "", created: 0, secret: .zero, rights: [])
    } add: { tables, service, _ in
      tables.services.add(service)
    },
    // The workspaces to which services are bound.
    .list(6) { directory in
      directory.tables.services.rows.filter { $0.workspaces != nil }
    } write: { writer, service in
      writer.varint(service.id)
      writer.list(service.workspaces ?? []) { $0.varint($1) }
    } read: { (directory, reader, _) throws(CodingError) in
      let service: ServiceID = try reader.number()
      let workspaces = try reader.list { (reader) throws(CodingError) in try reader.number(WorkspaceID.self) }
      guard (1..<(directory.tables.services.rows.count + 1)).contains(Int(service)) else {
        throw reader.failure("a bound service that does not exist")
      }
      directory.tables.services.bind(service, to: workspaces)
    },
    // The products to which services are bound.
    .list(45) { directory in
      directory.tables.services.rows.filter { $0.products != nil }
    } write: { writer, service in
      writer.varint(service.id)
      writer.list(service.products ?? []) { $0.varint($1) }
    } read: { (directory, reader, _) throws(CodingError) in
      let service: ServiceID = try reader.number()
      let products = try reader.list { (reader) throws(CodingError) in try reader.number(ProductID.self) }
      let last = (services: directory.tables.services.rows.count, products: directory.tables.products.rows.count)
      guard (1..<(last.services + 1)).contains(Int(service)),
        products.allSatisfy({ (1..<(last.products + 1)).contains(Int($0)) })
      else { throw reader.failure("a service bound to products that do not exist") }
      directory.tables.bind(service, toProducts: products)
    },
    // Secrets before the last rotation.
    .list(14) { directory in
      directory.tables.services.rows.filter { $0.oldSecret != nil && !$0.isDeleted }
    } write: { writer, service in
      writer.varint(service.id)
      DigestForm.write(service.oldSecret!.secret, to: &writer)
      TimeForm.write(service.oldSecret!.until, to: &writer)
    } read: { (directory, reader, _) throws(CodingError) in
      let service = try directory.tables.services.live(&reader)
      let old = ServiceIdentity.OldSecret(
        secret: try DigestForm.read(from: &reader), until: try TimeForm.read(from: &reader))
      directory.tables.services.change(service) { $0.oldSecret = old }
    },
    // Certificates that stand for services.
    .list(15) { directory in
      directory.tables.services.rows.filter { $0.certificate != nil && !$0.isDeleted }
    } write: { writer, service in
      writer.varint(service.id)
      writer.text(service.certificate!)
    } read: { (directory, reader, _) throws(CodingError) in
      let service = try directory.tables.services.live(&reader)
      let name = try reader.text()
      directory.tables.services.change(service) { $0.certificate = name }
    },
    .list(16) { directory in
      directory.tables.services.rows.filter { $0.limits != .none && !$0.isDeleted }
    } write: { writer, service in
      writer.varint(service.id)
      ServiceLimitsForm.write(service.limits, to: &writer)
    } read: { (directory, reader, _) throws(CodingError) in
      let service = try directory.tables.services.live(&reader)
      let limits = try ServiceLimitsForm.read(from: &reader)
      directory.tables.services.change(service) { $0.limits = limits }
    },
  ]

  /// The number of a service that is not deleted.
  private func live(_ reader: inout ByteReader) throws(CodingError) -> ServiceID {
    let service: ServiceID = try reader.number()
    guard (1..<(rows.count + 1)).contains(Int(service)), !rows[Int(service) - 1].isDeleted else {
      throw reader.failure("facts about a service that does not exist")
    }
    return service
  }

  static func check(_ directory: Directory, _ checker: InvariantChecker) {
    let live = directory.services.filter { !$0.isDeleted }
    checker.expect(Set(live.map(\.name)).count == live.count, "two services have the same name")
    checker.expect(
      live.count == directory.liveServices,
      "there are \(live.count) services, and \(directory.liveServices) are counted")
    let administering = live.count { $0.administersServer }
    checker.expect(
      administering == directory.administeringServices,
      "\(administering) services may manage the server, and \(directory.administeringServices) are counted")
    for service in live {
      let bound = (service.products ?? []).map { directory.product($0)?.workspace }
      checker.expect(
        service.products == nil || Set(bound) == Set((service.workspaces ?? []).map(Optional.some)) && !bound.isEmpty,
        "the service \(service.name) is bound to products that are not those of its workspaces")
    }
    let certificates = live.compactMap { $0.certificate?.lowercased() }
    checker.expect(Set(certificates).count == certificates.count, "one certificate stands for two services")
    checker.expect(
      live.isEmpty || administering > 0,
      "no service has the right ADMIN, so nobody can manage the server; create one with `gatehousectl service create`")
  }
}

extension Directory {
  public var services: PagedArray<ServiceIdentity> { tables.services.rows }

  public func service(_ id: ServiceID) -> ServiceIdentity? {
    id > 0 && Int(id) <= tables.services.rows.count ? tables.services.rows[Int(id) - 1] : nil
  }

  /// The facts of a service that the commands of the hot path read; nil if it was never made.
  @inline(__always)
  func facts(ofService id: ServiceID) -> ServiceFacts? {
    id > 0 && Int(id) <= tables.services.facts.count ? tables.services.facts[Int(id) - 1] : nil
  }

  /// The name alone: copying a service retains half a dozen references.
  func serviceName(_ id: ServiceID) -> String? {
    id > 0 && Int(id) <= tables.services.rows.count ? tables.services.rows[Int(id) - 1].name : nil
  }

  public func service(named name: String) -> ServiceIdentity? { tables.services.find(name) }

  /// The service that a client certificate with these names stands for; nil if there is none, or more than one.
  public func service(ofCertificate names: [String]) -> ServiceIdentity? {
    let found = tables.services.bearers(of: names)
    return found.count == 1 ? service(found[0]) : nil
  }

  /// All services that a client certificate with these names stands for.
  public func services(ofCertificate names: [String]) -> [ServiceIdentity] {
    tables.services.bearers(of: names).compactMap { service($0) }
  }

  /// How many services are not deleted.
  public var liveServices: Int { tables.services.live }

  /// How many of them may manage the server.
  public var administeringServices: Int { tables.services.administering }

  /// Whether there is any service; until then loopback connections have all rights.
  public var hasServices: Bool { tables.services.live > 0 }

  /// Whether any service may manage the server. If there are services but none that may, everybody is locked out.
  public var hasAdministeringService: Bool { tables.services.administering > 0 }
}
