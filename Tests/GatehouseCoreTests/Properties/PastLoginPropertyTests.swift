import GatehouseTestSupport
import Testing

@testable import GatehouseCore

/// B1: what was answered at a moment is answered of that moment later, whatever happened since.
@Suite struct PastLoginPropertyTests {
  @Test("B1: past answers equal the answers of then", arguments: 1...16 as ClosedRange<UInt64>)
  func theAnswersOfThen(seed: UInt64) throws {
    var run = try PastRun(seed: seed, partitions: [1, 2, 4, 16][Int(seed % 4)])
    for _ in 0..<260 { try run.step() }
    run.askAllAgain()
    #expect(run.compared > 100)
  }
}

private struct PastRun {
  private struct Asked {
    let user: String
    let product: String
    let moment: Milliseconds
    let answer: Answer
  }

  private let core: CoreHarness
  private let seed: UInt64
  private var generator: CommandGenerator
  private var asked: [Asked] = []
  private(set) var compared = 0

  init(seed: UInt64, partitions: Int) throws {
    self.seed = seed
    core = CoreHarness(partitions: partitions, seed: seed)
    generator = CommandGenerator(seed: seed)
    for line in [
      "WORKSPACE.CREATE acme", "PRODUCT.CREATE payroll", "PRODUCT.CREATE office", "PRODUCT.CREATE acme/crm",
      "POOL.SET office * 9", "USER.CREATE ana PRODUCT payroll PRODUCT acme/crm ROLE super-administrator",
      "USER.CREATE BEN PRODUCT payroll", "USER.CREATE Zoë PRODUCT payroll",
      "USER.CREATE x1 PRODUCT payroll PRODUCT office",
    ] {
      let answer = core.run(line)
      try #require(!answer.isError, "\(line): \(answer)")
    }
  }

  mutating func step() throws {
    core.advance(1)
    if generator.chance(40) { change() } else { core.run(generator.next(core).words) }
    if generator.chance(10) { core.advance(Milliseconds(generator.number(1...100_000_000))) }
    if generator.chance(10) { core.endRights() }
    if generator.chance(3) { try core.restart() }
    guard generator.chance(40) else { return }
    core.advance(1)
    for _ in 0..<3 { ask() }
    if generator.chance(20) { compare(asked[generator.number(0...(asked.count - 1))]) }
  }

  /// A change that logins depend on; those of the generator seldom are.
  private mutating func change() {
    let user = name()
    let product = ["payroll", "office", "acme/crm"][generator.number(0...2)]
    let workspace = ["main", "acme"][generator.number(0...1)]
    let day = "202\(generator.number(5...7))-0\(generator.number(1...9))-11"
    let time = core.now + Milliseconds(generator.number(-50_000_000...100_000_000))
    let lines = [
      "USER.STATUS \(user) \(["active", "locked", "inactive", "pending"][generator.number(0...3)])",
      "PRODUCT.ENABLE \(user) \(product) UNTIL \(time)", "PRODUCT.ENABLE \(user) \(product) FROM \(time) UNTIL none",
      "PRODUCT.ENABLE \(user) \(product) FROM none UNTIL none", "PRODUCT.DISABLE \(user) \(product)",
      "LICENCE.ASSIGN \(user) office guest", "LICENCE.REMOVE \(user) office",
      "POOL.SET \(product) \(["guest", "office", "any"][generator.number(0...2)]) 9",
      "WORKSPACE.SET \(workspace) policy.login.within-employment \(generator.chance(70) ? "on" : "off")",
      "WORKSPACE.SET \(workspace) policy.timezone \(["UTC", "Asia/Tokyo", "America/New_York"][generator.number(0...2)])",
      "WORKSPACE.MEMBER acme \(user) UNTIL \(time)", "WORKSPACE.MEMBER acme \(user)",
      "WORKSPACE.MEMBER acme \(user) REMOVE", "USER.SET \(user) hired \(day)", "USER.SET \(user) released \(day)",
      "USER.SET \(user) timezone Europe/Prague", "USER.RENAME \(user) \(name())",
      "USER.DELETE \(user) REASON gone", "USER.CREATE \(name()) PRODUCT payroll NOINVITE",
      "USER.MERGE \(user) \(name())", "UNDO \(core.lsn)",
    ]
    core.run(lines[generator.number(0...(lines.count - 1))])
  }

  private mutating func name() -> String {
    CommandGenerator.names[generator.number(0...(CommandGenerator.names.count - 1))]
  }

  private mutating func ask() {
    let ids: [UserID] = core.cells.flatMap { cell in
      (1..<(cell.state.people.users.last + 1)).map { cell.state.id($0) }
    }
    let user = generator.chance(50) ? name() : "#\(ids[generator.number(0...(ids.count - 1))].raw)"
    let product = ["payroll", "office", "acme/crm", "nothing"][generator.number(0...3)]
    asked.append(
      Asked(user: user, product: product, moment: core.now, answer: core.run("LOGIN.EXPLAIN \(user) \(product)")))
  }

  mutating func askAllAgain() {
    core.advance(1)
    for question in asked { compare(question) }
  }

  private mutating func compare(_ question: Asked) {
    guard question.moment < core.now else { return }
    let now = core.run("LOGIN.EXPLAIN \(question.user) \(question.product) AT \(question.moment)")
    if now == question.answer { return compared += 1 }
    let text = question.answer.items.first?["detail"].text ?? ""
    if text == "no user has this name" {
      // Who has the name since is found by it, too.
      guard let holder = core.user(question.user).map({ "#\($0.id.raw)" }) else { return fail(question, now) }
      let its = core.run("LOGIN.EXPLAIN \(holder) \(question.product) AT \(question.moment)")
      if its != now { fail(question, now) }
      return
    }
    // Who was purged is not known any more, and what was cleared of a person is not told.
    let id = UserID(raw: text.split(separator: "#").last.flatMap { UInt64($0) } ?? 0)
    let cell = core.cells[core.partitioning.partition(of: id)]
    guard let serial = cell.state.serial(of: id) else { return }
    if cell.state.people.isAnonymised(contact: Int(cell.state.people.users[serial].contact)) { return }
    fail(question, now)
  }

  private func fail(_ question: Asked, _ now: Answer) {
    Issue.record(
      """
      seed \(seed): LOGIN.EXPLAIN \(question.user) \(question.product) at \(question.moment) was answered with
      \(question.answer), and of then with \(now)
      """)
  }
}
