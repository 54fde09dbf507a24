/// The part of the audit trail that somebody may read (W4): events in the workspaces that they may read, and identity
/// changes of users whose home is one of those.
struct AuditReach: Sendable {
  let reach: Reach
  /// Whose personal data is left out because it was cleared since.
  var cleared = ClearedPeople()

  /// - Parameter turn: a turn whose command reads the trail, and whose principal is known.
  init(_ turn: Turn) { self.init(turn.reach(of: .auditRead)) }

  init(_ reach: Reach) { self.reach = reach }

  /// Whether the whole trail may be read.
  var isAll: Bool { reach.isAll }

  /// Whether the reader may read any of the workspaces that something is bound to; nil if it is bound to none.
  func meets(_ workspaces: [WorkspaceID]?) -> Bool { workspaces.map { $0.contains(where: reach.contains) } ?? true }

  /// The index keys of the records that may be read, and of some others; none if all may be read.
  func keys(in directory: Directory) -> [UInt64] {
    guard case .only(let workspaces) = reach else { return [] }
    var keys = [RecordKey.unplaced]
    for workspace in workspaces.sorted() {
      keys.append(RecordKey.of(.workspace, workspace))
      keys += directory.products(of: workspace).map { RecordKey.of(.product, $0) }
    }
    return keys
  }

  /// The workspaces of the subjects of changes. If a change does not say it, the current state does.
  struct SubjectWorkspaces: Sendable {
    var homes: [UserID: WorkspaceID] = [:]
    var contactHomes: [ContactID: WorkspaceID] = [:]
    var entries: [EntryID: WorkspaceID] = [:]

    init() {}
  }

  /// What must be looked up to tell whether a change may be read.
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

  /// Whether a change may be read.
  func shows(_ change: AnyChange, _ subjectWorkspaces: SubjectWorkspaces, in directory: Directory) -> Bool {
    if isAll { return true }
    if let entry = Self.entry(of: change) { return subjectWorkspaces.entries[entry].map(reach.contains) ?? false }
    // It does not say where a session was used, nor, in records of version 0.1.0, where one ended.
    if change.as(SessionSeen.self) != nil { return false }
    if let ended = change.as(SessionEnded.self), ended.workspace == 0 { return false }
    // Services belong to the operator, even if they are bound to workspaces.
    if change.as(ServiceBound.self) != nil { return false }
    // These name several workspaces; the first one governs.
    if let created = change.as(UserCreated.self) { return created.workspaces.first.map(reach.contains) ?? false }
    if let moved = change.as(HomeSet.self) { return reach.contains(moved.new) }
    if let noted = change.as(Noted.self) { return subjectWorkspaces.homes[noted.user].map(reach.contains) ?? false }
    let subjects = Subjects(change)
    let workspaces = subjects.workspaces + subjects.products.compactMap { directory.product($0)?.workspace }
    if !workspaces.isEmpty { return workspaces.allSatisfy(reach.contains) }
    let homes =
      subjects.users.map { subjectWorkspaces.homes[$0] } + subjects.contacts.map { subjectWorkspaces.contactHomes[$0] }
    return !homes.isEmpty && homes.allSatisfy { $0.map(reach.contains) ?? false }
  }

  /// The text of a change without what concerns other workspaces.
  func text(of change: AnyChange, in directory: Directory) -> ChangeText {
    let text = cleared.text(ChangeText(change, in: directory), of: change)
    if isAll { return text }
    if change.as(UserCreated.self) != nil { return text.without(["workspaces"]) }
    if let noted = change.as(Noted.self), case .productsTouched = noted.note {
      return text.without(["products-touched"])
    }
    if let moved = change.as(HomeSet.self), !reach.contains(moved.old) { return text.without(["home"]) }
    return text
  }

  /// A correction names its entry, and the entry the workspace in which it was recorded.
  private static func entry(of change: AnyChange) -> EntryID? {
    change.as(EntryCorrected.self)?.entry ?? change.as(EntryDeleted.self)?.entry
  }

  /// The subjects of a change, by their index keys.
  private struct Subjects {
    var users: [UserID] = []
    var contacts: [ContactID] = []
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
        case .actor, .service, .unplaced: break
        }
      }
    }
  }
}

extension ChangeText {
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
        case nil: self = .unplaced
        }
      }
    }
  }
}
