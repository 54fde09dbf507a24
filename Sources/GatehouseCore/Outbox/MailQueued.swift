/// A mail waits to be sent.
public struct MailQueued: PartitionChange {
  public static var code: UInt8 { 12 }
  public static var name: String { "mail-queued" }

  public var mail = Mail.none

  public init() {}

  public init(_ mail: Mail) { self.mail = mail }

  public mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try mail.visit(&visitor)
    try mail.visitOthers(&visitor)
  }

  public var person: PersonSubject? { .users(mail.people) }

  public var concern: Concern { .nobody }

  public func apply(to state: inout PartitionState, lsn: LSN, header: RecordHeader) {
    var queued = QueuedMail(mail)
    if mail.workspace == 0 {
      // A record of version 0.1.0.
      queued.mail.workspace =
        state.serial(of: mail.user).flatMap { state.people.home(of: $0) } ?? mainWorkspace
      queued.mail.created = header.time
      queued.mail.expires = header.time + Limits.mailLife
      queued.due = header.time
    }
    state.outbox.add(queued, at: header.time)
    state.outbox.last = max(state.outbox.last, state.partitioning.serial(of: mail.id))
  }
}
