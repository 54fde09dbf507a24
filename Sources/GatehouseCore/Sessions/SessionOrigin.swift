/// B12: from where a session was opened, when the application tells: the address and the program of the person. Both are
/// in the details of the session's row, so a session of which nothing was told costs nothing, and both go with it.
struct SessionOrigin: Sendable, Equatable {
  static let addressTag: UInt8 = 2
  static let agentTag: UInt8 = 3

  /// The options with which an application tells.
  static let options: [Argument] = [.option("IP", "address"), .option("AGENT", "text")]

  var address = ""
  var agent = ""

  var isEmpty: Bool { address.isEmpty && agent.isEmpty }
}

/// A session was opened from somewhere. A change of its own, so that a session of which nothing is told is opened as fast
/// as before.
public struct SessionOriginTold: PartitionChange {
  public static var code: UInt8 { 26 }
  public static var name: String { "session-origin-told" }
  public static var isCritical: Bool { false }

  public var session = SessionID.none
  public var user = UserID.none
  /// Where the session is, so that readers of one workspace's trail see it.
  public var product: ProductID = 0
  public var workspace: WorkspaceID = 0
  public var address = ""
  public var agent = ""
  /// Who it is that acts, in an impersonation.
  public var actor: UserID?

  public init() {}

  init(
    _ session: SessionID, of user: UserID, by actor: UserID? = nil, product: ProductID, workspace: WorkspaceID,
    _ origin: SessionOrigin
  ) {
    self.session = session
    self.user = user
    self.product = product
    self.workspace = workspace
    address = origin.address
    agent = origin.agent
    self.actor = actor
  }

  public mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try visitor.subject(&session, as: SessionForm.self)
    try visitor.field("user", &user, as: UserForm.self)
    try visitor.field("product", &product, as: ProductForm.self)
    try visitor.field("workspace", &workspace, as: WorkspaceForm.self)
    try visitor.field("ip", &address, as: FilledTextForm.self)
    try visitor.field("agent", &agent, as: FilledTextForm.self)
    try visitor.later()
    try visitor.field("actor", &actor, as: OptionalForm<UserForm>.self)
  }

  /// The address and the browser are those of whoever acts.
  public var sealing: SealedUnder? { .one(.user(actor ?? user)) }

  public var person: PersonSubject? { .user(user) }

  public var concern: Concern { .nobody }

  public func apply(to state: inout PartitionState, lsn: LSN, header: RecordHeader) {
    guard let slot = state.slot(of: session) else {
      preconditionFailure("session \(session.raw) was opened from somewhere but does not exist")
    }
    var details = state.sessions.rows.details(of: slot)
    details[text: SessionOrigin.addressTag] = address
    details[text: SessionOrigin.agentTag] = agent
    state.sessions.rows.setDetails(of: slot, details.bytes)
  }
}

extension Sessions {
  func origin(ofSlot slot: Int) -> SessionOrigin {
    rows.withDetails(of: slot) { details in
      SessionOrigin(
        address: Details.text(SessionOrigin.addressTag, in: details),
        agent: Details.text(SessionOrigin.agentTag, in: details))
    }
  }

  mutating func forgetOrigin(ofSlot slot: Int) {
    if origin(ofSlot: slot).isEmpty { return }
    var details = rows.details(of: slot)
    details.remove(SessionOrigin.addressTag)
    details.remove(SessionOrigin.agentTag)
    rows.setDetails(of: slot, details.bytes)
  }
}

extension Turn {
  /// The address of the person, if the application tells it.
  func toldAddress() throws(Halt) -> NetworkAddress? {
    guard let text = try option("IP") else { return nil }
    guard let address = NetworkAddress(text) else {
      throw .refused(.syntax("IP is not an address, such as 203.0.113.7 or 2001:db8::1"))
    }
    return address
  }

  /// What the application tells of a session that is being opened.
  func sessionOrigin() throws(Halt) -> SessionOrigin {
    var origin = SessionOrigin()
    if let address = try toldAddress() { origin.address = address.text }
    // Applications pass on what they are sent. Nobody is kept out because the name of a program is long.
    if let text = try option("AGENT") { origin.agent = text.prefix(ofBytes: Limits.agentBytes) }
    return origin
  }
}

extension String {
  /// As many whole characters of the beginning as fit.
  fileprivate func prefix(ofBytes most: Int) -> String {
    if utf8.count <= most { return self }
    var end = startIndex
    var bytes = 0
    while end < endIndex {
      bytes += self[end].utf8.count
      if bytes > most { break }
      formIndex(after: &end)
    }
    return String(self[..<end])
  }
}
