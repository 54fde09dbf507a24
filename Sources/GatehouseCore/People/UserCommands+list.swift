extension CommandTable {
  private static let conditions = Argument.option("WHERE", parts: ["field", "op", "value"], repeats: true)

  static let listCommands: [CommandSpec] = [
    CommandSpec(
      "USER.LIST", .people, "Users that meet all conditions; deleted ones only with WHERE status = deleted",
      [
        conditions, .option("SORT", "field"), .flag("DESC"), .option("CURSOR", "cursor"),
        .option("COUNT", "n", .integer), .option("OFFSET", "n", .integer), .counted("FIELDS", "field"),
      ],
      reply: "`[cursor, items]`, maps of the chosen fields; operators are = != < > <= >= ^= (prefix) ~= (contains)."
        + " Texts are compared without case and accents, as searches do; == !== ^== ~== tell accents apart."
        + " `role = name@workspace` is for those whose role over that workspace is in force. Who has nothing in the"
        + " SORT field comes last, with DESC first. OFFSET passes over n users from the cursor on",
      needs: .permission(.userRead, over: .anything), route: .everywhere,
      body: .gather(collect: collectPeople(ListedUser.self), finish: finishPeople(ListedUser.self))),
    CommandSpec(
      "USER.COUNT", .people, "How many users meet all conditions", [conditions], reply: "an integer",
      needs: .permission(.userRead, over: .anything), route: .everywhere,
      body: .gather(collect: countUsers, finish: finishCount)),
    CommandSpec(
      "CONTACT.LIST", .people, "Contacts that meet all conditions, with a login or without",
      [
        conditions, .option("SORT", "field"), .flag("DESC"), .option("CURSOR", "cursor"),
        .option("COUNT", "n", .integer), .option("OFFSET", "n", .integer), .counted("FIELDS", "field"),
      ],
      reply: "`[cursor, items]`, maps of the chosen fields; operators as in USER.LIST. Of a contact without a login"
        + " `user` and `username` are null",
      needs: .permission(.userRead, over: .anything), route: .everywhere,
      body: .gather(collect: collectPeople(ListedContact.self), finish: finishPeople(ListedContact.self))),
  ]

  // MARK: Counting

  @Sendable private static func countUsers(
    _ turn: Turn, _ cell: HeldPartition, _ gathered: inout Gathered
  ) throws(Halt) {
    let filter = try ListFilter<ListedUser>(turn, &gathered)
    turn.read(cell.state.lsn)
    if filter.isOpen {
      gathered.count += cell.state.people.liveUsers
      return
    }
    guard gathered.hasFiledPeople(of: cell) else { return }
    var selection = filter.selection(in: cell)
    let certain = selection?.takeCertain(ListedUser.self, in: cell) ?? 0
    // Once, when the partition is entered for the first time.
    if gathered.nextRow <= 1 { gathered.count += certain }
    for serial in filter.rows(of: cell, selection, &gathered) {
      if filter.passes(ListedUser(cell, serial, filter.viewer)) { gathered.count += 1 }
    }
  }

  @Sendable private static func finishCount(_ turn: Turn, _ gathered: inout Gathered) throws(Halt) {
    turn.reply.integer(gathered.count)
  }

  // MARK: Listing

  private static func collectPeople<Row: ListedPerson>(
    _ row: Row.Type
  ) -> @Sendable (Turn, HeldPartition, inout Gathered) throws(Halt) -> Void {
    { (turn, cell, gathered) throws(Halt) in try collect(Row.self, turn, cell, &gathered) }
  }

  private static func finishPeople<Row: ListedPerson>(
    _ row: Row.Type
  ) -> @Sendable (Turn, inout Gathered) throws(Halt) -> Void {
    { (turn, gathered) throws(Halt) in try finish(Row.self, turn, &gathered) }
  }

  /// Takes one item more than the page holds, which tells whether there is another page.
  private static func collect<Row: ListedPerson>(
    _ row: Row.Type, _ turn: Turn, _ cell: HeldPartition, _ gathered: inout Gathered
  ) throws(Halt) {
    let filter = try ListFilter<Row>(turn, &gathered)
    let page = try ListPage<Row>(turn)
    if let field = page.sort { return collect(by: field, filter, page, turn, cell, &gathered) }
    guard let first = try page.firstSerial(in: cell) else { return }
    turn.read(cell.state.lsn)
    guard gathered.hasFiledPeople(of: cell) else { return }
    let selection = filter.selection(in: cell)
    if first == 1, gathered.nextRow <= 1, gathered.skipped < page.offset,
      let count = filter.count(in: cell, selection), gathered.skipped + count <= page.offset
    {
      gathered.skipped += count
      return gathered.comeBack(at: 0)
    }
    for serial in filter.rows(of: cell, selection, from: first, &gathered) {
      let user = Row(cell, serial, filter.viewer)
      guard filter.passes(user) else { continue }
      if gathered.skipped < page.offset {
        gathered.skipped += 1
        continue
      }
      gathered.items.append(page.item(user, key: []))
      if gathered.items.count > page.count {
        gathered.isComplete = true
        return
      }
    }
  }

  /// Keeps the first of all partitions so far in the list's order.
  private static func collect<Row: ListedPerson>(
    by field: ListField, _ filter: ListFilter<Row>, _ page: ListPage<Row>, _ turn: Turn, _ cell: HeldPartition,
    _ gathered: inout Gathered
  ) {
    turn.read(cell.state.lsn)
    let rows = OrderedRows<Row>(field, isDescending: page.isDescending)
    if let order = rows?.order, !cell.state.people.enterOrder(order, most: Limits.orderedOfSlice) {
      return gathered.comeBack(at: max(1, gathered.nextRow))
    }
    guard gathered.hasFiledPeople(of: cell) else { return }
    let selection = filter.selection(in: cell)
    var progress = gathered.progress ?? Self.progress(of: page, by: rows?.order)
    gathered.progress = nil
    defer { gathered.progress = progress }
    if let rows, let order = rows.order, progress.jump != nil {
      return jump(by: order, rows, filter.settled(in: cell, selection), cell, &progress, &gathered)
    }
    // Moved out, so that growing it does not copy.
    var first =
      gathered.first ?? FirstRows(most: progress.kept(forPageOf: page.count), isDescending: page.isDescending)
    gathered.first = nil
    // A partition that was begun in one way is ended in it.
    let isNew = gathered.nextRow <= 1
    if let rows, gathered.lastPlace != nil || isNew && filter.goesByOrder(selection) {
      collect(in: rows, selection, filter, page, progress.base, cell, &first, &gathered)
    } else {
      collectAll(by: field, selection, filter, page, progress.base, cell, &first, &gathered)
    }
    gathered.first = first
  }

  /// - Parameter order: that of the list, if an index has it.
  private static func progress<Row: ListedPerson>(of page: ListPage<Row>, by order: PeopleOrder?) -> SortedProgress {
    var progress = SortedProgress(base: page.placeBefore, offset: page.offset)
    if order != nil, Row.hasExactFacets, page.offset > ListJump.near {
      progress.jump = ListJump(from: progress.base, over: progress.offset)
    }
    return progress
  }

  /// Reads a partition's share of a round of a jump.
  private static func jump<Row: ListedPerson>(
    by order: PeopleOrder, _ rows: OrderedRows<Row>, _ settled: ListFilter<Row>.SettledRows?, _ cell: HeldPartition,
    _ progress: inout SortedProgress, _ gathered: inout Gathered
  ) {
    let last = gathered.lastPlace
    gathered.lastPlace = nil
    gathered.comeBack(at: 0)
    guard progress.jump?.isGivenUp == false else { return }
    switch settled {
    case .all?: gathered.lastPlace = progress.jump?.read(rows, by: order, nil, in: cell, after: last)
    case .among(let wanted)?: gathered.lastPlace = progress.jump?.read(rows, by: order, wanted, in: cell, after: last)
    case nil: progress.jump?.giveUp()
    }
    if gathered.lastPlace != nil { gathered.comeBack(at: 1) }
  }

  /// Looks at all rows that are selected.
  ///
  /// - Parameter base: the list is read from behind this place on.
  private static func collectAll<Row: ListedPerson>(
    by field: ListField, _ selection: PeopleSelection?, _ filter: ListFilter<Row>, _ page: ListPage<Row>,
    _ base: ListPlace?, _ cell: HeldPartition, _ first: inout FirstRows, _ gathered: inout Gathered
  ) {
    for serial in filter.rows(of: cell, selection, &gathered) {
      let user = Row(cell, serial, filter.viewer)
      guard filter.passes(user) else { continue }
      let candidate = (key: user.sortKey(field), id: user.rawID)
      guard page.isAfter(base, candidate), first.worst.map({ page.isBefore(candidate, $0) }) ?? true else { continue }
      first.add(candidate.key, candidate.id)
    }
  }

  /// What is found at most before the partition is left for a moment.
  private static let foundOfSlice = 32

  /// Looks at rows in the order of the list, until they come after all that there is room for.
  ///
  /// - Parameter base: the list is read from behind this place on.
  private static func collect<Row: ListedPerson>(
    in rows: OrderedRows<Row>, _ selection: PeopleSelection?, _ filter: ListFilter<Row>, _ page: ListPage<Row>,
    _ base: ListPlace?, _ cell: HeldPartition, _ first: inout FirstRows, _ gathered: inout Gathered
  ) {
    let begun = gathered.lastPlace
    gathered.comeBack(at: 0)
    // In case somebody gets another place while the partition is left. Moved out, so that growing it does not copy.
    var seen: Set<UInt64> = begun == nil ? [] : gathered.seen
    gathered.seen = []
    var found = 0
    var left = Limits.rowsOfSlice / 2
    let last = rows.forEachRow(in: cell, behind: base, after: begun) { row, head in
      if let worst = first.worst, rows.isBeyond(head, worst.key, in: cell) { return .isDone }
      left -= 1
      let next: OrderedRows<Row>.Step = left > 0 ? .goesOn : .pauses
      guard selection?.rows.contains(row) ?? true else { return next }
      let user = Row(cell, row, filter.viewer)
      let candidate = (key: user.sortKey(rows.field), id: user.rawID)
      if let worst = first.worst, !page.isBefore(candidate, worst) { return rows.isExact ? .isDone : next }
      guard page.isAfter(base, candidate), filter.passes(user), seen.insert(candidate.id).inserted else { return next }
      first.add(candidate.key, candidate.id)
      found += 1
      return found < foundOfSlice ? next : .pauses
    }
    gathered.lastPlace = last.map { row in
      let user = Row(cell, row, filter.viewer)
      return ListPlace(key: user.sortKey(rows.field), id: user.rawID)
    }
    guard last != nil else { return }
    gathered.seen = seen
    gathered.comeBack(at: 1)
  }

  /// Writes the replies of a partition's rows that are among the first. Somebody may have ceased to be wanted meanwhile.
  private static func write<Row: ListedPerson>(
    _ items: [Gathered.Item], _ row: Row.Type, _ turn: Turn, _ cell: HeldPartition, _ gathered: inout Gathered
  ) {
    guard let page = try? ListPage<Row>(turn), let filter = try? ListFilter<Row>(turn, &gathered) else { return }
    for item in items {
      let id = Identifier<Row>(raw: item.id)
      let person = Row(cell, cell.state.partitioning.serial(of: id), filter.viewer)
      if filter.passes(person) { gathered.written?[item.id] = page.item(person, key: item.key).reply }
    }
  }

  /// The first rows of a sorted list behind those that are passed over; nil if they are not reached yet.
  private static func settledRows<Row: ListedPerson>(
    _ page: ListPage<Row>, _ gathered: inout Gathered
  ) -> ArraySlice<(key: ContiguousArray<UInt8>, id: UInt64)>? {
    guard var progress = gathered.progress else { return [] }
    defer { gathered.progress = progress }
    if var jump = progress.jump {
      let goesOn = jump.endRound { page.isBefore(($0.key, $0.id), ($1.key, $1.id)) }
      progress = SortedProgress(base: jump.base, offset: jump.offset, jump: goesOn ? jump : nil)
      return nil
    }
    let settled = gathered.first?.settled() ?? []
    guard progress.offset > Limits.passedAtOnce else { return settled.dropFirst(progress.offset) }
    guard settled.count == Limits.passedAtOnce, let last = settled.last else { return [] }
    progress.base = ListPlace(key: last.key, id: last.id)
    progress.offset -= settled.count
    gathered.first = nil
    return nil
  }

  private static func finish<Row: ListedPerson>(
    _ row: Row.Type, _ turn: Turn, _ gathered: inout Gathered
  ) throws(Halt) {
    let page = try ListPage<Row>(turn)
    if page.sort != nil, gathered.written == nil {
      guard let settled = settledRows(page, &gathered) else { return gathered.readAgain() }
      gathered.items = settled.map { Gathered.Item(key: $0.key, id: $0.id, reply: Reply()) }
      gathered.written = [:]
      // Each partition gets its own: there are many, and looking for them in each would cost more than writing them.
      let items = Dictionary(grouping: gathered.items.prefix(page.count)) {
        turn.partitioning.partition(of: Identifier<Row>(raw: $0.id))
      }
      gathered.look(again: Set(items.keys)) { turn, cell, gathered in
        write(items[cell.index] ?? [], Row.self, turn, cell, &gathered)
      }
      if gathered.isUnfinished { return }
    }
    let items = gathered.items.prefix(page.count)
    turn.reply.array(2)
    if gathered.items.count > page.count, let last = items.last {
      turn.reply.text(page.cursor(after: last))
    } else {
      turn.reply.text("0")
    }
    guard let written = gathered.written else {
      turn.reply.array(items.count)
      for item in items { turn.reply.append(item.reply) }
      return
    }
    let replies = items.compactMap { written[$0.id] }
    turn.reply.array(replies.count)
    for reply in replies { turn.reply.append(reply) }
  }
}
