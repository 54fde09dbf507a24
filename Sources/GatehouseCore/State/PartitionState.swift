internal import HeapModule

/// All that one partition owns: a value, mutated by `apply` alone.
///
/// It is copied for a snapshot by `copy()` and nowhere else: were it implicitly copyable, reading a field of
/// a partition through a method would copy two dozen references, and did, in a fifth of a login check's time.
public struct PartitionState: ~Copyable, Sendable {
  public let partitioning: Partitioning
  /// The partition's number.
  public let index: Int
  /// The last record that changed this partition. An absence that was read depends on it.
  public internal(set) var lsn: LSN = 0

  public internal(set) var contacts = RowTable<ContactRow>()
  public internal(set) var users = RowTable<UserRow>()
  /// Users of this partition whose name belongs here and is theirs alone: nearly all.
  public internal(set) var names = NameIndex()
  /// Names that belong here and lead to a user of another partition, or to several users, by folded name.
  public internal(set) var otherNames: [String: [NameHolder]] = [:]

  public internal(set) var sessions = RowTable<SessionRow>()
  public internal(set) var sessionCount = 0
  /// First free session slot, linked through `next`; 0 for none.
  public internal(set) var freeSession: UInt32 = 0
  /// Whether names are where the tables of another version of Unicode put them; see `SettlingNames`. It stands here in
  /// the room that the number before it leaves: a state of more than 256 bytes costs more to look at.
  public internal(set) var hasUnsettledNames = false
  /// Impersonations by the actor's login, which is a session of this partition; they themselves may live elsewhere.
  public internal(set) var impersonations: [SessionID: [SessionID]] = [:]
  /// When to look at which session: deadline in seconds above, slot below. Derived; a deadline that has moved
  /// since is found out when its time comes.
  var deadlines = Heap<UInt64>()
  /// The most deadlines there were since the heap was last made smaller.
  var mostDeadlines = 0

  public internal(set) var timers: [TimerKey: RunningTimer] = [:]
  public internal(set) var entries = RowTable<EntryRow>()
  public internal(set) var history: [UInt32: [EntryVersion]] = [:]

  public internal(set) var mails: [MailID: Mail] = [:]
  public internal(set) var lastMail = 0
  public internal(set) var answers: [Digest: RememberedAnswer] = [:]
  /// The number of answers at which those that are too old are looked for.
  var answersToSweep = 1024
  /// Users that are not deleted.
  public internal(set) var liveUsers = 0

  public init(index: Int, partitioning: Partitioning) {
    self.index = index
    self.partitioning = partitioning
  }

  /// The state as it is now, sharing all pages until one of the two changes them.
  public mutating func copy() -> PartitionState {
    var copy = PartitionState(index: index, partitioning: partitioning)
    copy.lsn = lsn
    copy.contacts = contacts.copy()
    copy.users = users.copy()
    copy.names = names
    copy.otherNames = otherNames
    copy.hasUnsettledNames = hasUnsettledNames
    copy.sessions = sessions.copy()
    copy.sessionCount = sessionCount
    copy.freeSession = freeSession
    copy.impersonations = impersonations
    copy.deadlines = deadlines
    copy.timers = timers
    copy.entries = entries.copy()
    copy.history = history
    copy.mails = mails
    copy.lastMail = lastMail
    copy.answers = answers
    copy.answersToSweep = answersToSweep
    copy.liveUsers = liveUsers
    return copy
  }
}

/// An answer under an idempotency key, and until when it is remembered.
public struct RememberedAnswer: Sendable, StoredValue {
  public internal(set) var arguments = Digest.zero
  public internal(set) var reply = Reply()
  public internal(set) var until: Milliseconds = 0
  public internal(set) var lsn: LSN = 0

  mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try visitor.value(&arguments, as: DigestForm.self)
    try visitor.value(&reply, as: ReplyForm.self)
    try visitor.value(&until, as: TimeForm.self)
    try visitor.value(&lsn, as: NumberForm<LSN>.self)
  }
}

extension PartitionState {
  /// Carries out the part of a change that concerns this partition. The one way in which its state changes.
  public mutating func apply(_ change: AnyChange, lsn: LSN, header: RecordHeader) {
    self.lsn = lsn
    change.apply(to: &self, lsn: lsn, header: header)
  }

  /// Notes that a session was used, in memory only; the log hears of it by `SessionSeen` from time to time.
  public mutating func see(slot: Int, at now: Milliseconds) {
    // Another lane may have read the clock a moment later and come first.
    if now > sessions[slot].lastSeen { sessions[slot].lastSeen = now }
  }

  func isMine<Entity>(_ id: Identifier<Entity>) -> Bool { partitioning.partition(of: id) == index }
}

// MARK: - Reading

extension PartitionState {
  public func id<Entity>(_ serial: Int) -> Identifier<Entity> { partitioning.id(serial: serial, partition: index) }

  /// The serial number of a user of this partition; nil where the id was never given out.
  public func serial(of id: UserID) -> Int? {
    let serial = partitioning.serial(of: id)
    return users.contains(serial) && users[serial].isUsed ? serial : nil
  }

  public func serial(of id: ContactID) -> Int? {
    let serial = partitioning.serial(of: id)
    return contacts.contains(serial) && contacts[serial].isUsed ? serial : nil
  }

  public func serial(of id: EntryID) -> Int? {
    let serial = partitioning.serial(of: id)
    return entries.contains(serial) && entries[serial].isUsed ? serial : nil
  }

  /// The slot that a session has, or had, by its id alone.
  @inline(__always)
  func slot(at id: SessionID) -> Int? {
    let slot = SessionNumber.slot(partitioning.serial(of: id))
    return sessions.contains(slot) ? slot : nil
  }

  /// The slot of a session that has not ended.
  @inline(__always)
  public func slot(of id: SessionID) -> Int? {
    let serial = partitioning.serial(of: id)
    let slot = SessionNumber.slot(serial)
    guard sessions.contains(slot), sessions[slot].isUsed,
      sessions[slot].generation == SessionNumber.generation(serial)
    else { return nil }
    return slot
  }

  public func sessionID(ofSlot slot: Int) -> SessionID {
    SessionNumber.id(slot: slot, generation: sessions[slot].generation, partition: index, partitioning)
  }

  /// The user of this partition that a folded name leads to.
  @inline(__always)
  public func localUser(folded: UnsafeRawBufferPointer, hash: UInt32) -> Int? {
    names.find(hash) { serial in
      users.withDetails(of: serial) { Self.isName(in: $0, folded) }
    }
  }

  /// The users that a folded name of this partition leads to: none, one, or those of whom a spelling means one.
  public func holders(folded: UnsafeRawBufferPointer, hash: UInt32) -> [NameHolder] {
    if let serial = localUser(folded: folded, hash: hash) {
      return [NameHolder(user: id(serial), name: username(serial))]
    }
    return otherHolders(folded: folded)
  }

  /// The users that a folded name leads to, where it is not one of this partition alone.
  func otherHolders(folded: UnsafeRawBufferPointer) -> [NameHolder] {
    if otherNames.isEmpty { return [] }
    return otherNames[String(decoding: folded, as: UTF8.self)] ?? []
  }

  /// Whether the username in a user's details reads the same as a folded name.
  private static func isName(in details: UnsafeRawBufferPointer, _ folded: UnsafeRawBufferPointer) -> Bool {
    guard let stored = Details.field(UserTag.username, in: details) else { return false }
    if sameBytes(stored, folded) { return true }
    return FoldedName.withFolded(stored) { sameBytes($0, folded) }
  }

  public func username(_ serial: Int) -> String {
    users.withDetails(of: serial) { Details.text(UserTag.username, in: $0) }
  }

  // MARK: Product access

  /// The user's access to a product, if it ever had any.
  @inline(__always)
  public func access(of serial: Int, to product: ProductID) -> ProductAccess? {
    let row = users[serial]
    if row.flags.contains(.manyProducts) {
      return allAccess(of: serial).first { $0.product == product }
    }
    if row.access.0 >> 16 == product { return ProductAccess(compact: row.access.0) }
    if row.access.1 >> 16 == product { return ProductAccess(compact: row.access.1) }
    return nil
  }

  public func allAccess(of serial: Int) -> [ProductAccess] {
    let row = users[serial]
    if row.flags.contains(.manyProducts) {
      let list = try? users.details(of: serial).decode(UserTag.access) { (reader) throws(CodingError) in
        try reader.list { (reader) throws(CodingError) in ProductAccess(packed: try reader.number()) }
      }
      return list ?? []
    }
    return [row.access.0, row.access.1].filter { $0 != 0 }.map { ProductAccess(compact: $0) }
  }

  // MARK: Grants and memberships

  public func grants(of serial: Int) -> [Grant] {
    guard users[serial].roles.bits != 0 else { return [] }
    let list = try? users.details(of: serial).decode(UserTag.grants) { (reader) throws(CodingError) in
      try reader.list { (reader) throws(CodingError) in try reader.grant() }
    }
    return list ?? []
  }

  public func memberships(of serial: Int) -> [WorkspaceID] {
    let list = try? users.details(of: serial).decode(UserTag.memberships) { (reader) throws(CodingError) in
      try reader.list { (reader) throws(CodingError) in try reader.number(WorkspaceID.self) }
    }
    return list ?? [mainWorkspace]
  }

  public func isMember(_ serial: Int, of workspace: WorkspaceID) -> Bool {
    users.withDetails(of: serial) { raw in
      guard let field = Details.field(UserTag.memberships, in: raw) else { return workspace == mainWorkspace }
      var reader = ByteReader(field)
      let list = try? reader.list { (reader) throws(CodingError) in try reader.number(WorkspaceID.self) }
      return list?.contains(workspace) ?? false
    }
  }

  // MARK: Fields

  /// A contact's field as it is shown; empty where it is not set.
  public func text(_ field: ContactField, of contact: Int) -> String {
    let row = contacts[contact]
    switch field {
    case .hired: return row.hired == .min ? "" : TimeText.text(ofDay: row.hired)
    case .released: return row.released == .min ? "" : TimeText.text(ofDay: row.released)
    default: return contacts.withDetails(of: contact) { Details.text(field.rawValue, in: $0) }
    }
  }

  public func text(_ field: UserField, of user: Int) -> String {
    if let flag = field.flag { return users[user].flags.contains(flag) ? "1" : "0" }
    return users.withDetails(of: user) { Details.text(field.rawValue, in: $0) }
  }

  // MARK: Sessions

  /// The ids of a user's sessions that have not ended, newest first.
  public func sessionIDs(of user: Int) -> [SessionID] {
    var found: [SessionID] = []
    var slot = Int(users[user].sessions)
    while slot != 0 {
      found.append(sessionID(ofSlot: slot))
      slot = Int(sessions[slot].next)
    }
    return found
  }

  public func impersonation(ofSlot slot: Int) -> Impersonation? {
    guard sessions[slot].kind == .impersonation else { return nil }
    let decoded = try? sessions.details(of: slot).decode(Impersonation.tag) { (reader) throws(CodingError) in
      try Impersonation(from: &reader)
    }
    return decoded ?? nil
  }

  /// The id that the next session gets.
  public func nextSession() -> SessionID {
    let slot = freeSession != 0 ? Int(freeSession) : sessions.last + 1
    let generation = freeSession != 0 ? sessions.vacantRow(slot).generation : 0
    return SessionNumber.id(slot: slot, generation: generation, partition: index, partitioning)
  }

  // MARK: Entries

  public func content(ofEntry serial: Int) -> EntryContent {
    let row = entries[serial]
    return entries.withDetails(of: serial) { raw in
      EntryContent(
        start: row.start, end: row.end, project: Details.text(EntryTag.project, in: raw),
        note: Details.text(EntryTag.note, in: raw))
    }
  }

  public func author(_ tag: UInt8, ofEntry serial: Int) -> Author? {
    let decoded = try? entries.details(of: serial).decode(tag) { (reader) throws(CodingError) in
      try Author(from: &reader)
    }
    return decoded ?? nil
  }

  /// A user's running timers, by workspace: there is one at most in each that the user is a member of.
  public func timers(of user: Int) -> [(workspace: WorkspaceID, timer: RunningTimer)] {
    if timers.isEmpty { return [] }
    return memberships(of: user).sorted().compactMap { workspace in
      timers[TimerKey(user: user, workspace: workspace)].map { (workspace, $0) }
    }
  }

  /// Whether time is recorded for a user in some workspaces: a running timer, or an entry that is not deleted (T11).
  public func hasTrackedTime(_ user: Int, where counts: (WorkspaceID) -> Bool) -> Bool {
    if timers(of: user).contains(where: { counts($0.workspace) }) { return true }
    var entry = Int(contacts[Int(users[user].contact)].entries)
    while entry != 0 {
      let row = entries[entry]
      if row.user == UInt32(user), !row.isDeleted, counts(row.workspace) { return true }
      entry = Int(entries[entry].previous)
    }
    return false
  }
}
