extension CommandTable {
  static let feedCommands: [CommandSpec] = [
    CommandSpec(
      "FEED.READ", .audit, "Durable changes after a record, in order; waits for some if asked to",
      [
        .word("after-lsn"), .option("COUNT", "n", .integer), .option("BLOCK", "duration"),
        .option("TYPE", "change", repeats: true), .option("WORKSPACE", "workspace"),
      ],
      reply:
        "`[lsn, items]`: maps `lsn, time, type, actor, subject, service, command, reason, changes, names`, as `AUDIT.LIST`"
        + " shows them, and to whom; `type` is the kind of the first change. Go on with `FEED.READ lsn`, also where there are no items:"
        + " what lies before it was not for the caller. `0` is the beginning, `$` the newest record. `REFUSED feed` where"
        + " there is no such record yet, or what follows it was deleted when its time was over",
      rights: .admin, needs: .permission(.feedRead, over: .anything), route: .directory, body: .decide(readFeed))
  ]

  private static let longestBlock: Milliseconds = 3_600_000

  @Sendable private static func readFeed(_ turn: Turn) throws(Halt) {
    var reach = turn.reach(of: .feedRead)
    if turn.has("WORKSPACE") { reach = reach.intersection(.only([try turn.workspace().id])) }
    var view = AuditReach(reach)
    var work = ReadFeed()
    work.after = try turn.position(1)
    work.count = try turn.integer("COUNT", in: 1...Limits.feedMost) ?? Limits.listDefault
    work.keys = view.keys(in: turn.directory)
    work.types = try turn.changeKinds("TYPE")
    work.block = try turn.duration("BLOCK") ?? 0
    guard (0...longestBlock).contains(work.block) else { throw .refused(.syntax("BLOCK is at most 1h")) }
    if reach.isEmpty { throw .refused(.noPermission("the permission feed.read in any workspace")) }
    let (page, done) = try turn.outcome(ofReading: work)
    let items = try turn.readable(page, view, work)
    if items.isEmpty, page.patience > 0 { throw .work(done.continued(after: page)) }
    view.cleared = try turn.cleared(in: items.flatMap(\.part.changes))
    turn.show(items, page.last, view, try turn.people(in: items, view))
  }
}

extension Turn {
  /// A record's number; nil for the newest.
  fileprivate func position(_ word: Int) throws(Halt) -> LSN? {
    let text = try text(word, "after-lsn", limit: Limits.nameBytes)
    if text == "$" { return nil }
    return LSN(try Turn.integer(text, "after-lsn", in: 0...Int.max))
  }

  /// The codes of the kinds of changes that an option names.
  func changeKinds(_ token: String) throws(Halt) -> Set<UInt8> {
    var codes: Set<UInt8> = []
    for values in try options(token) {
      guard let kind = ChangeTable.kinds.first(where: { $0.name == values[0].lowercased() }) else {
        let names = ChangeTable.kinds.map { "\($0.name)" }.sorted().joined(separator: ", ")
        throw .refused(.syntax("\(token) '\(values[0])' is no kind of change, such as status-set; kinds are \(names)"))
      }
      codes.insert(kind.code)
    }
    return codes
  }

  /// What of a page is for the reader.
  fileprivate func readable(_ page: FeedPage, _ view: AuditReach, _ work: ReadFeed) throws(Halt) -> [TrailEvent] {
    let changes = page.events.flatMap(\.part.changes)
    let facts = try subjectFacts(of: changes, for: view, by: .feedRead) { (partition) throws(Halt) in
      try cell(partition)
    }
    return page.events.compactMap { event in
      var part = event.part
      part.changes = part.changes.filter { change in
        view.shows(change, at: event.lsn, facts, in: directory)
          && (work.types.isEmpty ? change.as(WebhookProgressed.self) == nil : change.isOne(of: work.types))
      }
      return part.changes.isEmpty ? nil : TrailEvent(lsn: event.lsn, part: part)
    }
  }

  fileprivate func show(_ items: [TrailEvent], _ last: LSN, _ view: AuditReach, _ people: TrailPeople) {
    reply.array(2)
    reply.text("\(last)")
    reply.array(items.count)
    for event in items {
      reply.show(event, people, view, directory, type: event.part.changes.first?.kindName ?? "")
    }
  }
}

extension AnyChange {
  /// `status-set`.
  fileprivate var kindName: String {
    switch self {
    case .unknown(let change): change.name
    default: known.map { type(of: $0).name } ?? ""
    }
  }

  public func isOne(of codes: Set<UInt8>) -> Bool { known.map { codes.contains(type(of: $0).code) } ?? false }
}
