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
        + " OFFSET passes over n users from the cursor on, in a list without SORT",
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

  /// Keeps the first of all partitions so far in the list's order; only what is kept is written out.
  private static func collect<Row: ListedPerson>(
    by field: ListField, _ filter: ListFilter<Row>, _ page: ListPage<Row>, _ turn: Turn, _ cell: HeldPartition,
    _ gathered: inout Gathered
  ) {
    turn.read(cell.state.lsn)
    guard gathered.hasFiledPeople(of: cell) else { return }
    let most = page.count + 1
    let worst = gathered.items.count == most ? gathered.items.last.map { ($0.key, $0.id) } : nil
    var found: [(key: ContiguousArray<UInt8>, id: UInt64)] = []
    for serial in filter.rows(of: cell, filter.selection(in: cell), &gathered) {
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
    if found.isEmpty { return }
    found.sort(by: page.isBefore)
    var merged: [Gathered.Item] = []
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
