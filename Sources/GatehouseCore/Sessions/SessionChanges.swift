internal import HeapModule

/// A login or an impersonation begins.
public struct SessionOpened: PartitionChange {
  public static var code: UInt8 { 20 }
  public static var name: String { "session-opened" }

  public var session = SessionID.none
  public var user = UserID.none
  public var token = Digest.zero
  public var product: ProductID = 0
  public var workspace: WorkspaceID = 0
  public var expires: Milliseconds = 0
  public var idleSeconds: UInt32 = 0
  /// Whether the session is bound to its workspace (K4).
  public var isBound = false
  public var opener = SessionOpener.unknown
  public var impersonation: Impersonation? {
    get { begun?.value }
    set { begun = newValue.map { .value($0) } }
  }
  /// Boxed, because most sessions are logins and every copy of a change would include it.
  private var begun: Boxed<Impersonation>?

  public init() {}

  public init(
    session: SessionID, user: UserID, token: Digest, product: ProductID, workspace: WorkspaceID,
    expires: Milliseconds, idleSeconds: UInt32, isBound: Bool = false, impersonation: Impersonation? = nil,
    opener: SessionOpener
  ) {
    self.session = session
    self.user = user
    self.token = token
    self.product = product
    self.workspace = workspace
    self.expires = expires
    self.idleSeconds = idleSeconds
    self.isBound = isBound
    self.impersonation = impersonation
    self.opener = opener
  }

  @inline(__always)
  public mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try visitor.subject(&session, as: SessionForm.self)
    try visitor.field("user", &user, as: UserForm.self)
    try visitor.secret(&token, as: DigestForm.self)
    try visitor.field("product", &product, as: ProductForm.self)
    try visitor.field("workspace", &workspace, as: WorkspaceForm.self)
    try visitor.field("expires", &expires, as: TimeForm.self)
    try visitor.field("idle", &idleSeconds, as: SecondsForm.self)
    try visitor.field("bound", &isBound, as: FlagForm.self)
    try visitor.field("impersonation", &impersonation, as: ImpersonationForm.self)
    try visitor.later()
    try visitor.field("signed-in", &opener, as: SessionOpenerForm.self)
  }

  public var concern: Concern { .nobody }
  public var carried: AnyChange { .sessionOpened(self) }

  /// An impersonation has its actor's name.
  public var sealing: SealedUnder? { impersonation.map { .one(.user($0.actor)) } }

  /// Equals what the fields say, but without copying them: this is a hot path.
  public func owners(_ partitioning: Partitioning) -> ChangeOwners {
    var owners = ChangeOwners()
    owners.insert(partitioning.partition(of: session))
    if let impersonation { owners.insert(partitioning.partition(of: impersonation.actorSession)) }
    return owners
  }

  public func apply(to state: inout PartitionState, lsn: LSN, header: RecordHeader) {
    let impersonation = impersonation
    if let impersonation, state.isMine(impersonation.actorSession) {
      state.sessions.impersonations[impersonation.actorSession, default: []].append(session)
    }
    guard state.isMine(session) else { return }
    let time = header.time
    let serial = state.partitioning.serial(of: session)
    let slot = SessionNumber.slot(serial)
    if state.sessions.free == UInt32(slot) { state.sessions.free = state.sessions.rows.vacantRow(slot).next }
    let owner = state.partitioning.serial(of: user)
    var row = SessionRow()
    row.token = token
    row.lsn = lsn
    row.created = time
    row.expires = expires
    row.lastSeen = time
    row.loggedSeen = time
    row.idleSeconds = idleSeconds
    row.generation = SessionNumber.generation(serial)
    row.user = UInt32(owner)
    row.product = product
    row.workspace = workspace
    row.kind = impersonation == nil ? .login : .impersonation
    row.isBound = isBound
    row.opener = opener
    row.next = state.people.users[owner].sessions
    state.sessions.rows.reuse(slot, for: row)
    if row.next != 0 { state.sessions[Int(row.next)].previous = UInt32(slot) }
    state.people.users.update(owner) {
      $0.sessions = UInt32(slot)
      $0.sessionCount += 1
    }
    if impersonation == nil { state.people.noteLogin(of: owner, in: workspace, time) }
    if let impersonation {
      var details = Details()
      details.encode(Impersonation.tag) { impersonation.encode(&$0) }
      state.sessions.rows.setDetails(of: slot, details.bytes)
    }
    state.sessions.count += 1
    state.sessions.watch(slot)
  }
}

/// A login or an impersonation ends.
public struct SessionEnded: PartitionChange {
  public static var code: UInt8 { 21 }
  public static var name: String { "session-ended" }

  public var session = SessionID.none
  public var user = UserID.none
  public var cause = SessionEnd.revoked
  /// The login from which an impersonation began.
  public var actorSession: SessionID?
  /// Where the session was, so that readers of one workspace's trail see its sessions end. 0 in records of version
  /// 0.1.0, which did not store it.
  public var product: ProductID = 0
  public var workspace: WorkspaceID = 0

  public init() {}

  public init(
    _ session: SessionID, _ user: UserID, _ cause: SessionEnd, actorSession: SessionID?, product: ProductID,
    workspace: WorkspaceID
  ) {
    self.session = session
    self.user = user
    self.cause = cause
    self.actorSession = actorSession
    self.product = product
    self.workspace = workspace
  }

  @inline(__always)
  public mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try visitor.subject(&session, as: SessionForm.self)
    try visitor.field("user", &user, as: UserForm.self)
    try visitor.field("cause", &cause, as: ChoiceForm<SessionEnd>.self)
    try visitor.field("actor-session", &actorSession, as: ActorSessionForm.self)
    try visitor.later()
    try visitor.field("product", &product, as: ProductForm.self)
    try visitor.field("workspace", &workspace, as: WorkspaceForm.self)
  }

  public var concern: Concern { .nobody }
  public var carried: AnyChange { .sessionEnded(self) }

  public func apply(to state: inout PartitionState, lsn: LSN, header: RecordHeader) {
    state.end(session, actorSession)
  }
}

/// A session was used; its idle limit counts from then.
public struct SessionSeen: PartitionChange {
  public static var code: UInt8 { 22 }
  public static var name: String { "session-seen" }

  public var session = SessionID.none
  public var user = UserID.none
  public var time: Milliseconds = 0

  public init() {}

  public init(_ session: SessionID, _ user: UserID, _ time: Milliseconds) {
    self.session = session
    self.user = user
    self.time = time
  }

  @inline(__always)
  public mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try visitor.subject(&session, as: SessionForm.self)
    try visitor.field("user", &user, as: UserForm.self)
    try visitor.field("last-seen", &time, as: TimeForm.self)
  }

  public var concern: Concern { .nobody }
  public var carried: AnyChange { .sessionSeen(self) }

  public func apply(to state: inout PartitionState, lsn: LSN, header: RecordHeader) {
    guard let slot = state.slot(of: session) else {
      preconditionFailure("session \(session.raw) was used but does not exist")
    }
    state.sessions[slot].lastSeen = max(state.sessions[slot].lastSeen, time)
    // Do not take a later use from memory: replay would get another result.
    state.sessions[slot].loggedSeen = max(state.sessions[slot].loggedSeen, time)
  }
}

extension PartitionState {
  fileprivate mutating func end(_ id: SessionID, _ actorSession: SessionID?) {
    if let actorSession, isMine(actorSession), var list = sessions.impersonations[actorSession] {
      list.removeAll { $0 == id }
      sessions.impersonations[actorSession] = list.isEmpty ? nil : list
    }
    guard isMine(id) else { return }
    guard let slot = slot(of: id) else { preconditionFailure("session \(id.raw) ended twice") }
    let row = sessions[slot]
    if row.previous != 0 { sessions[Int(row.previous)].next = row.next }
    if row.next != 0 { sessions[Int(row.next)].previous = row.previous }
    people.users.update(Int(row.user)) {
      if row.previous == 0 { $0.sessions = row.next }
      $0.sessionCount -= 1
    }
    let isUsedUp = row.generation >= SessionNumber.lastGeneration(partitioning)
    sessions.rows.put(
      SessionRow(vacancy: UInt64(row.generation &+ 1) << 32 | UInt64(isUsedUp ? 0 : sessions.free)), at: slot)
    if !isUsedUp { sessions.free = UInt32(slot) }
    sessions.count -= 1
  }

  /// Ends all sessions, because their times came from a clock that was wrong.
  mutating func endAllSessions() {
    if sessions.rows.last > 0 {
      for slot in 1...sessions.rows.last where sessions[slot].isUsed { end(sessionID(ofSlot: slot), nil) }
    }
    sessions.impersonations = [:]
    sessions.deadlines = Heap()
  }
}
