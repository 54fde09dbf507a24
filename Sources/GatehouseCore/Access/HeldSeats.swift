/// B10: since when users have the seats that they take, so that seats can be reclaimed fairly.
///
/// It takes about 8 bytes of a user for each enabled access. Of accesses that version 0.1.0 gave it is not known.
extension People {
  /// Seconds are counted from 2020, which saves a byte for some years.
  private static let epoch: Milliseconds = 1_577_836_800_000

  private struct HeldSeat {
    let product: ProductID
    let since: UInt32
  }

  /// Since when a user has the seat of an enabled access, in unix milliseconds.
  func seatTaken(by serial: Int, in product: ProductID) -> Milliseconds? {
    heldSeats(of: serial).first { $0.product == product }.map { Self.epoch + Milliseconds($0.since) * 1000 }
  }

  /// An access was changed: who takes a seat that they had not has it from now on.
  mutating func noteSeat(of serial: Int, from old: ProductAccess?, to new: ProductAccess?, at now: Milliseconds) {
    guard let product = (new ?? old)?.product else { return }
    let had = old.flatMap { $0.isEnabled ? $0.licence : nil }
    let has = new.flatMap { $0.isEnabled ? $0.licence : nil }
    if had == has { return }
    var seats = heldSeats(of: serial).filter { $0.product != product }
    if has != nil { seats.append(HeldSeat(product: product, since: UInt32(clamping: (now - Self.epoch) / 1000))) }
    var details = users.details(of: serial)
    if seats.isEmpty {
      details.set(UserTag.seats, UnsafeRawBufferPointer(start: nil, count: 0))
    } else {
      details.encode(UserTag.seats) { writer in
        for seat in seats {
          writer.varint(seat.product)
          writer.varint(seat.since)
        }
      }
    }
    users.setDetails(of: serial, details.bytes)
  }

  private func heldSeats(of serial: Int) -> [HeldSeat] {
    users.withDetails(of: serial) { raw in
      guard let field = Details.field(UserTag.seats, in: raw) else { return [] }
      var reader = ByteReader(field)
      var seats: [HeldSeat] = []
      while !reader.isAtEnd, let product = try? reader.number(ProductID.self),
        let since = try? reader.number(UInt32.self)
      {
        seats.append(HeldSeat(product: product, since: since))
      }
      return seats
    }
  }
}

extension CommandTable {
  static let seatCommands: [CommandSpec] = [
    CommandSpec(
      "POOL.HOLDERS", .organisation, "Who holds the seats of a pool, since when, and when they last logged in",
      [.word("product"), .word("type"), .option("CURSOR", "cursor"), .option("COUNT", "n", .integer)],
      reply:
        "`[cursor, items]`; maps `user, username, since, last-login`; `since` is null for seats that version 0.1.0 gave",
      needs: .permission(.poolRead, over: .product(1)), route: .everywhere,
      body: .gather(collect: collectHolders, finish: finishHolders))
  ]

  @Sendable private static func collectHolders(
    _ turn: Turn, _ cell: HeldPartition, _ gathered: inout Gathered
  ) throws(Halt) {
    let product = try turn.product(1)
    let type = try turn.text(2, "type", limit: Limits.nameBytes)
    guard product.pools.contains(where: { $0.type == type }) else {
      throw .refused(.notFound("licence type \(type) of the product \(turn.directory.productName(product))"))
    }
    let count = try turn.listCount()
    // The list goes by partition, then by serial number.
    let after = try turn.cursor(of: 2)?.numbers ?? [0, 0]
    guard UInt64(cell.index) >= after[0] else { return }
    turn.read(cell.state.lsn)
    let first = UInt64(cell.index) == after[0] ? Int(clamping: after[1]) + 1 : 1
    let key = product.seatKey(type)
    for serial in gathered.slice(from: first, through: cell.state.people.users.last) {
      guard cell.state.people.users[serial].isUsed,
        cell.state.people.access(of: serial, to: product.id)?.takes(key) ?? false
      else { continue }
      let user = UserReference(id: cell.state.id(serial), cell: cell, serial: serial)
      guard !turn.isLimited || turn.shows(user) else { continue }
      gathered.items.append(
        Gathered.Item(
          key: [], id: UInt64(serial) << 32 | UInt64(cell.index), reply: show(user, product.id, turn)))
      if gathered.items.count > count {
        gathered.isComplete = true
        return
      }
    }
  }

  @Sendable private static func finishHolders(_ turn: Turn, _ gathered: inout Gathered) throws(Halt) {
    let count = try turn.listCount()
    let shown = gathered.items.prefix(count)
    turn.reply.array(2)
    if gathered.items.count > count, let last = shown.last {
      turn.reply.text(ListCursor([last.id & 0xffff_ffff, last.id >> 32]).text)
    } else {
      turn.reply.text(ListCursor.end)
    }
    turn.reply.array(shown.count)
    for item in shown { turn.reply.append(item.reply) }
  }

  private static func show(_ user: UserReference, _ product: ProductID, _ turn: Turn) -> Reply {
    let people = user.cell
    let last = people.state.people.lastLogin(of: user.serial, in: turn.seen(of: user))
    var reply = Reply()
    reply.map(4)
    reply.text("user")
    reply.integer(user.id.raw)
    reply.text("username")
    reply.text(user.username)
    reply.text("since")
    reply.optional(people.state.people.seatTaken(by: user.serial, in: product))
    reply.text("last-login")
    reply.optional(last == 0 ? nil : last)
    return reply
  }
}
