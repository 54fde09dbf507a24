import GatehouseTestSupport
import Testing

@testable import GatehouseCore

/// W4: what one workspace holds is invisible from another. The same random history runs with and without beta's
/// commands; all replies to people of acme, to reads and writes, must be the same apart from ids. One thing is
/// revealed: the owner of a workspace cannot be deleted. So nobody is deleted here.
@Suite struct SecrecyTests {
  @Test(arguments: 1...20 as ClosedRange<UInt64>)
  func noAnswerRevealsAnotherWorkspace(seed: UInt64) {
    var random = SeededRandom(seed: seed)
    let homes = ["acme", "beta"]
    let home = homes[Int(seed % 2)]
    let (with, without) = (World(home: home), World(home: home))
    for step in 1...160 {
      if Int.random(in: 0..<100, using: &random) < 45 {
        with.runOfBeta(Self.pick(Self.ofBeta, &random), step)
        continue
      }
      let who = Self.pick(World.observers, &random)
      let line = Self.pick(Self.ofAcme, &random).replacing("NEW", with: "n\(step)")
      let seen = with.run(line, as: who)
      let expected = without.run(line, as: who)
      guard seen != expected else { continue }
      Issue.record(
        "seed \(seed), step \(step), home \(home), \(who): \(line)\nsees      \(seen)\nshould see \(expected)")
      return
    }
  }

  private static func pick<T>(_ values: [T], _ random: inout SeededRandom) -> T {
    values[Int.random(in: 0..<values.count, using: &random)]
  }

  /// What beta and its people do; each command may be refused. `shared` is at home in one of the two, and a member of
  /// acme.
  private static let ofBeta = [
    "WORKSPACE.MEMBER beta shared", "PRODUCT.ENABLE shared beta/app LICENCE office", "PRODUCT.DISABLE shared beta/app",
    "PRODUCT.ENABLE shared beta/app ADMIN", "LICENCE.REMOVE shared beta/app", "POOL.SET beta/app office 9",
    "ROLE.GRANT shared manager WORKSPACE beta", "ROLE.GRANT shared training-administrator WORKSPACE beta",
    "ROLE.GRANT shared super-administrator WORKSPACE beta", "ROLE.REVOKE shared manager WORKSPACE beta",
    "ROLE.REVOKE shared super-administrator WORKSPACE beta", "WORKSPACE.SET beta owner shared",
    "WORKSPACE.SET beta owner bea", "TIMER.START shared WORKSPACE beta", "TIMER.STOP shared WORKSPACE beta",
    "ENTRY.ADD shared START 1 END 9 WORKSPACE beta NOTE secret", "SESSION.CREATE shared beta/app",
    "USER.CREATE beaNEW PRODUCT beta/app REFERENCE R1", "SESSION.CREATE bea beta/app", "TIMER.START bea WORKSPACE beta",
    "WORKSPACE.SET beta policy.contact.name-format last-first policy.user.required-fields reference",
    "WORKSPACE.SET beta profile actionstep policy.timezone Pacific/Auckland", "PRODUCT.CREATE beta/NEW",
    "USER.STATUS bea inactive", "USER.STATUS bea active", "WORKSPACE.SET beta subdomain beta",
    "IMPERSONATE.START BEA shared WORKSPACE beta REASON secret",
  ]

  /// What people of acme do, also with names from beta.
  private static let ofAcme = [
    "USER.GET shared", "USER.GET ann", "USER.GET bea", "USER.GET nobody", "SESSION.LIST shared", "SESSION.LIST bea",
    "ROLE.LIST shared", "PERMISSION.LIST shared", "PERMISSION.LIST shared WORKSPACE acme", "IMPERSONATE.LIST",
    "USER.LIST", "USER.LIST SORT last-login DESC FIELDS 4 username last-login sessions version", "USER.COUNT",
    "USER.LIST FIELDS 6 username name role product licence workspace COUNT 2", "USER.LIST SORT version COUNT 1",
    "USER.COUNT WHERE role = manager", "USER.COUNT WHERE sessions > 0", "USER.COUNT WHERE licence = office",
    "USER.COUNT WHERE product ~= beta", "USER.COUNT WHERE workspace ~= beta", "USER.COUNT WHERE workspace = acme",
    "USER.COUNT WHERE last-login > 0", "USER.LIST WHERE reference = R1 FIELDS 2 username reference",
    "USER.LIST WHERE hired > 2026-03-02T00:30:00Z FIELDS 2 username hired", "WORKSPACE.LIST", "PRODUCT.LIST",
    "POOL.LIST", "POOL.LIST acme/app", "TIMER.RUNNING", "TIMER.CURRENT shared WORKSPACE acme", "ENTRY.LIST shared",
    "LOGIN.CHECK shared acme/app", "LOGIN.EXPLAIN shared acme/app", "LOGIN.CHECK bea acme/app",
    "IMPERSONATE.CAN ann shared WORKSPACE acme", "IMPERSONATE.CAN shared ann WORKSPACE acme",
    "USER.SET shared first Sam hired 2026-03-02 reference R1", "USER.SET shared reference \"\"",
    "USER.RENAME shared Shared", "USER.STATUS shared locked", "USER.STATUS shared active",
    "SESSION.REVOKEALL shared", "TIMER.START shared WORKSPACE acme", "TIMER.STOP shared WORKSPACE acme",
    "ENTRY.ADD shared START 1 END 2 WORKSPACE acme", "PRODUCT.ENABLE shared acme/app LICENCE office",
    "PRODUCT.DISABLE shared acme/app", "LICENCE.ASSIGN ann acme/app office", "POOL.SET acme/app office 1",
    "POOL.SET acme/app office 3", "ROLE.GRANT shared manager WORKSPACE acme",
    "ROLE.REVOKE shared manager WORKSPACE acme",
    "ROLE.GRANT shared manager WORKSPACE acme MAIN", "USER.CREATE NEW WORKSPACE acme REFERENCE R1 NOINVITE",
    "WORKSPACE.SET acme policy.session.ttl 2h",
    // For these nothing but that it does not exist may be revealed.
    "USER.GET beaNEW", "WORKSPACE.MEMBER acme bea", "PRODUCT.ENABLE bea acme/app",
    "ROLE.GRANT bea manager WORKSPACE acme",
    "SESSION.REVOKEALL bea", "USER.DELETE bea REASON x", "TIMER.START bea WORKSPACE acme",
  ]
}

/// A server with two workspaces, one of which may stay silent.
private final class World {
  static let observers = ["ann", "olga", "pat", "pia", "shared-here"]

  private let core = CoreHarness(partitions: 4)
  private var tokens: [String: String] = [:]

  init(home: String) {
    for workspace in ["acme", "beta"] {
      core.run("WORKSPACE.CREATE \(workspace) PLAN enterprise")
      core.run("PRODUCT.CREATE \(workspace)/app")
      core.run("POOL.SET \(workspace)/app office 3")
    }
    for user in ["ann", "olga", "pat", "pia"] {
      core.run("USER.CREATE \(user) WORKSPACE acme LICENCE acme/app office NOINVITE")
    }
    core.run("POOL.SET acme/app office 9")
    core.run("ROLE.GRANT ann training-administrator WORKSPACE acme")
    core.run("WORKSPACE.SET acme owner olga")
    core.run("PRODUCT.ENABLE pat acme/app ADMIN")
    core.run("USER.CREATE bea WORKSPACE beta LICENCE beta/app office NOINVITE")
    core.run("ROLE.GRANT bea training-administrator WORKSPACE beta")
    core.run("USER.CREATE shared WORKSPACE \(home) EMAIL shared@home.test NOINVITE")
    core.run("LICENCE.ASSIGN shared acme/app office")
    core.run("PRODUCT.ENABLE shared acme/app")
  }

  private func token(_ who: String) -> String {
    if let token = tokens[who], !core.run("SESSION.CHECK \(token)").isNull { return token }
    let user = who == "shared-here" ? "ann" : who
    let login = core.run("SESSION.CREATE \(user) acme/app")["session"].text ?? "gs_none"
    guard who == "shared-here" else {
      tokens[who] = login
      return login
    }
    let started = core.run("IMPERSONATE.START \(login) shared WORKSPACE acme REASON help")
    tokens[who] = started["session"].text ?? "gs_none"
    return tokens[who] ?? ""
  }

  func run(_ line: String, as who: String) -> Answer { core.run(line, as: token(who)).withoutIDs }

  /// Runs beta's own commands, through a service.
  func runOfBeta(_ line: String, _ step: Int) {
    var line = line.replacing("NEW", with: "b\(step)")
    if line.contains("BEA") {
      line = line.replacing("BEA", with: core.run("SESSION.CREATE bea beta/app")["session"].text ?? "gs_none")
    }
    core.run(line)
  }
}

extension Answer {
  /// The answer without the numbers that depend on all the server's traffic: ids, and cursors, which contain ids.
  var withoutIDs: Answer {
    switch self {
    case .text(let text): .text(text)
    case .error(let text): .error(text.replacing(/#\d+/, with: "#"))
    case .list(let items) where items.count == 2 && items[0].text != nil && items[1].isList:
      .list([.text(items[0].text == "0" ? "0" : "more"), items[1].withoutIDs])
    case .list(let items): .list(items.map(\.withoutIDs))
    case .map(let pairs):
      .map(
        pairs.map { pair in
          ["id", "contact", "user", "entry", "detail"].contains(pair.key)
            ? Pair(key: pair.key, value: .text(pair.value.text?.replacing(/#\d+/, with: "#") ?? "id"))
            : Pair(key: pair.key, value: pair.value.withoutIDs)
        })
    case .integer, .double, .null: self
    }
  }

  private var isList: Bool { if case .list = self { true } else { false } }
}
