internal import HeapModule

extension PartitionState {
  /// Carries out the part of a change that concerns this partition. The one place where its state changes.
  ///
  /// A change was decided on this very state, live, or follows from the same log, at replay: what it names
  /// is there, and a program in which it is not must stop before it answers anything wrong.
  public mutating func apply(_ change: Change, lsn: LSN, header: RecordHeader) {
    self.lsn = lsn
    switch change {
    case .contactCreated(let id, let fields): createContact(id, fields, lsn, header.time)
    case .contactSet(let id, let field, _, let new):
      let serial = partitioning.serial(of: id)
      set(field, to: new, of: serial)
      touch(contact: serial, lsn)
    case .userCreated(let created): create(created, lsn, header.time)
    case .userSet(let id, let field, _, let new):
      let serial = partitioning.serial(of: id)
      set(field, to: new, of: serial)
      touch(user: serial, lsn)
    case .userRenamed(let id, let old, let new): rename(id, from: old, to: new, lsn)
    case .statusSet(let id, let old, let new): setStatus(partitioning.serial(of: id), from: old, to: new, lsn)
    case .accessSet(let id, let old, let new): setAccess(of: partitioning.serial(of: id), from: old, to: new, lsn)
    case .roleGranted(let id, let grant):
      let serial = partitioning.serial(of: id)
      setGrants(of: serial, Grant.list(grants(of: serial), adding: grant), lsn)
    case .roleRevoked(let id, let grant):
      let serial = partitioning.serial(of: id)
      setGrants(of: serial, Grant.list(grants(of: serial), removing: grant), lsn)
    case .workspaceJoined(let id, let workspace):
      let serial = partitioning.serial(of: id)
      setMemberships(of: serial, memberships(of: serial) + [workspace], lsn)
    case .workspaceLeft(let id, let workspace):
      let serial = partitioning.serial(of: id)
      setMemberships(of: serial, memberships(of: serial).filter { $0 != workspace }, lsn)
    case .noted: break
    case .mailQueued(let mail):
      mails[mail.id] = mail
      lastMail = max(lastMail, partitioning.serial(of: mail.id))
    case .sessionOpened(let opened): open(opened, lsn, header.time)
    case .sessionEnded(let id, _, _, let actorSession): end(id, actorSession)
    case .sessionSeen(let id, _, let time):
      guard let slot = slot(of: id) else { preconditionFailure("session \(id.raw) was seen but is not there") }
      sessions[slot].lastSeen = max(sessions[slot].lastSeen, time)
      // Not the later use that memory may know of: replay would not come to the same.
      sessions[slot].loggedSeen = max(sessions[slot].loggedSeen, time)
    case .timerStarted(let started):
      let serial = partitioning.serial(of: started.user)
      let key = TimerKey(user: serial, workspace: started.workspace)
      precondition(timers[key] == nil, "a second timer of user \(started.user.raw) in one workspace")
      timers[key] = RunningTimer(
        start: started.start, project: started.project, note: started.note, startedBy: header.author, lsn: lsn)
    case .timerStopped(let id, let workspace, let entry, let end):
      let serial = partitioning.serial(of: id)
      guard let timer = timers.removeValue(forKey: TimerKey(user: serial, workspace: workspace)) else {
        preconditionFailure("the timer of user \(id.raw) was stopped but does not run")
      }
      let content = EntryContent(start: timer.start, end: end, project: timer.project, note: timer.note)
      add(entry, of: serial, workspace, content, startedBy: timer.startedBy, header, lsn)
    case .entryAdded(let id, let user, let workspace, let content):
      let serial = partitioning.serial(of: user)
      add(id, of: serial, workspace, content, startedBy: header.author, header, lsn)
    case .entryCorrected(let id, _, let old, let new):
      let serial = partitioning.serial(of: id)
      remember(serial, old, header)
      entries[serial].start = new.start
      entries[serial].end = new.end
      var details = entries.details(of: serial)
      details[text: EntryTag.project] = new.project
      details[text: EntryTag.note] = new.note
      entries.setDetails(of: serial, details.bytes)
      entries[serial].version += 1
      entries[serial].lsn = lsn
    case .entryDeleted(let id, _):
      let serial = partitioning.serial(of: id)
      remember(serial, content(ofEntry: serial), header)
      entries[serial].isDeleted = true
      entries[serial].version += 1
      entries[serial].lsn = lsn
    case .answerKept(let answer):
      forgetAnswers(before: header.time)
      answers[answer.key] = RememberedAnswer(
        arguments: answer.arguments, reply: answer.reply, until: header.time + Limits.idempotencyLife, lsn: lsn)
    case .clockSet: forgetWhatEnds()
    case .workspaceCreated, .workspaceSet, .productCreated, .poolSet, .serviceCreated, .serviceDeleted, .snapshotTaken,
      .logArchived:
      preconditionFailure("a change that concerns no partition came to one")
    }
  }

  /// Notes that a session was used, in memory only; the log hears of it by `sessionSeen` from time to time.
  public mutating func see(slot: Int, at now: Milliseconds) {
    // Another lane may have read the clock a moment later and come first.
    if now > sessions[slot].lastSeen { sessions[slot].lastSeen = now }
  }

  // MARK: People

  private func isMine<Entity>(_ id: Identifier<Entity>) -> Bool { partitioning.partition(of: id) == index }

  private mutating func touch(user serial: Int, _ lsn: LSN) {
    users[serial].version += 1
    users[serial].lsn = lsn
  }

  private mutating func touch(contact serial: Int, _ lsn: LSN) {
    contacts[serial].version += 1
    contacts[serial].lsn = lsn
    // What a login decision reads of a person is ordered by one number, the user's.
    let user = Int(contacts[serial].user)
    if user != 0 { touch(user: user, lsn) }
  }

  private mutating func createContact(_ id: ContactID, _ fields: [ContactText], _ lsn: LSN, _ time: Milliseconds) {
    let serial = partitioning.serial(of: id)
    var row = ContactRow()
    row.created = time
    row.version = 1
    row.lsn = lsn
    var packed = ByteWriter()
    for text in fields {
      switch text.field {
      case .hired: row.hired = TimeText.dayNumber(text.text) ?? .min
      case .released: row.released = TimeText.dayNumber(text.text) ?? .min
      default:
        packed.textField(text.field.rawValue, text.text)
      }
    }
    contacts.put(row, at: serial)
    packed.withBytes { contacts.setDetails(of: serial, $0) }
  }

  private mutating func set(_ field: ContactField, to text: String, of serial: Int) {
    switch field {
    case .hired: contacts[serial].hired = TimeText.dayNumber(text) ?? .min
    case .released: contacts[serial].released = TimeText.dayNumber(text) ?? .min
    default:
      var details = contacts.details(of: serial)
      details[text: field.rawValue] = text
      contacts.setDetails(of: serial, details.bytes)
    }
  }

  private mutating func create(_ created: UserCreated, _ lsn: LSN, _ time: Milliseconds) {
    let key = NameKey(created.username, partitioning)
    if isMine(created.user) {
      let serial = partitioning.serial(of: created.user)
      var row = UserRow()
      row.created = time
      row.contact = UInt32(partitioning.serial(of: created.contact))
      row.version = 1
      row.lsn = lsn
      row.nameHash = key.hash
      row.status = created.status
      var packed = ByteWriter()
      packed.byte(UserTag.username)
      packed.text(created.username)
      for text in created.fields {
        if let flag = text.field.flag {
          if text.text == "1" { row.flags.insert(flag) }
        } else if !text.text.isEmpty {
          packed.byte(text.field.rawValue)
          packed.text(text.text)
        }
      }
      if created.workspaces != [mainWorkspace] {
        var list = ByteWriter()
        list.list(created.workspaces) { $0.varint($1) }
        packed.byte(UserTag.memberships)
        list.withBytes { packed.block($0) }
      }
      users.put(row, at: serial)
      packed.withBytes { users.setDetails(of: serial, $0) }
      contacts[Int(row.contact)].user = UInt32(serial)
      contacts[Int(row.contact)].lsn = lsn
      liveUsers += 1
    }
    if key.partition == index { enter(created.username, key, leadingTo: created.user) }
  }

  private mutating func rename(_ id: UserID, from old: String, to new: String, _ lsn: LSN) {
    let before = NameKey(old, partitioning)
    let after = NameKey(new, partitioning)
    // The index compares with the names in the rows: the old one must leave before the row changes.
    if before.partition == index { leave(old, before, by: id) }
    if isMine(id) {
      let serial = partitioning.serial(of: id)
      var details = users.details(of: serial)
      details[text: UserTag.username] = new
      users.setDetails(of: serial, details.bytes)
      users[serial].nameHash = after.hash
      touch(user: serial, lsn)
    }
    if after.partition == index { enter(new, after, leadingTo: id) }
  }

  private mutating func set(_ field: UserField, to text: String, of serial: Int) {
    if let flag = field.flag {
      if text == "1" { users[serial].flags.insert(flag) } else { users[serial].flags.remove(flag) }
    } else {
      var details = users.details(of: serial)
      details[text: field.rawValue] = text
      users.setDetails(of: serial, details.bytes)
    }
  }

  private mutating func setStatus(_ serial: Int, from old: Status, to new: Status, _ lsn: LSN) {
    users[serial].status = new
    touch(user: serial, lsn)
    let contact = Int(users[serial].contact)
    if new == .deleted, old != .deleted {
      liveUsers -= 1
      if contacts[contact].user == UInt32(serial) { contacts[contact].user = 0 }
      contacts[contact].lsn = lsn
    } else if old == .deleted, new != .deleted {
      liveUsers += 1
      contacts[contact].user = UInt32(serial)
      contacts[contact].lsn = lsn
    }
  }

  private mutating func setAccess(of serial: Int, from old: ProductAccess?, to new: ProductAccess?, _ lsn: LSN) {
    let list = ProductAccess.list(allAccess(of: serial), with: new, insteadOf: old)
    let compact = list.compactMap(\.compact)
    if list.count <= 2, compact.count == list.count {
      if users[serial].flags.contains(.manyProducts) {
        users[serial].flags.remove(.manyProducts)
        var details = users.details(of: serial)
        details.set(UserTag.access, UnsafeRawBufferPointer(start: nil, count: 0))
        users.setDetails(of: serial, details.bytes)
      }
      users[serial].access = (compact.first ?? 0, compact.count > 1 ? compact[1] : 0)
    } else {
      var details = users.details(of: serial)
      details.encode(UserTag.access) { $0.list(list) { $0.varint($1.packed) } }
      users.setDetails(of: serial, details.bytes)
      users[serial].flags.insert(.manyProducts)
      users[serial].access = (0, 0)
    }
    touch(user: serial, lsn)
  }

  private mutating func setGrants(of serial: Int, _ grants: [Grant], _ lsn: LSN) {
    var details = users.details(of: serial)
    if grants.isEmpty {
      details.set(UserTag.grants, UnsafeRawBufferPointer(start: nil, count: 0))
    } else {
      details.encode(UserTag.grants) { $0.list(grants) { $0.grant($1) } }
    }
    users.setDetails(of: serial, details.bytes)
    users[serial].roles = RoleSet(grants)
    touch(user: serial, lsn)
  }

  private mutating func setMemberships(of serial: Int, _ workspaces: [WorkspaceID], _ lsn: LSN) {
    var details = users.details(of: serial)
    details.encode(UserTag.memberships) { $0.list(workspaces) { $0.varint($1) } }
    users.setDetails(of: serial, details.bytes)
    touch(user: serial, lsn)
  }

  // MARK: Sessions

  private mutating func open(_ opened: SessionOpened, _ lsn: LSN, _ time: Milliseconds) {
    if let impersonation = opened.impersonation, isMine(impersonation.actorSession) {
      impersonations[impersonation.actorSession, default: []].append(opened.session)
    }
    guard isMine(opened.session) else { return }
    let serial = partitioning.serial(of: opened.session)
    let slot = SessionNumber.slot(serial)
    if freeSession == UInt32(slot) { freeSession = sessions.vacantRow(slot).next }
    let user = partitioning.serial(of: opened.user)
    var row = SessionRow()
    row.token = opened.token
    row.lsn = lsn
    row.created = time
    row.expires = opened.expires
    row.lastSeen = time
    row.loggedSeen = time
    row.idleSeconds = opened.idleSeconds
    row.generation = SessionNumber.generation(serial)
    row.user = UInt32(user)
    row.product = opened.product
    row.workspace = opened.workspace
    row.kind = opened.impersonation == nil ? .login : .impersonation
    row.isBound = opened.isBound
    row.next = users[user].sessions
    sessions.reuse(slot, for: row)
    if row.next != 0 { sessions[Int(row.next)].previous = UInt32(slot) }
    users.update(user) {
      $0.sessions = UInt32(slot)
      $0.sessionCount += 1
      if opened.impersonation == nil { $0.lastLogin = time }
    }
    if let impersonation = opened.impersonation {
      var details = Details()
      details.encode(Impersonation.tag) { impersonation.encode(&$0) }
      sessions.setDetails(of: slot, details.bytes)
    }
    sessionCount += 1
    watch(slot)
  }

  /// Enters a session's deadline, rounded up to a second.
  public mutating func watch(_ slot: Int) { deadlines.insert(Self.watchKey(&sessions[slot], slot: slot)) }

  static func watchKey(_ row: inout SessionRow, slot: Int) -> UInt64 {
    row.watched = UInt32(clamping: (row.deadline + 999) / 1000)
    return UInt64(row.watched) << 32 | UInt64(slot)
  }

  private mutating func end(_ id: SessionID, _ actorSession: SessionID?) {
    if let actorSession, isMine(actorSession), var list = impersonations[actorSession] {
      list.removeAll { $0 == id }
      impersonations[actorSession] = list.isEmpty ? nil : list
    }
    guard isMine(id) else { return }
    guard let slot = slot(of: id) else { preconditionFailure("session \(id.raw) ended twice") }
    let row = sessions[slot]
    if row.previous != 0 { sessions[Int(row.previous)].next = row.next }
    if row.next != 0 { sessions[Int(row.next)].previous = row.previous }
    users.update(Int(row.user)) {
      if row.previous == 0 { $0.sessions = row.next }
      $0.sessionCount -= 1
    }
    sessions.put(
      SessionRow(vacancy: UInt64(row.generation &+ 1) << 32 | UInt64(freeSession)), at: slot)
    freeSession = UInt32(slot)
    sessionCount -= 1
  }

  /// Ends all sessions, and forgets all answers, as their time is told by a clock that was wrong.
  private mutating func forgetWhatEnds() {
    if sessions.last > 0 {
      for slot in 1...sessions.last where sessions[slot].isUsed { end(sessionID(ofSlot: slot), nil) }
    }
    impersonations = [:]
    deadlines = Heap()
    answers = [:]
  }

  // MARK: Time

  private mutating func add(
    _ id: EntryID, of user: Int, _ workspace: WorkspaceID, _ content: EntryContent, startedBy: Author,
    _ header: RecordHeader, _ lsn: LSN
  ) {
    precondition(content.end >= content.start, "an entry that ends before it starts")
    let serial = partitioning.serial(of: id)
    let contact = Int(users[user].contact)
    var row = EntryRow()
    row.lsn = lsn
    row.created = header.time
    row.start = content.start
    row.end = content.end
    row.contact = UInt32(contact)
    row.user = UInt32(user)
    row.previous = contacts[contact].entries
    row.version = 1
    row.workspace = workspace
    entries.put(row, at: serial)
    contacts[contact].entries = UInt32(serial)
    var packed = ByteWriter()
    packed.textField(EntryTag.project, content.project)
    packed.textField(EntryTag.note, content.note)
    packed.shortField(EntryTag.startedBy) { startedBy.encode(&$0) }
    packed.shortField(EntryTag.stoppedBy) { header.author.encode(&$0) }
    packed.textField(EntryTag.reason, header.reason)
    packed.withBytes { entries.setDetails(of: serial, $0) }
  }

  /// Keeps what an entry said before a correction.
  private mutating func remember(_ serial: Int, _ content: EntryContent, _ header: RecordHeader) {
    history[UInt32(serial), default: []].append(
      EntryVersion(
        version: entries[serial].version, time: header.time, by: header.author, reason: header.reason,
        content: content, isDeleted: entries[serial].isDeleted))
  }

  private mutating func forgetAnswers(before now: Milliseconds) {
    // Looked through only when the number has doubled since: a constant cost an answer.
    guard answers.count >= answersToSweep else { return }
    answers = answers.filter { $0.value.until > now }
    answersToSweep = max(1024, answers.count * 2)
  }
}
