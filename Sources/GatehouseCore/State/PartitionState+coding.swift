internal import HeapModule

/// A partition in a snapshot: a head, and sections with a tag and a length each. The same state is always the same bytes:
/// what has no order of its own is written sorted, and what follows from the rest (the index of names, neighbours,
/// deadlines, counts) is not written.
extension PartitionState {
  /// The version of this coding. A reader refuses what is newer.
  ///
  /// Version 1 did not say how names were folded, which was otherwise than now, and had no names with several users. Up to
  /// version 2 the parts stood one after the other, without tags and lengths.
  public static let codingVersion: UInt8 = 3

  /// In the order in which they are written, and can be read: rows refer to those of sections before.
  private enum Section: UInt8, CaseIterable {
    case contacts = 1
    case users
    case names
    case sessions
    case impersonations
    case timers
    case entries
    case history
    case mails
    case answers
  }

  public func encode(into writer: inout ByteWriter) {
    // Grown by doubling, a large partition would be copied several times over.
    writer.reserve(contacts.last * 64 + users.last * 64 + sessions.last * 80 + entries.last * 64)
    writer.byte(Self.codingVersion)
    writer.varint(index)
    writer.varint(lsn)
    precondition(!hasUnsettledNames, "names that are not settled")
    writer.text(FoldedName.version)
    writer.varint(Section.allCases.count)
    for section in Section.allCases { StoredSection.write(section.rawValue, to: &writer) { encode(section, &$0) } }
  }

  private func encode(_ section: Section, _ writer: inout ByteWriter) {
    switch section {
    case .contacts: contacts.encode(into: &writer) { $0.stored($1) }
    case .users: encodeUsers(into: &writer)
    case .names:
      writer.list(otherNames.sorted { $0.key < $1.key }.flatMap(\.value)) { writer, holder in
        writer.text(holder.name)
        writer.id(holder.user)
      }
    case .sessions: encodeSessions(into: &writer)
    case .impersonations:
      writer.list(impersonations.sorted { $0.key < $1.key }) { writer, entry in
        writer.id(entry.key)
        writer.list(entry.value) { $0.id($1) }
      }
    case .timers:
      writer.list(timers.sorted { ($0.key.user, $0.key.workspace) < ($1.key.user, $1.key.workspace) }) {
        writer, entry in
        writer.varint(entry.key.user)
        writer.varint(entry.key.workspace)
        writer.stored(entry.value)
      }
    case .entries: entries.encode(into: &writer) { $0.stored($1) }
    case .history:
      writer.list(history.sorted { $0.key < $1.key }) { writer, entry in
        writer.varint(entry.key)
        writer.list(entry.value) { $0.stored($1) }
      }
    case .mails:
      writer.list(mails.sorted { $0.key < $1.key }) { $0.stored($1.value) }
      writer.varint(lastMail)
    case .answers:
      writer.list(answers.sorted { $0.key.isOrdered(before: $1.key) }) { writer, entry in
        writer.digest(entry.key)
        writer.stored(entry.value)
      }
      writer.varint(answersToSweep)
    }
  }

  private func encodeSessions(into writer: inout ByteWriter) {
    var slot = 0
    sessions.encode(into: &writer) { writer, row in
      slot += 1
      writer.stored(row.isUsed ? row : sessions.vacantRow(slot))
    }
    writer.varint(freeSession)
  }

  private func encodeUsers(into writer: inout ByteWriter) {
    var named = ContiguousArray<Bool>(repeating: false, count: users.last + 1)
    names.forEach { named[$0] = true }
    var serial = 0
    users.encode(into: &writer) { writer, row in
      serial += 1
      writer.stored(StoredUser(row: row, isNamed: named[serial]))
    }
  }

  // MARK: Reading

  public init(
    from reader: inout ByteReader, index: Int, partitioning: Partitioning
  ) throws(CodingError) {
    self.init(index: index, partitioning: partitioning)
    let version = try reader.byte()
    guard (1...Self.codingVersion).contains(version) else { throw reader.failure("a partition of an unknown version") }
    guard try reader.number() == index else { throw reader.failure("another partition's state") }
    lsn = try reader.varint()
    hasUnsettledNames = version == 1 ? true : try reader.text() != FoldedName.version
    guard version >= 3 else {
      let layout: StoredLayout = version == 1 ? .first : .second
      for section in Section.allCases { try decode(section, &reader, layout) }
      return
    }
    var last: UInt8 = 0
    for _ in 0..<(try reader.count()) {
      guard let (section, bytes) = try StoredSection.read(from: &reader, as: Section.self) else { continue }
      guard section.rawValue > last else { throw bytes.failure("sections out of order") }
      last = section.rawValue
      var values = bytes
      try decode(section, &values, .measured)
    }
  }

  private mutating func decode(
    _ section: Section, _ reader: inout ByteReader, _ layout: StoredLayout
  ) throws(CodingError) {
    switch section {
    case .contacts:
      contacts = try RowTable(from: &reader) { (reader) throws(CodingError) in try reader.stored(ContactRow(), layout) }
    case .users: try decodeUsers(from: &reader, layout)
    case .names:
      for _ in 0..<(try reader.count()) {
        let name = try reader.text()
        otherNames[FoldedName(name).text, default: []].append(NameHolder(user: try reader.id(), name: name))
      }
    case .sessions: try decodeSessions(from: &reader, layout)
    case .impersonations:
      for _ in 0..<(try reader.count()) {
        impersonations[try reader.id()] = try reader.list { (reader) throws(CodingError) in try reader.id() }
      }
    case .timers: try decodeTimers(from: &reader, layout)
    case .entries:
      entries = try RowTable(from: &reader) { (reader) throws(CodingError) in try reader.stored(EntryRow(), layout) }
      try checkEntries(reader)
    case .history:
      for _ in 0..<(try reader.count()) {
        history[try reader.number()] = try reader.list { (reader) throws(CodingError) in
          try reader.stored(EntryVersion.none, layout)
        }
      }
    case .mails:
      for _ in 0..<(try reader.count()) {
        let mail = try reader.stored(Mail.none, layout)
        mails[mail.id] = mail
      }
      lastMail = try reader.number()
    case .answers:
      for _ in 0..<(try reader.count()) {
        answers[try reader.digest()] = try reader.stored(RememberedAnswer(), layout)
      }
      answersToSweep = try reader.number()
    }
  }

  private mutating func decodeUsers(from reader: inout ByteReader, _ layout: StoredLayout) throws(CodingError) {
    var named = ContiguousArray<(serial: Int, hash: UInt32)>()
    let contactCount = UInt32(contacts.last)
    var serial = 0
    var live = 0
    users = try RowTable(from: &reader) { (reader) throws(CodingError) in
      serial += 1
      let user = try reader.stored(StoredUser(), layout)
      let row = user.row
      guard row.contact <= contactCount, row.contact > 0 || !row.isUsed else {
        throw reader.failure("a user whose contact is not there")
      }
      if user.isNamed { named.append((serial, row.nameHash)) }
      if row.isUsed, row.status != .deleted { live += 1 }
      return row
    }
    liveUsers = live
    names.reserve(named.count)
    for (serial, hash) in named { names.insert(serial, hash: hash) }
  }

  private mutating func decodeTimers(from reader: inout ByteReader, _ layout: StoredLayout) throws(CodingError) {
    for _ in 0..<(try reader.count()) {
      let user: UInt32 = try reader.number()
      guard users.contains(Int(user)) else { throw reader.failure("a timer of a user who is not there") }
      let key = TimerKey(user: Int(user), workspace: try reader.number())
      timers[key] = try reader.stored(RunningTimer.none, layout)
    }
  }

  private mutating func decodeSessions(from reader: inout ByteReader, _ layout: StoredLayout) throws(CodingError) {
    sessions = try RowTable(from: &reader) { (reader) throws(CodingError) in try reader.stored(SessionRow(), layout) }
    freeSession = try reader.number()
    guard Int(freeSession) <= sessions.last else { throw reader.failure("a free session slot that is not there") }
    try linkSessions(reader)
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
