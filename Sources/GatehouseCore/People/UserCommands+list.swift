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
        + " `role = name@workspace` is for those whose role over that workspace is in force. OFFSET passes"
        + " over n users from the cursor on, in a list without SORT",
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
    let order = OrderedRows<Row>(field, isDescending: page.isDescending)
    if order?.isOfWords ?? false, !cell.state.people.enterWords(most: Limits.wordsOfSlice) {
      return gathered.comeBack(at: max(1, gathered.nextRow))
    }
    guard gathered.hasFiledPeople(of: cell) else { return }
    let selection = filter.selection(in: cell)
    // Moved out, so that growing it does not copy.
    var first = gathered.first ?? FirstRows(most: page.count + 1, isDescending: page.isDescending)
    gathered.first = nil
    // A partition that was begun in one way is ended in it.
    let isNew = gathered.nextRow <= 1
    if let order, gathered.lastEntry != nil || isNew && filter.goesByOrder(selection) {
      collect(in: order, selection, filter, page, cell, &first, &gathered)
    } else {
      collectAll(by: field, selection, filter, page, cell, &first, &gathered)
    }
    gathered.first = first
  }

  /// Looks at all rows that are selected.
  private static func collectAll<Row: ListedPerson>(
    by field: ListField, _ selection: PeopleSelection?, _ filter: ListFilter<Row>, _ page: ListPage<Row>,
    _ cell: HeldPartition, _ first: inout FirstRows, _ gathered: inout Gathered
  ) {
    for serial in filter.rows(of: cell, selection, &gathered) {
      let user = Row(cell, serial, filter.viewer)
      guard filter.passes(user) else { continue }
      let candidate = (key: user.sortKey(field), id: user.rawID)
      guard page.isAfterCursor(candidate), first.worst.map({ page.isBefore(candidate, $0) }) ?? true else { continue }
      first.add(candidate.key, candidate.id)
    }
  }

  /// What is found at most before the partition is left for a moment.
  private static let foundOfSlice = 32

  /// Looks at rows in the order of the list, until they come after all that the page has room for.
  private static func collect<Row: ListedPerson>(
    in order: OrderedRows<Row>, _ selection: PeopleSelection?, _ filter: ListFilter<Row>, _ page: ListPage<Row>,
    _ cell: HeldPartition, _ first: inout FirstRows, _ gathered: inout Gathered
  ) {
    let begun = gathered.lastEntry
    gathered.comeBack(at: 0)
    // In case somebody gets another place while the partition is left.
    let known = begun == nil ? [] : gathered.seen
    var found: [UInt64] = []
    var left = Limits.rowsOfSlice / 2
    gathered.lastEntry = order.forEachRow(in: cell, from: page.keyBefore, after: begun) { row, entry in
      if let worst = first.worst, order.isBeyond(entry, worst.key, in: cell) { return .isDone }
      left -= 1
      let user = Row(cell, row, filter.viewer)
      let candidate = (key: user.sortKey(order.field), id: user.rawID)
      if order.isCurrent(entry, candidate.key), selection?.rows.contains(row) ?? true, page.isAfterCursor(candidate),
        first.worst.map({ page.isBefore(candidate, $0) }) ?? true, filter.passes(user),
        !known.contains(candidate.id)
      {
        first.add(candidate.key, candidate.id)
        found.append(candidate.id)
      }
      return left > 0 && found.count < foundOfSlice ? .goesOn : .pauses
    }
    guard gathered.lastEntry != nil else { return }
    gathered.seen = known.union(found)
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

  private static func finish<Row: ListedPerson>(
    _ row: Row.Type, _ turn: Turn, _ gathered: inout Gathered
  ) throws(Halt) {
    let page = try ListPage<Row>(turn)
    if page.sort != nil, gathered.written == nil {
      gathered.items = gathered.first?.settled().map { Gathered.Item(key: $0.key, id: $0.id, reply: Reply()) } ?? []
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
