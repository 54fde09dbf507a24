/// A message waiting to be sent. Another program sends it; Gatehouse makes sure that it is not lost.
public struct Mail: Sendable, Equatable, StoredValue {
  public enum Kind: UInt8, Sendable, CaseIterable, NamedChoice {
    case invitation = 1
    /// P8: the username was changed.
    case usernameChanged
    /// K8, if the policy asks for it.
    case timerStopped

    public var name: String {
      switch self {
      case .invitation: "invitation"
      case .usernameChanged: "username-changed"
      case .timerStopped: "timer-stopped"
      }
    }
  }

  public private(set) var id: MailID
  public private(set) var user: UserID
  public private(set) var kind: Kind
  public private(set) var recipient: String
  public private(set) var message: String

  static let none = Mail(id: .none, user: .none, kind: .invitation, recipient: "", message: "")

  public init(id: MailID, user: UserID, kind: Kind, recipient: String, message: String) {
    self.id = id
    self.user = user
    self.kind = kind
    self.recipient = recipient
    self.message = message
  }

  mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try visitor.subject(&id, as: MailForm.self)
    try visitor.field("user", &user, as: UserForm.self)
    try visitor.field("kind", &kind, as: ChoiceForm<Kind>.self)
    try visitor.field("recipient", &recipient, as: TextForm.self)
    try visitor.secret(&message, as: TextForm.self)
  }
}
