internal import HeapModule

/// A partition in a snapshot. The same state is always the same bytes: what has no order of its own is written
/// sorted, and what follows from the rest (the index of names, neighbours, deadlines, counts) is not written.
extension PartitionState {
  /// The version of this coding. A reader refuses what is newer.
  ///
  /// Version 1 did not say how names were folded, which was otherwise than now, and had no names with several users.
  public static let codingVersion: UInt8 = 2

  public func encode(into writer: inout ByteWriter) {
    // Grown by doubling, a large partition would be copied several times over.
    writer.reserve(contacts.last * 64 + users.last * 64 + sessions.last * 80 + entries.last * 64)
    writer.byte(Self.codingVersion)
    writer.varint(index)
    writer.varint(lsn)
    precondition(!hasUnsettledNames, "names that are not settled")
    writer.text(FoldedName.version)
    contacts.encode(into: &writer) { $1.encode(&$0) }
    encodeUsers(into: &writer)
    writer.list(otherNames.sorted { $0.key < $1.key }.flatMap(\.value)) { writer, holder in
      writer.text(holder.name)
      writer.id(holder.user)
    }
    encodeSessions(into: &writer)
    writer.varint(freeSession)
    writer.list(impersonations.sorted { $0.key < $1.key }) { writer, entry in
      writer.id(entry.key)
      writer.list(entry.value) { $0.id($1) }
    }
    writer.list(timers.sorted { ($0.key.user, $0.key.workspace) < ($1.key.user, $1.key.workspace) }) { writer, entry in
      writer.varint(entry.key.user)
      writer.varint(entry.key.workspace)
      entry.value.encode(&writer)
    }
    entries.encode(into: &writer) { $1.encode(&$0) }
    writer.list(history.sorted { $0.key < $1.key }) { writer, entry in
      writer.varint(entry.key)
      writer.list(entry.value) { $1.encode(&$0) }
    }
    writer.list(mails.sorted { $0.key < $1.key }) { writer, entry in
      var mail = entry.value
      mail.visit(&writer)
    }
    writer.varint(lastMail)
    writer.list(answers.sorted { $0.key.isOrdered(before: $1.key) }) { writer, entry in
      writer.digest(entry.key)
      entry.value.encode(&writer)
    }
    writer.varint(answersToSweep)
  }

  private func encodeSessions(into writer: inout ByteWriter) {
    var slot = 0
    sessions.encode(into: &writer) { writer, row in
      slot += 1
      (row.isUsed ? row : sessions.vacantRow(slot)).encode(&writer)
    }
  }

  private func encodeUsers(into writer: inout ByteWriter) {
    var named = ContiguousArray<Bool>(repeating: false, count: users.last + 1)
    names.forEach { named[$0] = true }
    var serial = 0
    users.encode(into: &writer) { writer, row in
      serial += 1
      row.encode(&writer, isNamed: named[serial])
    }
  }

  public init(
    from reader: inout ByteReader, index: Int, partitioning: Partitioning
  ) throws(CodingError) {
    self.init(index: index, partitioning: partitioning)
    let version = try reader.byte()
    guard (1...Self.codingVersion).contains(version) else { throw reader.failure("a partition of an unknown version") }
    guard try reader.number() == index else { throw reader.failure("another partition's state") }
    lsn = try reader.varint()
    hasUnsettledNames = version == 1 ? true : try reader.text() != FoldedName.version
    contacts = try RowTable(from: &reader) { (reader) throws(CodingError) in try ContactRow(from: &reader) }
    try decodeUsers(from: &reader)
    for _ in 0..<(try reader.count()) {
      let name = try reader.text()
      otherNames[FoldedName(name).text, default: []].append(NameHolder(user: try reader.id(), name: name))
    }
    sessions = try RowTable(from: &reader) { (reader) throws(CodingError) in try SessionRow(from: &reader) }
    freeSession = try reader.number()
    guard Int(freeSession) <= sessions.last else { throw reader.failure("a free session slot that is not there") }
    try linkSessions(reader)
    for _ in 0..<(try reader.count()) {
      impersonations[try reader.id()] = try reader.list { (reader) throws(CodingError) in try reader.id() }
    }
    for _ in 0..<(try reader.count()) {
      let user: UInt32 = try reader.number()
      guard users.contains(Int(user)) else { throw reader.failure("a timer of a user who is not there") }
      let key = TimerKey(user: Int(user), workspace: try reader.number())
      timers[key] = try RunningTimer(from: &reader)
    }
    entries = try RowTable(from: &reader) { (reader) throws(CodingError) in try EntryRow(from: &reader) }
    try checkEntries(reader)
    for _ in 0..<(try reader.count()) {
      history[try reader.number()] = try reader.list { (reader) throws(CodingError) in try EntryVersion(from: &reader) }
    }
    for _ in 0..<(try reader.count()) {
      var mail = Mail.none
      var decoder = FieldDecoder(reader, .firstVersion)
      try mail.visit(&decoder)
      reader = decoder.reader
      mails[mail.id] = mail
    }
    lastMail = try reader.number()
    for _ in 0..<(try reader.count()) { answers[try reader.digest()] = try RememberedAnswer(from: &reader) }
    answersToSweep = try reader.number()
  }

  private mutating func decodeUsers(from reader: inout ByteReader) throws(CodingError) {
    var named = ContiguousArray<(serial: Int, hash: UInt32)>()
    let contactCount = UInt32(contacts.last)
    var serial = 0
    var live = 0
    users = try RowTable(from: &reader) { (reader) throws(CodingError) in
      serial += 1
      var isNamed = false
      let row = try UserRow(from: &reader, isNamed: &isNamed)
      guard row.contact <= contactCount, row.contact > 0 || !row.isUsed else {
        throw reader.failure("a user whose contact is not there")
      }
      if isNamed { named.append((serial, row.nameHash)) }
      if row.isUsed, row.status != .deleted { live += 1 }
      return row
    }
    liveUsers = live
    names.reserve(named.count)
    for (serial, hash) in named { names.insert(serial, hash: hash) }
  }

  /// Makes the lists of sessions, their deadlines and their count from the rows.
  private mutating func linkSessions(_ reader: ByteReader) throws(CodingError) {
    guard sessions.last > 0 else { return }
    var watched: [UInt64] = []
    for slot in 1...sessions.last {
      let row = sessions[slot]
      guard Int(row.next) <= sessions.last else { throw reader.failure("a session linked to none") }
      guard row.isUsed else { continue }
      guard users.contains(Int(row.user)) else { throw reader.failure("a session of a user who is not there") }
      if row.next != 0 { sessions[Int(row.next)].previous = UInt32(slot) }
      users[Int(row.user)].sessionCount += 1
      watched.append(Self.watchKey(&sessions[slot], slot: slot))
    }
    for slot in 1...sessions.last where sessions[slot].isUsed && sessions[slot].previous == 0 {
      users[Int(sessions[slot].user)].sessions = UInt32(slot)
    }
    sessionCount = watched.count
    deadlines = Heap(watched)
  }

  private func checkEntries(_ reader: ByteReader) throws(CodingError) {
    guard entries.last > 0 else { return }
    for serial in 1...entries.last {
      let row = entries[serial]
      guard row.previous < UInt32(serial), users.contains(Int(row.user)) || !row.isUsed else {
        throw reader.failure("an entry linked to none")
      }
    }
  }
}

extension Digest {
  func isOrdered(before other: Digest) -> Bool { (a, b, c, d) < (other.a, other.b, other.c, other.d) }
}
