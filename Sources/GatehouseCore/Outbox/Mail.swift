/// A message to somebody, that waits to be sent. Whoever sends it takes it with `MAIL.NEXT`; that it is not lost until it
/// was sent is Gatehouse's business.
///
/// It holds facts and no text: the text is made when it is taken, from the template of that time (`MailTemplate`).
public struct Mail: Sendable, Equatable {
  public private(set) var id: MailID
  /// Whom it is about. It lives in the partition of that user.
  public private(set) var user: UserID
  public private(set) var kind: Kind
  public private(set) var recipient: String
  /// What an administrator has written for it, such as the message of an invitation.
  public private(set) var message: String
  /// Whose mail it is: the home of the user for what is about identity, else the workspace concerned. 0 in records of
  /// version 0.1.0.
  public internal(set) var workspace: WorkspaceID
  public internal(set) var created: Milliseconds
  /// From then on it is not sent any more.
  public internal(set) var expires: Milliseconds
  public private(set) var facts: [FieldText<MailFact>]
  /// The salt of what only the recipient may know, such as the token of a reset (`MailedSecret`). Only `MAIL.NEXT` shows
  /// the secret itself.
  public private(set) var secret: String
  /// Who gets it, where that is not the user whom it is about, such as a manager.
  public private(set) var addressee: UserID
  /// Who did what it tells of, and is named in it.
  public private(set) var actor: UserID

  static let none = Mail(id: .none, user: .none, kind: .invitation, to: "", of: 0, created: 0)

  public init(
    id: MailID, user: UserID, kind: Kind, to recipient: String, of workspace: WorkspaceID, created: Milliseconds,
    message: String = "", facts: [FieldText<MailFact>] = [], secret: String = "", addressee: UserID = .none,
    actor: UserID = .none
  ) {
    self.id = id
    self.user = user
    self.kind = kind
    self.recipient = recipient
    self.message = message
    self.workspace = workspace
    self.created = created
    expires = created == 0 ? 0 : created + Limits.mailLife
    self.facts = facts
    self.secret = secret
    self.addressee = addressee
    self.actor = actor
  }

  /// Everybody of whom it says something. What it says is forgotten with any of them (L6).
  var people: [UserID] { PersonSubject.distinct([user, addressee, actor]) }

  /// Whether it makes no sense any more for a user who has this status by now, and is reached at this address. A report to
  /// an address that was the user's is sent all the same: whoever took it must not silence that by deleting the login.
  func isPointless(for status: Status, at address: String) -> Bool {
    kind.isPointless(for: status) && !(kind.reportsAct && recipient != address)
  }

  /// The same mail under another id, of which the actor is nobody any more.
  func namingActor(_ name: String, id: MailID) -> Mail {
    var mail = self
    mail.id = id
    mail.actor = .none
    mail.facts = facts.map { $0.field == .actor ? FieldText(.actor, name) : $0 }
    return mail
  }

  func fact(_ fact: MailFact) -> String { facts.first { $0.field == fact }?.text ?? "" }

  /// Clears what it says of anybody, as if it had been read after the key of its user was destroyed.
  mutating func forget() {
    func cleared(_ text: String) -> String { text.isEmpty ? "" : ClearedPeople.mark }
    recipient = cleared(recipient)
    message = cleared(message)
    facts = facts.map { FieldText($0.field, cleared($0.text)) }
    secret = cleared(secret)
  }

  mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try visitor.subject(&id, as: MailForm.self)
    try visitor.field("user", &user, as: UserForm.self)
    try visitor.field("kind", &kind, as: ChoiceForm<Kind>.self)
    try visitor.field("recipient", &recipient, as: TextForm.self)
    try visitor.secret(&message, as: TextForm.self)
    try visitor.later()
    try visitor.field("workspace", &workspace, as: WorkspaceForm.self)
    try visitor.value(&created, as: TimeForm.self)
    try visitor.value(&expires, as: TimeForm.self)
    try visitor.field("facts", &facts, as: FieldTextsForm<MailFact>.self)
    try visitor.secret(&secret, as: TextForm.self)
  }

  /// The fields that came later: behind those of a queued mail where it is stored with them.
  mutating func visitOthers<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try visitor.value(&addressee, as: MentionedUserForm.self)
    try visitor.value(&actor, as: MentionedUserForm.self)
  }
}

/// A user of whom a change tells something, though it is about another: it is sealed under the keys of both, and is not
/// found among the records about this one.
enum MentionedUserForm: FieldForm {
  static func write(_ value: UserID, to writer: inout ByteWriter) { UserForm.write(value, to: &writer) }
  static func read(from reader: inout ByteReader) throws(CodingError) -> UserID { try UserForm.read(from: &reader) }
}

extension Mail {
  public enum Kind: UInt8, Sendable, CaseIterable, NamedChoice {
    /// S7, P7.
    case invitation = 1
    /// P8: the username was changed.
    case usernameChanged
    /// K8, if the policy asks for it.
    case timerStopped
    /// B12, if the policy asks for it: to the person as whom somebody has logged in.
    case impersonated
    /// B12, if the policy asks for it: to the mailbox of the workspace.
    case impersonationReported
    /// P13: a password made at random.
    case passwordGenerated
    /// L17: the token for setting another password.
    case passwordReset
    /// Another address has taken the place of the one that it goes to: resets are mailed there from now on.
    case addressChanged
    /// L9, if the policy asks for it: to those who manage the user.
    case managedCreated = 20
    case managedStatus
    case managedDeleted
    case managedImpersonated
    case managedBooked
    case managedUnbooked

    public var name: String {
      switch self {
      case .invitation: "invitation"
      case .usernameChanged: "username-changed"
      case .timerStopped: "timer-stopped"
      case .impersonated: "impersonated"
      case .impersonationReported: "impersonation-reported"
      case .passwordGenerated: "password-generated"
      case .passwordReset: "password-reset"
      case .addressChanged: "address-changed"
      case .managedCreated: "managed-created"
      case .managedStatus: "managed-status"
      case .managedDeleted: "managed-deleted"
      case .managedImpersonated: "managed-impersonated"
      case .managedBooked: "managed-booked"
      case .managedUnbooked: "managed-unbooked"
      }
    }

    init?(name: String) {
      guard let found = Self.allCases.first(where: { $0.name == name }) else { return nil }
      self = found
    }

    /// Whether it carries what lets somebody log in as its recipient. Whoever writes its text can have it sent on, by a link
    /// to somewhere else.
    var carriesSecret: Bool { risk == .secret }

    /// Whether it tells of an act of which those who act must not silence it.
    var reportsAct: Bool { risk == .report }

    /// Whether its text is about the security of the workspace.
    var isAboutSecurity: Bool { risk != .nothing }

    private enum Risk { case nothing, secret, report }

    private var risk: Risk {
      switch self {
      case .passwordGenerated, .passwordReset: .secret
      case .usernameChanged, .addressChanged, .impersonated, .impersonationReported, .managedImpersonated: .report
      case .invitation, .timerStopped, .managedCreated, .managedStatus, .managedDeleted, .managedBooked,
        .managedUnbooked:
        .nothing
      }
    }

    /// Whether a mail makes no sense any more for a user who has this status by now.
    fileprivate func isPointless(for status: Status) -> Bool {
      switch self {
      case .invitation, .passwordGenerated: !status.mayBeInvited
      // A locked user may reset the password (L17).
      case .passwordReset: false
      // How to log in from now on.
      case .usernameChanged: status == .deleted
      case .addressChanged, .timerStopped, .impersonated, .impersonationReported, .managedCreated, .managedStatus,
        .managedDeleted, .managedImpersonated, .managedBooked, .managedUnbooked:
        false
      }
    }

    /// Whether it goes to the person whom it is about, wherever that person is reached when it is sent: an address that was
    /// corrected since belongs to somebody else.
    var followsPerson: Bool {
      switch self {
      case .invitation, .timerStopped, .impersonated: true
      // A secret goes to the address for which it was made, and the end of an address to that one. Of a new username both
      // are told. The others are for a mailbox, and for managers.
      case .passwordGenerated, .passwordReset, .addressChanged, .usernameChanged, .impersonationReported,
        .managedCreated, .managedStatus, .managedDeleted, .managedImpersonated, .managedBooked, .managedUnbooked:
        false
      }
    }
  }
}

/// What a mail tells besides who it is about, each for the placeholder of its name.
public enum MailFact: UInt8, Sendable, CaseIterable, NamedChoice {
  /// Who did it.
  case actor = 1
  /// The username before, and after.
  case oldUsername
  case newUsername
  case start
  case end
  case reason
  /// The manager who is told.
  case manager = 20
  /// The language of a recipient who is not the user whom it is about; not set if the recipient has chosen none.
  case language
  case oldStatus
  case newStatus
  /// What was booked: kind and reference.
  case record

  public var name: String {
    switch self {
    case .actor: "actor"
    case .oldUsername: "old-username"
    case .newUsername: "new-username"
    case .start: "start"
    case .end: "end"
    case .reason: "reason"
    case .manager: "manager"
    case .language: "language"
    case .oldStatus: "old-status"
    case .newStatus: "new-status"
    case .record: "record"
    }
  }
}
