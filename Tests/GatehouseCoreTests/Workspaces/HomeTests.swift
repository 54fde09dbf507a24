import Testing

@testable import GatehouseCore

/// W1–W7: two customers on one server who share a person.
@Suite struct HomeTests {
  private let core = CoreHarness(partitions: 8)

  /// `shared` was created in `beta` and is also a member of `acme`; `aadmin` administers the people of `acme`.
  init() {
    for workspace in ["acme", "beta"] {
      core.run("WORKSPACE.CREATE \(workspace)")
      core.run("PRODUCT.CREATE \(workspace)/app")
    }
    core.run("USER.CREATE aadmin PRODUCT acme/app NOINVITE")
    core.run("ROLE.GRANT aadmin training-administrator WORKSPACE acme")
    core.run("USER.CREATE badmin PRODUCT beta/app NOINVITE")
    core.run("ROLE.GRANT badmin training-administrator WORKSPACE beta")
    core.run("USER.CREATE shared PRODUCT beta/app EMAIL shared@beta.test REFERENCE B1 NOINVITE")
    core.run("PRODUCT.ENABLE shared acme/app")
  }

  private func aadmin() -> String { core.logIn("aadmin", "acme/app") }
  private func badmin() -> String { core.logIn("badmin", "beta/app") }

  private func texts(_ answer: Answer) -> [String] { answer.items.compactMap(\.text) }

  /// Failing input 1: a rename and a reset of the password would have been a takeover.
  @Test(arguments: [
    ("USER.RENAME shared attacker@evil.test", "user.rename"), ("USER.STATUS shared locked", "user.status"),
    ("USER.DELETE shared WORKSPACE acme REASON x", "user.delete"), ("USER.DELETE shared REASON x", "user.delete"),
    ("USER.SET shared email attacker@evil.test", "contact.set"), ("USER.SET shared reference A1", "user.set"),
  ])
  func whoSomebodyIsIsGovernedByTheHomeAlone(line: String, permissions: String) {
    let before = core.lsn
    let token = aadmin()
    #expect(
      core.run(line, as: token).text
        == "NOPERM the permission \(permissions) in the home workspace of shared, which alone governs who somebody is")
    #expect(core.lsn == before + 1)
    // The workspace that may do it is named only to callers who can see it.
    core.run("WORKSPACE.MEMBER beta aadmin")
    #expect(core.run(line, as: token).text?.contains(" in beta, the home workspace of shared, ") == true)
    let allowed = line.replacing("acme", with: "beta")
    #expect(!core.run(allowed, as: badmin()).isError, "\(allowed)")
    core.expectReplicated()
  }

  /// Failing input 2.
  @Test func dataOfOneWorkspaceIsNotShownInAnother() {
    let elsewhere = core.logIn("shared", "beta/app")
    core.run("ROLE.GRANT shared manager WORKSPACE beta")
    core.run("TIMER.START shared WORKSPACE beta")
    let token = aadmin()
    let seen = core.run("USER.GET shared", as: token)
    #expect(texts(seen["workspaces"]) == ["acme"])
    #expect(seen["products"].items.map { $0["product"].text } == ["acme/app"])
    #expect(seen["email"].text == "shared@beta.test")
    for field in ["home", "reference", "main-role", "last-login"] { #expect(seen[field].isNull, "\(field)") }
    #expect(seen["roles"].items.isEmpty && seen["sessions"].integer == 0)
    for line in ["SESSION.LIST shared", "ROLE.LIST shared", "IMPERSONATE.LIST"] {
      #expect(core.run(line, as: token).items.isEmpty, "\(line)")
    }
    #expect(core.run("TIMER.RUNNING", as: token)[1].items.isEmpty)
    #expect(core.run("ENTRY.LIST shared", as: token)[1].items.isEmpty)
    #expect(core.run("PERMISSION.LIST shared", as: token).items.allSatisfy { $0["scope"].text == "oneself" })
    #expect(core.run("USER.COUNT WHERE last-login > 0", as: token).integer == 1)
    #expect(core.run("USER.COUNT WHERE sessions > 0", as: token).integer == 1)
    #expect(core.run("USER.COUNT WHERE reference = B1", as: token).integer == 0)
    for word in ["product = beta/app", "workspace = beta"] {
      #expect(core.run("USER.COUNT WHERE \(word)", as: token).text?.hasPrefix("NOTFOUND ") == true)
    }
    #expect(core.run("USER.COUNT WHERE product ~= beta", as: token).integer == 0)
    #expect(
      core.run("USER.LIST FIELDS 3 username workspace licence", as: token)[1].items.map { $0["username"].text }
        == ["aadmin", "shared"])
    // The home sees its own data and nothing of acme.
    let home = core.run("USER.GET shared", as: badmin())
    #expect(home["home"].text == "beta" && home["reference"].text == "B1" && home["sessions"].integer == 1)
    #expect(texts(home["workspaces"]) == ["beta"])
    // The user sees all of it.
    let own = core.run("USER.GET shared", as: elsewhere)
    #expect(texts(own["workspaces"]) == ["beta", "acme"])
    #expect(own["home"].text == "beta")
  }

  /// Failing input 3: an impersonation bound to one workspace ends no session of another.
  @Test func aBoundImpersonationEndsNoSessionElsewhere() {
    let elsewhere = core.logIn("shared", "beta/app")
    let here = core.logIn("shared", "acme/app")
    let started = core.run("IMPERSONATE.START \(aadmin()) shared WORKSPACE acme REASON help")
    let token = started["session"].text ?? ""
    #expect(core.run("SESSION.LIST shared", as: token).items.count == 2)
    // W3: a workspace that shares a person impersonates them only within itself.
    #expect(core.run("USER.GET shared", as: token)["products"].items.map { $0["product"].text } == ["acme/app"])
    #expect(core.run("SESSION.REVOKEALL shared EXCEPT \(started["id"])", as: token).integer == 1)
    #expect(core.run("SESSION.CHECK \(here)").isNull)
    #expect(!core.run("SESSION.CHECK \(elsewhere)").isNull)
    for line in ["SESSION.REVOKE \(elsewhere)", "USER.SET shared first Eve"] {
      #expect(core.run(line, as: token).isError, "\(line)")
    }
    #expect(!core.run("SESSION.CHECK \(elsewhere)").isNull)
  }

  /// The actor's rights limit the subject's: what the subject administers elsewhere is out of reach.
  @Test func anActorDoesNotGainTheSubjectsRightsElsewhere() {
    core.run("USER.CREATE victim WORKSPACE beta NOINVITE")
    core.run("ROLE.GRANT shared training-administrator WORKSPACE beta")
    let token = core.run("IMPERSONATE.START \(aadmin()) shared WORKSPACE acme REASON help")["session"].text ?? ""
    #expect(core.run("USER.STATUS victim locked", as: core.logIn("shared", "beta/app")).text == "OK")
    for line in ["USER.STATUS victim active", "USER.GET victim", "WORKSPACE.GET beta", "USER.LIST"] {
      #expect(core.run(line, as: token).isError, "\(line)")
    }
  }

  /// W3: a workspace governs its own memberships, products, time and sessions.
  @Test func otherWorkspacesGovernWhatIsTheirs() {
    let here = core.logIn("shared", "acme/app")
    let elsewhere = core.logIn("shared", "beta/app")
    let token = aadmin()
    #expect(core.run("TIMER.START shared WORKSPACE acme", as: token)["started-by"].text == "aadmin")
    #expect(core.run("ROLE.GRANT shared training-administrator WORKSPACE acme", as: token).text == "OK")
    #expect(core.run("SESSION.LIST shared", as: token).items.count == 1)
    #expect(core.run("SESSION.REVOKEALL shared", as: token).integer == 1)
    #expect(core.run("SESSION.CHECK \(here)").isNull && !core.run("SESSION.CHECK \(elsewhere)").isNull)
    #expect(core.run("PRODUCT.DISABLE shared acme/app", as: token).text == "OK")
    #expect(core.run("WORKSPACE.MEMBER acme shared REMOVE", as: token).integer == 1)
    #expect(core.run("USER.GET shared", as: token).text == "NOTFOUND user shared")
    #expect(core.run("LOGIN.CHECK shared beta/app").text == "ALLOW")
    // W7: nobody can be added by callers who do not see them, and a taken name is just taken.
    #expect(core.run("WORKSPACE.MEMBER acme shared", as: token).text == "NOTFOUND user shared")
    #expect(core.run("PRODUCT.ENABLE shared acme/app", as: token).text == "NOTFOUND user shared")
    #expect(
      core.run("USER.CREATE Shared WORKSPACE acme", as: token).text
        == "CONFLICT username: Shared is taken; choose another")
    #expect(
      core.run("WORKSPACE.MEMBER beta shared REMOVE").text?.hasPrefix("REFUSED home: beta is the home workspace")
        == true)
    core.expectReplicated()
  }

  /// W2: sessions in general belong to the home, but its administrators learn nothing of those elsewhere.
  @Test func theHomeEndsAllSessions() {
    let here = core.logIn("shared", "acme/app")
    let home = core.logIn("shared", "beta/app")
    #expect(core.run("SESSION.REVOKEALL shared", as: badmin()).integer == 1)
    for token in [here, home] { #expect(core.run("SESSION.CHECK \(token)").isNull) }
  }

  /// W5: only the home's policies apply to a user's identity.
  @Test func policiesOfOthersDoNotApply() {
    core.run("WORKSPACE.SET acme profile actionstep")
    core.run("WORKSPACE.SET beta profile aptien")
    #expect(core.run("USER.SET shared email \"\" reference \"\"", as: badmin()).integer == 2)
    #expect(core.run("TIMER.START shared WORKSPACE acme").isError == false)
    // T11 considers only time in the home; that there is time elsewhere is not revealed.
    core.run("WORKSPACE.SET beta policy.delete.keep-tracked on")
    #expect(core.run("USER.DELETE shared", as: badmin()).text == "OK")
  }

  /// A version that counted changes by other workspaces would reveal them.
  @Test func versionsRevealNothingOfOthers() {
    let token = aadmin()
    let version = core.run("USER.GET shared", as: token)["version"].integer ?? 0
    core.run("PRODUCT.DISABLE shared beta/app")
    core.run("ROLE.GRANT shared manager WORKSPACE beta")
    #expect(core.run("USER.GET shared", as: token)["version"].integer == version)
    #expect(core.run("USER.LIST FIELDS 2 username version", as: token)[1][1]["version"].integer == version)
    #expect(core.run("PRODUCT.DISABLE shared acme/app IFVERSION \(version)", as: token).text == "OK")
    #expect(core.run("PRODUCT.ENABLE shared acme/app IFVERSION \(version)", as: token).text?.hasPrefix("STALE") == true)
  }

  /// W6: nobody in a workspace takes over a user with power over the whole server or over the workspace.
  @Test func nobodyTakesOverTheMorePowerful() {
    core.run("USER.CREATE chief WORKSPACE acme ROLE training-administrator NOINVITE")
    core.run("USER.CREATE boss WORKSPACE acme NOINVITE")
    core.run("WORKSPACE.TRANSFER acme boss")
    core.run("USER.CREATE root WORKSPACE acme ROLE super-administrator NOINVITE")
    let token = aadmin()
    for user in ["chief", "boss", "root"] {
      for line in ["USER.RENAME \(user) x@evil.test", "USER.STATUS \(user) locked", "USER.SET \(user) first X"] {
        #expect(core.run(line, as: token).text?.hasPrefix("NOPERM ") == true, "\(line)")
      }
      #expect(core.run("IMPERSONATE.START \(token) \(user) WORKSPACE acme REASON x").isError)
    }
    #expect(core.run("PRODUCT.ENABLE chief acme/app", as: token).text == "OK")
    #expect(core.run("PRODUCT.ENABLE root acme/app", as: token).text?.hasPrefix("NOPERM ") == true)
  }

  /// W1: moved by administrators of both.
  @Test func aUserIsMoved() throws {
    let home = core.logIn("shared", "beta/app")
    core.run("ROLE.GRANT shared manager WORKSPACE beta MAIN")
    let bound = core.run("IMPERSONATE.START \(badmin()) shared WORKSPACE beta REASON help")
    let impersonation = bound["session"].text ?? ""
    for token in [aadmin(), badmin()] {
      #expect(core.run("USER.MOVEHOME shared acme", as: token).isError)
    }
    core.run("WORKSPACE.MEMBER beta aadmin")
    core.run("ROLE.GRANT aadmin training-administrator WORKSPACE beta")
    #expect(core.run("USER.MOVEHOME badmin acme", as: aadmin()).text?.hasPrefix("REFUSED member: ") == true)
    #expect(core.run("USER.MOVEHOME shared acme", as: aadmin()).text == "OK")
    #expect(core.run("USER.GET shared")["home"].text == "acme")
    #expect(core.run("USER.GET shared")["main-role"].isNull)
    #expect(core.run("USER.GET shared")["last-login"].integer == core.now)
    #expect(core.run("USER.RENAME shared x", as: badmin()).text?.contains(" in the home workspace of shared") == true)
    #expect(core.run("USER.SET shared first Sam", as: aadmin()).integer == 1)
    // An impersonation for beta was not bound while beta was the home, so it reaches too far now.
    #expect(core.run("SESSION.CHECK \(impersonation)").isNull)
    #expect(!core.run("SESSION.CHECK \(home)").isNull)
    #expect(core.run("WORKSPACE.MEMBER beta shared REMOVE", as: badmin()).integer == 1)
    try core.restart()
    #expect(core.run("USER.GET shared")["home"].text == "acme")
    core.expectReplicated()
  }

  /// W5: the new home's requirements are checked.
  @Test func theNewHomeAsksForItsOwn() {
    core.run("WORKSPACE.SET acme policy.user.required-fields initials,reference")
    #expect(
      core.run("USER.MOVEHOME shared acme").text
        == "REFUSED user.required-fields: acme requires initials; set what is missing first")
    core.run("USER.SET shared initials SH")
    core.run("USER.SET aadmin reference B1")
    #expect(core.run("USER.MOVEHOME shared acme").text?.contains("belongs to another user of acme") == true)
    core.run("USER.SET shared reference B2")
    #expect(core.run("USER.MOVEHOME shared acme").text == "OK")
  }

  /// W4: the trail of a workspace keeps what was its own at the time, and the new home reads what has happened since.
  @Test func eachHomeReadsItsOwnTime() throws {
    for user in ["aadmin", "badmin"] {
      let workspace = user == "aadmin" ? "acme" : "beta"
      core.run("ROLE.GRANT \(user) super-administrator WORKSPACE \(workspace)")
    }
    core.run("USER.SET shared first Before")
    #expect(core.run("USER.MOVEHOME shared acme").text == "OK")
    core.run("USER.SET shared first Between")
    try core.restart()
    func read(_ token: String) -> [String] {
      core.run("AUDIT.LIST USER shared COUNT 1000", as: token)[1].items.flatMap { $0["changes"].items }.flatMap {
        change in
        change["fields"].items.map { "\(change["change"]) \($0["name"]): \($0["old"]) → \($0["new"])" }
      }
    }
    var (acme, beta) = (read(aadmin()), read(badmin()))
    #expect(beta.contains { $0.hasPrefix("contact-set first: ") && $0.hasSuffix(" → Before") })
    #expect(!beta.contains { $0.contains("Between") && $0.hasSuffix("Between") })
    #expect(beta.contains("home-set home: beta → nil"), "\(beta)")
    #expect(acme.contains { $0.hasSuffix("Between") })
    #expect(!acme.contains { $0.hasSuffix("→ Before") })
    #expect(acme.contains("home-set home: nil → acme"), "\(acme)")
    // And back: each keeps its own.
    #expect(core.run("USER.MOVEHOME shared beta").text == "OK")
    core.run("USER.SET shared first After")
    (acme, beta) = (read(aadmin()), read(badmin()))
    #expect(acme.contains { $0.hasSuffix("Between") } && !acme.contains { $0.hasSuffix("After") })
    #expect(beta.contains { $0.hasSuffix("After") } && beta.contains { $0.hasSuffix("→ Before") })
    #expect(!beta.contains { $0.hasSuffix("Between") })
    core.expectReplicated()
  }

  /// The table says what the command needs, and that is asked on both sides before anything else.
  @Test func bothHomesAreAsked() {
    #expect(
      CommandTable.entries.first { $0.name == "USER.MOVEHOME" }?.need.text
        == "`user.move` in the user's home workspace and in the one that becomes it")
    #expect(
      core.run("USER.MOVEHOME shared acme", as: aadmin()).text?.hasPrefix("NOPERM the permission user.move ") == true)
    #expect(core.run("USER.MOVEHOME shared acme", as: badmin()).text == "NOTFOUND workspace acme")
  }

  /// T8, W4: of the products that saw a change somebody else's are not told, and no entry says nothing.
  @Test func noEntryOfTheTrailIsEmpty() {
    core.run("USER.SET shared last Lima")
    let token = badmin()
    core.run("ROLE.GRANT badmin super-administrator WORKSPACE beta")
    let entries = core.run("AUDIT.LIST USER shared COUNT 1000", as: token)[1].items.flatMap { $0["changes"].items }
    #expect(!entries.isEmpty)
    for entry in entries { #expect(!entry["fields"].items.isEmpty, "\(entry)") }
    let notes = entries.filter { $0["change"].text == "noted" }.flatMap { $0["fields"].items.map { "\($0["new"])" } }
    #expect(notes.allSatisfy { !$0.contains("acme") })
  }
}
