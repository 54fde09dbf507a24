import Testing

@testable import GatehouseCore

/// Keys with which programs act as a user.
@Suite("API keys")
struct APIKeyCommandTests {
  private let core = CoreHarness(partitions: 4)

  init() {
    core.run("PRODUCT.CREATE payroll")
    core.run("PRODUCT.CREATE crm")
    core.run("USER.CREATE ana EMAIL ana@acme.test PRODUCT payroll NOINVITE")
    core.run("USER.CREATE bob PRODUCT payroll NOINVITE")
    core.run("USER.CREATE tom PRODUCT payroll ROLE training-administrator NOINVITE")
    core.decidesTwice = true
  }

  private func make(_ options: String = "", of user: String = "ana") -> (key: String, id: Int64) {
    let answer = core.run("APIKEY.CREATE \(user) \(options)")
    return (answer["key"].text ?? "\(answer)", answer["id"].integer ?? 0)
  }

  private func isValid(_ key: String) -> Bool { !core.run("APIKEY.CHECK \(key)").isNull }

  private func row(_ index: Int = 0, of user: String = "ana") -> Answer { core.run("APIKEY.LIST \(user)")[index] }

  @Test("a key is shown once, and is answered as a session is")
  func checked() {
    let made = core.run("APIKEY.CREATE ana NAME ci")
    #expect(made.keys == ["key", "id", "name", "expires"])
    #expect(made["name"].text == "ci" && made["expires"].isNull)
    let key = made["key"].text ?? ""
    #expect(key.hasPrefix("ga_") && key.utf8.count == SecretText.sessionTokenCount)
    core.advance(1000)
    let ana = core.user("ana")?.id.raw ?? 0
    #expect(
      core.run("APIKEY.CHECK \(key)").description
        == "{id: \(made["id"]), kind: apikey, user: \(ana), username: ana, product: nil, workspace: main, actor: nil, actor-id: nil, "
        + "created: \(core.now - 1000), expires: nil, last-seen: \(core.now)}")
    #expect(core.run("APIKEY.CHECK \(key) PRODUCT payroll")["product"].text == "payroll")
    #expect(core.run("APIKEY.CHECK \(key) PRODUCT crm").isNull, "no access")
    #expect(core.run("APIKEY.CHECK \(key) PRODUCT nothing").isNull)
    #expect(make().key != make().key)
    let forged = key.dropLast() + (key.hasSuffix("A") ? "B" : "A")
    #expect(!isValid(String(forged)) && !isValid("ga_nonsense") && !isValid(core.logIn("ana", "payroll")))
    for record in core.log { #expect(!String(decoding: record, as: UTF8.self).contains(key.suffix(22))) }
    core.expectReplicated()
  }

  @Test("the login rules are checked anew each time, and a key works again when they allow it")
  func eligibility() {
    let key = make().key
    for status in ["inactive", "locked", "pending"] {
      core.run("USER.STATUS ana \(status)")
      #expect(!isValid(key), "\(status)")
      #expect(core.refusals.kept.last?.denial.reason.description == "status-\(status)")
      core.run("USER.STATUS ana active")
      #expect(isValid(key))
    }
    core.run("PRODUCT.DISABLE ana payroll")
    #expect(core.run("APIKEY.CHECK \(key) PRODUCT payroll").isNull && isValid(key))
    core.run("PRODUCT.ENABLE ana payroll")
    #expect(!core.run("APIKEY.CHECK \(key) PRODUCT payroll").isNull)
  }

  @Test("a password that changes leaves the keys, which do not rest on it")
  func password() {
    let key = make().key
    core.run("PASSWORD.SET ana correct-horse")
    #expect(isValid(key))
  }

  @Test("K5: a deactivated key fails at its next use, for good, and the list says when and by whom")
  func deactivated() {
    let (key, id) = make("NAME ci")
    let other = make().key
    let tom = core.logIn("tom", "payroll")
    #expect(row(1)["active"].integer == 1 && row(1)["ended"].isNull && row(1)["created-by"].text == "local")
    core.advance(5000)
    #expect(core.run("APIKEY.DEACTIVATE \(id)", as: tom).integer == 1)
    #expect(!isValid(key) && isValid(other))
    #expect(row(1)["active"].integer == 0 && row(1)["ended"].integer == core.now && row(1)["ended-by"].text == "tom")
    #expect(core.run("APIKEY.DEACTIVATE \(id)").integer == 0)
    #expect(core.run("APIKEY.DEACTIVATE \(other)").integer == 1, "whoever finds a key can end it")
    #expect(core.run("APIKEY.DEACTIVATE 999999").integer == 0)
    _ = (make(), make("TTL 1s"))
    core.advance(2000)
    #expect(core.run("APIKEY.DEACTIVATEALL ana").integer == 1, "one of them was expired")
    #expect(core.run("APIKEY.COUNT ana").integer == 0)
    core.expectReplicated()
  }

  @Test("K6: others see how many are active, the user and administrators names and dates")
  func counted() {
    _ = (make("NAME one"), make("NAME two"), make("NAME gone TTL 1s"))
    core.advance(1000)
    let (ana, bob, tom) = (core.logIn("ana", "payroll"), core.logIn("bob", "payroll"), core.logIn("tom", "payroll"))
    #expect(core.run("APIKEY.COUNT ana", as: ana).integer == 2)
    #expect(core.run("APIKEY.COUNT ana", as: tom).integer == 2)
    #expect(core.run("APIKEY.COUNT ana", as: bob).text?.hasPrefix("NOPERM") == true, "bob knows nobody")
    core.run("ACCOUNT.CREATE Widgets CUSTOMER")
    core.run("EMPLOY.ADD ana Widgets")
    core.run("ROLE.GRANT bob manager ACCOUNT Widgets")
    #expect(core.run("APIKEY.COUNT ana", as: bob).integer == 2, "a manager sees the number")
    #expect(core.run("APIKEY.LIST ana", as: bob).text?.hasPrefix("NOPERM") == true)
    for token in [ana, tom] {
      let list = core.run("APIKEY.LIST ana", as: token)
      #expect(list.items.map { $0["name"].text } == ["gone", "two", "one"])
      #expect(
        list[0].keys == ["id", "name", "active", "created", "created-by", "last-used", "expires", "ended", "ended-by"])
      #expect(!list.description.contains("ga_"))
    }
  }

  @Test("who may make and end whose keys")
  func authority() throws {
    let (ana, tom) = (core.logIn("ana", "payroll"), core.logIn("tom", "payroll"))
    core.run("USER.CREATE sue ROLE super-administrator PRODUCT payroll NOINVITE")
    let (_, id) = make(of: "sue")
    #expect(core.run("APIKEY.CREATE ana", as: ana)["key"].text != nil)
    #expect(row()["created-by"].text == "ana")
    #expect(core.run("APIKEY.CREATE sue", as: tom).text?.hasPrefix("NOPERM") == true, "L10")
    #expect(core.run("APIKEY.DEACTIVATE \(id)", as: tom).text?.hasPrefix("NOPERM") == true)
    #expect(core.run("APIKEY.DEACTIVATE \(id)", as: ana).text == "NOPERM the permission credential.set")
    let borrowed = try #require(core.run("IMPERSONATE.START \(tom) ana REASON help")["session"].text)
    for line in ["APIKEY.CREATE ana", "APIKEY.DEACTIVATEALL ana", "APIKEY.DEACTIVATE \(make().id)"] {
      #expect(
        core.run(line, as: borrowed).text
          == "REFUSED impersonation: an API key cannot be changed while impersonating; end the impersonation first")
    }
    // A service that only opens sessions makes no keys of others, and users make theirs through it.
    core.connection.rights = [.read, .sessions]
    #expect(
      core.run("APIKEY.CREATE ana").text
        == "NOPERM the service right admin, to change an API key of somebody else; with AS users change their own")
    #expect(core.run("APIKEY.CREATE ana", as: ana)["key"].text != nil)
  }

  @Test("W2, W4: keys belong to the home; another workspace governs, sees and counts none")
  func tenants() {
    core.run("WORKSPACE.CREATE acme")
    core.run("PRODUCT.CREATE acme/app")
    core.run("USER.CREATE amy WORKSPACE acme PRODUCT acme/app NOINVITE")
    core.run("ROLE.GRANT amy super-administrator WORKSPACE acme")
    core.run("WORKSPACE.MEMBER acme ana")
    core.run("PRODUCT.ENABLE ana acme/app")
    let (key, id) = make("NAME hush")
    let amy = core.logIn("amy", "acme/app")
    for line in ["APIKEY.CREATE ana", "APIKEY.LIST ana", "APIKEY.COUNT ana", "APIKEY.DEACTIVATEALL ana"] {
      let answer = core.run(line, as: amy).text ?? ""
      #expect(answer.hasPrefix("NOPERM") && !answer.contains("main"), "\(line): \(answer)")
    }
    #expect(core.run("APIKEY.DEACTIVATE \(id)", as: amy).integer == 0)
    #expect(!core.run("AUDIT.LIST", as: amy).description.contains("apikey"))
    // A service of acme: the key opens acme's product, and says nothing of where its user is at home.
    core.run("SERVICE.CREATE free ADMIN")
    core.run("SERVICE.CREATE portal READ SESSIONS TIMERS ADMIN WORKSPACE acme")
    core.connection = ConnectionFacts(id: 2, service: 2, rights: .all, isBound: true)
    #expect(core.run("APIKEY.CHECK \(key) PRODUCT acme/app")["workspace"].text == "acme")
    #expect(core.run("APIKEY.CHECK \(key)").isNull && core.run("APIKEY.CHECK \(key) PRODUCT payroll").isNull)
    #expect(core.run("USER.GET ana", as: key)["username"].text == "ana")
    #expect(core.run("APIKEY.CHECK \(make(of: "amy").key)")["workspace"].text == "acme")
    #expect(core.run("USER.GET bob", as: core.run("APIKEY.CREATE bob")["key"].text ?? "x").isError)
  }

  @Test("AS takes a key, with the rights of its user, but not to set credentials")
  func authorityOfKey() {
    let key = make(of: "tom").key
    #expect(core.run("USER.SET ana first Ana", as: key).integer == 1)
    #expect(core.records.last?.first.header.actor == core.user("tom")?.id)
    #expect(core.run("USER.SET ana first Anna", as: make(of: "bob").key).text?.hasPrefix("NO") == true)
    for line in ["APIKEY.CREATE tom", "PASSWORD.SET ana correct-horse", "PASSWORD.CHANGE a b"] {
      #expect(core.run(line, as: key).text?.contains("cannot be changed with an API key") == true, "\(line)")
    }
    #expect(core.run("APIKEY.DEACTIVATEALL ana", as: key).integer == 0, "a leak can be ended with it")
    #expect(core.run("IMPERSONATE.START \(key) ana REASON x").isError, "an impersonation begins with a login")
    core.run("USER.STATUS tom locked")
    #expect(
      core.run("USER.GET ana", as: key).text
        == "NOPERM an API key of somebody who may log in: status-locked")
    core.run("USER.STATUS tom active")
    core.run("APIKEY.DEACTIVATEALL tom")
    #expect(
      core.run("USER.GET ana", as: key).text
        == "NOPERM an API key in force: the one after AS is unknown, deactivated or expired")
    core.expectReplicated()
  }

  @Test("the last use is kept in memory, and logged once an hour")
  func lastUse() {
    let key = make().key
    #expect(row()["last-used"].isNull)
    let before = core.lsn
    _ = isValid(key)
    #expect(core.lsn == before + 1)
    for _ in 0..<10 {
      core.advance(300_000)
      _ = isValid(key)
    }
    #expect(core.lsn == before + 1 && row()["last-used"].integer == core.now)
    core.advance(700_000)
    _ = core.run("USER.GET ana", as: key)
    #expect(core.lsn == before + 2, "what a key is used for after AS counts, too")
    #expect(core.records.last?.first.changes.count == 1)
    core.advance(3_700_000)
    _ = core.run("USER.SET ana phone 1 DRYRUN", as: key)
    #expect(core.lsn == before + 2)
    core.expectReplicated()
  }

  @Test("the policy limits the life of keys")
  func policy() {
    #expect(core.run("APIKEY.CREATE ana TTL 0").text?.hasPrefix("ERR TTL must be more than 0") == true)
    #expect(core.run("APIKEY.CREATE ana TTL 60d")["expires"].integer == core.now + 60 * TimeText.day)
    core.run("WORKSPACE.SET main policy.apikey.ttl 30d")
    for options in ["", "TTL 60d"] {
      #expect(core.run("APIKEY.CREATE ana \(options)")["expires"].integer == core.now + 30 * TimeText.day)
    }
    let key = make("TTL 1h").key
    core.advance(3_599_999)
    #expect(isValid(key))
    core.advance(1)
    #expect(!isValid(key))
  }

  @Test("a rotation: both keys work while they overlap, and the old one no longer than it was to")
  func rotation() {
    let (old, id) = make("NAME ci TTL 90d")
    core.advance(TimeText.day)
    let answer = core.run("APIKEY.ROTATE \(id) OVERLAP 1h")
    #expect(answer.keys == ["key", "id", "name", "expires", "replaces", "replaced-expires"])
    #expect(answer["name"].text == "ci" && answer["replaces"].integer == id)
    #expect(answer["expires"].integer == core.now + 90 * TimeText.day, "as long as the old one was to live")
    #expect(answer["replaced-expires"].integer == core.now + 3_600_000)
    let new = answer["key"].text ?? ""
    core.advance(3_599_999)
    #expect(isValid(old) && isValid(new))
    core.advance(1)
    #expect(!isValid(old) && isValid(new))
    #expect(core.run("APIKEY.ROTATE \(id)").text == "NOTFOUND active key #\(id)")
    let short = core.run("APIKEY.CREATE ana TTL 1h")
    #expect(core.run("APIKEY.ROTATE \(short["id"])")["replaced-expires"].integer == core.now + 3_600_000)
    let last = core.run("APIKEY.ROTATE \(answer["id"]) OVERLAP 0 TTL 1d")
    #expect(!isValid(new) && isValid(last["key"].text ?? ""))
    #expect(last["expires"].integer == core.now + TimeText.day)
    core.expectReplicated()
  }

  @Test(
    "a key that is being replaced already is replaced by one that lives as long as it was to",
    arguments: ["", "TTL 90d"])
  func rotationTwice(life: String) {
    let id = make("NAME ci \(life)").id
    let planned = life.isEmpty ? nil : core.now + 90 * TimeText.day
    for _ in 0..<3 {
      let answer = core.run("APIKEY.ROTATE \(id) OVERLAP 1h")
      #expect(answer["expires"].integer == planned, "the first answer was lost")
      #expect(answer["replaced-expires"].integer == core.now + 3_600_000)
    }
    core.expectReplicated()
  }

  @Test("S12: keys end with the login, and come back neither with a new one nor with UNDO")
  func ending() {
    let key = make().key
    core.run("USER.DELETE ana REASON left")
    let deleted = core.lsn
    #expect(core.records.last?.first.changes.contains { $0.as(APIKeyEnded.self)?.cause == .userDeleted } == true)
    #expect(!isValid(key))
    #expect(core.run("UNDO \(deleted)").isError == false)
    #expect(core.run("LOGIN.CHECK ana payroll").text == "ALLOW" && !isValid(key))
    #expect(row()["active"].integer == 0)
    let second = make().key
    core.run("USER.DELETE ana REASON left")
    let contact = core.user("ana")?.contactID.raw ?? 0
    core.run("USER.RESTORE #\(contact)")
    #expect(!isValid(second) && core.run("APIKEY.LIST ana").items.isEmpty)
    core.expectReplicated()
  }

  @Test("L6, L12, L13: nothing is left of the keys of whoever is anonymised, purged or merged into another")
  func forgotten() {
    let key = make("NAME secret-project").key
    let id = core.user("ana")?.id.raw ?? 0
    core.run("USER.ANONYMISE ana")
    #expect(!isValid(key))
    #expect(core.run("APIKEY.LIST #\(id)").items.isEmpty)
    #expect(!core.run("AUDIT.LIST USER #\(id)").description.contains("secret-project"))
    let bob = make(of: "bob").key
    let bobs = core.user("bob")?.id.raw ?? 0
    core.run("USER.DELETE bob REASON left")
    core.run("USER.PURGE #\(bobs)")
    #expect(!isValid(bob))
    #expect(core.cells.allSatisfy { $0.state.apiKeys.count == 0 })
    core.run("USER.CREATE eve NOINVITE")
    core.run("USER.CREATE eva NOINVITE")
    let eve = make(of: "eve").key
    core.run("USER.MERGE eva eve")
    #expect(!isValid(eve) && core.run("APIKEY.COUNT eva").integer == 0)
    core.expectReplicated()
  }

  @Test("a user has so many keys, and of those that ended the oldest make room")
  func bounds() throws {
    core.decidesTwice = false
    for _ in 0..<Limits.activeKeysOfUser { core.run("APIKEY.CREATE ana") }
    #expect(core.run("APIKEY.CREATE ana").text?.hasPrefix("LIMIT keys: a user has at most 100") == true)
    let first = core.run("APIKEY.LIST ana").items.last?["id"].integer
    // One that is replaced at once makes room for the other.
    let replaced = core.run("APIKEY.ROTATE \(row()["id"])")
    #expect(
      replaced.text
        == "LIMIT keys: a user has at most 100; deactivate some, or replace it with OVERLAP 0")
    #expect(!core.run("APIKEY.ROTATE \(row()["id"]) OVERLAP 0").isError)
    #expect(core.run("APIKEY.COUNT ana").integer == 100)
    core.run("APIKEY.DEACTIVATEALL ana")
    for _ in 0..<Limits.activeKeysOfUser { core.run("APIKEY.CREATE ana") }
    core.run("APIKEY.DEACTIVATE \(row()["id"])")
    let newest = core.run("APIKEY.CREATE ana")["id"].integer
    let listed = core.run("APIKEY.LIST ana").items.map { $0["id"].integer }
    #expect(listed.count == Limits.keysOfUser && listed.first == newest && !listed.contains(first))
    core.expectReplicated()
    let before = core.run("APIKEY.LIST ana").description
    try core.restart()
    #expect(core.run("APIKEY.LIST ana").description == before)
  }

  @Test("a repeated command answers the same key, which the log does not have")
  func repeated() {
    let first = core.run("APIKEY.CREATE ana NAME ci IDEM k")
    #expect(core.run("APIKEY.CREATE ana NAME ci IDEM k").description == first.description)
    #expect(isValid(first["key"].text ?? "") && core.run("APIKEY.COUNT ana").integer == 1)
  }
}
