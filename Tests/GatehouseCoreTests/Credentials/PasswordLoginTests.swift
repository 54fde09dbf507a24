import Testing

@testable import GatehouseCore

/// Logging in with a password, and guessing at one.
@Suite("Login by password")
struct PasswordLoginTests {
  private let core = CoreHarness(partitions: 4)

  init() {
    core.run("PRODUCT.CREATE payroll")
    core.run("PRODUCT.CREATE office")
    core.run("USER.CREATE ana PRODUCT payroll NOINVITE")
    core.run("PASSWORD.SET ana correct-horse")
    core.decidesTwice = true
  }

  private func logIn(_ password: String, _ user: String = "ana", _ product: String = "payroll") -> Answer {
    core.run(["LOGIN.PASSWORD", user, product, password])
  }

  /// The answers to wrong passwords, one after another, waiting as long as each answer says.
  private func guess(at user: String, times: Int) -> [String] {
    (0..<times).map { _ in
      let answer = logIn("wrong-password", user)
      if let wait = answer["retry-after"].integer { core.advance(wait) }
      return answer["reason"].text ?? "?"
    }
  }

  @Test("unknown, wrong and locked are answered alike, wait alike, and cost a hash each")
  func alike() {
    core.run("USER.CREATE leo STATUS locked PRODUCT payroll NOINVITE")
    core.run("PASSWORD.SET leo correct-horse")
    core.run("USER.CREATE bare PRODUCT payroll NOINVITE")
    var answers: [[Answer]] = []
    for (user, password) in [("ana", "wrong-password"), ("nobody", "x"), ("leo", "correct-horse"), ("bare", "x")] {
      answers.append(
        (0..<7).map { attempt in
          let answer = logIn(password, user)
          #expect(core.neededWork.count == (attempt < 5 ? 1 : 0), "while waiting no password is looked at")
          return answer
        })
    }
    #expect(Set(answers.map { "\($0)" }).count == 1, "\(answers)")
    #expect(answers[0][4].keys == ["decision", "reason"] && answers[0][4]["reason"].text == "credentials")
    #expect(answers[0][5].keys == ["decision", "reason", "retry-after"])
    #expect(answers[0][5]["decision"].text == "DENY" && answers[0][5]["reason"].text == "wait")
    #expect(answers[0][5]["retry-after"].integer == 30_000)
    core.expectReplicated()
  }

  @Test(
    "W4: the answers that two services get do not tell together whether somebody has a name", arguments: [true, false])
  func twoServices(knowsThemFirst: Bool) throws {
    let core = CoreHarness(partitions: 4)
    for line in [
      "WORKSPACE.CREATE acme", "PRODUCT.CREATE acme/crm", "WORKSPACE.CREATE beta", "PRODUCT.CREATE beta/app",
      "SERVICE.CREATE ops ADMIN", "SERVICE.CREATE acmeapp READ SESSIONS WORKSPACE acme",
      "SERVICE.CREATE betaapp READ SESSIONS WORKSPACE beta",
      "WORKSPACE.SET acme policy.login.lock-after 6", "USER.CREATE erna WORKSPACE acme PRODUCT acme/crm NOINVITE",
      "PASSWORD.SET erna correct-horse",
    ] { #expect(!core.run(line).isError, "\(line)") }
    func answers(_ service: String, _ product: String, _ name: String, _ times: Int) throws -> [String] {
      let id = try #require(core.directory.state.view.service(named: service)?.id)
      core.connection = ConnectionFacts(id: 1, service: id, rights: [.read, .sessions], isBound: true)
      defer { core.connection = ConnectionFacts(id: 1, service: 0, rights: .all) }
      return (0..<times).map { _ in "\(core.run(["LOGIN.PASSWORD", name, product, "wrong-password"]))" }
    }
    let pages = [("acmeapp", "acme/crm"), ("betaapp", "beta/app")]
    let (first, second) = knowsThemFirst ? (pages[0], pages[1]) : (pages[1], pages[0])
    var seen: [[String]] = []
    for name in ["erna", "erno"] {
      seen.append(try answers(first.0, first.1, name, 5) + answers(second.0, second.1, name, 1))
    }
    #expect(seen[0] == seen[1] && seen[0].last?.contains("wait") == true, "\(seen)")
    // Nobody is locked by a service that does not know them.
    for _ in 0..<4 {
      core.advance(3_600_000)
      _ = try answers("betaapp", "beta/app", "erna", 1)
    }
    #expect(core.run("USER.GET erna")["status"].text == "active")
    core.expectReplicated()
  }

  @Test("each failure from the fifth doubles the wait, up to an hour, and a success forgets them")
  func growing() {
    #expect(guess(at: "ana", times: 4) == Array(repeating: "credentials", count: 4))
    var waits: [Int64] = []
    for _ in 0..<9 {
      #expect(logIn("wrong-password")["reason"].text == "credentials")
      let wait = logIn("correct-horse")["retry-after"].integer ?? 0
      waits.append(wait / 1000)
      core.advance(wait)
    }
    #expect(waits == [30, 60, 120, 240, 480, 960, 1920, 3600, 3600])
    #expect(logIn("correct-horse")["decision"].text == "ALLOW")
    #expect(guess(at: "ana", times: 4) == Array(repeating: "credentials", count: 4))
    #expect(logIn("correct-horse")["decision"].text == "ALLOW", "the waits begin anew")
    core.expectReplicated()
  }

  @Test("administrators see whether there is a password, how often a wrong one was given, and until when it waits")
  func seen() {
    let set = core.run("PASSWORD.GET ana")["set"]
    #expect(
      core.run("PASSWORD.GET ana").description == "{set: \(set), temporary: 1, failures: 0, waits-until: nil}")
    _ = guess(at: "ana", times: 5)
    let waits = core.run("PASSWORD.GET ana")
    #expect(waits["failures"].integer == 5 && waits["waits-until"].integer == core.now + 30_000, "\(waits)")
    core.advance(30_000)
    #expect(core.run("PASSWORD.GET ana")["waits-until"] == .null)
    #expect(core.run("LOGIN.UNLOCK ana").text == "OK")
    #expect(core.run("PASSWORD.GET ana")["failures"].integer == 0)
    core.run("USER.CREATE ben NOINVITE")
    #expect(core.run("PASSWORD.GET ben").description == "{set: nil, temporary: 0, failures: 0, waits-until: nil}")
    core.run("PASSWORD.SET ben correct-horse")
    #expect(core.run("PASSWORD.GET ben")["temporary"].integer == 1)
  }

  @Test(
    "L13: each name of somebody waits by itself, as that of nobody does, and no password is right while the login waits"
  )
  func mergedAway() {
    core.run("USER.CREATE carl NOINVITE")
    core.run("USER.MERGE ana carl")
    #expect(logIn("correct-horse", "carl")["decision"].text == "ALLOW")
    let former = (0..<6).map { _ in logIn("wrong-password", "carl") }
    #expect(former == (0..<6).map { _ in logIn("wrong-password", "nobody") })
    #expect(former[5]["reason"].text == "wait")
    // At the other name the wait is not seen, and nothing is told of the password.
    #expect(logIn("correct-horse") == logIn("wrong-password", "stranger"))
    #expect(logIn("correct-horse")["reason"].text == "credentials")
    #expect(logIn("correct-horse", "carl")["reason"].text == "wait")
    core.advance(30_000)
    #expect(logIn("correct-horse", "CARL")["decision"].text == "ALLOW")
    #expect(guess(at: "carl", times: 4) == Array(repeating: "credentials", count: 4), "the waits begin anew")
    // What was guessed at this name before is not forgotten by a login with the other: else it would tell of that.
    _ = guess(at: "ana", times: 5)
    #expect(logIn("correct-horse", "carl")["reason"].text == "credentials", "no way around the wait of the other name")
    #expect(logIn("correct-horse")["reason"].text == "wait")
    // An administrator forgets what was guessed at any of the names.
    _ = guess(at: "carl", times: 1)
    for _ in 0..<5 { _ = logIn("wrong-password", "carl") }
    #expect(core.run("LOGIN.UNLOCK carl").text == "OK")
    #expect(logIn("correct-horse", "carl")["decision"].text == "ALLOW")
    #expect(logIn("correct-horse")["decision"].text == "ALLOW")
    core.expectReplicated()
  }

  @Test("L13: guessing at the name of somebody who was merged locks, too")
  func mergedAwayLocks() {
    core.run("WORKSPACE.SET main policy.login.lock-after 6")
    core.run("USER.CREATE carl NOINVITE")
    core.run("USER.MERGE ana carl")
    _ = guess(at: "carl", times: 7)
    #expect(core.run("USER.GET ana")["status"].text == "locked")
    core.advance(3_600_000)
    #expect(logIn("correct-horse", "carl")["reason"].text == "credentials")
    #expect(logIn("correct-horse")["reason"].text == "credentials")
  }

  @Test("L13: a login takes as many guesses as it would at one name, however many lead to it")
  func mergedAwayShares() {
    core.run("WORKSPACE.SET main policy.login.lock-after 9")
    for name in ["carl", "cleo"] {
      core.run("USER.CREATE \(name) NOINVITE")
      core.run("USER.MERGE ana \(name)")
    }
    // Two guesses at each are six at the login, which waits from the fifth on.
    for name in ["ana", "carl", "cleo"] {
      for _ in 0..<2 { #expect(logIn("wrong-password", name)["reason"].text == "credentials") }
    }
    for name in ["ana", "carl", "cleo"] { #expect(logIn("correct-horse", name)["reason"].text == "credentials") }
    core.advance(30_000)
    #expect(logIn("correct-horse", "cleo")["decision"].text == "ALLOW")
    // Who is locked by guesses at several names is unlocked for all of them.
    for turn in 0..<9 {
      _ = logIn("wrong-password", ["ana", "carl", "cleo"][turn % 3])
      core.advance(3_600_000)
    }
    #expect(core.run("USER.GET ana")["status"].text == "locked")
    #expect(core.run("LOGIN.UNLOCK ana").text == "OK")
    #expect(logIn("correct-horse", "carl")["decision"].text == "ALLOW")
    core.expectReplicated()
  }

  @Test("so many failures lock a user, who is told nothing of it; an administrator unlocks")
  func locking() {
    core.run("WORKSPACE.SET main policy.login.lock-after 6")
    let session = core.logIn("ana", "payroll")
    _ = guess(at: "ana", times: 7)
    #expect(core.run("USER.GET ana")["status"].text == "locked")
    #expect(core.run("SESSION.CHECK \(session)").isNull)
    core.advance(3_600_000)
    #expect(logIn("correct-horse")["reason"].text == "credentials")
    #expect(core.run("LOGIN.CHECK ana payroll").text == "DENY status-locked")
    #expect(core.run("LOGIN.UNLOCK ana").text == "OK")
    #expect(logIn("correct-horse")["decision"].text == "ALLOW")
    core.expectReplicated()
  }

  @Test("L9: locking tells the managers, which is other work than checking the password")
  func lockingTells() {
    core.run("WORKSPACE.SET main policy.login.lock-after 5 policy.manager.notices status")
    core.run("USER.CREATE max EMAIL max@acme.test ROLE manager NOINVITE")
    core.run("MANAGE.ADD max USER ana")
    _ = guess(at: "ana", times: 5)
    #expect(core.run("USER.GET ana")["status"].text == "locked")
    #expect(core.run("MAIL.NEXT")[0]["kind"].text == "managed-status")
  }

  @Test("a super administrator is not locked by guessing")
  func supremeStays() {
    core.run("WORKSPACE.SET main policy.login.lock-after 5")
    core.run("USER.CREATE sue PRODUCT payroll ROLE super-administrator NOINVITE")
    _ = guess(at: "sue", times: 8)
    #expect(core.run("USER.GET sue")["status"].text == "active")
  }

  @Test("once the password was right, the rule that refuses is named")
  func rules() {
    #expect(logIn("correct-horse", "ana", "office")["reason"].text == "product-disabled")
    #expect(logIn("correct-horse", "ana", "nothing")["reason"].text == "unknown-product")
    #expect(logIn("wrong-password", "ana", "office")["reason"].text == "credentials")
    core.run("USER.STATUS ana inactive")
    #expect(logIn("correct-horse").keys == ["decision", "reason"])
    #expect(logIn("correct-horse")["reason"].text == "status-inactive")
    #expect(logIn("wrong-password")["reason"].text == "credentials")
  }

  @Test("a hash with other parameters is made anew at the next login")
  func rehashed() throws {
    let user = try #require(core.user("ana"))
    core.apply(PasswordSet(user.id, hash: "old$correct-horse", isTemporary: false, .administrator))
    #expect(logIn("correct-horse")["must-change"].integer == 0)
    #expect(core.user("ana").flatMap { $0.cell.state.credentials.hash(of: $0.serial) } == "new$correct-horse")
    #expect(logIn("correct-horse")["decision"].text == "ALLOW")
  }

  @Test("an id is nobody's: guesses at it and at a name have nothing in common")
  func ids() {
    let id = core.run("USER.GET ana")["id"].integer ?? 0
    #expect(logIn("correct-horse", "#\(id)").description == "{decision: DENY, reason: credentials}")
    #expect(guess(at: "ana", times: 3).allSatisfy { $0 == "credentials" })
    for _ in 0..<5 { _ = logIn("wrong-password") }
    #expect(logIn("wrong-password")["reason"].text == "wait")
    #expect(logIn("wrong-password", "#\(id)")["reason"].text == "credentials")
    for _ in 0..<5 { _ = logIn("wrong-password", "#\(id)") }
    #expect(logIn("wrong-password", "#\(id)")["reason"].text == "wait")
    core.run("LOGIN.UNLOCK ana")
    #expect(logIn("correct-horse")["decision"].text == "ALLOW")
    core.expectReplicated()
  }

  @Test(
    "L10, K1: whoever holds everything somewhere waits, and is never locked",
    arguments: [
      "WORKSPACE.TRANSFER w boss", "ROLE.GRANT boss super-administrator WORKSPACE w", "ROLE.GRANT boss all WORKSPACE w",
      "ROLE.GRANT boss all", "ROLE.GRANT boss all WORKSPACE w FROM 2100-01-01T00:00:00Z",
    ])
  func holdersOfEverything(line: String) {
    core.run("WORKSPACE.CREATE w")
    core.run("ROLE.DEFINE all \(Permission.allCases.map { "\($0.name)" }.joined(separator: " "))")
    core.run("USER.CREATE boss WORKSPACE w PRODUCT payroll NOINVITE")
    core.run("PASSWORD.SET boss correct-horse")
    core.run("WORKSPACE.SET w policy.login.lock-after 5")
    #expect(!core.run(line).isError)
    _ = guess(at: "boss", times: 8)
    #expect(core.run("USER.GET boss")["status"].text == "active")
    #expect(
      logIn("wrong-password", "boss")["reason"].text == "credentials" && logIn("x", "boss")["reason"].text == "wait")
    core.expectReplicated()
  }

  @Test("who holds less than everything is locked, whatever else they administer")
  func administratorsAreLocked() {
    core.run("ROLE.DEFINE most \(Permission.allCases.dropFirst().map { "\($0.name)" }.joined(separator: " "))")
    core.run("WORKSPACE.SET main policy.login.lock-after 5")
    for role in ["training-administrator", "most"] {
      core.run("USER.CREATE \(role) PRODUCT payroll NOINVITE")
      core.run("PASSWORD.SET \(role) correct-horse")
      #expect(!core.run("ROLE.GRANT \(role) \(role) WORKSPACE main").isError)
      _ = guess(at: role, times: 5)
      #expect(core.run("USER.GET \(role)")["status"].text == "locked", "\(role)")
    }
  }

  @Test("what cannot be an id is answered like every name that nobody has", arguments: ["#0", "#", "#x", "#1"])
  func noIDs(name: String) {
    #expect(logIn("wrong-password", name)["reason"].text == "credentials")
    #expect(core.run(["PASSWORD.RESET", name]).text == "OK")
    if name != "#1" {
      #expect(core.run(["LOGIN.CHECK", name, "payroll"]).text?.hasPrefix("ERR user is not an id") == true)
    }
  }

  @Test("L17: an administrator who sets a status that may log in forgets what has locked", arguments: ["", "inactive"])
  func unlockedByStatus(_ between: String) {
    core.run("WORKSPACE.SET main policy.login.lock-after 6")
    for _ in 0..<6 {
      core.advance(3_600_000)
      _ = logIn("wrong-password")
    }
    #expect(core.run("USER.GET ana")["status"].text == "locked")
    if !between.isEmpty { core.run("USER.STATUS ana \(between)") }
    core.run("USER.STATUS ana active")
    #expect(logIn("wrong-password")["reason"].text == "credentials", "and the wait")
    #expect(core.run("USER.GET ana")["status"].text == "active")
    #expect(logIn("correct-horse")["decision"].text == "ALLOW")
    core.expectReplicated()
  }

  @Test("B8: refusals are kept with their reason")
  func refusals() {
    _ = (0..<6).map { _ in logIn("wrong-password") }
    let kept = core.run("REFUSALS.LIST USER ana").items.map { $0["reason"].text }
    #expect(kept == ["wait"] + Array(repeating: "credentials", count: 5))
    #expect(core.run("REFUSALS.LIST REASON wait").items.count == 1)
  }

  @Test("guesses at names that nobody has take a bounded room")
  func strangers() {
    for number in 0..<(4 * Limits.strangersOfPartition + 400) { _ = logIn("wrong-password", "stranger\(number)") }
    #expect(core.cells.allSatisfy { $0.state.credentials.strangers.count <= Limits.strangersOfPartition })
    #expect(core.cells.contains { $0.state.credentials.strangers.count == Limits.strangersOfPartition })
    core.expectReplicated()
  }

  @Test("a flood of made-up names ends no wait, and tells nobody which names exist")
  func flood() {
    let core = CoreHarness(partitions: 1)
    core.run("PRODUCT.CREATE payroll")
    core.run("USER.CREATE ana PRODUCT payroll NOINVITE")
    core.run("USER.CREATE eva PRODUCT payroll NOINVITE")
    for user in ["ana", "eva"] { core.run("PASSWORD.SET \(user) correct-horse") }
    func logIn(_ user: String, _ password: String = "wrong-password") -> Answer {
      core.run(["LOGIN.PASSWORD", user, "payroll", password])
    }
    for user in ["ana", "nobody"] { for _ in 0..<5 { _ = logIn(user) } }
    for number in 0..<(Limits.strangersOfPartition + 100) { _ = logIn("flood\(number)") }
    #expect(logIn("ana")["reason"].text == "wait" && logIn("nobody")["reason"].text == "wait")
    // Nor does a flood after the wait have the failures forgotten.
    core.advance(30_000)
    for number in 0..<(Limits.strangersOfPartition + 100) { _ = logIn("other\(number)") }
    for user in ["ana", "nobody"] { #expect(logIn(user)["reason"].text == "credentials") }
    for user in ["ana", "nobody"] { #expect(logIn(user)["retry-after"].integer == 60_000) }
    core.expectReplicated()
  }

  @Test("where all names that are remembered wait, every other name waits too, whether or not somebody has it")
  func fullOfWaiting() throws {
    let core = CoreHarness(partitions: 1)
    core.run("PRODUCT.CREATE payroll")
    core.run("USER.CREATE eva PRODUCT payroll NOINVITE")
    core.run("PASSWORD.SET eva correct-horse")
    func logIn(_ user: String, _ password: String = "wrong-password") -> Answer {
      core.run(["LOGIN.PASSWORD", user, "payroll", password])
    }
    for number in 0..<Limits.strangersOfPartition { for _ in 0..<5 { _ = logIn("flood\(number)") } }
    let (real, ghost) = (logIn("eva"), logIn("nobody"))
    #expect("\(real)" == "\(ghost)" && real["reason"].text == "wait", "\(real) \(ghost)")
    core.advance(try #require(real["retry-after"].integer))
    #expect(logIn("nobody")["reason"].text == "credentials")
    #expect(logIn("eva", "correct-horse")["decision"].text == "ALLOW")
    core.expectReplicated()
  }

  @Test("B8: beside a password no name or product is kept that nobody has: it may be the password")
  func misplaced() {
    _ = core.run("LOGIN.PASSWORD my-secret-pw payroll ana")
    _ = core.run("LOGIN.PASSWORD ana my-secret-pw correct-horse")
    let kept = core.run("REFUSALS.LIST").items
    #expect(!"\(kept)".contains("my-secret-pw"))
    #expect(kept.map { $0["username"].text } == ["ana", "(redacted)"])
    #expect(kept.map { $0["product"].text } == ["(redacted)", "payroll"])
    #expect(core.run("REFUSALS.LIST USER my-secret-pw").items.count == 1, "who knows the name finds it")
    core.run("LOGIN.CHECK mistyped payroll")
    #expect(core.run("REFUSALS.LIST")[0]["username"].text == "mistyped")
  }

  @Test("what may be the rest of a password is in no message")
  func messages() {
    for line in [
      "USER.CREATE zz PASSWORD correct horse", "USER.CREATE zz NOINVITE PASSWORD-HASH correct horse staple",
      "TOTP.DISABLE ana CODE 000 horse", "LOGIN.PASSWORD ana payroll correct TOTP 000 horse",
      "USER.CREATEMANY ROWS horse FIELDS 1 password", "PASWORD.SET ana horse", "PASSWD.SET ana horse",
      "LOGINPASSWORD ana payroll horse", "PASSWORD SET ana horse", "USER.CREATE zz password:horse",
      "PASSWORD.SET ana correct horse", "PASSWORD.SETT ana horse", "LOGIN.PASSWORD ana payroll correct horse",
    ] {
      let text = core.run(line).text ?? ""
      #expect(text.hasPrefix("ERR ") && !text.contains("horse"), "\(text)")
    }
    #expect(
      core.run("PASSWORD.SET ana correct horse").text?.hasPrefix(
        "ERR unknown option for 'password.set'; a password with spaces is one word, in quotes; usage: ") == true)
    #expect(
      core.run("PASSWORD.SETT ana x").text == "ERR unknown command 'PASSWORD.SETT'; COMMAND LIST names all of them")
    #expect(
      core.run("USER.CREATE zz PASSWORD-HASH=horse").text?.hasPrefix("ERR unknown option 'PASSWORD-HASH' for ") == true)
  }

  @Test("a guess cannot be tried out, nor repeated under a key")
  func noFreeGuess() {
    for option in ["DRYRUN", "IDEM k"] {
      #expect(core.run("LOGIN.PASSWORD ana payroll x \(option)").text?.hasPrefix("ERR unknown option") == true)
      #expect(core.run("PASSWORD.REDEEM x y \(option)").text?.hasPrefix("ERR unknown option") == true)
    }
  }
}
