/// P13: a temporary password must be changed. Somebody else knows it, so what is done in a session that it has opened need
/// not be the user's own deed.
///
/// Such a session can only change the password and log out, and it reads what concerns its user alone, whatever roles they
/// have. Changing the password ends it, as it ends all sessions. A session that an application has opened because it has
/// authenticated the user by itself does not rest on the password.
public struct SessionRestricted: PartitionChange {
  public static var code: UInt8 { 161 }
  public static var name: String { "session-restricted" }

  /// The tag of the details of a session that is restricted.
  static let tag: UInt8 = 4

  public var session = SessionID.none
  public var user = UserID.none
  /// Where the session is, so that readers of one workspace's trail see it.
  public var product: ProductID = 0
  public var workspace: WorkspaceID = 0

  public init() {}

  init(_ session: SessionID, of user: UserID, product: ProductID, workspace: WorkspaceID) {
    self.session = session
    self.user = user
    self.product = product
    self.workspace = workspace
  }

  public mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try visitor.subject(&session, as: SessionForm.self)
    try visitor.field("user", &user, as: UserForm.self)
    try visitor.field("product", &product, as: ProductForm.self)
    try visitor.field("workspace", &workspace, as: WorkspaceForm.self)
  }

  public var concern: Concern { .nobody }

  public func apply(to state: inout PartitionState, lsn: LSN, header: RecordHeader) {
    guard let slot = state.slot(of: session) else {
      preconditionFailure("session \(session.raw) is restricted but does not exist")
    }
    var details = state.sessions.rows.details(of: slot)
    details.encode(Self.tag) { $0.flag(true) }
    state.sessions.rows.setDetails(of: slot, details.bytes)
  }
}

extension Sessions {
  /// Whether a session may only be used to change the password.
  func mustChangePassword(inSlot slot: Int) -> Bool {
    rows.withDetails(of: slot) { Details.field(SessionRestricted.tag, in: $0) != nil }
  }
}

extension Turn {
  /// Refuses a write in a session that a temporary password has opened.
  func requireLastingPassword(_ user: UserPrincipal) throws(Halt) {
    guard user.mustChangePassword else { return }
    throw .refused(
      .rule(
        "password", "it is temporary, and somebody else knows it",
        instead: "change it first with PASSWORD.CHANGE old new"))
  }
}
