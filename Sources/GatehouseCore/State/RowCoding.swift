/// The forms of rows in a snapshot. Links that follow from others are left out and made again on reading.

extension ContactRow {
  func encode(_ writer: inout ByteWriter) {
    writer.varint(version)
    guard isUsed else { return }
    writer.varint(lsn)
    writer.signed(created)
    writer.varint(user)
    writer.varint(entries)
    writer.signed(Int64(hired))
    writer.signed(Int64(released))
  }

  init(from reader: inout ByteReader) throws(CodingError) {
    self.init()
    version = try reader.number()
    guard isUsed else { return }
    lsn = try reader.varint()
    created = try reader.signed()
    user = try reader.number()
    entries = try reader.number()
    hired = try reader.dayNumber()
    released = try reader.dayNumber()
  }
}

extension ByteReader {
  fileprivate mutating func dayNumber() throws(CodingError) -> Int32 {
    guard let day = Int32(exactly: try signed()) else { throw failure("a day out of range") }
    return day
  }
}

extension UserRow {
  /// - Parameter isNamed: whether the username leads to this user, in this partition: a deleted user's may
  ///   lead to somebody else by now.
  func encode(_ writer: inout ByteWriter, isNamed: Bool) {
    writer.varint(version)
    guard isUsed else { return }
    writer.flag(isNamed)
    writer.varint(lsn)
    writer.signed(created)
    writer.signed(lastLogin == 0 ? 0 : lastLogin - created + 1)
    writer.varint(contact)
    writer.fixed32(nameHash)
    writer.varint(access.0)
    writer.varint(access.1)
    writer.varint(roles.bits)
    writer.byte(status.rawValue)
    writer.byte(flags.rawValue)
  }

  init(from reader: inout ByteReader, isNamed: inout Bool) throws(CodingError) {
    self.init()
    version = try reader.number()
    guard isUsed else { return }
    isNamed = try reader.flag()
    lsn = try reader.varint()
    created = try reader.signed()
    let login = try reader.signed()
    lastLogin = login == 0 ? 0 : created &+ login &- 1
    contact = try reader.number()
    nameHash = try reader.fixed32()
    access.0 = try reader.number()
    access.1 = try reader.number()
    roles.bits = try reader.number()
    status = try reader.choice()
    flags = Flags(rawValue: try reader.byte())
  }
}

extension SessionRow {
  func encode(_ writer: inout ByteWriter) {
    writer.varint(user)
    writer.varint(generation)
    writer.varint(next)
    guard isUsed else { return }
    writer.digest(token)
    writer.varint(lsn)
    writer.signed(created)
    writer.signed(expires - created)
    writer.signed(loggedSeen - created)
    writer.signed(lastSeen - loggedSeen)
    writer.varint(idleSeconds)
    writer.varint(product)
    writer.varint(workspace)
    writer.byte(kind.rawValue)
    writer.flag(isBound)
  }

  init(from reader: inout ByteReader) throws(CodingError) {
    self.init()
    user = try reader.number()
    generation = try reader.number()
    next = try reader.number()
    guard isUsed else { return }
    token = try reader.digest()
    lsn = try reader.varint()
    created = try reader.signed()
    expires = created &+ (try reader.signed())
    loggedSeen = created &+ (try reader.signed())
    lastSeen = loggedSeen &+ (try reader.signed())
    idleSeconds = try reader.number()
    let product: ProductID = try reader.number()
    guard product <= Limits.products else { throw reader.failure("a session of a product that cannot be") }
    self.product = product
    workspace = try reader.number()
    kind = try reader.choice()
    isBound = try reader.flag()
  }
}

extension EntryRow {
  func encode(_ writer: inout ByteWriter) {
    writer.varint(version)
    guard isUsed else { return }
    writer.varint(lsn)
    writer.signed(created)
    writer.signed(start)
    writer.signed(end - start)
    writer.varint(contact)
    writer.varint(user)
    writer.varint(previous)
    writer.varint(workspace)
    writer.flag(isDeleted)
  }

  init(from reader: inout ByteReader) throws(CodingError) {
    self.init()
    version = try reader.number()
    guard isUsed else { return }
    lsn = try reader.varint()
    created = try reader.signed()
    start = try reader.signed()
    end = start &+ (try reader.signed())
    contact = try reader.number()
    user = try reader.number()
    previous = try reader.number()
    workspace = try reader.number()
    isDeleted = try reader.flag()
  }
}

extension RunningTimer {
  func encode(_ writer: inout ByteWriter) {
    writer.signed(start)
    writer.text(project)
    writer.text(note)
    startedBy.encode(&writer)
    writer.varint(lsn)
  }

  init(from reader: inout ByteReader) throws(CodingError) {
    start = try reader.signed()
    project = try reader.text()
    note = try reader.text()
    startedBy = try Author(from: &reader)
    lsn = try reader.varint()
  }
}

extension RememberedAnswer {
  func encode(_ writer: inout ByteWriter) {
    writer.digest(arguments)
    reply.encode(&writer)
    writer.signed(until)
    writer.varint(lsn)
  }

  init(from reader: inout ByteReader) throws(CodingError) {
    arguments = try reader.digest()
    reply = try Reply(from: &reader)
    until = try reader.signed()
    lsn = try reader.varint()
  }
}
