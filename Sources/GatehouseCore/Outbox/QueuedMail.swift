/// A mail and how far sending it has got.
public struct QueuedMail: Sendable, Equatable, StoredValue {
  public internal(set) var mail: Mail
  /// How often it was handed out.
  public internal(set) var attempts: UInt32 = 0
  /// When it may be handed out; while it is leased, when the lease ends.
  public internal(set) var due: Milliseconds
  public internal(set) var isLeased = false
  /// When it became a dead letter; 0 if it is none.
  public internal(set) var died: Milliseconds = 0
  /// Why the last attempt failed.
  public internal(set) var error = ""

  static let none = QueuedMail(.none)

  init(_ mail: Mail) {
    self.mail = mail
    due = mail.created
  }

  mutating func forget() {
    mail.forget()
    error = error.isEmpty ? "" : ClearedPeople.mark
  }

  mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try mail.visit(&visitor)
    try visitor.value(&attempts, as: NumberForm<UInt32>.self)
    try visitor.value(&due, as: TimeForm.self)
    try visitor.value(&isLeased, as: FlagForm.self)
    try visitor.value(&died, as: TimeForm.self)
    try visitor.value(&error, as: TextForm.self)
    try mail.visitOthers(&visitor)
  }
}

extension QueuedMail {
  public enum State: String, Sendable, CaseIterable {
    /// It can be handed out, now or once it is due.
    case waiting
    /// Somebody is sending it.
    case leased
    /// It will not be sent any more, unless `MAIL.RETRY` says so.
    case dead
  }

  /// Ends of leases and lives need no record: they follow from the time.
  public func state(at now: Milliseconds) -> State {
    if died != 0 { return .dead }
    if isLeased, now < due { return .leased }
    return fault(at: now) == nil ? .waiting : .dead
  }

  /// Why it must not be handed out again; nil if it may.
  func fault(at now: Milliseconds) -> MailFault? {
    if now >= mail.expires { return .expired }
    return attempts >= Limits.mailAttempts ? .attempts : nil
  }

  /// Why it is dead.
  func cause(at now: Milliseconds) -> String { died != 0 ? error : fault(at: now)?.text ?? error }

  /// How long to wait after an attempt that failed: a minute, doubled each time, 6 hours at most.
  static func pause(afterAttempts attempts: UInt32) -> Milliseconds {
    min(60_000 << Milliseconds(min(max(attempts, 1) - 1, 12)), 6 * 3_600_000)
  }
}

/// Why a mail became a dead letter without anybody saying so.
enum MailFault {
  case expired
  case attempts
  case noLogin
  case secretEnded

  var text: String {
    switch self {
    case .expired: "it was not sent in time"
    case .attempts: "\(Limits.mailAttempts) attempts to send it have failed"
    case .noLogin: "the user may not log in any more"
    case .secretEnded: "the token in it has ended, or another was asked for since"
    }
  }
}
