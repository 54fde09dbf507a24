import GatehouseTestSupport
import Testing

@testable import GatehouseCore

/// Random sequences of good and bad commands, with invariants checked after each.
@Suite struct CommandPropertyTests {
  @Test(arguments: 1...24 as ClosedRange<UInt64>)
  func anySequenceOfCommandsKeepsTheRules(seed: UInt64) throws {
    var run = try PropertyRun(seed: seed, partitions: [1, 2, 4, 16][Int(seed % 4)])
    while run.step < 250, !run.hasFailed { run.next() }
    try run.finish()
  }

  /// Words of any bytes are answered; refused ones change nothing.
  @Test(arguments: 1...6 as ClosedRange<UInt64>)
  func anyBytesAreAnswered(seed: UInt64) throws {
    let core = CoreHarness(seed: seed)
    core.run("PRODUCT.CREATE payroll")
    core.run("USER.CREATE ana PRODUCT payroll")
    core.run("TIMER.START ana")
    let token = core.logIn("ana", "payroll")
    var random = SeededRandom(seed: seed)
    let names = CommandTable.all.filter { if case .server = $0.body { false } else { true } }.map {
      Array($0.name.utf8)
    }
    let parts = [
      "ana", "#4", "payroll", token, "AS", "WHERE", "COUNT", "REASON", "0", "-1", "1e9", "9223372036854775808",
    ]
    for _ in 0..<600 {
      var words = [names.randomElement(using: &random) ?? []]
      for _ in 0..<Int.random(in: 0...6, using: &random) {
        if Bool.random(using: &random) {
          words.append(Array((parts.randomElement(using: &random) ?? "").utf8))
        } else {
          let count = Int.random(in: 0...(Bool.random(using: &random) ? 8 : 300), using: &random)
          words.append((0..<count).map { _ in UInt8.random(in: 0...255, using: &random) })
        }
      }
      let before = core.log.count
      let answer = Answer(core.reply(toBytes: words))
      #expect(!answer.isError || core.log.count == before)
    }
    core.expectReplicated()
    #expect(Invariants.check(core.cells, core.wholeDirectory) == [])
  }
}

struct PropertyRun {
  private let core: CoreHarness
  private let seed: UInt64
  private var generator: CommandGenerator
  private(set) var step = 0
  private(set) var hasFailed = false
  private var line = ""
  /// Sessions that have once lost their right.
  private var lapsed = Set<SessionID>()
  /// States of partitions as of different records, like a snapshot under load.
  private var snapshot: [ContiguousArray<UInt8>] = []
  private var directorySnapshot: ContiguousArray<UInt8>

  init(seed: UInt64, partitions: Int) throws {
    self.seed = seed
    core = CoreHarness(partitions: partitions, seed: seed)
    core.decidesTwice = true
    generator = CommandGenerator(seed: seed)
    snapshot = core.cells.map(\.encoded)
    directorySnapshot = DirectoryCell(core.wholeDirectory).encoded
    for words in [
      "WORKSPACE.CREATE acme PLAN enterprise", "WORKSPACE.CREATE beta", "PRODUCT.CREATE payroll",
      "PRODUCT.CREATE office",
      "PRODUCT.CREATE acme/crm", "POOL.SET office guest 2", "POOL.SET office * 3",
      "USER.CREATE tom@acme.test PRODUCT payroll ROLE super-administrator",
      "USER.CREATE ana PRODUCT payroll PRODUCT acme/crm ROLE training-administrator", "USER.CREATE BEN PRODUCT payroll",
      "ACCOUNT.CREATE Widgets CUSTOMER", "ACCOUNT.CREATE Gadgets PROVIDER",
      "ACCOUNT.CREATE Crates CUSTOMER WORKSPACE acme",
      "GROUP.CREATE Europe", "GROUP.CREATE Asia WORKSPACE acme", "GROUP.ADD Europe Widgets",
      "GROUP.ADD acme/Asia Crates",
      "EMPLOY.ADD BEN Widgets", "USER.CREATE Zoë PRODUCT payroll ACCOUNT Widgets ROLE manager",
      "USER.CREATE x1 PRODUCT payroll", "ROLE.GRANT x1 training-administrator GROUP Europe",
    ] {
      let answer = core.run(words)
      try #require(!answer.isError, "\(words): \(answer)")
    }
    for user in ["tom@acme.test", "ana", "Zoë", "x1"] {
      generator.tokens.append(core.logIn(user, "payroll", "TTL 12h"))
    }
  }

  mutating func next() {
    step += 1
    let (words, isKeyed) = generator.next(core)
    line = words.map { $0.count > 60 ? "…" : $0 }.joined(separator: " ")
    let before = core.log.count
    let trial = generator.chance(30) && Self.isWrite(words) && !words.contains("DRYRUN") ? tryOut(words) : nil
    let answer = core.run(words)
    if let trial { compare(trial, with: answer) }
    remember(answer)
    let horizon = core.horizon
    let written = core.log.count - before
    check(written <= 1, "more than one record")
    // Sessions that lost their right end as soon as anybody notices, even if the command is refused for that.
    check(
      !answer.isError || written == 0 || core.changes.allSatisfy(\.isSessionEnd),
      "an error that changed something: \(answer)")
    check(horizon <= core.lsn, "a reply that waits for what is not there")
    check(written == 0 || horizon == core.lsn, "a reply that does not wait for its own record")
    if isKeyed { repeatCommand(words, answer) }
    for problem in Invariants.check(core.cells, core.wholeDirectory) { check(false, problem) }
    checkLapses()
    if generator.chance(15) { compareCounts() }
    if generator.chance(10) { core.advance(Milliseconds(generator.number(1...1_200_000))) }
    if generator.chance(10) { core.expire() }
    if generator.chance(10) { core.endRights() }
    if generator.chance(4) { takeSnapshot() }
    if generator.chance(5) { core.expectReplicated() }
    if generator.chance(2) { restart() }
  }

  private static func isWrite(_ words: [String]) -> Bool {
    let name = (words.first == "AS" ? words.dropFirst(2).first : words.first)?.uppercased()
    return CommandTable.all.contains { $0.name == name && $0.takesDryRun }
  }

  /// Runs a command with `DRYRUN`, which must do nothing.
  private mutating func tryOut(_ words: [String]) -> Answer {
    let (cells, directory, length) = (
      core.cells.map(\.encodedAsLogged), DirectoryCell(core.wholeDirectory).encoded, core.log.count
    )
    let trial = core.run(words + ["DRYRUN"])
    check(core.log.count == length, "a trial that is logged")
    check(core.cells.map(\.encodedAsLogged) == cells, "a trial that changes a partition")
    check(DirectoryCell(core.wholeDirectory).encoded == directory, "a trial that changes the directory")
    return trial
  }

  /// The dry run must announce what the command does.
  private mutating func compare(_ trial: Answer, with answer: Answer) {
    guard !trial.isError, !answer.isError else {
      let codes = [trial, answer].map { $0.text?.prefix { $0 != " " } }
      return check(codes[0] == codes[1], "tried \(trial), done \(answer)")
    }
    // Who may not read the whole trail is not told of what they may not read, nor of all workspaces of a user.
    let isLimited = core.turn.sides.contains { !$0.reach(of: .auditRead).isAll }
    let told = DryRunTests.texts(trial)
    // That the key after AS was used is noticed in passing.
    let changes = core.changes.filter { $0.as(APIKeyUsed.self) == nil }
    let done = DryRunTests.texts(changes, core, without: isLimited ? ["workspaces"] : [])
    let agree =
      isLimited
      ? told.allSatisfy { one in
        done.contains { DryRunTests.agree(one, $0) || DryRunTests.agree(one, Self.withoutWorkspaces($0)) }
      }
      : told.count == done.count && zip(told, done).allSatisfy(DryRunTests.agree)
    check(agree, "told \(told), done \(done)")
  }

  /// Nor of the workspaces of whom they add, which may be others than theirs.
  private static func withoutWorkspaces(_ text: String) -> String {
    text.replacing(/(, )?"workspaces: nil → [^"]*"/, with: "")
  }

  /// A session that has lost its right never gets it back.
  private mutating func checkLapses() {
    guard let now = try? core.lapsedSessions() else { return check(false, "a session that cannot be judged") }
    for id in lapsed where core.isInForce(id) && !now.contains(id) { check(false, "session \(id.raw) came back") }
    lapsed.formUnion(now)
  }

  private func describe(_ problem: String) -> Comment { "seed \(seed), step \(step), \(line): \(problem)" }

  private mutating func check(_ condition: Bool, _ problem: String, _ location: SourceLocation = #_sourceLocation) {
    guard !condition else { return }
    hasFailed = true
    Issue.record(describe(problem), sourceLocation: location)
  }

  private mutating func remember(_ answer: Answer) {
    guard let token = answer["session"].text ?? answer["key"].text else { return }
    generator.tokens.append(token)
    // The log does not reveal the token.
    let secret = ContiguousArray(token.utf8.suffix(SecretText.randomCount))
    let record = core.log[core.log.count - 1]
    let isShown = record.indices.contains { record[$0...].starts(with: secret) }
    check(!isShown, "the token stands in the log")
    let texts = core.records[core.records.count - 1].first.changeTexts(in: core.directory.state.view).map(\.description)
    check(!texts.contains { $0.contains(token) }, "the token stands in the audit trail")
  }

  /// The same key and words get the same answer, and nothing changes.
  private mutating func repeatCommand(_ words: [String], _ answer: Answer) {
    let length = core.log.count
    let again = core.run(words)
    check(core.log.count == length, "a repeated command changed something")
    // A caller who ended the own session or lost the right is not answered again.
    let isShutOut = ["NOPERM a session in force", "NOPERM an API key"].contains { again.text?.hasPrefix($0) == true }
    check(again == answer || isShutOut, "\(answer) became \(again)")
  }

  /// Copies one partition, or the directory, as it is now.
  private mutating func takeSnapshot() {
    let index = generator.number(0...core.cells.count)
    if index == core.cells.count {
      directorySnapshot = DirectoryCell(core.wholeDirectory).encoded
    } else {
      snapshot[index] = core.cells[index].encoded
      // A snapshot is made from a copy, which must be complete.
      check(PartitionCell(core.cells[index].state.copy()).encoded == snapshot[index], "a copy that is another state")
    }
  }

  private mutating func restart() {
    do { try core.restart() } catch { check(false, "a snapshot that cannot be read: \(error)") }
  }

  mutating func finish() throws {
    core.expectReplicated()
    let cells = try zip(snapshot, core.cells).map {
      try PartitionCell.decode($0, index: $1.index, core.partitioning)
    }
    let directory = try DirectoryCell.decode(directorySnapshot)
    for (index, record) in core.records.enumerated() { HarnessLog.apply(record, LSN(index + 1), to: cells, directory) }
    for (one, other) in zip(cells, core.replica) {
      check(one.encodedAsLogged == other.encodedAsLogged, "snapshot and log differ from the whole log")
    }
    check(directory.encoded == core.replicaDirectory.encoded, "snapshot and log differ from the whole log")
    compareReads()
  }

  /// What the indexes count is what a look at everybody counts, whoever asks: those for whom a condition holds and
  /// those for whom it does not are all whom the asker sees (W4).
  private mutating func compareCounts() {
    let who = generator.chance(60) ? generator.tokens.randomElement().map { ["AS", $0] } ?? [] : []
    let all = core.run(who + ["USER.COUNT"])
    guard let total = all.integer, !all.isError else { return }
    let viewer = ListViewer(core.turn)
    let seen = core.cells.reduce(0) { sum, cell in
      sum
        + (1..<(ListedUser.last(in: cell.held) + 1)).count { row in
          ListedUser(cell.held, row, viewer).isListed(includingDeleted: false)
        }
    }
    check(total == seen, "counted \(total), and \(seen) are seen")
    for condition in [
      ["status", "active"], ["status", "locked"], ["product", "payroll"], ["product", "acme/crm"],
      ["role", "training-administrator"], ["role", "manager"], ["workspace", "acme"], ["account", "Widgets"],
      ["account", "acme/Crates"],
      ["account", "Guest Account"],
    ] {
      let counts = ["=", "!="].map { core.run(who + ["USER.COUNT", "WHERE", condition[0], $0, condition[1]]) }
      // What the asker does not know is refused in both.
      guard let one = counts[0].integer, let other = counts[1].integer else {
        check(counts[0] == counts[1], "\(condition): \(counts)")
        continue
      }
      check(one + other == total, "\(condition): \(one) and \(other) of \(total)")
    }
  }

  /// Reads give the same on the state and on the replica.
  private mutating func compareReads() {
    for cell in core.cells { cell.forgetUses() }
    var lines = ["TIMER.RUNNING", "IMPERSONATE.LIST", "PRODUCT.LIST", "POOL.LIST", "WORKSPACE.LIST", "SERVICE.LIST"]
    lines += ["ACCOUNT.LIST", "GROUP.LIST", "USER.LIST FIELDS 4 username account employer group"]
    lines += ["USER.LIST SORT username", "USER.COUNT WHERE status = deleted", "WORKSPACE.GET acme"]
    for name in CommandGenerator.names {
      lines += [
        "LOGIN.CHECK \(name) payroll", "LOGIN.EXPLAIN \(name) office", "USER.GET \(name)", "SESSION.LIST \(name)",
        "TIMER.CURRENT \(name)", "ENTRY.LIST \(name)", "ROLE.LIST \(name)",
        "EMPLOY.LIST \(name)", "MANAGE.LIST \(name)",
      ]
    }
    lines += generator.tokens.suffix(20).map { "SESSION.CHECK \($0)" }
    // A read can log that a session was used or has ended, which changes the replica too.
    func copies() -> [PartitionCell] { core.replica.map { PartitionCell($0.state.copy()) } }
    let (replica, next) = (copies(), copies())
    let live = lines.map { core.run($0) }
    core.take(replica, core.replicaDirectory, replica: next)
    for (line, answer) in zip(lines, live) {
      let replayed = core.run(line)
      check(replayed == answer, "\(line) answers \(answer), after replay \(replayed)")
    }
  }
}

extension AnyChange {
  fileprivate var isSessionEnd: Bool { if case .sessionEnded = self { true } else { false } }
}
