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
    for serial in filter.rows(of: cell, filter.selection(in: cell), from: first, &gathered) {
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

  private typealias Candidate = (key: ContiguousArray<UInt8>, id: UInt64)

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
    // A partition that was begun in one way is ended in it.
    let isNew = gathered.nextRow <= 1
    if let order, gathered.lastEntry != nil || isNew && filter.goesByOrder(selection) {
      collect(in: order, selection, filter, page, cell, &gathered)
    } else {
      collectAll(by: field, selection, filter, page, cell, &gathered)
    }
  }

  /// Looks at all rows that are selected.
  private static func collectAll<Row: ListedPerson>(
    by field: ListField, _ selection: PeopleSelection?, _ filter: ListFilter<Row>, _ page: ListPage<Row>,
    _ cell: HeldPartition, _ gathered: inout Gathered
  ) {
    let most = page.count + 1
    let worst = gathered.items.count == most ? gathered.items.last.map { ($0.key, $0.id) } : nil
    var found: [Candidate] = []
    for serial in filter.rows(of: cell, selection, &gathered) {
      let user = Row(cell, serial, filter.viewer)
      guard filter.passes(user) else { continue }
      let candidate = (key: user.sortKey(field), id: user.rawID)
      guard page.isAfterCursor(candidate) else { continue }
      if let worst, !page.isBefore(candidate, worst) { continue }
      found.append(candidate)
      if found.count >= 2 * most + 64 {
        found.sort(by: page.isBefore)
        found.removeLast(found.count - most)
      }
    }
    merge(found, filter, page, cell, &gathered)
  }

  /// What is found at most before the partition is left for a moment.
  private static let foundOfSlice = 32

  /// Looks at rows in the order of the list, until they come after all that the page has room for.
  private static func collect<Row: ListedPerson>(
    in order: OrderedRows<Row>, _ selection: PeopleSelection?, _ filter: ListFilter<Row>, _ page: ListPage<Row>,
    _ cell: HeldPartition, _ gathered: inout Gathered
  ) {
    let most = page.count + 1
    let begun = gathered.lastEntry
    gathered.lastEntry = nil
    gathered.comeBack(at: 0)
    var worst: Candidate? = gathered.items.count == most ? gathered.items.last.map { ($0.key, $0.id) } : nil
    // In case somebody gets another place while the partition is left.
    let known = begun == nil ? [] : Set(gathered.items.map(\.id))
    var found: [Candidate] = []
    var left = Limits.rowsOfSlice / 2
    gathered.lastEntry = order.forEachRow(in: cell, from: page.keyBefore, after: begun) { row, entry in
      if let worst, order.isBeyond(entry, worst.key, in: cell) { return .isDone }
      left -= 1
      let user = Row(cell, row, filter.viewer)
      let candidate = (key: user.sortKey(order.field), id: user.rawID)
      if order.isCurrent(entry, candidate.key), selection?.rows.contains(row) ?? true, page.isAfterCursor(candidate),
        worst.map({ page.isBefore(candidate, $0) }) ?? true, filter.passes(user), !known.contains(candidate.id)
      {
        let place = found.firstIndex { page.isBefore(candidate, $0) } ?? found.count
        found.insert(candidate, at: place)
        if found.count > most { found.removeLast() }
        if found.count == most, worst.map({ page.isBefore(found[most - 1], $0) }) ?? true { worst = found[most - 1] }
      }
      return left > 0 && found.count < foundOfSlice ? .goesOn : .pauses
    }
    if gathered.lastEntry != nil { gathered.comeBack(at: 1) }
    merge(found, filter, page, cell, &gathered)
  }

  /// Puts rows among those that were found before. Only what is kept is written out.
  private static func merge<Row: ListedPerson>(
    _ rows: [Candidate], _ filter: ListFilter<Row>, _ page: ListPage<Row>, _ cell: HeldPartition,
    _ gathered: inout Gathered
  ) {
    if rows.isEmpty { return }
    let most = page.count + 1
    let found = rows.sorted(by: page.isBefore)
    var merged: [Gathered.Item] = []
    merged.reserveCapacity(min(most, gathered.items.count + found.count))
    var old = gathered.items[...]
    var new = found[...]
    while merged.count < most {
      if let next = new.first, old.first.map({ page.isBefore(next, ($0.key, $0.id)) }) ?? true {
        new.removeFirst()
        let serial = cell.state.partitioning.serial(of: Identifier<Row>(raw: next.id))
        merged.append(page.item(Row(cell, serial, filter.viewer), key: next.key))
      } else if let next = old.popFirst() {
        merged.append(next)
      } else {
        break
      }
    }
    gathered.items = merged
  }

  private static func finish<Row: ListedPerson>(
    _ row: Row.Type, _ turn: Turn, _ gathered: inout Gathered
  ) throws(Halt) {
    let page = try ListPage<Row>(turn)
    let items = gathered.items.prefix(page.count)
    turn.reply.array(2)
    if gathered.items.count > page.count, let last = items.last {
      turn.reply.text(page.cursor(after: last))
    } else {
      turn.reply.text("0")
    }
    turn.reply.array(items.count)
    for item in items { turn.reply.append(item.reply) }
  }
}
