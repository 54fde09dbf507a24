/// The encoding of a record:
///
///     version · part, part, …
///
/// of a part:
///
///     flags · time, in the first part only · service · actor? · subject? · connection · command · reason?
///     · count of changes · change, change, …
///
/// and of a change:
///
///     code · length of the fields × 2 + whether it is critical · fields
///
/// A change that says something of a person has another form (`SealedChange`). Numbers have variable length. A reader skips changes that it does not know unless they are critical, and fields
/// after those that it knows. In version 1 a change had only its code and fields, and a record had one part.
extension Record {
  /// The version of this encoding. A reader refuses newer ones.
  public static let version: UInt8 = 2

  private struct Flags: OptionSet {
    let rawValue: UInt8
    static let actor = Flags(rawValue: 1)
    /// The subject differs from the actor.
    static let subject = Flags(rawValue: 2)
    static let reason = Flags(rawValue: 4)
    /// Another part follows.
    static let more = Flags(rawValue: 8)
    static let known: Flags = [.actor, .subject, .reason, .more]
  }

  /// Encodes a record of one part.
  public static func encode(_ header: RecordHeader, _ changes: [AnyChange], into writer: inout ByteWriter) {
    writer.byte(version)
    encode(header, changes, isFirst: true, isLast: true, into: &writer)
  }

  public func encode(into writer: inout ByteWriter) {
    writer.byte(Self.version)
    let parts = parts
    for (index, part) in parts.enumerated() {
      Self.encode(
        part.header, part.changes, isFirst: index == 0, isLast: index == parts.count - 1, into: &writer)
    }
  }

  private static func encode(
    _ header: RecordHeader, _ changes: [AnyChange], isFirst: Bool, isLast: Bool, into writer: inout ByteWriter
  ) {
    let isOneself = header.actor == header.subject
    var flags: Flags = []
    if header.actor != nil { flags.insert(.actor) }
    if !isOneself { flags.insert(.subject) }
    if !header.reason.isEmpty { flags.insert(.reason) }
    if !isLast { flags.insert(.more) }
    writer.byte(flags.rawValue)
    if isFirst { writer.signed(header.time) }
    writer.varint(header.service)
    if let actor = header.actor { writer.varint(actor.raw) }
    if !isOneself { writer.varint(header.subject?.raw ?? 0) }
    writer.varint(header.connection)
    writer.text(header.command)
    if !header.reason.isEmpty { writer.text(header.reason) }
    writer.varint(changes.count)
    for index in changes.indices { changes[index].encode(into: &writer) }
  }

  /// Decodes a record.
  ///
  /// - Parameter seals: opens what is sealed in it. Without it, a record with something sealed cannot be read.
  public init(from reader: inout ByteReader, _ seals: (any SealKeeper)? = nil) throws(CodingError) {
    let version = try Self.knownVersion(from: &reader)
    var hasMore = false
    first = try Self.part(from: &reader, version, seals, time: nil, &hasMore)
    others = []
    while hasMore {
      others.append(
        try Self.part(from: &reader, version, seals, time: first.header.time, &hasMore))
    }
    isWhole = !reader.hasSkipped
  }

  private static func knownVersion(from reader: inout ByteReader) throws(CodingError) -> UInt8 {
    let version = try reader.byte()
    guard (1...Self.version).contains(version) else {
      throw reader.failure("a record in form \(version), which this version of Gatehouse does not know")
    }
    return version
  }

  /// Adds the keys by which a record is found, and returns its time. No change is built for it, because an index reads
  /// every record of the log.
  static func addKeys(
    from reader: inout ByteReader, _ seals: (any SealKeeper)?, to keys: inout [UInt64]
  ) throws(CodingError) -> Milliseconds {
    let version = try knownVersion(from: &reader)
    var hasMore = false
    var time: Milliseconds?
    repeat {
      let header = try header(from: &reader, version, time: time, &hasMore)
      time = header.time
      var part = PartKeys(header, to: &keys)
      for _ in 0..<(try reader.count()) {
        let first = keys.count
        let code = try AnyChange.addKeys(from: &reader, version, seals, to: &keys)
        part.note(keys[first...], of: code)
      }
      part.end(&keys)
    } while hasMore
    return time ?? 0
  }

  private static func part(
    from reader: inout ByteReader, _ version: UInt8, _ seals: (any SealKeeper)?, time: Milliseconds?,
    _ hasMore: inout Bool
  ) throws(CodingError) -> RecordPart {
    let header = try header(from: &reader, version, time: time, &hasMore)
    let count = try reader.count()
    var changes: [AnyChange] = []
    changes.reserveCapacity(count)
    for _ in 0..<count {
      changes.append(
        version == 1 ? try AnyChange(fromFirstVersion: &reader) : try AnyChange(from: &reader, seals))
    }
    return RecordPart(header: header, changes: changes)
  }

  private static func header(
    from reader: inout ByteReader, _ version: UInt8, time: Milliseconds?, _ hasMore: inout Bool
  ) throws(CodingError) -> RecordHeader {
    let flags = Flags(rawValue: try reader.byte())
    guard Flags.known.isSuperset(of: flags), version > 1 || !flags.contains(.more) else {
      throw reader.failure("an unknown flag")
    }
    hasMore = flags.contains(.more)
    let time = if let time { time } else { try reader.signed() }
    let service: ServiceID = try reader.number()
    let actor = flags.contains(.actor) ? UserID(raw: try reader.varint()) : nil
    var subject = actor
    if flags.contains(.subject) {
      let raw = try reader.varint()
      subject = raw == 0 ? nil : UserID(raw: raw)
    }
    let connection = try reader.varint()
    let command = try reader.text()
    let reason = flags.contains(.reason) ? try reader.text() : ""
    return RecordHeader(
      time: time, service: service, actor: actor, subject: subject, connection: connection, command: command,
      reason: reason)
  }
}
