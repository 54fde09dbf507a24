/// A mail was handed out to be sent. Nobody else gets it before the lease ends.
///
/// A lease is durable. The attempt counts even if the server or the sender dies, so a mail that kills its sender becomes a
/// dead letter after `Limits.mailAttempts`; and after a restart nobody gets a mail that is being sent.
public struct MailLeased: PartitionChange {
  public static var code: UInt8 { 90 }
  public static var name: String { "mail-leased" }

  public var mail = MailID.none
  public var workspace: WorkspaceID = 0
  public var attempt: UInt32 = 0
  public var until: Milliseconds = 0

  public init() {}

  public init(_ queued: QueuedMail, until: Milliseconds) {
    mail = queued.mail.id
    workspace = queued.mail.workspace
    attempt = queued.attempts + 1
    self.until = until
  }

  public mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try visitor.subject(&mail, as: MailForm.self)
    try visitor.field("workspace", &workspace, as: WorkspaceForm.self)
    try visitor.field("attempt", &attempt, as: NumberForm<UInt32>.self)
    try visitor.field("until", &until, as: TimeForm.self)
  }

  public var concern: Concern { .nobody }

  public func apply(to state: inout PartitionState, lsn: LSN, header: RecordHeader) {
    state.outbox.change(mail, at: header.time) { queued in
      queued.attempts = attempt
      queued.due = until
      queued.isLeased = true
    }
  }
}

/// A mail left the outbox, because it was sent or because somebody dropped it.
public struct MailRemoved: PartitionChange {
  public static var code: UInt8 { 91 }
  public static var name: String { "mail-removed" }

  public enum Cause: UInt8, Sendable, NamedChoice {
    case sent = 1
    case dropped

    public var name: String {
      switch self {
      case .sent: "sent"
      case .dropped: "dropped"
      }
    }
  }

  public var mail = MailID.none
  public var workspace: WorkspaceID = 0
  public var cause = Cause.sent

  public init() {}

  public init(_ mail: Mail, _ cause: Cause) {
    self.mail = mail.id
    workspace = mail.workspace
    self.cause = cause
  }

  public mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try visitor.subject(&mail, as: MailForm.self)
    try visitor.field("workspace", &workspace, as: WorkspaceForm.self)
    try visitor.field("cause", &cause, as: ChoiceForm<Cause>.self)
  }

  public var concern: Concern { .nobody }

  public func apply(to state: inout PartitionState, lsn: LSN, header: RecordHeader) { state.outbox.remove(mail) }
}

/// An attempt to send a mail has failed: it waits until another time, or is a dead letter from now on.
public struct MailFailed: PartitionChange {
  public static var code: UInt8 { 92 }
  public static var name: String { "mail-failed" }

  public var mail = MailID.none
  public var workspace: WorkspaceID = 0
  public var why = ""
  /// When it is tried again; nil for never.
  public var next: Milliseconds?
  /// Whom the mail is about; none in records of version 0.1.0.
  public var user = UserID.none
  /// The others of whom it tells something.
  public var others: [UserID] = []

  public init() {}

  public init(_ mail: Mail, _ why: String, next: Milliseconds?) {
    self.mail = mail.id
    workspace = mail.workspace
    self.why = why
    self.next = next
    user = mail.user
    others = Array(mail.people.dropFirst())
  }

  public mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try visitor.subject(&mail, as: MailForm.self)
    try visitor.field("workspace", &workspace, as: WorkspaceForm.self)
    try visitor.field("why", &why, as: TextForm.self)
    try visitor.field("next", &next, as: OptionalForm<TimeForm>.self)
    try visitor.later()
    try visitor.value(&user, as: UserForm.self)
    try visitor.value(&others, as: ListForm<MentionedUserForm>.self)
  }

  // Mail servers repeat the address in their answers.
  public var person: PersonSubject? { .users([user] + others) }

  public var concern: Concern { .nobody }

  public func apply(to state: inout PartitionState, lsn: LSN, header: RecordHeader) {
    state.outbox.change(mail, at: header.time) { queued in
      guard let next else { return queued.die(why, at: header.time) }
      queued.isLeased = false
      queued.due = next
      queued.error = why
    }
  }
}

/// A mail was given back by somebody who has not tried to send it: the attempt does not count.
public struct MailReturned: PartitionChange {
  public static var code: UInt8 { 96 }
  public static var name: String { "mail-returned" }

  public var mail = MailID.none
  public var workspace: WorkspaceID = 0
  /// How often it was handed out, without this time.
  public var attempts: UInt32 = 0

  public init() {}

  public init(_ queued: QueuedMail) {
    mail = queued.mail.id
    workspace = queued.mail.workspace
    attempts = queued.attempts - 1
  }

  public mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try visitor.subject(&mail, as: MailForm.self)
    try visitor.field("workspace", &workspace, as: WorkspaceForm.self)
    try visitor.field("attempts", &attempts, as: NumberForm<UInt32>.self)
  }

  public var concern: Concern { .nobody }

  public func apply(to state: inout PartitionState, lsn: LSN, header: RecordHeader) {
    state.outbox.change(mail, at: header.time) { queued in
      queued.attempts = attempts
      queued.isLeased = false
      queued.due = header.time
    }
  }
}

/// A dead letter is to be sent after all.
public struct MailRevived: PartitionChange {
  public static var code: UInt8 { 93 }
  public static var name: String { "mail-revived" }

  public var mail = MailID.none
  public var workspace: WorkspaceID = 0
  public var expires: Milliseconds = 0

  public init() {}

  public init(_ mail: Mail, expires: Milliseconds) {
    self.mail = mail.id
    workspace = mail.workspace
    self.expires = expires
  }

  public mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try visitor.subject(&mail, as: MailForm.self)
    try visitor.field("workspace", &workspace, as: WorkspaceForm.self)
    try visitor.field("expires", &expires, as: TimeForm.self)
  }

  public var concern: Concern { .nobody }

  public func apply(to state: inout PartitionState, lsn: LSN, header: RecordHeader) {
    state.outbox.change(mail, at: header.time) { queued in
      queued.died = 0
      queued.isLeased = false
      queued.attempts = 0
      queued.due = header.time
      queued.error = ""
      queued.mail.expires = expires
    }
  }
}
