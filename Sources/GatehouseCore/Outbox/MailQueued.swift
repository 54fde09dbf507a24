/// A message is queued for sending.
public struct MailQueued: PartitionChange {
  public static var code: UInt8 { 12 }
  public static var name: String { "mail-queued" }

  public var mail = Mail.none

  public init() {}

  public init(_ mail: Mail) { self.mail = mail }

  public mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try mail.visit(&visitor)
  }

  public var person: PersonSubject? { .user(mail.user) }

  public var concern: Concern { .nobody }

  public func apply(to state: inout PartitionState, lsn: LSN, header: RecordHeader) {
    state.outbox.mails[mail.id] = mail
    state.outbox.last = max(state.outbox.last, state.partitioning.serial(of: mail.id))
  }
}
