extension CommandTable {
  static let auditCommands: [CommandSpec] = [
    CommandSpec(
      "AUDIT.LIST", .audit, "The audit trail, newest first",
      [
        .option("USER", "user"), .option("ACTOR", "user"), .option("ENTITY", parts: ["kind", "name"]),
        .option("COMMAND", "command"), .option("SERVICE", "service"), .option("WORKSPACE", "workspace"),
        .option("FROM", "time"), .option("TO", "time"),
        .option("CURSOR", "cursor"), .option("COUNT", "n", .integer),
      ],
      reply:
        "`[cursor, items]`; maps `lsn, time, actor, subject, service, command, reason, changes, names`; `names` has the"
        + " usernames of the people in the changes, by `user #12` and `contact #34`. `service` is the name of the service,"
        + " or `#id` for who may not read the whole trail; `local` where a connection acted for which no service and"
        + " nobody's session stands; null where a session acted without a service, or the server by itself. What is"
        + " deleted keeps what it was as old values. `ENTITY` takes a kind"
        + " (\(Turn.trailEntities.joined(separator: ", "))) and a name or `#id`, `COMMAND` the name of the"
        + " command that was run, and `SERVICE` the name of the service that was connected, or `local`; these three look"
        + " through a bounded number of records at a time, so that a page can be empty and not the last. Of what happened in"
        + " workspaces that the caller may not read nothing is shown, and changes of who somebody is are the business of"
        + " the home that the user had then; who acted from there stands as `#id`, without the"
        + " reason, and so do services for who may not read the whole trail. What is about super administrators only super"
        + " administrators are shown", rights: .admin,
      needs: .permission(.auditRead, over: .anything), route: .directory,
      body: .decide(listTrail)),
    CommandSpec(
      "AUDIT.HEAD", .audit, "The newest record, with a hash to be kept elsewhere", [],
      reply:
        "a map `lsn, hash`: the hash proves that record and all before it. Kept where nobody who can write the data folder"
        + " can reach it, it tells `AUDIT.VERIFY AGAINST` later whether anything up to it was changed or cut off",
      rights: .admin, needs: .permission(.serverManage, over: .server), route: .directory, body: .decide(showHead)),
    CommandSpec(
      "AUDIT.VERIFY", .audit, "Walk the chain of hashes of the log and its archive",
      [.option("FROM", "lsn", .integer), .option("AGAINST", parts: ["lsn", "hash"])],
      reply:
        "a map `ok, from, through, frames, records, deleted-through, problem`. `AGAINST` holds the chain against what `AUDIT.HEAD` has"
        + " answered before: also after an archiving, a backup and a restore. Records up to `deleted-through` were deleted"
        + " when their time was over, as the changes `archive-deleted` in the trail say; any others that are missing are a"
        + " problem", rights: .admin,
      needs: .permission(.serverManage, over: .server), route: .directory, body: .decide(verifyTrail)),
  ]

  private static func listTrail(_ turn: Turn) throws(Halt) {
    let user = try turn.optionWord("USER").map { (word) throws(Halt) in try turn.recordedUser(word) }
    if let user, turn.reach(of: .auditRead, notBelow: user).isEmpty {
      throw .refused(.noPermission("the role super-administrator, to read about a super administrator"))
    }
    var reach = user.map { AuditReach(turn, of: $0) } ?? AuditReach(turn)
    if turn.has("WORKSPACE") { reach.narrow(to: try turn.workspace().id) }
    let filter = try turn.trailFilter()
    var work = ReadTrail()
    work.keys = reach.keys(in: turn.directory)
    if let keys = filter.entity?.keys, !keys.isEmpty { work.keys = keys }
    if let word = turn.optionWord("ACTOR") {
      // Under whichever login: it is one person who did it (S12, L13).
      let actors = try turn.logins(ofPerson: try turn.user(word)).map(\.id)
      work.actors = Set(actors)
      work.keys = actors.map(RecordKey.ofActor)
    }
    if let user { work.keys = try turn.trailKeys(of: user) }
    work.from = try turn.time("FROM")
    work.to = try turn.time("TO")
    work.cursor = try turn.cursor(of: 1)?.numbers[0]
    let count = try turn.listCount()
    // Much of what is read may be filtered out.
    let isWhole = reach.isAll && filter.isOpen && !turn.mindsRank(.auditRead)
    work.count = isWhole ? count : max(count, Limits.recordsOfTrail)
    switch try turn.outcome(of: work) {
    case .success(let whole):
      let page = isWhole ? whole : try turn.readable(whole, reach, filter, count)
      reach.cleared = try turn.cleared(in: page.events.flatMap(\.part.changes))
      turn.reply.show(page, try turn.people(in: page.events, reach), reach, turn.directory)
    case .failure(let refusal): throw .refused(refusal)
    }
  }

  private static func verifyTrail(_ turn: Turn) throws(Halt) {
    let first = try turn.integer("FROM", in: 1...Int.max) ?? 1
    let head = try turn.head("AGAINST")
    if let head, head.lsn < LSN(first) {
      throw .refused(.syntax("FROM must not be behind the record of AGAINST: what is before it would not be looked at"))
    }
    switch try turn.outcome(of: VerifyTrail(from: LSN(first), against: head)) {
    case .success(let report):
      guard first <= 1 || report.problem != nil || report.through >= LSN(first) else {
        throw .refused(.syntax("FROM \(first): there is no such record yet; AUDIT.HEAD names the newest"))
      }
      turn.reply.show(report)
    case .failure(let refusal): throw .refused(refusal)
    }
  }

  private static func showHead(_ turn: Turn) throws(Halt) {
    switch try turn.outcome(of: ReadHead()) {
    case .success(let head):
      turn.reply.map(2)
      turn.reply.text("lsn")
      turn.reply.integer(head.lsn)
      turn.reply.text("hash")
      turn.reply.text(head.hash)
    case .failure(let refusal): throw .refused(refusal)
    }
  }
}

extension Turn {
  /// A head as `AUDIT.HEAD` answers it, given as an option.
  fileprivate func head(_ token: String) throws(Halt) -> TrailHead? {
    guard let words = try options(token).first else { return nil }
    let lsn = try Turn.integer(words[0], "lsn", in: 0...Int.max)
    let hash = words[1].lowercased()
    let digits = Set("0123456789abcdef".utf8)
    guard hash.utf8.count == 32, hash.utf8.allSatisfy(digits.contains) else {
      throw .refused(.syntax("hash must be 32 hexadecimal digits, as AUDIT.HEAD answers it"))
    }
    return TrailHead(lsn: LSN(lsn), hash: hash)
  }

  /// The readable part of a page: at most `count` events, fewer if most may not be read. The next page continues after
  /// them.
  ///
  /// - Parameter filter: what they must be about; what the caller may not read does not make them so.
  fileprivate func readable(
    _ whole: TrailPage, _ reach: AuditReach, _ filter: TrailFilter, _ count: Int
  ) throws(Halt) -> TrailPage {
    let facts = try subjectFacts(of: whole.events.flatMap(\.part.changes), for: reach) { (partition) throws(Halt) in
      try cell(partition)
    }
    var page = TrailPage()
    for event in whole.events {
      let changes = event.part.changes.filter { reach.shows($0, at: event.lsn, facts, in: directory) }
      if changes.isEmpty, !reach.isAll || !event.part.changes.isEmpty { continue }
      // The changes of one record took effect together, so they stay on one page.
      if page.events.count >= count, event.lsn != page.events.last?.lsn {
        page.next = event.lsn
        return page
      }
      var part = event.part
      part.changes = changes
      if !filter.passes(part) { continue }
      page.events.append(TrailEvent(lsn: event.lsn, part: part))
    }
    page.next = whole.next
    return page
  }

  /// Finds out what decides whether changes may be read: in which workspaces their subjects are, if the changes do not say
  /// so, and which of them have more power than the reader.
  ///
  /// - Parameter permission: by which they are read.
  /// - Parameter cell: returns one of the held partitions.
  func subjectFacts(
    of changes: [AnyChange], for reach: AuditReach, by permission: Permission = .auditRead,
    in cell: (Int) throws(Halt) -> HeldPartition
  ) throws(Halt) -> AuditReach.SubjectFacts {
    var users: Set<UserID> = []
    var contacts: Set<ContactID> = []
    var entries: Set<EntryID> = []
    let mindsRank = mindsRank(permission)
    if !reach.isAll || mindsRank {
      for change in changes {
        AuditReach.questions(change, users: &users, contacts: &contacts, entries: &entries)
      }
    }
    let subjects = AuditReach.people(of: mindsRank ? changes : [])
    try hold(
      users.union(subjects.users).map { partitioning.partition(of: $0) }
        + contacts.union(subjects.contacts).map { partitioning.partition(of: $0) }
        + entries.map { partitioning.partition(of: $0) })
    var facts = AuditReach.SubjectFacts()
    for id in users {
      let cell = try cell(partitioning.partition(of: id))
      facts.homes[id] = cell.state.homes(of: id)
    }
    for id in contacts {
      let cell = try cell(partitioning.partition(of: id))
      facts.contactHomes[id] = cell.state.homes(of: id)
    }
    for id in entries {
      let cell = try cell(partitioning.partition(of: id))
      facts.entries[id] = cell.state.serial(of: id).map { serial in
        let entry = cell.state.time.entries[serial]
        return (entry.workspace, cell.state.id(Int(entry.user)))
      }
    }
    for id in subjects.users {
      let cell = try cell(partitioning.partition(of: id))
      guard let serial = cell.state.serial(of: id) else { continue }
      // Whose it is by now (L13).
      let person = try successor(of: UserReference(id: id, cell: cell, serial: serial))
      let limit = self.reach(of: permission, notBelow: person)
      if !limit.isAll { facts.reaches[id] = limit }
    }
    for id in subjects.contacts {
      let cell = try cell(partitioning.partition(of: id))
      guard let serial = cell.state.serial(of: id),
        let user = try successor(of: ContactReference(id: id, cell: cell, serial: serial)).newestLogin
      else { continue }
      let limit = self.reach(of: permission, notBelow: user)
      if !limit.isAll { facts.contactReaches[id] = limit }
    }
    return facts
  }

  /// Those who act in some events and those who stand in their changes, as far as the caller knows them.
  func people(in events: [TrailEvent], _ reach: AuditReach) throws(Halt) -> TrailPeople {
    var users = Set(events.compactMap(\.part.header.actor) + events.compactMap(\.part.header.subject))
    var contacts: Set<ContactID> = []
    // One record may be about thousands. Of so many a list has the ids.
    for event in events where users.count + contacts.count < Limits.namesOfTrail {
      let subjects = AuditReach.people(of: event.part.changes, withNamed: true)
      users.formUnion(subjects.users)
      contacts.formUnion(subjects.contacts)
    }
    return try people(users, contacts, reach)
  }

  /// Those who stand in changes, as far as the caller knows them; nobody if they are too many.
  func people(in changes: [AnyChange], _ reach: AuditReach) throws(Halt) -> TrailPeople {
    let subjects = AuditReach.people(of: changes, withNamed: true)
    guard subjects.users.count + subjects.contacts.count <= Limits.namesOfTrail else { return TrailPeople() }
    return try people(subjects.users, subjects.contacts, reach)
  }

  private func people(
    _ users: Set<UserID>, _ contacts: Set<ContactID>, _ reach: AuditReach
  ) throws(Halt) -> TrailPeople {
    try hold(users.map { partitioning.partition(of: $0) } + contacts.map { partitioning.partition(of: $0) })
    var people = TrailPeople()
    for id in users {
      if let user = try user(id), !isStranger(user, in: reach.reach) { people.names[id] = user.username }
    }
    for id in contacts {
      if let user = try contact(id)?.newestLogin, !isStranger(user, in: reach.reach) {
        people.contacts[id] = user.username
      }
    }
    return people
  }
}

/// The people of a page of the trail whom its reader knows (W4).
struct TrailPeople {
  var names: [UserID: String] = [:]
  /// The names of the newest logins.
  var contacts: [ContactID: String] = [:]

  /// The names of those in changes, by what stands for them there: `user #12`, `contact #34`.
  func names(in changes: [AnyChange]) -> [(entity: String, name: String)] {
    let subjects = AuditReach.people(of: changes, withNamed: true)
    let users = subjects.users.sorted().compactMap { id in
      names[id].map { (UserForm.entity(id, in: nil), $0) }
    }
    return users
      + subjects.contacts.sorted().compactMap { id in contacts[id].map { (ContactForm.entity(id, in: nil), $0) } }
  }

  /// `#id` stands for others, and for users that do not exist.
  func name(of user: UserID) -> String { names[user] ?? "#\(user.raw)" }

  /// The reason for a command; nil if it is by another workspace's people or service.
  func reason(of header: RecordHeader, _ reach: AuditReach, _ directory: Directory) -> String? {
    if header.reason.isEmpty { return nil }
    if reach.isAll { return header.reason }
    let isKnown = [header.actor, header.subject].compactMap { $0 }.allSatisfy { names[$0] != nil }
    return isKnown && reach.meets(directory.service(header.service)?.workspaces) ? header.reason : nil
  }
}

extension Reply {
  /// `[cursor, items]`.
  fileprivate mutating func show(
    _ page: TrailPage, _ people: TrailPeople, _ reach: AuditReach, _ directory: Directory
  ) {
    array(2)
    text(page.next.map(String.init) ?? ListCursor.end)
    array(page.events.count)
    for event in page.events { show(event, people, reach, directory) }
  }

  /// - Parameter type: what the feed calls the event.
  mutating func show(
    _ event: TrailEvent, _ people: TrailPeople, _ reach: AuditReach, _ directory: Directory, type: String? = nil
  ) {
    let header = event.part.header
    map(type == nil ? 9 : 10)
    text("lsn")
    integer(event.lsn)
    text("time")
    integer(header.time)
    if let type {
      text("type")
      text(type)
    }
    text("actor")
    optional(header.actor.map(people.name(of:)))
    text("subject")
    optional(header.subject.map(people.name(of:)))
    text("service")
    let service = directory.service(header.service)
    // Services are the operator's, who alone learns their names.
    let isShown = service?.name != nil && reach.isAll
    if header.service == 0 {
      optional(header.isLocal ? ServiceIdentity.localName : nil)
    } else {
      optional(isShown ? service?.name : "#\(header.service)")
    }
    text("command")
    text(header.command)
    text("reason")
    optional(people.reason(of: header, reach, directory))
    text("changes")
    array(event.part.changes.count)
    for change in event.part.changes { show(reach.text(of: change, in: directory)) }
    show(names: people.names(in: event.part.changes))
  }

  /// The usernames of people by what stands for them in changes.
  mutating func show(names: [(entity: String, name: String)]) {
    text("names")
    map(names.count)
    for person in names {
      text(person.entity)
      text(person.name)
    }
  }

  mutating func show(_ change: ChangeText) {
    map(3)
    text("change")
    text(change.kind)
    text("entity")
    text(change.entity)
    text("fields")
    array(change.fields.count)
    for field in change.fields {
      map(3)
      text("name")
      text(field.name)
      text("old")
      optional(field.old)
      text("new")
      optional(field.new)
    }
  }

  fileprivate mutating func show(_ report: TrailReport) {
    map(7)
    text("ok")
    flag(report.problem == nil)
    text("from")
    integer(report.from)
    text("through")
    integer(report.through)
    text("frames")
    integer(report.frames)
    text("records")
    integer(report.records)
    text("deleted-through")
    optional(report.deletedThrough)
    text("problem")
    optional(report.problem)
  }
}
