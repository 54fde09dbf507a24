import GatehouseTestSupport
import Testing

@testable import GatehouseCore

/// The order of sorted lists: far pages, and many people whose names begin alike or are the same.
@Suite struct ListOrderTests {
  /// By their keys, as the rows would say.
  private func order(_ keys: [(UInt64, Int)]) -> ListOrder {
    var order = ListOrder()
    for (head, contact) in keys {
      while let next = order.next(through: contact), next != contact {}
      order.insert(contact, head, at: order.place(of: head) { $0 < contact })
    }
    return order
  }

  private func contacts(_ order: ListOrder) -> [Int] { (0..<order.count).map { order[$0].contact } }

  @Test func entriesAreInTheirPlaces() {
    let order = order((1...500).map { (UInt64($0 * 37 % 10), $0) })
    let wanted = (1...500).sorted { ($0 * 37 % 10, $0) < ($1 * 37 % 10, $1) }
    #expect(contacts(order) == wanted)
    #expect(order.place(of: 4) { _ in true } == 250 && order.place(of: 4) { _ in false } == 200)
    #expect(order.isComplete(through: 500) && !order.isComplete(through: 501))
  }

  /// Whoever is noted leaves the order once, however often they are noted, and comes back.
  @Test func whoIsNotedLeavesAndComesBack() {
    var order = order((1...50).map { (UInt64($0), $0) })
    for contact in [7, 50, 7, 1, 99] { order.note(contact) }
    #expect(!order.isComplete(through: 50))
    order.removeChanged()
    #expect(contacts(order) == Array(2...6) + Array(8...49))
    order.note(7)
    order.removeChanged()
    var back: Set<Int> = []
    while let contact = order.next(through: 50) {
      #expect(back.insert(contact).inserted, "twice")
      order.insert(contact, UInt64(contact), at: order.place(of: UInt64(contact)) { $0 < contact })
    }
    #expect(back == [1, 7, 50] && contacts(order) == Array(1...50) && order.isComplete(through: 50))
  }

  /// What has changed too often is made anew.
  @Test func manyNotesBeginItAnew() {
    var order = order((1...50).map { (UInt64($0), $0) })
    for number in 0..<5000 { order.note(number % 50 + 1) }
    #expect(order.count == 0 && order.next(through: 50) == 1)
  }

  /// An order that nobody has asked for in a long time makes room; the usual one stays.
  @Test func whatNobodyAsksForMakesRoom() {
    var orders = ListOrders()
    let begun = orders.take(.usersByEmail)
    orders.put(begun, .usersByEmail)
    for _ in 1..<ListOrders.mostIdle { orders.dropUnused() }
    #expect(orders.inUse == [.usersByLast, .usersByEmail])
    orders.noteUse(of: .usersByEmail)
    for _ in 1..<ListOrders.mostIdle { orders.dropUnused() }
    #expect(orders.inUse == [.usersByLast, .usersByEmail])
    orders.dropUnused()
    #expect(orders.inUse == [.usersByLast])
  }

  /// The upkeep holds a partition no longer where several orders are in use.
  @Test func theUpkeepTakesInAsManyForAllOrders() {
    let core = CoreHarness(partitions: 1)
    for number in 0..<40 { core.run("USER.CREATE u\(number) LAST L\(number) NOINVITE") }
    for order in ["username", "last", "email"] { core.run("USER.LIST SORT \(order)") }
    for number in 0..<40 { core.run("USER.SET u\(number) last M\(number)") }
    func isComplete() -> Bool {
      let people = core.cells[0].state.people.contacts.last
      return core.cells[0].state.people.orders.inUse.allSatisfy {
        core.cells[0].state.people.orders[$0]?.isComplete(through: people) ?? false
      }
    }
    #expect(core.cells[0].state.people.orders.inUse.count == 3)
    var rounds = 0
    while !isComplete(), rounds < 100 {
      core.cells[0].state.enterOrders()
      rounds += 1
    }
    #expect(rounds == (3 * 40 + Limits.orderedOfSlice - 1) / Limits.orderedOfSlice, "\(rounds)")
    #expect(Invariants.check(core.cells, core.wholeDirectory) == [])
  }

  // MARK: Lists

  private static let people = 1800

  /// Users of two workspaces, whose usernames have the same eight bytes, with few last names.
  private func company() -> CoreHarness {
    let core = CoreHarness(partitions: 4)
    core.run("WORKSPACE.CREATE acme")
    for number in 0..<Self.people {
      var words = ["USER.CREATE", "employee\(number * 7 % Self.people)", "NOINVITE", "LAST", "Van\(number % 3)"]
      if number % 3 != 0 { words += ["WORKSPACE", "acme"] }
      core.run(words)
    }
    // Some have changed, some are gone, and whether some are listed depends on the time.
    for number in 0..<30 {
      core.run("USER.SET employee\(number * 60) last \(number % 2 == 0 ? "Zz" : "Aa")")
      core.run("USER.DELETE employee\(number * 60 + 1) REASON x")
      core.run("WORKSPACE.MEMBER acme employee\(number * 60 + 3) UNTIL 2026-03-\(number + 1)T00:00:00Z")
    }
    return core
  }

  private func ids(_ core: CoreHarness, _ line: String, as token: String? = nil) -> [Int64] {
    let line = "USER.LIST \(line) FIELDS 1 id"
    let page = token.map { core.run(line, as: $0) } ?? core.run(line)
    return page[1].items.compactMap { $0["id"].integer }
  }

  /// A position is what passing over everybody before it says, near and far, with conditions that indexes tell and with
  /// others, either way, in orders with an index and without.
  @Test func anOffsetPassesOverAsMany() {
    let core = company()
    for order in ["username", "username DESC", "last", "last DESC", "department", "created DESC"] {
      for conditions in ["", "WHERE workspace = acme", "WHERE last ^= van"] {
        let list = "\(conditions) SORT \(order)"
        let all = ids(core, list + " COUNT 10000")
        #expect(all.count > 1150, "\(list)")
        for offset in [1, 1025, all.count - 3, all.count, all.count + 2000] {
          let page = ids(core, list + " COUNT 5 OFFSET \(offset)")
          #expect(page == Array(all.dropFirst(offset).prefix(5)), "\(list) \(offset)")
        }
        // From a cursor on.
        let page = core.run("USER.LIST \(list) COUNT 100 FIELDS 1 id")
        let rest = ids(core, list + " COUNT 3 OFFSET 1030 CURSOR \(page[0].text ?? "")")
        #expect(rest == Array(all.dropFirst(1130).prefix(3)), "\(list)")
      }
    }
    // On the way to a far page few are looked at, though the names begin alike or are the same.
    for list in ["SORT username", "WHERE workspace = acme SORT last"] {
      #expect(ids(core, "\(list) COUNT 20 OFFSET 1100").count == 20)
      #expect(core.slices <= 40, "\(list): \(core.slices) slices")
      let page = core.run("USER.LIST \(list) COUNT 20 OFFSET 1000 FIELDS 1 id")
      #expect(ids(core, "\(list) COUNT 20 CURSOR \(page[0].text ?? "")").count == 20)
      #expect(core.slices <= 8, "\(list): \(core.slices) slices of a page behind a cursor")
    }
    #expect(Invariants.check(core.cells, core.wholeDirectory) == [])
  }

  /// W4: who sees the people of one workspace pages over nobody else, near and far, and over nobody above them.
  @Test func anOffsetCountsNobodyWhoIsNotSeen() {
    let core = company()
    core.run("PRODUCT.CREATE acme/app")
    core.run("USER.CREATE zed WORKSPACE acme PRODUCT acme/app LAST Van1 NOINVITE")
    core.run("ROLE.GRANT zed training-administrator WORKSPACE acme")
    let above = [100, 200, 400].map { number -> Int64 in
      core.run("ROLE.GRANT employee\(number) super-administrator WORKSPACE acme")
      return core.run("USER.GET employee\(number)")["id"].integer ?? 0
    }
    let acme = Set(ids(core, "WHERE workspace = acme COUNT 10000"))
    #expect(acme.isSuperset(of: above))
    let token = core.logIn("zed", "acme/app")
    core.run("SERVICE.CREATE all ADMIN")
    let service = core.run("SERVICE.CREATE web ADMIN WORKSPACE acme")["id"].integer ?? 0
    let free = core.connection
    for caller in ["zed", "web"] {
      let isPerson = caller == "zed"
      core.connection =
        isPerson ? free : ConnectionFacts(id: 2, service: ServiceID(service), rights: .all, isBound: true)
      for order in ["last DESC", "username", "created"] {
        let list = "SORT \(order)"
        let all = ids(core, list + " COUNT 10000", as: isPerson ? token : nil)
        #expect(all.count > 1100 && Set(all).count == all.count, "\(caller) \(list): \(all.count)")
        #expect(acme.isSuperset(of: all), "\(caller) \(list)")
        #expect(!isPerson || Set(all).isDisjoint(with: above), "\(list)")
        for offset in [1030, all.count - 2] {
          let page = ids(core, list + " COUNT 5 OFFSET \(offset)", as: isPerson ? token : nil)
          #expect(page == Array(all.dropFirst(offset).prefix(5)), "\(caller) \(list) \(offset)")
        }
      }
    }
  }

  /// Who stays as they are is listed once and in their place, whatever happens to others between two pages.
  @Test(arguments: ["last", "last DESC", "username", "created DESC"]) func pagesWhilePeopleChange(order: String) {
    let core = CoreHarness(partitions: 2)
    for number in 0..<400 {
      core.run("USER.CREATE person\(number * 7 % 400) LAST Van\(number % 5) NOINVITE")
      core.advance(1)
    }
    func names(_ reply: Answer) -> [String] { reply[1].items.compactMap { $0["username"].text } }
    let staying = Set((0..<200).map { "person\(2 * $0)" })
    var seen: [String] = []
    var (cursor, round) = ("0", 0)
    repeat {
      let page = core.run("USER.LIST SORT \(order) COUNT 23 CURSOR \(cursor) FIELDS 1 username")
      seen += names(page).filter(staying.contains)
      cursor = page[0].text ?? "0"
      core.run("USER.SET person\(round * 22 % 400 + 1) last \(round % 2 == 0 ? "Aa" : "Zz")")
      core.run("USER.DELETE person\(round * 14 % 400 + 3) REASON x")
      core.run("USER.CREATE newcomer\(round) LAST Van\(round % 5) NOINVITE")
      round += 1
    } while cursor != "0" && round < 100
    let all = names(core.run("USER.LIST SORT \(order) COUNT 10000 FIELDS 1 username"))
    #expect(seen == all.filter(staying.contains) && seen.count == staying.count, "\(seen.count)")
  }

  /// Numbers and cursors from anywhere are refused or lead to a page, in every order and either way.
  @Test func offsetsAndCursorsFromAnywhere() {
    let core = CoreHarness(partitions: 1)
    for name in ["ana", "bo", "cy"] { core.run("USER.CREATE \(name) LAST \(name) NOINVITE") }
    for order in ["last", "last DESC", "username", "id", "created DESC", "department"] {
      for offset in ["-1", "2147483648", "9223372036854775808", "1e3", "x"] {
        #expect(core.run("USER.LIST SORT \(order) OFFSET \(offset)").isError, "\(order) \(offset)")
      }
      #expect(ids(core, "SORT \(order) OFFSET \(Int32.max) COUNT 10000").isEmpty)
      for cursor in ["zz-1", "f-1", "ff-0", "ff-18446744073709551616", "ff", "-"] {
        #expect(core.run("USER.LIST SORT \(order) CURSOR \(cursor)").isError, "\(order) \(cursor)")
      }
      for cursor in ["ff-18446744073709551615", "-18446744073709551615", "00-1", "-1"] {
        for offset in [0, 1, 2000] {
          let page = core.run("USER.LIST SORT \(order) CURSOR \(cursor) OFFSET \(offset)")
          #expect(!page.isError && page[0].text == "0" && page[1].items.count <= 3, "\(order) \(cursor): \(page)")
        }
      }
    }
  }

  /// A login that ends or begins, and a contact that goes, leave no trace in the order.
  @Test func whoGoesAndComesHasTheirPlace() {
    let core = CoreHarness(partitions: 1)
    for name in ["cy", "ana", "bo", "dan"] { core.run("USER.CREATE \(name) LAST \(name) NOINVITE") }
    func names() -> [String] {
      core.run("USER.LIST SORT last FIELDS 1 username")[1].items.compactMap { $0["username"].text }
    }
    #expect(names() == ["ana", "bo", "cy", "dan"])
    let contact = core.run("USER.GET bo")["contact"].integer ?? 0
    core.run("USER.DELETE bo REASON x")
    #expect(names() == ["ana", "cy", "dan"])
    core.run("CONTACT.SET #\(contact) last Zeta")
    core.run("USER.CREATE bob CONTACT #\(contact) NOINVITE")
    #expect(names() == ["ana", "cy", "dan", "bob"])
    core.run("USER.MERGE dan ana")
    #expect(names().filter { $0 != "ana" } == ["cy", "dan", "bob"])
    core.run("USER.DELETE cy REASON x")
    core.run("USER.PURGE cy")
    #expect(!names().contains("cy"))
    #expect(Invariants.check(core.cells, core.wholeDirectory) == [])
  }
}
