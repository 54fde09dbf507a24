/// When, who, where and why: what all changes of one command have in common.
public struct RecordHeader: Sendable, Equatable {
  public var time: Milliseconds
  /// The service on whose connection the command came; 0 is `local`.
  public var service: ServiceID
  /// Who really did it, where a user did.
  public var actor: UserID?
  /// As whom: the same as `actor`, except in an impersonation.
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
}

/// One record of the log: the changes of one command, which take effect together or not at all.
public struct Record: Sendable, Equatable {
  /// The version of this coding. A reader refuses what is newer.
  public static let version: UInt8 = 1

  public var header: RecordHeader
  public var changes: [Change]

  public init(header: RecordHeader, changes: [Change]) {
    self.header = header
    self.changes = changes
  }

  public static func encode(_ header: RecordHeader, _ changes: [Change], into writer: inout ByteWriter) {
    writer.byte(version)
    let isOneself = header.actor == header.subject
    var flags: UInt8 = 0
    if header.actor != nil { flags |= 1 }
    if !isOneself { flags |= 2 }
    if !header.reason.isEmpty { flags |= 4 }
    writer.byte(flags)
    writer.signed(header.time)
    writer.varint(header.service)
    if let actor = header.actor { writer.varint(actor.raw) }
    if !isOneself { writer.varint(header.subject?.raw ?? 0) }
    writer.varint(header.connection)
    writer.text(header.command)
    if !header.reason.isEmpty { writer.text(header.reason) }
    writer.varint(changes.count)
    for place in changes.indices { changes[place].encode(&writer) }
  }

  public init(from reader: inout ByteReader) throws(CodingError) {
    header = try Self.header(from: &reader)
    let count = try reader.count()
    changes = []
    changes.reserveCapacity(count)
    for _ in 0..<count { changes.append(try Change(from: &reader)) }
  }

  private static func header(from reader: inout ByteReader) throws(CodingError) -> RecordHeader {
    guard try reader.byte() == version else { throw reader.failure("a record of an unknown version") }
    let flags = try reader.byte()
    guard flags < 8 else { throw reader.failure("an unknown flag") }
    let time = try reader.signed()
    let service: ServiceID = try reader.number()
    let actor = flags & 1 != 0 ? UserID(raw: try reader.varint()) : nil
    var subject = actor
    if flags & 2 != 0 {
      let raw = try reader.varint()
      subject = raw == 0 ? nil : UserID(raw: raw)
    }
    let connection = try reader.varint()
    let command = try reader.text()
    let reason = flags & 4 != 0 ? try reader.text() : ""
    return RecordHeader(
      time: time, service: service, actor: actor, subject: subject, connection: connection, command: command,
      reason: reason)
  }
}
