/// A command that waits for a second person (B13).
public struct ApprovalRequest: Sendable, Equatable {
  public internal(set) var id = ApprovalID.none
  /// As whom it was given, and who really gave it.
  public internal(set) var subject = UserID.none
  public internal(set) var actor = UserID.none
  /// The permission that it needs, by name, and the workspace whose policy asks for two.
  public internal(set) var permission = ""
  public internal(set) var workspace: WorkspaceID = 0
  public internal(set) var requested: Milliseconds = 0
  public internal(set) var reason = ""
  /// The command and its arguments, as they were given.
  public internal(set) var words: [String] = []
  /// The workspace that the impersonation was bound to in which it was given (K4); 0 for none.
  public internal(set) var boundTo: WorkspaceID = 0
  /// The marks of the changes that were asked for (`Turn.marksOfChanges`).
  public internal(set) var changes: [UInt64] = []
  /// Whom the changes are about, and whether they are about somebody who is yet to be created.
  public internal(set) var users: [UserID] = []
  public internal(set) var contacts: [ContactID] = []
  public internal(set) var isAboutNew = false
  /// The other workspaces of which it tells something: where it changes something, what its words name, and the homes of
  /// people whom nobody of `workspace` knows. It is shown to those who may see people in all of them (W4).
  public internal(set) var places: [WorkspaceID] = []
  /// Whether it was given with an API key, with which some things are not to be asked for.
  public internal(set) var isByKey = false

  /// How long a request can be approved. Afterwards it makes room for others.
  public static let life: Milliseconds = 7 * 24 * 3600 * 1000

  public init() {}

  /// The name of the command, as the table has it.
  var command: String { (words.first ?? "").uppercased() }

  func isOpen(at now: Milliseconds) -> Bool { Self.isOpen(requested, at: now) }

  static func isOpen(_ requested: Milliseconds, at now: Milliseconds) -> Bool { now - requested < life }
}

public enum ApprovalEntity {}
public typealias ApprovalID = Identifier<ApprovalEntity>
public typealias ApprovalForm = IdentifierForm<ApprovalEntity>

extension ApprovalEntity: IdentifiedEntity {
  public static var word: String { "approval" }
}

extension ApprovalRequest: StoredValue {
  mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try visitor.subject(&id, as: ApprovalForm.self)
    try visitor.field("user", &subject, as: UserForm.self)
    try visitor.field("actor", &actor, as: RequesterForm.self)
    try visitor.field("permission", &permission, as: TextForm.self)
    try visitor.field("workspace", &workspace, as: WorkspaceForm.self)
    try visitor.value(&requested, as: TimeForm.self)
    try visitor.field("reason", &reason, as: FilledTextForm.self)
    try visitor.field("words", &words, as: ListForm<TextForm>.self)
    try visitor.later()
    try visitor.value(&boundTo, as: NumberForm<WorkspaceID>.self)
    try visitor.value(&changes, as: ListForm<NumberForm<UInt64>>.self)
    try visitor.value(&users, as: ListForm<UserForm>.self)
    try visitor.value(&contacts, as: ListForm<ContactForm>.self)
    try visitor.value(&isAboutNew, as: FlagForm.self)
    try visitor.value(&places, as: ListForm<WorkspaceForm>.self)
    try visitor.value(&isByKey, as: FlagForm.self)
  }
}

/// The requests of a partition's users that were neither approved nor refused.
public struct Approvals: ~Copyable, Sendable {
  public internal(set) var open: [ApprovalID: ApprovalRequest] = [:]
  /// The requests that users of the partition have asked for as somebody of another partition, who has them.
  var elsewhere: [ApprovalID: Elsewhere] = [:]
  /// The serial number of the last request.
  var last = 0

  struct Elsewhere: Sendable, Equatable {
    var actor = UserID.none
    var requested: Milliseconds = 0
  }

  public init() {}

  mutating func noteElsewhere(_ request: ApprovalRequest) {
    elsewhere = elsewhere.filter { ApprovalRequest.isOpen($0.value.requested, at: request.requested) }
    elsewhere[request.id] = Elsewhere(actor: request.actor, requested: request.requested)
  }

  /// The requests that rest on the rights of any of these users.
  func ids(restingOn users: Set<UserID>) -> [ApprovalID] {
    open.values.filter { users.contains($0.subject) || users.contains($0.actor) }.map(\.id)
      + elsewhere.filter { users.contains($0.value.actor) }.map(\.key)
  }

  /// How many requests of a user of the partition wait, wherever they are.
  func count(askedBy user: UserID, at now: Milliseconds) -> Int {
    open.values.count { $0.actor == user && $0.isOpen(at: now) }
      + elsewhere.values.count { $0.actor == user && ApprovalRequest.isOpen($0.requested, at: now) }
  }

  /// Adds a request, and forgets those that nobody answered in time.
  ///
  /// - Returns: the keys of the forgotten ones.
  mutating func add(_ request: ApprovalRequest, serial: Int) -> [SealKey] {
    let keys = end { !$0.isOpen(at: request.requested) }
    open[request.id] = request
    last = max(last, serial)
    return keys
  }

  /// Ends the requests of somebody who may not log in any more. Records say of each that it ended; those of earlier
  /// versions do not.
  ///
  /// - Returns: their keys.
  mutating func end(of user: UserID) -> [SealKey] { end { $0.subject == user || $0.actor == user } }

  /// - Returns: the keys under which they are sealed, as far as those belong to nobody else.
  mutating func end(where isOver: (ApprovalRequest) -> Bool) -> [SealKey] {
    var keys: [SealKey] = []
    for (id, request) in open where isOver(request) {
      open[id] = nil
      if request.isAboutNew { keys.append(.approval(id)) }
    }
    return keys
  }

  /// The open request of the same person for the same.
  func equal(to request: ApprovalRequest, at now: Milliseconds) -> ApprovalID? {
    open.values.first { other in
      other.subject == request.subject && other.actor == request.actor && other.words == request.words
        && Set(other.changes) == Set(request.changes) && other.isOpen(at: now)
    }?.id
  }

  /// The limit that another request would exceed. Each person and each workspace has its own, so that none is in the way
  /// of others.
  /// - Parameter count: how many of its actor wait already.
  func limit(reachedBy request: ApprovalRequest, having count: Int) -> String? {
    if count >= Limits.approvalsOfPerson {
      return "approvals: at most \(Limits.approvalsOfPerson) of a person wait; have some granted or refused first"
    }
    let open = open.values.filter { $0.isOpen(at: request.requested) }
    if open.count(where: { $0.workspace == request.workspace }) >= Limits.approvalsOfWorkspace {
      return "approvals: too many wait in the workspace; have some granted or refused first"
    }
    return nil
  }
}

extension Approvals: Aggregate {
  mutating func copy() -> Approvals {
    var copy = Approvals()
    copy.open = open
    copy.elsewhere = elsewhere
    copy.last = last
    return copy
  }

  static let sections: [StoredSection<PartitionState>] = [
    StoredSection(22) { state, writer in
      writer.list(state.approvals.open.values.sorted { $0.id < $1.id }) { $0.stored($1) }
      writer.varint(state.approvals.last)
      writer.list(state.approvals.elsewhere.sorted { $0.key < $1.key }) { writer, entry in
        writer.id(entry.key)
        writer.id(entry.value.actor)
        writer.signed(entry.value.requested)
      }
    } read: { (state, reader, layout) throws(CodingError) in
      for _ in 0..<(try reader.count()) {
        let request = try reader.stored(ApprovalRequest(), layout)
        state.approvals.open[request.id] = request
      }
      state.approvals.last = try reader.number()
      // Earlier versions have no more.
      if reader.isAtEnd { return }
      for _ in 0..<(try reader.count()) {
        let id: ApprovalID = try reader.id()
        state.approvals.elsewhere[id] = Elsewhere(actor: try reader.id(), requested: try reader.signed())
      }
    }
  ]

  static func check(_ state: borrowing PartitionState, _ checker: InvariantChecker) {
    for (id, request) in state.approvals.open {
      checker.expect(
        id == request.id && state.isMine(id) && state.partitioning.serial(of: id) <= state.approvals.last,
        "approval #\(id.raw) is out of place")
      checker.expect(checker.isWorkspace(request.workspace), "approval #\(id.raw) is of a workspace that is not there")
    }
    for (id, request) in state.approvals.elsewhere {
      checker.expect(
        !state.isMine(id) && state.isMine(request.actor), "approval #\(id.raw) is not elsewhere, or of nobody here")
    }
  }
}
