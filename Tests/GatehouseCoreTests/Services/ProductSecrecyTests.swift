import GatehouseTestSupport
import Testing

@testable import GatehouseCore

/// W6: what is done with one product is invisible to a service that is bound to another, and to whoever asks through it. The
/// same random history runs with and without the commands about the other product; all replies must be the same apart
/// from ids.
@Suite struct ProductSecrecyTests {
  @Test(arguments: 1...16 as ClosedRange<UInt64>)
  func noAnswerRevealsAnotherProduct(seed: UInt64) {
    var random = SeededRandom(seed: seed)
    let (with, without) = (World(), World())
    for step in 1...140 {
      if Int.random(in: 0..<100, using: &random) < 45 {
        with.runElsewhere(Self.pick(Self.ofOthers, &random), step)
        continue
      }
      let who = Self.pick(World.observers, &random)
      let line = Self.pick(Self.ofPayroll, &random)
      let (seen, expected) = (with.run(line, as: who), without.run(line, as: who))
      guard seen != expected else { continue }
      Issue.record("seed \(seed), step \(step), \(who): \(line)\nsees      \(seen)\nshould see \(expected)")
      return
    }
  }

  private static func pick<T>(_ values: [T], _ random: inout SeededRandom) -> T {
    values[Int.random(in: 0..<values.count, using: &random)]
  }

  /// What is done with the other product, and with what is of the workspace alone.
  private static let ofOthers = [
    "PRODUCT.ENABLE ana acme/zeta LICENCE guest", "PRODUCT.DISABLE ana acme/zeta", "PRODUCT.ENABLE bob acme/zeta ADMIN",
    "LICENCE.REMOVE bob acme/zeta", "POOL.SET acme/zeta guest 4", "POOL.SET acme/zeta * 9", "PRODUCT.CREATE acme/NEW",
    "SESSION.CREATE ana acme/zeta IP 192.0.2.9 AGENT zeta", "SESSION.CREATE bob acme/zeta",
    "ROLE.GRANT ana manager PRODUCT acme/zeta", "ROLE.REVOKE ana manager PRODUCT acme/zeta",
    "ROLE.GRANT bob manager WORKSPACE acme", "ROLE.DEFINE NEW WORKSPACE acme user.read",
    "TIMER.START ana WORKSPACE acme NOTE zeta", "TIMER.STOP ana WORKSPACE acme",
    "ENTRY.ADD ana START 1 END 9 WORKSPACE acme", "LINK.ADD ana booking NEW WORKSPACE acme",
    "ACCOUNT.CREATE NEW CUSTOMER WORKSPACE acme", "GROUP.CREATE NEW WORKSPACE acme",
    "FIELD.DEFINE NEW text WORKSPACE acme", "USER.SET ana initials NEW", "APIKEY.CREATE ana NAME zeta",
    "IMPERSONATE.START ROOT bob PRODUCT acme/zeta REASON zeta",
  ]

  private static let ofPayroll = [
    "USER.GET ana", "USER.GET bob", "USER.LIST", "USER.COUNT", "SESSION.LIST ana", "SESSION.LIST bob", "ROLE.LIST ana",
    "USER.LIST FIELDS 8 username role product licence sessions version last-login account",
    "USER.LIST SORT version COUNT 2", "USER.LIST SORT last-login DESC FIELDS 1 username",
    "USER.COUNT WHERE sessions > 0", "USER.COUNT WHERE product ~= zeta", "USER.COUNT WHERE licence = guest",
    "USER.COUNT WHERE last-login > 0", "USER.COUNT WHERE role = manager", "USER.COUNT WHERE product = acme/payroll",
    "USER.COUNT WHERE initials != none", "PRODUCT.LIST", "POOL.LIST", "POOL.HOLDERS acme/payroll office", "ROLE.LIST",
    "ROLE.LIST bob", "PERMISSION.LIST bob", "PERMISSION.CHECK bob PRODUCT acme/payroll product.access",
    "LOGIN.CHECK ana acme/payroll", "LOGIN.EXPLAIN bob acme/payroll", "LOGIN.CHECK ana acme/zeta", "LINK.LIST ana",
    "EMPLOY.LIST ana", "MANAGE.LIST ana", "ACCOUNT.LIST", "GROUP.LIST", "WORKSPACE.LIST", "IMPERSONATE.LIST",
    "PRODUCT.ENABLE bob acme/payroll LICENCE office", "PRODUCT.DISABLE bob acme/payroll",
    "PRODUCT.DISABLE ana acme/payroll DRYRUN", "PRODUCT.ENABLE ana acme/payroll",
    "LICENCE.ASSIGN ana acme/payroll office",
    "LICENCE.REMOVE bob acme/payroll DRYRUN", "SESSION.REVOKEALL ana", "SESSION.CREATE ana acme/payroll",
    "SESSION.CREATE bob acme/payroll", "TIMER.RUNNING", "AUDIT.LIST", "FEED.READ 0", "APIKEY.COUNT ana",
    "CONTACT.SEARCH a", "USER.SEARCH a", "USER.SEARCH b PRODUCT acme/payroll",
  ]
}

/// A workspace with two products, one of which may stay silent.
private final class World {
  /// The service by itself, and through it a user and an administrator of the workspace.
  static let observers = ["service", "ana", "root"]

  private let core = CoreHarness(partitions: 4)
  private var tokens: [String: String] = [:]

  init() {
    for line in [
      "WORKSPACE.CREATE acme PLAN enterprise", "PRODUCT.CREATE acme/payroll", "PRODUCT.CREATE acme/zeta",
      "POOL.SET acme/payroll office 5", "POOL.SET acme/zeta guest 3",
      "USER.CREATE ana WORKSPACE acme NOINVITE LICENCE acme/payroll office",
      "USER.CREATE bob WORKSPACE acme NOINVITE", "USER.CREATE root WORKSPACE acme NOINVITE LICENCE acme/payroll office",
      "ROLE.GRANT root super-administrator WORKSPACE acme", "PRODUCT.ENABLE root acme/zeta LICENCE guest",
      "SERVICE.CREATE free ADMIN", "SERVICE.CREATE portal READ SESSIONS ADMIN PRODUCT acme/payroll",
    ] {
      let answer = core.run(line)
      #expect(!answer.isError, "\(line): \(answer)")
    }
  }

  private func asService<Result>(_ body: () -> Result) -> Result {
    let before = core.connection
    defer { core.connection = before }
    core.connection = ConnectionFacts(id: 2, service: 2, rights: .all, isBound: true)
    return body()
  }

  func run(_ line: String, as who: String) -> Answer {
    asService {
      if who == "service" { return Self.withoutToken(core.run(line)).withoutIDs }
      if tokens[who].map({ core.run("SESSION.CHECK \($0)").isNull }) ?? true {
        tokens[who] = core.run("SESSION.CREATE \(who) acme/payroll")["session"].text ?? "gs_none"
      }
      return core.run(line, as: tokens[who] ?? "").withoutIDs
    }
  }

  /// A new session's token follows from all that was drawn before.
  private static func withoutToken(_ answer: Answer) -> Answer {
    guard case .map(let pairs) = answer else { return answer }
    return .map(pairs.filter { $0.key != "session" })
  }

  /// Runs what a service of the whole server does.
  func runElsewhere(_ line: String, _ step: Int) {
    var line = line.replacing("NEW", with: "zeta\(step)")
    if line.contains("ROOT") {
      line = line.replacing("ROOT", with: core.run("SESSION.CREATE root acme/zeta")["session"].text ?? "gs_none")
    }
    core.run(line)
  }
}
