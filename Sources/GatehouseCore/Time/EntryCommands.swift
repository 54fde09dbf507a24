extension CommandTable {
  private static let entryFields =
    "`entry, user, username, workspace, project, note, start, end, started-by, started-as, stopped-by, stopped-as, "
    + "version, deleted`"

  static let entryCommands: [CommandSpec] = [
    CommandSpec(
      "ENTRY.ADD", .timer, "Record time that was worked without a timer",
      [
        .word("user"), .mandatory("START", "time", .time), .mandatory("END", "time", .time),
        .option("WORKSPACE", "workspace"), .option("PROJECT", "project"), .option("NOTE", "text"),
      ],
      reply: "the entry, a map \(entryFields); `-as` is the person as whom, where `-by` was impersonating, else null",
      effect: .write, rights: .timers,
      needs: .permission(.entryCorrect, over: .member(1), own: .timerOwn), route: .user(1), body: .decide(entryAdd)),
    CommandSpec(
      "ENTRY.CORRECT", .timer, "Correct an entry; the old version stays in its history",
      [
        .word("entry", .integer), .option("START", "time", .time), .option("END", "time", .time),
        .option("PROJECT", "project"), .option("NOTE", "text"),
      ],
      reply: "the entry as `ENTRY.ADD`, with its new version; the same version if nothing differs", effect: .write,
      isVersioned: true,
      rights: .timers, needs: .permission(.entryCorrect, over: .entry(1), own: .timerOwn), route: .identifier(1),
      body: .decide(entryCorrect)),
    CommandSpec(
      "ENTRY.DELETE", .timer, "Delete an entry; its history stays", [.word("entry", .integer)],
      reply: "the entry as `ENTRY.ADD`, with `deleted` 1", effect: .write, isVersioned: true, rights: .timers,
      needs: .permission(.entryCorrect, over: .entry(1), own: .timerOwn), route: .identifier(1),
      body: .decide(entryDelete)),
    CommandSpec(
      "ENTRY.GET", .timer, "An entry by its id", [.word("entry", .integer)],
      reply: "the entry as `ENTRY.ADD`, or `NOTFOUND entry #id`, also for a deleted one",
      needs: .permission(.timeRead, over: .entry(1), own: .timeRead), route: .identifier(1), body: .decide(entryGet)),
    CommandSpec(
      "ENTRY.HISTORY", .timer, "Every version of an entry, oldest first, deleted ones too",
      [.word("entry", .integer)],
      reply: "an array of maps `version, time, by, as, reason, project, note, start, end, deleted`: what each version "
        + "says, and who made it, when and why; `as` is the person as whom, where `by` was impersonating, else null",
      needs: .permission(.timeRead, over: .entry(1), own: .timeRead), route: .identifier(1),
      body: .decide(entryHistory)),
    CommandSpec(
      "ENTRY.LIST", .timer, "The entries of a person, newest first, including those of earlier logins",
      [
        .word("user"), .option("FROM", "time", .time), .option("TO", "time", .time),
        .option("WORKSPACE", "workspace"), .option("CURSOR", "cursor"), .option("COUNT", "count", .integer),
      ],
      reply: "`[cursor, items]`, the items as `ENTRY.ADD`; with `FROM` and `TO` those that overlap `[FROM, TO)`",
      needs: .permission(.timeRead, over: .recorded(1), own: .timeRead), route: .user(1), body: .decide(entryList)),
  ]

  // MARK: Writing

  @Sendable private static func entryAdd(_ turn: Turn) throws(Halt) {
    let user = try turn.user(1)
    let workspace = try turn.workspaceID()
    try turn.requireAccountTools(over: user, in: workspace)
    try turn.requireTimekeeper(user, in: workspace)
    let content = try turn.content(
      over: EntryContent(start: turn.now, end: turn.now, project: "", note: ""))
    let id = turn.newEntry(in: user.cell)
    turn.emit(EntryAdded(id, user.id, workspace, content))
    try turn.show(
      EntryView(
        id: id, user: user, workspace: workspace, content: content, startedBy: turn.author,
        startedAs: turn.impersonatedUser, stoppedBy: turn.author, stoppedAs: turn.impersonatedUser, version: 1,
        isDeleted: false))
  }

  @Sendable private static func entryCorrect(_ turn: Turn) throws(Halt) {
    guard let (cell, serial) = try turn.entry(1), !cell.state.time.entries[serial].isDeleted else {
      throw .refused(.notFound("entry\(turn.repeatedID(1))"))
    }
    try turn.requireWriting(cell, serial)
    guard ["START", "END", "PROJECT", "NOTE"].contains(where: { turn.has($0) }) else {
      throw .refused(.syntax("nothing to correct; give START, END, PROJECT or NOTE"))
    }
    let old = cell.state.time.content(of: serial)
    let new = try turn.content(over: old)
    if new == old { return try turn.show(EntryView(cell, serial)) }
    try turn.requireRoom(cell, serial)
    turn.emit(
      EntryCorrected(
        cell.state.id(serial), cell.state.id(Int(cell.state.time.entries[serial].user)), old: old, new: new))
    try turn.show(EntryView(cell, serial, next: new))
  }

  @Sendable private static func entryDelete(_ turn: Turn) throws(Halt) {
    guard let (cell, serial) = try turn.entry(1), !cell.state.time.entries[serial].isDeleted else {
      throw .refused(.notFound("entry\(turn.repeatedID(1))"))
    }
    try turn.requireWriting(cell, serial)
    let user: UserID = cell.state.id(Int(cell.state.time.entries[serial].user))
    turn.emit(EntryDeleted(cell.state.id(serial), user, cell.state.time.content(of: serial)))
    try turn.show(EntryView(cell, serial, deleting: true))
  }

  // MARK: Reading

  @Sendable private static func entryGet(_ turn: Turn) throws(Halt) {
    guard let (cell, serial) = try turn.entry(1), !cell.state.time.entries[serial].isDeleted else {
      throw .refused(.notFound("entry\(turn.repeatedID(1))"))
    }
    try turn.show(EntryView(cell, serial))
  }

  @Sendable private static func entryHistory(_ turn: Turn) throws(Halt) {
    guard let (cell, serial) = try turn.entry(1) else { throw .refused(.notFound("entry\(turn.repeatedID(1))")) }
    let row = cell.state.time.entries[serial]
    let current = EntryView(cell, serial)
    let before = cell.state.time.history[UInt32(serial)] ?? []
    let impersonated = cell.state.time.impersonated(of: serial)
    try turn.hold(authorsOf: before.map(\.by) + [current.stoppedBy] + impersonated.values.map(Author.user))
    turn.reply.array(before.count + 1)
    // The author of a version is whoever corrected the one before it.
    var time = row.created
    var by = current.stoppedBy
    var reason = cell.state.time.entries.withDetails(of: serial) { Details.text(EntryTag.reason, in: $0) }
    for version in before {
      try turn.showVersion(
        version.version, version.content, isDeleted: version.isDeleted, time: time, by: by,
        as: impersonated[version.version], reason: reason, in: row.workspace)
      time = version.time
      by = version.by
      reason = version.reason
    }
    try turn.showVersion(
      row.version, current.content, isDeleted: row.isDeleted, time: time, by: by, as: impersonated[row.version],
      reason: reason, in: row.workspace)
  }

  @Sendable private static func entryList(_ turn: Turn) throws(Halt) {
    let user = try turn.recordedUser(1)
    let people = try turn.wholePerson(user.contactReference)
    turn.read(turn.directory.lsn)
    let workspaces = try turn.readableWorkspaces(of: user)
    let (from, to) = (try turn.time("FROM") ?? .min, try turn.time("TO") ?? .max)
    let after = try turn.cursor(of: 2).map { (start: Milliseconds(clamping: $0.numbers[0]), id: $0.numbers[1]) }
    let count = try turn.listCount()
    var found: [EntryView] = []
    for person in people {
      let key = after.map { EntrySortKey(start: $0.start, serial: person.cell.firstSerial(notBefore: $0.id)) }
      // One more than asked for shows whether there is another page.
      let (serials, lsn) = person.cell.state.time.entries(
        of: person.serial, in: workspaces, from: from, to: to, before: key, limit: count + 1)
      turn.read(person.row.lsn)
      turn.read(lsn)
      found += serials.map { EntryView(person.cell, $0) }
    }
    if people.count > 1 { found.sort { ($0.content.start, $0.id) > ($1.content.start, $1.id) } }
    let shown = found.prefix(count)
    try turn.hold(authorsOf: shown.flatMap(\.authors))
    turn.reply.array(2)
    if found.count > count, let last = shown.last {
      turn.reply.text(ListCursor([UInt64(clamping: last.content.start), last.id.raw]).text)
    } else {
      turn.reply.text(ListCursor.end)
    }
    turn.reply.array(shown.count)
    for entry in shown { try turn.show(entry) }
  }
}

extension HeldPartition {
  /// The serial number of the first entry of this partition whose id is not below one of any partition.
  fileprivate func firstSerial(notBefore raw: UInt64) -> UInt32 {
    let id = EntryID(raw: raw)
    let serial = state.partitioning.serial(of: id)
    return UInt32(clamping: index < state.partitioning.partition(of: id) ? serial + 1 : serial)
  }
}

extension Turn {
  /// The entry that a word names, deleted or not, if the caller may see it.
  func entry(_ index: Int) throws(Halt) -> (cell: HeldPartition, serial: Int)? {
    guard let (cell, serial) = try anyEntry(index) else { return nil }
    let row = cell.state.time.entries[serial]
    let user = try person(ofEntry: serial, in: cell)
    let isFound = sides.allSatisfy { side in
      side.isBinding || side.isOneself(user)
        || [.timeRead, .entryCorrect].contains {
          side.reach(of: $0, over: user, in: directory, at: now).contains(row.workspace)
        }
    }
    return isFound ? (cell, serial) : nil
  }

  /// Whose an entry is by now: recorded time belongs to the person, under whichever login, and whoever was merged into whom.
  func person(ofEntry serial: Int, in cell: HeldPartition) throws(Halt) -> UserReference {
    let user = Int(cell.state.time.entries[serial].user)
    return try lead(from: UserReference(id: cell.state.id(user), cell: cell, serial: user)).ofPerson
  }

  private func anyEntry(_ index: Int) throws(Halt) -> (cell: HeldPartition, serial: Int)? {
    let id: EntryID = try id(index, "entry")
    let cell = try cell(partitioning.partition(of: id))
    read(directory.lsn)
    guard let serial = cell.state.serial(of: id) else {
      read(cell.state.lsn)
      return nil
    }
    read(cell.state.time.entries[serial].lsn)
    return (cell, serial)
  }

  fileprivate func requireWriting(_ cell: HeldPartition, _ serial: Int) throws(Halt) {
    let entry = EntryView(cell, serial)
    try requireAccountTools(over: entry.user, in: entry.workspace)
    try checkVersion(entry.version)
  }

  fileprivate func requireRoom(_ cell: HeldPartition, _ serial: Int) throws(Halt) {
    guard cell.state.time.entries[serial].version <= Limits.entryVersions else {
      throw .refused(.limit("versions: an entry is corrected at most \(Limits.entryVersions) times"))
    }
  }

  /// The new content of an entry: the options that are given, else the old values.
  fileprivate func content(over old: EntryContent) throws(Halt) -> EntryContent {
    let new = EntryContent(
      start: try workTime("START") ?? old.start, end: try workTime("END") ?? old.end,
      project: try project() ?? old.project, note: try option("NOTE") ?? old.note)
    try requireOrder(new.start, new.end)
    return new
  }

  /// Asks for the partitions of all authors to be named, at once.
  func hold(authorsOf authors: [Author]) throws(Halt) {
    var partitions = Set<Int>()
    for case .user(let id) in authors { partitions.insert(partitioning.partition(of: id)) }
    try hold(partitions)
  }
}
