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

  private func ids(_ core: CoreHarness, _ line: String) -> [Int64] {
    core.run("USER.LIST \(line) FIELDS 1 id")[1].items.compactMap { $0["id"].integer }
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
