import GatehouseTestSupport
import Testing

@testable import GatehouseCore

/// B2: every write can be tried: it decides as usual, reports what it would do, and does nothing.
@Suite struct DryRunTests {
  /// Commands that succeed in `company`, at least one of each write.
  static let lines = [
    "SESSION.CREATE ana payroll", "SESSION.CREATE ana payroll IP 192.0.2.1 AGENT curl", "SESSION.REVOKE TOKEN",
    "SESSION.REVOKEALL tom",
    "IMPERSONATE.START TOKEN ana REASON x",
    "IMPERSONATE.END IMPERSONATION", "TIMER.START bob", "TIMER.START ana SWITCH", "TIMER.STOP ana",
    "ENTRY.ADD ana START 1 END 2", "ENTRY.CORRECT ENTRY NOTE x", "ENTRY.DELETE ENTRY",
    "USER.CREATE eve PRODUCT payroll ROLE manager FIRST Eve",
    "USER.CREATEMANY FIELDS 2 username product ROWS 4 eva payroll ivo office",
    "USER.SET ana first Anna hired 2020-01-01 released 2026-02-01",
    "USER.RENAME ana anna@acme.test", "USER.STATUS ana locked", "USER.STATUS bob active",
    "USER.DELETE carl REASON gone", "USER.PROVISION ana externalId 00u1 title Boss",
    "USER.CREATE eva PROVISION externalId 00u2",
    "USER.MOVEHOME shared main", "WORKSPACE.CREATE beta OWNER ana",
    "WORKSPACE.SET main policy.login.within-employment on",
    "WORKSPACE.SET acme owner olga", "WORKSPACE.MEMBER acme ana UNTIL 1899999999999",
    "WORKSPACE.MEMBER main shared REMOVE",
    "WORKSPACE.TRANSFER acme olga", "PRODUCT.CREATE mail", "PRODUCT.ENABLE bob office LICENCE guest",
    "PRODUCT.ENABLE ana payroll FROM 1899999999999", "PRODUCT.DISABLE ana payroll", "POOL.SET payroll staff 9",
    "POOL.SET office guest 7", "LICENCE.ASSIGN ana office guest", "LICENCE.REMOVE carl office",
    "ROLE.GRANT bob manager MAIN", "ROLE.REVOKE tom training-administrator", "ROLE.DEFINE clerk user.read",
    "ROLE.DEFINE helper LABEL Helpers EXTERNAL g1",
    "ROLE.DROP helper", "SERVICE.CREATE web READ CERT web.acme.test", "SERVICE.DELETE reader",
    "SERVICE.CREATE crew READ PRODUCT payroll", "SERVICE.SET reader PRODUCT acme/app",
    "SERVICE.SET reader SESSIONS CERT reader.acme.test CONNECTIONS 5", "SERVICE.ROTATE reader OVERLAP 1h",
    "CONTACT.CREATE FIRST Eva FIELD shoe 40", "CONTACT.SET CONTACT first Ida shoe 41", "CONTACT.DELETE CONTACT",
    "CONTACT.ANONYMISE CONTACT",
    "FIELD.DEFINE hobby text", "FIELD.DROP shoe", "USER.PURGE GONE", "USER.RESTORE GONECONTACT",
    "USER.ANONYMISE ana", "USER.COPYACCESS tom bob", "USER.BULK SET department x status locked IDS 2 ana carl",
    "USER.MERGE carl shared", "UNDO RECORD", "AS OTHER APPROVAL.GRANT APPROVAL", "APPROVAL.REFUSE APPROVAL",
    "LINK.ADD ana delegate C1", "LINK.SET LINK STATUS done",
    "LINK.REMOVE LINK", "ACCOUNT.CREATE Gadgets PROVIDER", "ACCOUNT.SET Widgets name Gizmos type provider",
    "ACCOUNT.DELETE Gone", "GROUP.CREATE Asia", "GROUP.RENAME Europe EU", "GROUP.EXTERNAL Europe g7",
    "GROUP.ADD Europe Gone",
    "GROUP.REMOVE Europe Widgets", "GROUP.DELETE Old", "EMPLOY.ADD ana Widgets MAIN",
    "EMPLOY.SET carl Widgets TO 2026-12-31", "EMPLOY.END carl Widgets", "MANAGE.ADD tom GROUP Europe",
    "MANAGE.REMOVE tom ACCOUNT Widgets",
    "MAIL.NEXT COUNT 2", "MAIL.ACK LEASED", "MAIL.FAIL LEASED x", "MAIL.RETURN LEASED", "MAIL.RETRY WAITING",
    "MAIL.DROP WAITING",
    "MAIL.TEMPLATE.SET invitation Hello {{name}}", "MAIL.TEMPLATE.RESET timer-stopped", "USER.INVITE mia",
    "PASSWORD.SET ana correct-horse", "PASSWORD.GENERATE mia",
    "PASSWORD.IMPORT ana $argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHQ$bQk8UB/VmZZF4Oo79iDXuA", "LOGIN.UNLOCK locked",
    "APIKEY.CREATE ana NAME ci TTL 1d", "APIKEY.ROTATE KEY", "APIKEY.DEACTIVATE KEY", "APIKEY.DEACTIVATEALL ana",
    "TOTP.ENROL ana", "WEBHOOK.CREATE new https://example.com/ TYPE status-set",
    "WEBHOOK.SET crm URL https://example.com/other", "WEBHOOK.ROTATE crm OVERLAP 1h", "WEBHOOK.PAUSE crm",
    "WEBHOOK.RESUME idle", "WEBHOOK.RETRY crm FROM 0", "WEBHOOK.DELETE crm",
  ]

  /// People with sessions, timers, licences and roles.
  func company() -> (core: CoreHarness, words: (String) -> [String]) {
    let core = CoreHarness()
    for line in [
      "WORKSPACE.CREATE acme PLAN enterprise", "PRODUCT.CREATE payroll", "PRODUCT.CREATE office",
      "PRODUCT.CREATE acme/app", "POOL.SET office guest 3", "POOL.SET office * 5",
      "USER.CREATE ana PRODUCT payroll PRODUCT office", "USER.CREATE bob STATUS inactive",
      "USER.CREATE carl PRODUCT office", "USER.CREATE locked STATUS locked",
      "LICENCE.ASSIGN carl office guest", "USER.CREATE tom PRODUCT payroll ROLE training-administrator",
      "USER.CREATE olga WORKSPACE acme PRODUCT acme/app", "USER.CREATE shared WORKSPACE acme PRODUCT acme/app",
      "WORKSPACE.MEMBER main shared", "PRODUCT.ENABLE shared payroll", "USER.SET ana hired 2027-01-01",
      "WORKSPACE.SET main policy.delete.keep-tracked off", "ROLE.DEFINE helper user.read", "ROLE.GRANT carl helper",
      "TIMER.START ana", "SERVICE.CREATE boss ADMIN READ", "SERVICE.CREATE reader READ",
      "ACCOUNT.CREATE Widgets CUSTOMER", "ACCOUNT.CREATE Gone CUSTOMER", "GROUP.CREATE Europe", "GROUP.CREATE Old",
      "GROUP.ADD Europe Widgets", "EMPLOY.ADD carl Widgets", "MANAGE.ADD tom ACCOUNT Widgets",
      "WEBHOOK.CREATE crm https://example.com/", "WEBHOOK.CREATE idle https://example.com/", "WEBHOOK.PAUSE idle",
    ] {
      let answer = core.run(line)
      #expect(!answer.isError, "\(line): \(answer)")
    }
    core.run("FIELD.DEFINE shoe number")
    let link = core.run("LINK.ADD carl booking B1")["link"].integer ?? 0
    let gone = core.run("USER.CREATE gone FIRST Gone NOINVITE")
    core.run("USER.DELETE gone REASON x")
    core.run("USER.BULK SET phone 1 IDS 1 bob")
    let record = core.lsn
    let contact = core.run("CONTACT.CREATE FIRST Una")["contact"].integer ?? 0
    let entry = core.run("ENTRY.ADD carl START 1 END 5")["entry"].integer ?? 0
    core.run("ROLE.GRANT olga super-administrator")
    let other = core.logIn("olga", "acme/app")
    core.run("USER.CREATE mia EMAIL mia@acme.test")
    core.run("USER.INVITE mia")
    core.run("MAIL.TEMPLATE.SET timer-stopped Stopped {{end}}")
    let leased = core.run("MAIL.NEXT")[0]["id"].integer ?? 0
    let waiting = core.run("MAIL.LIST STATE waiting")[1][0]["id"].integer ?? 0
    let key = core.run("APIKEY.CREATE ana")["id"].integer ?? 0
    let token = core.logIn("tom", "payroll")
    let impersonation = core.run("IMPERSONATE.START \(token) shared REASON help")["session"].text ?? ""
    core.run("WORKSPACE.SET main policy.approval.needs contact.set")
    let approval = core.run("USER.SET bob phone 2", as: token)["approval"].integer ?? 0
    core.run("WORKSPACE.SET main policy.approval.needs \"\"")
    return (
      core,
      {
        CoreHarness.words($0).map {
          [
            "TOKEN": token, "IMPERSONATION": impersonation, "ENTRY": "\(entry)", "CONTACT": "#\(contact)",
            "LINK": "\(link)", "RECORD": "\(record)", "APPROVAL": "\(approval)", "OTHER": other, "KEY": "\(key)",
            "GONE": "#\(gone["id"])", "GONECONTACT": "#\(gone["contact"])",
            "LEASED": "\(leased)", "WAITING": "\(waiting)",
          ][$0] ?? $0
        }
      }
    )
  }

  private func state(_ core: CoreHarness) -> [ContiguousArray<UInt8>] {
    core.cells.map(\.encoded) + [DirectoryCell(core.wholeDirectory).encoded]
  }

  static func texts(_ answer: Answer) -> [String] {
    answer["changes"].items.map { change in
      let fields = change["fields"].items.map { "\($0["name"]): \($0["old"]) → \($0["new"])" }
      return "\(change["change"]) \(change["entity"]) \(fields)"
    }
  }

  /// - Parameter hidden: fields to leave out.
  static func texts(_ changes: [AnyChange], _ core: CoreHarness, without hidden: Set<String> = []) -> [String] {
    changes.map { change in
      let text = ChangeText(change, in: core.directory.state.view)
      let fields = text.fields.filter { !hidden.contains($0.name) }.map {
        "\($0.name): \($0.old ?? "nil") → \($0.new ?? "nil")"
      }
      return "\(text.kind) \(text.entity) \(fields)"
    }
  }

  /// Whether a command did what its trial has told. Where the trial says `new`, the command gave out an id.
  static func agree(_ trial: String, _ done: String) -> Bool {
    let (words, others) = (trial.split(separator: " "), done.split(separator: " "))
    return words.count == others.count
      && zip(words, others).allSatisfy { word, other in
        word == other || word.hasPrefix("new") && other.hasSuffix(word.dropFirst(3)) && other.contains { $0.isNumber }
      }
  }

  private func logins(_ core: CoreHarness) -> [String: String] {
    var answers: [String: String] = [:]
    for user in ["ana", "anna@acme.test", "bob", "carl", "tom", "olga", "shared", "eve", "eva", "ivo"] {
      guard let found = core.user(user) else { continue }
      for product in ["payroll", "office", "acme/app"] {
        answers["\(found.id.raw) \(product)"] = core.run("LOGIN.CHECK #\(found.id.raw) \(product)").text
      }
    }
    return answers
  }

  private func seats(_ core: CoreHarness) -> [String: Int64] {
    core.run("POOL.LIST").items.reduce(into: [:]) { $0["\($1["product"]) \($1["type"])"] = $1["used"].integer }
  }

  private func bought(_ core: CoreHarness) -> [String: Int64] {
    core.run("POOL.LIST").items.reduce(into: [:]) { $0["\($1["product"]) \($1["type"])"] = $1["bought"].integer }
  }

  /// The assertions of the core stop the server where a command cannot wait.
  @Test("B13: any write can be asked to wait, and none gives a secret away", arguments: lines)
  func everyWriteCanBeAskedToWait(_ line: String) {
    let (core, words) = company()
    let all = Permission.allCases.filter { $0.domain != .server && !$0.isForSeeing }
    for workspace in ["main", "acme"] {
      let set = core.run(
        "WORKSPACE.SET \(workspace) policy.approval.needs \(all.map { "\($0.name)" }.joined(separator: ","))")
      #expect(!set.isError, "\(set)")
    }
    let token = words("OTHER")[0]
    let given = line.hasPrefix("AS ") ? words(line) : ["AS", token] + words(line)
    let before = core.log.count
    let reply = core.reply(to: given)
    #expect(core.log.count <= before + 1 && !reply.isEmpty)
    // Services are the operator's, and no workspace asks for two people there.
    #expect(line.hasPrefix("SERVICE.") || !reply.nodes.contains { $0.kind == .secret }, "\(Answer(reply))")
    core.expectReplicated()
  }

  /// The table says which commands are about one thing with a version, and those compare it.
  @Test(arguments: lines)
  func aVersionIsComparedOrRefused(_ line: String) throws {
    let (core, words) = company()
    let name = line.replacing("AS OTHER ", with: "").prefix { $0 != " " }
    let spec = try #require(CommandTable.entries.first { $0.name == name })
    let answer = core.run(words(line) + ["IFVERSION", "4000000000"]).text ?? ""
    let wanted = spec.usage.contains("IFVERSION") ? "STALE version " : "ERR IFVERSION has no meaning here: \(name) "
    #expect(answer.hasPrefix(wanted), "\(answer)")
  }

  @Test func everyWriteHasALine() {
    let tried = Set(Self.lines.map { $0.replacing("AS OTHER ", with: "").prefix { $0 != " " } })
    let writes = Set(CommandTable.entries.filter { $0.effect == .write && $0.takesDryRun }.map { $0.name[...] })
    #expect(tried == writes)
  }

  @Test(arguments: lines)
  func aDryRunReportsWhatTheCommandDoesAndDoesNothing(_ line: String) {
    let (core, words) = company()
    let (before, lsn) = (state(core), core.lsn)
    let trial = core.run(words(line) + ["DRYRUN"])
    #expect(trial.keys == ["changes", "logins", "logins-left-out", "seats", "names"], "\(trial)")
    #expect(core.lsn == lsn && core.changes.isEmpty)
    #expect(state(core) == before)
    let (loginsBefore, seatsBefore, boughtBefore) = (logins(core), seats(core), bought(core))
    let done = core.run(words(line))
    #expect(!done.isError, "\(done)")
    #expect(core.lsn == lsn + 1)
    let (told, made) = (Self.texts(trial), Self.texts(core.changes, core))
    #expect(told.count == made.count && zip(told, made).allSatisfy(Self.agree), "\(told) \(made)")
    let (loginsAfter, seatsAfter) = (logins(core), seats(core))
    let boughtAfter = bought(core)
    func ruling(_ answer: String?) -> String { answer == "ALLOW" ? "ALLOW" : "DENY" }
    let touched = loginsAfter.filter { ruling(loginsBefore[$0.key]) != ruling($0.value) }
    let toldLogins = trial["logins"].items.reduce(into: [String: String]()) {
      let user = $1["user"].integer ?? core.user($1["username"].text ?? "").map { Int64($0.id.raw) } ?? 0
      $0["\(user) \($1["product"])"] = $1["after"].text
    }
    // After these the names lead to another login, or to none.
    let isRenaming = ["USER.MERGE", "USER.ANONYMISE"].contains { line.hasPrefix($0) }
    #expect(toldLogins == touched || isRenaming)
    let moved = seatsAfter.filter {
      seatsBefore[$0.key, default: 0] != $0.value || boughtBefore[$0.key] != boughtAfter[$0.key]
    }
    for seat in trial["seats"].items {
      let pool = "\(seat["product"]) \(seat["type"])"
      #expect(seat["bought-before"].integer == boughtBefore[pool] && seat["bought-after"].integer == boughtAfter[pool])
      #expect(seat["before"].integer == seatsBefore[pool, default: 0])
    }
    #expect(
      trial["seats"].items.reduce(into: [String: Int64]()) {
        $0["\($1["product"]) \($1["type"])"] = $1["after"].integer
      }
        == moved)
  }

  @Test func aDryRunIsRefusedLikeTheCommand() {
    let (core, _) = company()
    core.run("POOL.SET office guest 1")
    let refusal = core.run("LICENCE.ASSIGN ana office guest DRYRUN").text ?? ""
    #expect(refusal.hasPrefix("NOSEATS guest bought 1, used 1"), "\(refusal)")
    #expect(core.run("USER.STATUS ana locked IFVERSION 99 DRYRUN").text?.hasPrefix("STALE") == true)
    #expect(core.run("USER.RENAME ana tom DRYRUN").text == core.run("USER.RENAME ana tom").text)
    let refused = core.refusals.kept.count
    #expect(core.run("SESSION.CREATE bob payroll DRYRUN").text == "REFUSED login: status-inactive")
    #expect(core.refusals.kept.count == refused)
    #expect(
      core.run("LOGIN.CHECK ana payroll DRYRUN").text
        == "ERR DRYRUN has no effect here, because LOGIN.CHECK changes no accounts; leave it out")
    for line in ["BGSAVE DRYRUN", "SLOWLOG RESET DRYRUN", "SHUTDOWN NOSAVE DRYRUN"] {
      let refusal = core.refusalAtGate(CoreHarness.words(line), rights: .all)
      #expect(refusal?.hasPrefix("ERR DRYRUN has no effect here") == true, "\(line): \(refusal ?? "-")")
    }
  }

  @Test func aDryRunDoesNotUseTheKey() {
    let (core, _) = company()
    core.run("USER.STATUS ana locked IDEM k DRYRUN")
    #expect(core.run("USER.STATUS ana inactive IDEM k").text == "OK")
    #expect(core.run("USER.STATUS ana locked IDEM k DRYRUN").text?.hasPrefix("CONFLICT idem") == true)
    #expect(Self.texts(core.run("USER.STATUS ana inactive IDEM k DRYRUN")).isEmpty)
  }

  @Test func inATransactionItSeesEarlierCommandsAndDoesNothing() {
    let (core, _) = company()
    let answers = core.runTogether([
      "PRODUCT.DISABLE ana payroll", "PRODUCT.ENABLE ana payroll DRYRUN", "LOGIN.CHECK ana payroll",
    ])
    #expect(answers[1]["logins"][0]["before"].text == "DENY product-disabled")
    #expect(answers[1]["logins"][0]["after"].text == "ALLOW")
    #expect(answers[2].text == "DENY product-disabled")
    #expect(core.records.last?.parts.map(\.header.command) == ["PRODUCT.DISABLE"])
  }

  /// W4: a dry run about a shared person reveals nothing of the other workspace.
  @Test func aDryRunRevealsNothingOfOtherWorkspaces() {
    let core = CoreHarness()
    for name in ["acme", "beta"] {
      core.seedWorkspace(name)
      core.run("PRODUCT.CREATE \(name)/app")
      core.run("POOL.SET \(name)/app * 5")
      core.run("USER.CREATE \(name)-boss WORKSPACE \(name) PRODUCT \(name)/app")
      core.run("ROLE.GRANT \(name)-boss super-administrator WORKSPACE \(name)")
    }
    core.run("USER.CREATE shared WORKSPACE acme PRODUCT acme/app")
    core.run("WORKSPACE.MEMBER beta shared")
    core.run("PRODUCT.ENABLE shared beta/app")
    _ = core.logIn("shared", "beta/app")
    let acme = core.logIn("acme-boss", "acme/app")
    let all = core.run("USER.DELETE shared REASON gone DRYRUN")
    #expect(all["logins"].items.count == 2 && all["seats"].items.count == 2)
    let seen = core.run("USER.DELETE shared REASON gone DRYRUN", as: acme)
    #expect(seen["logins"].items.map { "\($0["product"])" } == ["acme/app"])
    #expect(seen["seats"].items.map { "\($0["product"])" } == ["acme/app"])
    #expect(!"\(seen)".contains("beta"))
    #expect(Self.texts(seen).contains { $0.hasPrefix("status-set") })
    let created = core.run("USER.CREATE new WORKSPACE acme PRODUCT acme/app FIRST New NOINVITE DRYRUN", as: acme)
    #expect(
      created["changes"].items.map { "\($0["change"])" } == ["contact-created", "user-created", "access-set"],
      "\(created)")
    #expect(created["logins"][0]["username"].text == "new")
  }

  /// W4: the next id tells how much others have made meanwhile, so a trial shows none.
  @Test func aTrialTellsNoNextID() {
    let core = CoreHarness()
    func trial() -> Answer { core.run("USER.CREATE eve PRODUCT payroll NOINVITE DRYRUN") }
    core.run("PRODUCT.CREATE payroll")
    let before = trial()
    core.run("USER.CREATE adam NOINVITE")
    core.run("USER.CREATE eva NOINVITE")
    #expect(trial() == before)
    #expect(before["changes"].items.map { "\($0["entity"])" } == ["contact new", "user new", "user new"])
    #expect(before["logins"][0]["user"].isNull)
    let made = core.run("WORKSPACE.CREATE acme DRYRUN")["changes"][0]
    #expect(made["entity"].text == "workspace acme" && made["fields"][0]["new"].text == "new")
    // What is there already keeps its number.
    let adam = core.user("adam")?.id.raw ?? 0
    #expect(core.run("USER.STATUS adam locked DRYRUN")["changes"][0]["entity"].text == "user #\(adam)")
  }

  /// T7, W4: who administers a product sees what a trial does there, and nothing of other products.
  @Test func aProductAdministratorSeesWhatATrialDoes() {
    let core = CoreHarness()
    for line in [
      "WORKSPACE.CREATE acme", "PRODUCT.CREATE acme/app", "PRODUCT.CREATE acme/mail", "POOL.SET acme/app * 5",
      "USER.CREATE pat WORKSPACE acme PRODUCT acme/app",
      "USER.CREATE ann WORKSPACE acme PRODUCT acme/app PRODUCT acme/mail",
      "PRODUCT.ENABLE pat acme/app ADMIN",
    ] { #expect(!core.run(line).isError, "\(line)") }
    let pat = core.logIn("pat", "acme/app")
    _ = core.logIn("ann", "acme/app")
    let trial = core.run("PRODUCT.DISABLE ann acme/app DRYRUN", as: pat)
    #expect(
      trial["changes"].items.map { "\($0["change"])" } == ["access-set", "session-ended"], "\(trial)")
    #expect(trial["seats"].items.map { "\($0["product"])" } == ["acme/app"])
    #expect(trial["logins"].items.map { "\($0["product"])" } == ["acme/app"])
    #expect(!"\(trial)".contains("mail"))
  }

  /// B2: the first pool of a type shows what would be bought, and what is used.
  @Test func theFirstPoolShowsItsSeats() {
    let core = CoreHarness()
    for line in ["PRODUCT.CREATE app", "USER.CREATE ann PRODUCT app NOINVITE", "USER.CREATE bob PRODUCT app NOINVITE"] {
      core.run(line)
    }
    let seats = core.run("POOL.SET app * 7 DRYRUN")["seats"]
    #expect(seats.items.count == 1)
    #expect(seats[0]["type"].text == "*")
    #expect(seats[0]["before"].integer == 2 && seats[0]["after"].integer == 2)
    #expect(seats[0]["bought-before"].isNull && seats[0]["bought-after"].integer == 7)
  }

  /// A trial looks through everybody in slices, and lists as many logins as fit.
  @Test func aTrialOverManySaysHowManyItLeavesOut() {
    let core = CoreHarness(partitions: 16)
    core.run("PRODUCT.CREATE app")
    for number in 0..<1_100 { core.run("USER.CREATE u\(number) PRODUCT app NOINVITE") }
    let trial = core.run("POOL.SET app office 7 DRYRUN")
    // The sessions that would end are looked for first. The second search looks for both.
    #expect(core.neededWork.map { ($0 as? Search)?.subjects.count } == [1, 2])
    #expect(trial["logins"].items.count == 1_000)
    #expect(trial["logins-left-out"].integer == 100)
    #expect(trial["logins"][0]["after"].text == "DENY no-licence")
  }

  @Test func aTrialNamesThosePeopleWhomTheCallerKnows() {
    let core = CoreHarness()
    for line in [
      "WORKSPACE.CREATE acme", "PRODUCT.CREATE acme/app", "USER.CREATE boss PRODUCT acme/app NOINVITE",
      "ROLE.GRANT boss training-administrator WORKSPACE acme", "USER.CREATE tom WORKSPACE acme NOINVITE",
    ] { #expect(!core.run(line).isError, "\(line)") }
    let boss = core.logIn("boss", "acme/app")
    let trial = core.run("USER.SET tom department sales DRYRUN", as: boss)
    let entity = trial["changes"][0]["entity"].text ?? ""
    #expect(trial["names"][entity].text == "tom", "\(trial)")
    // Who would only be made has no name yet.
    #expect(core.run("USER.CREATE ann NOINVITE DRYRUN")["names"].keys.isEmpty)
  }

  /// Between `MULTI` and `EXEC` a trial does nothing, so those after it see nothing of it.
  @Test func trialsDoNotSeeEachOther() {
    let core = CoreHarness()
    core.run("PRODUCT.CREATE app")
    let answers = core.runTogether(["USER.CREATE ann NOINVITE DRYRUN", "USER.CREATE ann NOINVITE DRYRUN"])
    #expect(answers[0] == answers[1] && !answers[0].isError)
  }
}
