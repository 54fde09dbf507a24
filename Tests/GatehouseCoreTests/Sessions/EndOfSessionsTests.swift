import Testing

@testable import GatehouseCore

/// Sessions, impersonations and keys end when they must: the very next check says so, on every product. What comes of it
/// when the right is given back is a part of the rule: sessions and impersonations do not come back, keys follow the
/// login rules.
@Suite("The end of sessions, impersonations and keys")
struct EndOfSessionsTests {
  /// Something that ends some of them. The company: ana, at home in acme, with a login to acme/a, an impersonation that
  /// tina began, and a key; each is checked without a product, for acme/a and for acme/b.
  struct Cause: CustomTestStringConvertible, Sendable {
    let lines: [String]
    /// How long to wait after them.
    var wait: Milliseconds = 0
    /// What each is good for afterwards.
    let login: String
    let impersonation: String
    let key: String
    /// Gives the right back.
    var restore: [String] = []
    /// What the key is good for then.
    var keyRestored = "-ab"

    var testDescription: String { lines.joined(separator: "; ") + (wait == 0 ? "" : " and \(wait / 1000) s later") }

    /// It ends all of them.
    static func all(_ line: String, restore: String? = nil, keyRestored: String = "-ab") -> Cause {
      Cause(
        lines: [line], login: "", impersonation: "", key: "", restore: restore.map { [$0] } ?? [],
        keyRestored: keyRestored)
    }

    /// It ends what rests on access to acme/a.
    static func product(_ line: String, wait: Milliseconds = 0, restore: String) -> Cause {
      Cause(lines: [line], wait: wait, login: "", impersonation: "-b", key: "-b", restore: [restore])
    }

    /// It ends the impersonation alone.
    static func actor(_ lines: String..., wait: Milliseconds = 0, restore: String = "PING") -> Cause {
      Cause(
        lines: lines, wait: wait, login: "-ab", impersonation: "", key: "-ab",
        restore: restore == "PING" ? [] : [restore])
    }

    /// It ends what was opened by a login.
    static func logins(_ lines: String..., wait: Milliseconds = 0) -> Cause {
      Cause(lines: lines, wait: wait, login: "", impersonation: "", key: "-ab")
    }
  }

  static let causes: [Cause] = [
    // The user.
    .all("USER.STATUS ana inactive", restore: "USER.STATUS ana active"),
    .all("USER.STATUS ana locked", restore: "LOGIN.UNLOCK ana"),
    .all("USER.STATUS ana pending", restore: "USER.STATUS ana active"),
    .all("USER.DELETE ana REASON left", restore: "UNDO RECORD", keyRestored: ""),
    .all("USER.ANONYMISE ana"),
    .all("USER.MERGE bob ana"),
    .all("USER.BULK SET status inactive IDS 1 ana", restore: "USER.BULK SET status active IDS 1 ana"),
    .logins("PASSWORD.SET ana correct-horse"), .logins("PASSWORD.GENERATE ana"), .logins("TOTP.CONFIRM ana CODE"),
    .logins("TOTP.CONFIRM ana CODE", "TOTP.DISABLE ana"), .logins("SESSION.REVOKEALL ana"),
    // Access to a product.
    .product("PRODUCT.DISABLE ana acme/a", restore: "PRODUCT.ENABLE ana acme/a"),
    .product("LICENCE.REMOVE ana acme/a", restore: "LICENCE.ASSIGN ana acme/a office"),
    .product(
      "PRODUCT.ENABLE ana acme/a UNTIL 1772355660000", wait: 60_000, restore: "PRODUCT.ENABLE ana acme/a UNTIL none"),
    Cause(
      lines: ["WORKSPACE.SET acme policy.login.within-employment on", "USER.SET ana released 2026-03-01"],
      wait: 2 * TimeText.day, login: "", impersonation: "", key: "", restore: ["USER.SET ana released \"\""]),
    // The right of the actor, and the login that the impersonation rests on.
    .actor(
      "ROLE.REVOKE tina training-administrator WORKSPACE acme",
      restore: "ROLE.GRANT tina training-administrator WORKSPACE acme"),
    .actor("USER.STATUS tina inactive", restore: "USER.STATUS tina active"), .actor("SESSION.REVOKEALL tina"),
    .actor("PASSWORD.SET tina correct-horse"), .actor("USER.DELETE tina REASON left"),
    .actor("PRODUCT.DISABLE tina acme/a", restore: "PRODUCT.ENABLE tina acme/a"),
    .actor(
      "ROLE.GRANT tina training-administrator WORKSPACE acme UNTIL 1772355660000", wait: 60_000,
      restore: "ROLE.GRANT tina training-administrator WORKSPACE acme"),
    .actor(
      "ROLE.GRANT ana super-administrator WORKSPACE acme", restore: "ROLE.REVOKE ana super-administrator WORKSPACE acme"
    ),
    .actor(
      "WORKSPACE.SET acme policy.accounts.needs-owner on", restore: "WORKSPACE.SET acme policy.accounts.needs-owner off"
    ),
    .actor(
      "WORKSPACE.SET acme policy.accounts.needs-enterprise on", restore: "WORKSPACE.SET acme plan enterprise"),
    // Time.
    .actor("USER.SET ana phone 1", wait: 15 * 60_000),
    .logins("USER.SET ana phone 1", wait: 12 * 3_600_000),
    Cause(
      lines: ["APIKEY.DEACTIVATEALL ana"], login: "-ab", impersonation: "-ab", key: ""),
    Cause(
      lines: ["SESSION.CREATE ana acme/a", "WORKSPACE.SET acme policy.session.max 1", "SESSION.CREATE ana acme/a"],
      login: "", impersonation: "-ab", key: "-ab"),
  ]

  private struct World {
    let core = CoreHarness(partitions: 4)
    let login: String
    let impersonation: String
    let key: String
    let secret: TimeSecret

    init() {
      for line in [
        "WORKSPACE.CREATE acme PLAN pro", "PRODUCT.CREATE acme/a", "PRODUCT.CREATE acme/b", "POOL.SET acme/a office 5",
        "USER.CREATE tina WORKSPACE acme PRODUCT acme/b LICENCE acme/a office NOINVITE",
        "USER.CREATE bob WORKSPACE acme NOINVITE",
        "USER.CREATE ana WORKSPACE acme EMAIL ana@acme.test PRODUCT acme/b LICENCE acme/a office NOINVITE",
        "ROLE.GRANT tina training-administrator WORKSPACE acme",
      ] {
        let answer = core.run(line)
        #expect(!answer.isError, "\(line): \(answer)")
      }
      let address = core.run("TOTP.ENROL ana").text ?? ""
      secret = SecondFactorScene.secret(in: address)
      login = core.logIn("ana", "acme/a")
      key = core.run("APIKEY.CREATE ana")["key"].text ?? ""
      let actor = core.logIn("tina", "acme/a")
      impersonation = core.run("IMPERSONATE.START \(actor) ana WORKSPACE acme REASON help")["session"].text ?? ""
    }

    func run(_ line: String) {
      let code = TimeCode.code(secret, step: core.now / 30_000, CoreHarness.hmacSHA1)
      let words = line.replacing("CODE", with: String(String(code + 1_000_000).dropFirst()))
        .replacing("RECORD", with: "\(core.lsn)")
      let answer = core.run(words)
      #expect(!answer.isError, "\(words): \(answer)")
    }

    /// What a token or a key is good for: no product in particular, acme/a, acme/b.
    func uses(_ token: String) -> String {
      let command = token.hasPrefix("ga_") ? "APIKEY.CHECK" : "SESSION.CHECK"
      var uses = ""
      for (sign, option) in [("-", ""), ("a", "PRODUCT acme/a"), ("b", "PRODUCT acme/b")] {
        if !core.run("\(command) \(token) \(option)").isNull { uses += sign }
      }
      return uses
    }

    /// Whether a command runs on its authority.
    func acts(_ token: String) -> Bool { !core.run("APIKEY.COUNT ana", as: token).isError }
  }

  @Test("the very next check says so, on every product, and what has ended does not come back", arguments: causes)
  func ends(cause: Cause) {
    // Each has a company of its own, so that its check is the very next.
    for (name, token, expected) in [
      ("login", \World.login, cause.login), ("impersonation", \World.impersonation, cause.impersonation),
      ("key", \World.key, cause.key),
    ] {
      let world = World()
      #expect(world.uses(world[keyPath: token]) == "-ab")
      for line in cause.lines { world.run(line) }
      world.core.advance(cause.wait)
      #expect(world.uses(world[keyPath: token]) == expected, "\(name)")
      #expect(world.acts(world[keyPath: token]) == expected.contains("-"), "\(name) after AS")
      world.core.expectReplicated()
      if cause.restore.isEmpty { continue }
      for line in cause.restore { world.run(line) }
      let restored = name == "key" ? cause.keyRestored : expected.isEmpty ? "" : "-ab"
      #expect(world.uses(world[keyPath: token]) == restored, "\(name), when the right is given back")
    }
  }

  @Test("idle limits end sessions and what rests on them, and keys have none")
  func idle() {
    let core = CoreHarness(partitions: 4)
    core.run("PRODUCT.CREATE payroll")
    core.run("WORKSPACE.SET main policy.session.idle 10m")
    core.run("USER.CREATE ana PRODUCT payroll NOINVITE")
    core.run("USER.CREATE tom PRODUCT payroll ROLE training-administrator NOINVITE")
    let login = core.logIn("ana", "payroll")
    let key = core.run("APIKEY.CREATE ana")["key"].text ?? ""
    let tom = core.run("SESSION.CREATE tom payroll")
    let borrowed = core.run("IMPERSONATE.START \(tom["session"]) ana REASON help")["session"].text ?? ""
    core.advance(599_999)
    #expect(!core.run("SESSION.CHECK \(borrowed)").isNull)
    // Whoever uses an impersonation uses the login from which it began, also as the log has it.
    let seen = core.changes.compactMap { $0.as(SessionSeen.self) }
    #expect(seen.map { Int64($0.session.raw) } == [tom["id"].integer ?? 0])
    core.advance(1)
    #expect(core.run("SESSION.CHECK \(login)").isNull && !core.run("SESSION.CHECK \(borrowed)").isNull)
    core.advance(600_000)
    #expect(core.run("SESSION.CHECK \(borrowed)").isNull && core.run("SESSION.CHECK \(tom["session"])").isNull)
    #expect(!core.run("APIKEY.CHECK \(key)").isNull)
  }
}
