/// What `AUDIT.LIST ENTITY kind name` asks for.
struct TrailEntity {
  /// The keys of the records in which it can be; none if it can be in any.
  var keys: [UInt64] = []
  /// What the keys do not tell, and the changes do.
  var named: NamedEntity?

  /// Whether a part of a record is about it or names it.
  func isMeant(by part: RecordPart) -> Bool {
    if let named { return part.changes.contains { $0.names(named) } }
    return part.keys.contains(where: keys.contains)
  }
}

/// What records have to be of beside their keys, as the options of `AUDIT.LIST` say.
struct TrailFilter {
  var entity: TrailEntity?
  /// The name of the command that was run.
  var command: String?
  /// Who was connected.
  var door: Door?

  enum Door: Equatable {
    case service(ServiceID)
    /// A connection for which no service and nobody's session stands.
    case local
  }

  var isOpen: Bool { entity == nil && command == nil && door == nil }

  /// Whether a part of a record, of which the reader may read these changes, is meant.
  func passes(_ part: RecordPart) -> Bool {
    if let command, part.header.command != command { return false }
    switch door {
    case nil: break
    case .local: if !part.header.isLocal { return false }
    case .service(let id): if part.header.service != id { return false }
    }
    return entity?.isMeant(by: part) ?? true
  }
}

extension Turn {
  func trailFilter() throws(Halt) -> TrailFilter {
    let command = try optionWord("COMMAND").map { (word) throws(Halt) in
      try text(word, "command", limit: Limits.nameBytes).uppercased()
    }
    return TrailFilter(entity: try trailEntity(), command: command, door: try trailDoor())
  }

  /// What the option `SERVICE` names. Services are the operator's, who alone learns their names.
  private func trailDoor() throws(Halt) -> TrailFilter.Door? {
    guard let word = optionWord("SERVICE") else { return nil }
    let name = try text(word, "service", limit: Limits.nameBytes)
    return name == ServiceIdentity.localName ? .local : .service(try readableService(named: name))
  }

  /// A service of whose doings the caller may read.
  private func readableService(named name: String) throws(Halt) -> ServiceID {
    guard !isLimited || reach(of: .auditRead).isAll, let service = directory.service(named: name) else {
      throw .refused(.notFound("service \(name)"))
    }
    return service.id
  }

  static let trailEntities = [
    "user", "contact", "workspace", "product", "account", "group", "role", "field", "service", "entry", "session",
    "key", "link",
    "mail", "approval",
  ]

  /// What the option `ENTITY` names; nil if it is not given. What the caller does not know is not found (W4).
  private func trailEntity() throws(Halt) -> TrailEntity? {
    guard let word = optionWord("ENTITY") else { return nil }
    let kind = try text(word, "kind", limit: Limits.nameBytes).lowercased()
    let name = try text(word + 1, "name")
    let workspace = has("WORKSPACE") ? try workspace().id : nil
    switch kind {
    case "user": return TrailEntity(keys: try trailKeys(of: try user(word + 1)))
    case "contact":
      let contact = try contact(at: word + 1)
      return TrailEntity(keys: try trailKeys(of: contact))
    case "workspace": return TrailEntity(keys: [RecordKey.of(.workspace, try self.workspace(named: name).id)])
    case "product": return TrailEntity(keys: [RecordKey.of(.product, try product(named: name).id)])
    case "account":
      let account = try account(named: name, in: workspace)
      return TrailEntity(keys: [RecordKey.of(.workspace, account.workspace)], named: .account(account.id))
    case "group":
      let group = try group(named: name, in: workspace)
      return TrailEntity(keys: [RecordKey.of(.workspace, group.workspace)], named: .group(group.id))
    case "role":
      // Grants of a role name what they are over, which may be a product.
      return TrailEntity(named: .role(try role(name, in: workspace.map { .workspace($0) } ?? .everywhere)))
    case "field":
      let place = try self.workspace()
      return TrailEntity(
        keys: [RecordKey.of(.workspace, place.id)], named: .field(try field(named: name, in: place).id))
    case "service": return TrailEntity(keys: [RecordKey.of(.service, try readableService(named: name))])
    case "entry", "session", "key", "link", "mail", "approval":
      guard let raw = Self.identifier(self.word(word + 1)) else {
        throw .refused(.syntax("ENTITY \(kind) needs an id, such as #12"))
      }
      return TrailEntity(named: .numbered(kind, raw))
    default:
      throw .refused(.syntax("ENTITY is one of \(Self.trailEntities.joined(separator: ", ")), and a name or #id"))
    }
  }

  func trailKeys(of user: UserReference) throws(Halt) -> [UInt64] { try trailKeys(of: user.contactReference) }

  /// All that was said of a person: under earlier logins, and of those who were merged into this one.
  func trailKeys(of contact: ContactReference) throws(Halt) -> [UInt64] {
    try wholePerson(contact).flatMap { person in
      [RecordKey.of(person.id)] + person.logins.map { RecordKey.of($0.id) }
    }
  }
}
