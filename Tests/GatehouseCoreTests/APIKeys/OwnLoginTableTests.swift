import Testing

@testable import GatehouseCore

/// K5, B3: what takes a login of one's own, over the whole table of commands and all names that can be set. The lists are
/// written from the rules and not from the code.
@Suite("What takes a login of one's own, over everything")
struct OwnLoginTableTests {
  /// Always: passwords, second factors, usernames, keys, roles, billing, who somebody is, and what guards them.
  private static let always: Set<String> = [
    "PASSWORD.SET", "PASSWORD.GENERATE", "PASSWORD.CHANGE", "LOGIN.UNLOCK", "TOTP.ENROL", "TOTP.CONFIRM",
    "TOTP.DISABLE", "APIKEY.CREATE", "APIKEY.ROTATE", "USER.RENAME", "USER.MERGE", "USER.ANONYMISE",
    "CONTACT.ANONYMISE",
    "USER.MOVEHOME",
    "USER.COPYACCESS", "UNDO", "ROLE.GRANT", "ROLE.REVOKE", "ROLE.DEFINE", "ROLE.DROP", "POOL.SET", "WORKSPACE.CREATE",
    "WORKSPACE.TRANSFER", "SERVICE.CREATE", "SERVICE.SET", "SERVICE.ROTATE", "SERVICE.DELETE", "WEBHOOK.CREATE",
    "WEBHOOK.SET", "WEBHOOK.ROTATE", "WEBHOOK.PAUSE", "WEBHOOK.RESUME", "WEBHOOK.RETRY", "WEBHOOK.DELETE",
    "APPROVAL.GRANT", "MAIL.TEMPLATE.SET", "MAIL.TEMPLATE.RESET",
  ]

  /// By what the words are.
  private static let sometimes: Set<String> = [
    "USER.CREATE", "USER.CREATEMANY", "USER.SET", "USER.BULK", "USER.STATUS", "USER.RESTORE", "CONTACT.SET",
    "PRODUCT.ENABLE", "WORKSPACE.SET", "WORKSPACE.MEMBER", "MANAGE.ADD", "MANAGE.REMOVE", "MAIL.DROP",
  ]

  /// Never: what leaves nothing behind by which somebody gets in, or takes power away.
  private static let never: Set<String> = [
    "APIKEY.DEACTIVATE", "APIKEY.DEACTIVATEALL", "PRODUCT.CREATE", "PRODUCT.DISABLE", "LICENCE.ASSIGN",
    "LICENCE.REMOVE", "APPROVAL.REFUSE", "FIELD.DEFINE", "FIELD.DROP", "IMPERSONATE.END", "LINK.ADD", "LINK.SET",
    "LINK.REMOVE", "ACCOUNT.CREATE", "ACCOUNT.SET", "ACCOUNT.DELETE", "EMPLOY.ADD", "EMPLOY.SET", "EMPLOY.END",
    "GROUP.CREATE", "GROUP.RENAME", "GROUP.ADD", "GROUP.REMOVE", "GROUP.DELETE", "GROUP.EXTERNAL",
    "MAIL.RETRY", "CONTACT.CREATE",
    "CONTACT.DELETE", "USER.PURGE", "USER.INVITE", "USER.DELETE", "USER.PROVISION", "SESSION.REVOKE",
    "SESSION.REVOKEALL", "ENTRY.ADD", "ENTRY.CORRECT", "ENTRY.DELETE", "TIMER.START", "TIMER.STOP",
  ]

  /// Only services may.
  private static let ofServices: Set<String> = ["PASSWORD.IMPORT"]

  private static let lines =
    DryRunTests.lines.map { $0.replacing("AS OTHER ", with: "") } + [
      "PASSWORD.CHANGE correct-horse battery-staple", "TOTP.CONFIRM ana 123456", "TOTP.DISABLE ana",
    ]

  private static func name(_ line: String) -> String { line.split(separator: " ").first.map(String.init) ?? "" }

  @Test("K5, B3: every write that a user can run is of one of the lists")
  func isComplete() {
    let lists = [Self.always, Self.sometimes, Self.never, Self.ofServices]
    let writes = Set(CommandTable.entries.filter { $0.effect == .write && $0.need.isForUsers }.map(\.name))
    let named = lists.reduce(into: Set<String>()) { $0.formUnion($1) }
    #expect(writes.subtracting(named).isEmpty, "say what a key may do of them")
    #expect(named.subtracting(writes).isEmpty, "are no writes for users")
    #expect(lists.reduce(0) { $0 + $1.count } == named.count)
    let tried = Set(Self.lines.map(Self.name))
    #expect(named.subtracting(tried).isEmpty, "have no line to try")
  }

  @Test("K5: with a key of the operator, what always takes an own login is refused, and what never does is done")
  func withKey() {
    let (core, words) = DryRunTests().company()
    let key = core.run("APIKEY.CREATE olga")["key"].text ?? ""
    for line in Self.lines {
      let name = Self.name(line)
      let answer = core.run(["AS", key] + words(line) + (Self.always.contains(name) ? [] : ["DRYRUN"])).text ?? ""
      if Self.always.contains(name) {
        #expect(
          answer.hasPrefix("REFUSED apikey: ") && answer.hasSuffix("; use a session, by logging in"),
          "\(line): \(answer)")
      } else if Self.never.contains(name) {
        #expect(!answer.hasPrefix("REFUSED apikey") && !answer.hasPrefix("NOPERM"), "\(line): \(answer)")
      }
    }
  }

  @Test("B3: nor while impersonating an administrator, whoever does it")
  func impersonating() {
    let (core, words) = DryRunTests().company()
    core.run("USER.CREATE ta WORKSPACE acme PRODUCT acme/app NOINVITE")
    core.run("ROLE.GRANT ta training-administrator")
    let started = core.run("IMPERSONATE.START \(words("OTHER")[0]) ta REASON help")
    let token = started["session"].text ?? "\(started)"
    for line in Self.lines where Self.always.contains(Self.name(line)) {
      let answer = core.run(["AS", token] + words(line)).text ?? ""
      #expect(answer.hasPrefix("REFUSED impersonation: ") || answer.hasPrefix("NOPERM "), "\(line): \(answer)")
    }
    for line in [
      "PASSWORD.SET ana battery-staple", "LOGIN.UNLOCK locked", "ROLE.GRANT bob manager", "USER.RENAME ana an",
    ] {
      #expect(core.run(["AS", token] + words(line)).text?.hasPrefix("REFUSED impersonation: ") == true, "\(line)")
    }
  }

  @Test("K5: of the settings of a workspace a key sets those that are not about security, the plan or the owner")
  func settings() {
    let core = CoreHarness()
    core.run("PRODUCT.CREATE payroll")
    core.run("USER.CREATE sue ROLE super-administrator PRODUCT payroll NOINVITE")
    let key = core.run("APIKEY.CREATE sue")["key"].text ?? ""
    let free: Set = [
      "policy.delete.keep-tracked", "policy.delete.needs-reason", "policy.contact.name-format",
      "policy.user.required-fields", "policy.timer.notify-stopped", "policy.undo.window", "policy.mail.language",
      "policy.scim.profile", "policy.timezone",
    ]
    let policies = Policies.all.map { (key: "policy.\($0.name)", value: Policies.show($0.standard)) }
    let others = [("plan", "enterprise"), ("owner", "sue"), ("subdomain", "acme"), ("profile", "clockify")]
    #expect(free.isSubset(of: policies.map(\.key)))
    for (name, value) in policies + others.map({ (key: $0.0, value: $0.1) }) {
      let answer = core.run(["AS", key, "WORKSPACE.SET", "main", name, value])
      if free.contains(name) {
        #expect(answer.integer == 0, "\(name): \(answer)")
      } else {
        #expect(answer.text?.hasPrefix("REFUSED apikey: ") == true, "\(name): \(answer)")
      }
    }
    #expect(
      core.run("WORKSPACE.SET main plan enterprise", as: key).text
        == "REFUSED apikey: billing cannot be changed with an API key; use a session, by logging in")
    #expect(
      core.run("WORKSPACE.SET main policy.undo.window 1d policy.apikey.ttl 0", as: key).text
        == "REFUSED apikey: security policies cannot be changed with an API key; use a session, by logging in")
  }

  @Test("K5: of the fields of a person a key sets all but the e-mail address and authority")
  func fields() {
    let core = CoreHarness()
    core.run("PRODUCT.CREATE payroll")
    core.run("USER.CREATE sue ROLE super-administrator PRODUCT payroll NOINVITE")
    core.run("USER.CREATE ana EMAIL ana@acme.test NOINVITE")
    let key = core.run("APIKEY.CREATE sue")["key"].text ?? ""
    let values = [
      "email": "evil@x.test", "timezone": "Europe/Prague", "language": "cs", "hired": "2026-01-01",
      "released": "2027-01-01", "authority": "1", "restrict-bookings": "1",
    ]
    for name in ContactField.allCases.map(\.name) + UserField.allCases.map(\.name) {
      for command in [
        ["USER.SET", "ana"], ["USER.BULK", "SET"], ["CONTACT.SET", "#\(core.run("USER.GET ana")["contact"])"],
      ] {
        if command[0] == "CONTACT.SET", UserField(name: name) != nil { continue }
        let tail = command[0] == "USER.BULK" ? ["IDS", "1", "ana"] : []
        let answer = core.run(["AS", key] + command + [name, values[name] ?? "X1"] + tail + ["DRYRUN"])
        let isRefused = answer.text?.hasPrefix("REFUSED apikey: ") == true
        #expect(isRefused == ["email", "authority"].contains(name), "\(command[0]) \(name): \(answer)")
        #expect(isRefused || !answer.isError, "\(command[0]) \(name): \(answer)")
      }
    }
  }

  @Test("K5: whoever finds a key does not forget wrong passwords, to guess without ever waiting")
  func forgettingGuesses() {
    let core = CoreHarness()
    core.run("PRODUCT.CREATE payroll")
    core.run("USER.CREATE sue ROLE super-administrator PRODUCT payroll NOINVITE")
    core.run("USER.CREATE ana PRODUCT payroll NOINVITE PASSWORD correct-horse")
    core.run("WORKSPACE.SET main policy.login.lock-after 5")
    let key = core.run("APIKEY.CREATE sue")["key"].text ?? ""
    for _ in 0..<5 { core.run("LOGIN.PASSWORD ana payroll wrong-horse") }
    #expect(core.run("USER.GET ana")["status"].text == "locked")
    let refusal = "REFUSED apikey: a password cannot be changed with an API key; use a session, by logging in"
    #expect(core.run("LOGIN.UNLOCK ana", as: key).text == refusal)
    #expect(core.run("USER.STATUS ana active", as: key).text == refusal)
    #expect(core.run("USER.BULK SET status active IDS 1 ana", as: key).text?.hasPrefix(refusal) == true)
    #expect(core.run("LOGIN.PASSWORD ana payroll correct-horse")["reason"].text == "wait")
    // Who has never guessed wrong is nobody to guess at.
    core.run("USER.CREATE bob NOINVITE STATUS locked")
    #expect(core.run("USER.STATUS bob active", as: key).text == "OK")
    #expect(core.run("LOGIN.UNLOCK ana", as: core.logIn("sue", "payroll")).text == "OK")
    core.expectReplicated()
  }
}
