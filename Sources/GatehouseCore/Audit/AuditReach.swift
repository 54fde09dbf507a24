/// The part of the audit trail that somebody may read (W4): events in the workspaces that they may read, and identity
/// changes of users whose home was one of those at the time. After a user is handed over, the old home keeps what it did
/// itself, and the new one reads what has happened since. What is about somebody with more power than the reader is not
/// shown (L10).
struct AuditReach: Sendable {
  private(set) var reach: Reach
  /// Whose personal data is left out because it was cleared since.
  var cleared = ClearedPeople()
  /// Products that may be read beyond those workspaces.
  var products: Set<ProductID> = []
  /// Whose trail alone may be read where the reader's right is over the people of accounts.
  fileprivate var person: Person?

  fileprivate struct Person: Sendable {
    let user: UserID
    let contact: ContactID
    /// Where the right is over everybody.
    var whole: Reach
    let sides: [Side]
  }

  /// - Parameter turn: a turn whose command reads the trail, and whose principal is known.
  init(_ turn: Turn) { self.init(turn.reach(of: .auditRead)) }

  init(_ reach: Reach) { self.reach = reach }

  /// - Parameter user: the one whose trail is read. To somebody whose right is over the people of accounts, it tells
  ///   what happened to that person alone.
  init(_ turn: Turn, of user: UserReference) {
    let whole = turn.reach(of: .auditRead)
    reach = turn.sides.reduce(.all) {
      $0.intersection($1.reach(of: .auditRead, over: user, in: turn.directory, at: turn.now))
    }
    if reach != whole {
      person = Person(user: user.id, contact: user.contactID, whole: whole, sides: turn.sides)
    }
  }

  /// Leaves only what happened in one workspace.
  mutating func narrow(to workspace: WorkspaceID) { self = limited(to: .only([workspace])) }

  /// Whether the whole trail may be read.
  var isAll: Bool { reach.isAll }

  /// Whether the reader may read any of the workspaces that something is bound to; nil if it is bound to none.
  func meets(_ workspaces: [WorkspaceID]?) -> Bool { workspaces.map { $0.contains(where: reach.contains) } ?? true }

  /// The index keys of the records that may be read, and of some others; none if all may be read.
  func keys(in directory: Directory) -> [UInt64] {
    guard case .only(let workspaces, let single) = reach else { return [] }
    var keys = [RecordKey.unplaced]
    keys += single.keys.sorted().map { RecordKey.of(.product, $0) }
    for workspace in workspaces.sorted() {
      keys.append(RecordKey.of(.workspace, workspace))
      keys += directory.products(of: workspace).map { RecordKey.of(.product, $0) }
    }
    return keys
  }

  /// What the current state says of the subjects of changes.
  struct SubjectFacts: Sendable {
    /// The workspaces that govern them, where a change does not say it.
    var homes: [UserID: HomeHistory] = [:]
    var contactHomes: [ContactID: HomeHistory] = [:]
    var entries: [EntryID: (workspace: WorkspaceID, user: UserID)] = [:]
    /// Where what is about them may be read, of those with more power than the reader somewhere.
    var reaches: [UserID: Reach] = [:]
    var contactReaches: [ContactID: Reach] = [:]

    init() {}
  }

  /// What must be looked up to tell where a change belongs.
  static func questions(
    _ change: AnyChange, users: inout Set<UserID>, contacts: inout Set<ContactID>, entries: inout Set<EntryID>
  ) {
    if let entry = entry(of: change) { return _ = entries.insert(entry) }
    if let noted = change.as(Noted.self) { return _ = users.insert(noted.user) }
    let subjects = Subjects(change)
    if subjects.workspaces.isEmpty, subjects.products.isEmpty {
      users.formUnion(subjects.users)
      contacts.formUnion(subjects.contacts)
    }
  }

  /// The people whom changes are about.
  ///
  /// - Parameter names: also whom they name besides.
  static func people(of changes: [AnyChange], withNamed names: Bool = false) -> (
    users: Set<UserID>, contacts: Set<ContactID>
  ) {
    changes.reduce(into: ([], [])) { people, change in
      let subjects = Subjects(change)
      people.users.formUnion(subjects.users)
      people.contacts.formUnion(subjects.contacts)
      guard names else { return }
      people.users.formUnion(subjects.actors)
      // Records of earlier versions name owners only as text.
      if case .owners(let old, let new) = change.concern { people.users.formUnion([old, new].compactMap { $0 }) }
    }
  }

  /// The products that changes are about.
  static func products(of changes: [AnyChange]) -> Set<ProductID> {
    changes.reduce(into: []) { $0.formUnion(Subjects($1).products) }
  }

  /// Whether a change of record `lsn` may be read.
  func shows(_ change: AnyChange, at lsn: LSN, _ facts: SubjectFacts, in directory: Directory) -> Bool {
    let limit = Self.limit(of: change, facts)
    if !limit.isAll { return limited(to: limit).isShowing(change, at: lsn, facts, in: directory) }
    return isShowing(change, at: lsn, facts, in: directory)
  }

  /// Where a change may be read, as far as the power of those whom it is about tells.
  private static func limit(of change: AnyChange, _ facts: SubjectFacts) -> Reach {
    if facts.reaches.isEmpty, facts.contactReaches.isEmpty { return .all }
    let subjects = Subjects(change)
    let users = subjects.users + [entry(of: change).flatMap { facts.entries[$0]?.user }].compactMap { $0 }
    let reaches = users.compactMap { facts.reaches[$0] } + subjects.contacts.compactMap { facts.contactReaches[$0] }
    return reaches.reduce(.all) { $0.intersection($1) }
  }

  private func limited(to limit: Reach) -> AuditReach {
    var view = self
    view.reach = reach.intersection(limit)
    if let whole = person?.whole { view.person?.whole = whole.intersection(limit) }
    return view
  }

  private func isShowing(_ change: AnyChange, at lsn: LSN, _ facts: SubjectFacts, in directory: Directory) -> Bool {
    guard liesInReach(change, at: lsn, facts, in: directory) else { return false }
    guard let person else { return true }
    return AuditReach(person.whole).liesInReach(change, at: lsn, facts, in: directory)
      || person.isAlone(in: change)
  }

  private func liesInReach(
    _ change: AnyChange, at lsn: LSN, _ facts: SubjectFacts, in directory: Directory
  ) -> Bool {
    if isAll { return true }
    if let entry = Self.entry(of: change) { return facts.entries[entry].map { reach.contains($0.workspace) } ?? false }
    // It does not say where a session was used, nor, in records of version 0.1.0, where one ended.
    if change.as(SessionSeen.self) != nil { return false }
    if let ended = change.as(SessionEnded.self), ended.workspace == 0 { return false }
    // Services belong to the operator, even if they are bound to workspaces.
    switch change.known {
    case is ServiceBound, is ServiceBoundToProducts, is ServiceDeleted: return false
    default: break
    }
    // These name several workspaces; the first one governs.
    if let created = change.as(UserCreated.self) { return created.workspaces.first.map(reach.contains) ?? false }
    if let moved = change.as(HomeSet.self) { return reach.contains(moved.old) || reach.contains(moved.new) }
    if let noted = change.as(Noted.self) {
      guard facts.homes[noted.user]?.home(at: lsn).map(reach.contains) ?? false else { return false }
      return !text(of: change, in: directory).fields.isEmpty
    }
    let subjects = Subjects(change)
    if !subjects.workspaces.isEmpty || !subjects.products.isEmpty {
      let known = subjects.products.compactMap(directory.product)
      // Of a product that may be read, its workspace is no secret.
      return known.allSatisfy(reads)
        && subjects.workspaces.allSatisfy { id in reach.contains(id) || known.contains { $0.workspace == id } }
    }
    let homes =
      subjects.users.map { facts.homes[$0]?.home(at: lsn) }
      + subjects.contacts.map { facts.contactHomes[$0]?.home(at: lsn) }
    return !homes.isEmpty && homes.allSatisfy { $0.map(reach.contains) ?? false }
  }

  private func reads(_ product: Product) -> Bool { products.contains(product.id) || reach.contains(product) }

  /// The text of a change without what concerns other workspaces.
  func text(of change: AnyChange, in directory: Directory) -> ChangeText {
    let text = cleared.text(ChangeText(change, in: directory), of: change)
    if isAll { return text }
    if change.as(UserCreated.self) != nil { return text.without(["workspaces"]) }
    if let noted = change.as(Noted.self), case .productsTouched(let touched) = noted.note {
      // Of the products that saw the change only one's own are named.
      let own = touched.filter { directory.product($0).map(reach.contains) ?? false }
      return own.isEmpty
        ? text.without(["products-touched"])
        : ChangeText(Noted(noted.user, .productsTouched(own)).carried, in: directory)
    }
    if let moved = change.as(HomeSet.self) {
      return text.mapping {
        ChangeText.Field(
          name: $0.name, old: reach.contains(moved.old) ? $0.old : nil, new: reach.contains(moved.new) ? $0.new : nil)
      }
    }
    return text
  }

  /// A correction names its entry, and the entry the workspace in which it was recorded.
  private static func entry(of change: AnyChange) -> EntryID? {
    change.as(EntryCorrected.self)?.entry ?? change.as(EntryDeleted.self)?.entry
  }

  /// The subjects of a change, by their index keys.
  fileprivate struct Subjects {
    var users: [UserID] = []
    var contacts: [ContactID] = []
    /// Who did it besides the actor of the record.
    var actors: [UserID] = []
    var workspaces: [WorkspaceID] = []
    var products: [ProductID] = []

    init(_ change: AnyChange) {
      var keys: [UInt64] = []
      change.known?.addKeys(to: &keys)
      for key in keys {
        switch RecordKey.Subject(key) {
        case .user(let id): users.append(id)
        case .contact(let id): contacts.append(id)
        case .workspace(let id): workspaces.append(id)
        case .product(let id): products.append(id)
        case .actor(let id): actors.append(id)
        case .service, .unplaced, .fact: break
        }
      }
    }
  }
}

extension AuditReach.Person {
  /// Whether a change is about this person and nobody else, and names no account or group that the reader does not know.
  fileprivate func isAlone(in change: AnyChange) -> Bool {
    let subjects = AuditReach.Subjects(change)
    guard subjects.users.allSatisfy({ $0 == user }), subjects.contacts.allSatisfy({ $0 == contact }),
      !subjects.users.isEmpty || !subjects.contacts.isEmpty
    else { return false }
    return change.organisations.allSatisfy { site in sides.allSatisfy { $0.knows(site) } }
  }
}

extension AnyChange {
  /// The accounts and groups that a change of somebody names.
  var organisations: [Site] {
    if let change = self.as(EmploymentSet.self) {
      return [change.old, change.new].compactMap { $0.map { .account($0.account, of: $0.workspace) } }
    }
    let scope =
      self.as(RoleGranted.self)?.grant.scope ?? self.as(RoleRevoked.self)?.grant.scope
      ?? self.as(ManagementAdded.self)?.link.scope ?? self.as(ManagementRemoved.self)?.link.scope
    switch scope {
    case .account(let id, let workspace): return [.account(id, of: workspace)]
    case .group(let id, let workspace): return [.group(id, of: workspace)]
    case .everywhere, .workspace, .product, nil: return []
    }
  }
}

extension ChangeText {
  fileprivate func mapping(_ change: (Field) -> Field) -> ChangeText {
    ChangeText(kind: kind, entity: entity, fields: fields.map(change))
  }

  fileprivate func without(_ names: Set<String>) -> ChangeText {
    ChangeText(kind: kind, entity: entity, fields: fields.filter { !names.contains($0.name) })
  }
}

extension RecordKey {
  /// What a key refers to.
  enum Subject {
    case user(UserID)
    case contact(ContactID)
    case actor(UserID)
    case workspace(WorkspaceID)
    case product(ProductID)
    case service(ServiceID)
    case unplaced
    case fact

    init(_ key: UInt64) {
      switch key & 3 {
      case 0: self = .user(UserID(raw: key >> 2))
      case 1: self = .contact(ContactID(raw: key >> 2))
      case 2: self = .actor(UserID(raw: key >> 2))
      default:
        let number = UInt32(truncatingIfNeeded: key >> 4)
        switch DirectoryKind(rawValue: key >> 2 & 3) {
        case .workspace: self = .workspace(number)
        case .product: self = .product(number)
        case .service: self = .service(number)
        case nil: self = key == RecordKey.unplaced ? .unplaced : .fact
        }
      }
    }
  }
}
