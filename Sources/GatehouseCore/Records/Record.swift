/// Time, author, connection and reason: what all changes of one command share.
public struct RecordHeader: Sendable, Equatable {
  public var time: Milliseconds
  /// The service on whose connection the command arrived; 0 is `local`.
  public var service: ServiceID
  /// Who really did it, if a user did.
  public var actor: UserID?
  /// The user as whom it was done: equal to `actor`, except in an impersonation.
  public var subject: UserID?
  public var connection: UInt64
  public var command: String
  public var reason: String

  public init(
    time: Milliseconds, service: ServiceID, actor: UserID?, subject: UserID?, connection: UInt64, command: String,
    reason: String
  ) {
    self.time = time
    self.service = service
    self.actor = actor
    self.subject = subject
    self.connection = connection
    self.command = command
    self.reason = reason
  }

  public var author: Author { actor.map { .user($0) } ?? .service(service) }

  /// Whether a connection did it that no service and nobody's session stands for: what answers call `local`. What the
  /// server does of its own accord has no connection.
  public var isLocal: Bool { service == 0 && actor == nil && connection != 0 }

  /// As whom it was done in an impersonation; nil outside of one.
  public var impersonated: UserID? { subject == actor ? nil : subject }
}

/// The changes of one command.
public struct RecordPart: Sendable, Equatable {
  public var header: RecordHeader
  public var changes: [AnyChange]

  public init(header: RecordHeader, changes: [AnyChange]) {
    self.header = header
    self.changes = changes
  }
}

/// One record of the log, the unit of atomicity: the changes of one command, or of the commands of one `EXEC` with a
/// part for each. All parts have the time of the first.
public struct Record: Sendable, Equatable {
  public var first: RecordPart
  public var others: [RecordPart]
  /// Whether everything in it was understood. False if it was read from a log to which a newer version has written changes
  /// or fields that this one skips.
  public internal(set) var isWhole = true

  public init(_ first: RecordPart, others: [RecordPart] = []) {
    self.first = first
    self.others = others
  }

  public init(header: RecordHeader, changes: [AnyChange]) {
    self.init(RecordPart(header: header, changes: changes))
  }

  public var time: Milliseconds { first.header.time }

  public var parts: [RecordPart] { [first] + others }

  /// Calls `body` with each part, in the order of the commands.
  @inline(__always)
  public func forEachPart(_ body: (RecordPart) -> Void) {
    body(first)
    for part in others { body(part) }
  }

  /// All changes of one kind.
  public func changes<Kind: Change>(of kind: Kind.Type) -> [Kind] {
    parts.flatMap { $0.changes.compactMap { $0.as(kind) } }
  }
}
