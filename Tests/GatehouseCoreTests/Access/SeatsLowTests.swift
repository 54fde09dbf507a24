import Testing

@testable import GatehouseCore

/// B10: a record says when a pool comes to be nearly taken.
@Suite("Seats running low")
struct SeatsLowTests {
  private let core = CoreHarness(partitions: 4)

  init() {
    core.run("PRODUCT.CREATE app")
    core.run("POOL.SET app office 10")
  }

  private var told: [String] {
    core.records.flatMap { $0.changes(of: SeatsLow.self) }.map { "\($0.type) \($0.used)/\($0.bought)" }
  }

  private func take(_ number: Int) { core.run("USER.CREATE u\(number) PRODUCT app LICENCE app office") }

  @Test("B10: it is told once when 90 % are reached, in the record that reaches them, and again after it was below")
  func once() {
    for number in 1...8 { take(number) }
    #expect(told == [])
    take(9)
    #expect(told == ["office 9/10"])
    #expect(core.records.last?.changes(of: UserCreated.self).count == 1, "in the same record")
    take(10)
    #expect(told == ["office 9/10"])
    core.run("PRODUCT.DISABLE u1 app")
    core.run("PRODUCT.DISABLE u2 app")
    #expect(told == ["office 9/10"])
    take(11)
    #expect(told == ["office 9/10", "office 9/10"])
    core.expectReplicated()
  }

  @Test("B10: fewer seats bought bring a pool there as well, and more bring it away")
  func bought() {
    for number in 1...5 { take(number) }
    core.run("POOL.SET app office 5")
    #expect(told == ["office 5/5"])
    core.run("POOL.SET app office 100")
    core.run("POOL.SET app * 5")
    #expect(told == ["office 5/5", "* 5/5"])
    #expect(SeatsLow.threshold(bought: 1) == 1 && SeatsLow.threshold(bought: 11) == 10)
    #expect(SeatsLow.threshold(bought: 0) == .max)
  }

  @Test("B10: if somebody takes a seat between the count and the gate, the record is decided again")
  func race() {
    let bound = CounterBound.reaching(
      SeatKey(product: 1, licence: 1), LowSeatsCrossing(before: 10, after: 10), told: nil)
    let key = SeatKey(product: 1, licence: 1)
    let taking = AccessSet(
      UserID(raw: 1), old: nil, new: ProductAccess(product: 1, isEnabled: true, licence: 1)
    ).carried
    var counters = Counters(usage: [key: 8, SeatKey(product: 1, licence: 0): 8])
    let violation = counters.move(by: [taking], bounds: [bound], lsn: 5)
    #expect(violation?.isOutOfDate == true)
    #expect(counters.used(key) == 8, "nothing was moved")
    let right = CounterBound.reaching(key, LowSeatsCrossing(before: 10, after: 10), told: 9)
    #expect(counters.move(by: [taking], bounds: [right], lsn: 5) == nil && counters.used(key) == 9)
    let late = CounterBound.reaching(key, LowSeatsCrossing(before: 10, after: 10), told: 9)
    #expect(counters.move(by: [taking], bounds: [late], lsn: 6)?.isOutOfDate == true, "it is told once only")
  }

  @Test("B10: the commands of an EXEC count together, each after those before it")
  func together() {
    let lines = (1...10).map { "USER.CREATE g\($0) PRODUCT app LICENCE app office" }
    #expect(core.runTogether(lines).allSatisfy { !$0.isError })
    #expect(told == ["office 9/10"])
  }

  @Test("B10: a dry run tells that it would")
  func dryRun() {
    for number in 1...8 { take(number) }
    let answer = core.run("USER.CREATE u9 PRODUCT app LICENCE app office DRYRUN")
    #expect(answer["changes"].items.contains { $0["change"].text == "seats-low" })
    #expect(told == [])
  }
}

/// B10: who holds the seats of a pool.
@Suite("Seat holders")
struct SeatHoldersTests {
  private let core = CoreHarness(partitions: 4)

  init() {
    for workspace in ["acme", "beta"] {
      core.run("WORKSPACE.CREATE \(workspace)")
      core.run("PRODUCT.CREATE \(workspace)/app")
      core.run("POOL.SET \(workspace)/app office 100")
    }
  }

  @Test("B10: POOL.HOLDERS says who holds a seat since when, and when they last logged in, page by page")
  func holders() throws {
    for number in 0..<9 {
      core.run("USER.CREATE u\(number) PRODUCT acme/app LICENCE acme/app office NOINVITE")
      core.advance(1000)
    }
    let start = CoreHarness.start
    core.run("LICENCE.REMOVE u0 acme/app")
    core.run("LICENCE.ASSIGN u0 acme/app office")
    core.run("SESSION.CREATE u1 acme/app")
    core.run("PRODUCT.DISABLE u2 acme/app")
    var items: [Answer] = []
    var cursor = "0"
    repeat {
      let page = core.run("POOL.HOLDERS acme/app office COUNT 3 CURSOR \(cursor)")
      items += page[1].items
      cursor = page[0].text ?? "0"
    } while cursor != "0"
    #expect(Set(items.map { $0["username"].text }) == Set([0, 1, 3, 4, 5, 6, 7, 8].map { "u\($0)" }))
    #expect(items.count == 8)
    func item(_ name: String) -> Answer { items.first { $0["username"].text == name } ?? .null }
    #expect(item("u5")["since"].integer == start + 5000 && item("u5")["last-login"].isNull)
    #expect(item("u0")["since"].integer == start + 9000, "a seat that was given back is taken anew")
    #expect(item("u1")["last-login"].integer == start + 9000)
    #expect(core.run("POOL.HOLDERS acme/app guest").text == "NOTFOUND licence type guest of the product acme/app")
    let before = core.run("POOL.HOLDERS acme/app office")
    try core.restart()
    #expect(core.run("POOL.HOLDERS acme/app office") == before)
    core.expectReplicated()
  }

  @Test("W4: the holders of one workspace's seats are nobody else's business")
  func twoTenants() throws {
    core.run("USER.CREATE ann PRODUCT acme/app LICENCE acme/app office NOINVITE")
    core.run("USER.CREATE bea PRODUCT beta/app LICENCE beta/app office NOINVITE")
    core.run("ROLE.GRANT ann super-administrator WORKSPACE acme")
    let token = core.logIn("ann", "acme/app")
    #expect(core.run("POOL.HOLDERS acme/app office", as: token)[1].items.map { $0["username"].text } == ["ann"])
    #expect(core.run("POOL.HOLDERS beta/app office", as: token).text == "NOTFOUND product beta/app")
  }
}
