import Testing

@testable import GatehouseCore

/// `USER.SET`, `USER.RENAME` and `USER.STATUS`.
@Suite struct UserChangeTests {
  let core = CoreHarness(partitions: 16)

  init() {
    core.run("PRODUCT.CREATE payroll")
    core.run("PRODUCT.CREATE plans")
    core.run("USER.CREATE ana@acme.test FIRST Ana LAST Nova PRODUCT payroll PRODUCT plans NOINVITE")
  }

  private func get(_ field: String, of user: String = "ana@acme.test") -> Answer { core.run("USER.GET \(user)")[field] }

  // MARK: Fields

  @Test func severalFieldsAreSetOrNone() {
    #expect(core.run("USER.SET ana@acme.test first Anna department HR initials AN restrict-bookings on").integer == 4)
    #expect(get("first").text == "Anna")
    #expect(get("restrict-bookings").integer == 1)
    let lsn = core.lsn
    #expect(core.run("USER.SET ana@acme.test last Novak email nobody").isError)
    #expect(core.run("USER.SET ana@acme.test last Novak colour red").isError)
    #expect(core.run("USER.SET ana@acme.test last Novak first").isError)
    #expect(core.run("USER.SET ana@acme.test last Novak last Nova").isError)
    #expect(core.run("USER.SET ana@acme.test first Anna department HR").integer == 0)
    #expect(core.lsn == lsn)
    #expect(core.run("USER.SET ana@acme.test department \"\" first Ana").integer == 2)
    #expect(get("department").isNull)
    core.expectReplicated()
  }

  /// One limit for all, as in the reference.
  @Test(arguments: ["first", "department", "schedule", "leave", "phone", "reference"])
  func aFieldHasAtMost256Bytes(field: String) {
    #expect(core.run("USER.SET ana@acme.test \(field) \(String(repeating: "x", count: 256))").integer == 1)
    let answer = core.run("USER.SET ana@acme.test \(field) \(String(repeating: "x", count: 257))")
    #expect(answer == .error("ERR \(field) is longer than 256 bytes; shorten it"))
  }

  @Test(arguments: [
    ("username x", "USER.RENAME"), ("status active", "USER.STATUS"), ("authority maybe", "1 or 0"),
    ("hired 2026-13-01", "not a day"), ("released 2025-01-01 hired 2026-01-01", "before"),
  ])
  func refusalsSayWhatToDo(words: String, hint: String) {
    let answer = core.run("USER.SET ana@acme.test \(words)")
    #expect(answer.text?.contains(hint) == true, "\(answer)")
  }

  @Test func releasedIsNotBeforeHired() {
    #expect(core.run("USER.SET ana@acme.test hired 2026-05-01").integer == 1)
    #expect(core.run("USER.SET ana@acme.test released 2026-04-30").isError)
    #expect(core.run("USER.SET ana@acme.test released 2026-05-01").integer == 1)
  }

  @Test func sharedChangesNameTheProductsTheyReach() {
    core.run("PRODUCT.DISABLE ana@acme.test plans")
    core.run("USER.SET ana@acme.test department HR")
    let id = core.user("ana@acme.test")!.id
    #expect(core.records.last?.changes(of: Noted.self).contains(Noted(id, .productsTouched([1]))) == true)
    // Fields of the login concern no other product.
    core.run("USER.SET ana@acme.test initials AN")
    #expect(core.records.last?.first.changes.count == 1)
  }

  @Test func aStaleVersionIsRefused() {
    let version = get("version").integer ?? 0
    #expect(core.run("USER.SET ana@acme.test first A IFVERSION \(version + 1)").text?.hasPrefix("STALE ") == true)
    #expect(core.run("USER.SET ana@acme.test first A IFVERSION \(version)").integer == 1)
    #expect(core.run("USER.SET ana@acme.test first B IFVERSION \(version)").text?.hasPrefix("STALE ") == true)
    #expect(core.run("USER.STATUS ana@acme.test inactive IFVERSION \(version)").text?.hasPrefix("STALE ") == true)
  }

  @Test func usersEditTheirOwnPersonalData() {
    core.run("USER.CREATE bob PRODUCT payroll NOINVITE")
    let token = core.logIn("ana@acme.test", "payroll")
    #expect(core.run("USER.GET ana@acme.test", as: token)["first"].text == "Ana")
    #expect(core.run("USER.SET ana@acme.test phone 123 first Anna", as: token).integer == 2)
    for words in ["department HR", "hired 2026-01-01", "authority 1", "division north"] {
      #expect(core.run("USER.SET ana@acme.test \(words)", as: token).text?.hasPrefix("NOPERM ") == true)
    }
    for line in ["USER.GET bob", "USER.SET bob first B", "USER.STATUS ana@acme.test inactive", "USER.RENAME bob b"] {
      #expect(core.run(line, as: token).text?.hasPrefix("NOPERM ") == true)
    }
  }

  // MARK: Usernames

  @Test func renamingChangesTheAddressAndNotifiesIt() {
    #expect(core.run("USER.RENAME ana@acme.test anna@acme.test").text == "OK")
    #expect(core.run("USER.GET ana@acme.test").text == "NOTFOUND user ana@acme.test")
    #expect(get("email", of: "anna@acme.test").text == "anna@acme.test")
    let mails = core.cells.flatMap { $0.state.outbox.mails }
    #expect(mails.allSatisfy { $0.kind == .usernameChanged })
    // The old address, too: whoever reads it should know that it was somebody else.
    #expect(Set(mails.map(\.recipient)) == ["anna@acme.test", "ana@acme.test"] && mails.count == 2)
    // A name that is no address does not change the address.
    core.run("USER.RENAME anna@acme.test anna")
    #expect(get("email", of: "anna").text == "anna@acme.test")
    #expect(core.run("LOGIN.CHECK ANNA payroll").text == "ALLOW")
    core.expectReplicated()
  }

  @Test func namesMoveBetweenPartitions() throws {
    let id = core.user("ana@acme.test")!.id
    var name = "ana@acme.test"
    for number in 0..<40 {
      let next = "name\(number)"
      #expect(core.run("USER.RENAME \(name) \(next)").text == "OK")
      #expect(core.user(next)?.id == id)
      #expect(core.user(name) == nil)
      // The old name is free.
      #expect(!core.run("USER.CREATE \(name) NOINVITE").isError)
      #expect(core.run("USER.RENAME \(next) \(name)").text?.hasPrefix("CONFLICT username") == true)
      name = next
    }
    core.expectReplicated()
    try core.restart()
    #expect(core.user(name)?.id == id)
    #expect(core.run("USER.COUNT").integer == 41)
  }

  @Test func aNewSpellingIsARename() {
    #expect(core.run("USER.RENAME ana@acme.test Ana@Acme.test").text == "OK")
    #expect(get("username").text == "Ana@Acme.test")
    let lsn = core.lsn
    #expect(core.run("USER.RENAME ana@acme.test Ana@Acme.test").text == "OK")
    #expect(core.lsn == lsn)
  }

  @Test func aDeletedUsersNameCanBeTaken() {
    core.run("USER.CREATE bob")
    let bob = core.user("bob")!.id
    core.run("USER.DELETE bob REASON left")
    #expect(get("status", of: "bob").text == "deleted")
    #expect(core.run("USER.RENAME ana@acme.test bob").text == "OK")
    #expect(get("status", of: "bob").text == "active")
    #expect(get("status", of: "#\(bob.raw)").text == "deleted")
    #expect(core.run("USER.RENAME #\(bob.raw) bobby").text?.hasPrefix("REFUSED status: ") == true)
    core.expectReplicated()
  }

  // MARK: Statuses

  @Test(arguments: Status.allCases.filter { $0 != .deleted })
  func statusesDecideWhoMayLogIn(status: Status) {
    let token = core.logIn("ana@acme.test", "payroll")
    #expect(core.run("USER.STATUS ana@acme.test \(status.name)").text == "OK")
    #expect(core.run("LOGIN.CHECK ana@acme.test payroll").text == (status.denial?.answer.description ?? "ALLOW"))
    #expect(core.run("SESSION.CHECK \(token)").isNull == !status.mayLogIn)
    #expect(get("sessions").integer == (status.mayLogIn ? 1 : 0))
    #expect(core.run("USER.STATUS ana@acme.test active").text == "OK")
    #expect(core.run("SESSION.CHECK \(token)").isNull == !status.mayLogIn)
    core.expectReplicated()
  }

  @Test func deletedIsNotAStatusToSet() {
    #expect(core.run("USER.STATUS ana@acme.test deleted").text?.hasSuffix("use USER.DELETE user REASON text") == true)
    core.run("USER.DELETE ana@acme.test REASON left")
    #expect(core.run("USER.STATUS ana@acme.test active").text?.hasPrefix("REFUSED status: ") == true)
    #expect(core.run("USER.SET ana@acme.test first A").text?.hasPrefix("REFUSED status: ") == true)
  }

  @Test func theLastSuperAdministratorStays() {
    core.run("ROLE.GRANT ana@acme.test super-administrator")
    for status in ["inactive", "pending", "locked"] {
      #expect(
        core.run("USER.STATUS ana@acme.test \(status)").text?.hasPrefix("REFUSED last-super-administrator: ") == true)
    }
    core.run("USER.CREATE bob ROLE super-administrator STATUS new")
    #expect(core.run("USER.STATUS ana@acme.test inactive").text == "OK")
    // One who may not log in does not count.
    #expect(core.run("USER.DELETE bob REASON x").text?.hasPrefix("REFUSED last-super-administrator: ") == true)
    #expect(core.run("USER.STATUS ana@acme.test active").text == "OK")
    #expect(core.run("USER.DELETE bob REASON x").text == "OK")
    core.expectReplicated()
  }

  @Test func anOwnerCanBeLockedButNotMadeInactive() {
    core.run("WORKSPACE.SET main owner ana@acme.test")
    #expect(core.run("USER.STATUS ana@acme.test inactive").text?.hasPrefix("REFUSED owner: ") == true)
    #expect(core.run("USER.DELETE ana@acme.test REASON x").text?.hasPrefix("REFUSED owner: ") == true)
    #expect(core.run("USER.STATUS ana@acme.test locked").text == "OK")
  }

  // MARK: Impersonating

  @Test func impersonationsChangeNoLogins() {
    core.run("USER.CREATE root PRODUCT payroll ROLE super-administrator NOINVITE")
    core.run("USER.CREATE tom PRODUCT payroll ROLE training-administrator NOINVITE")
    let login = core.logIn("root", "payroll")
    let token = core.run("IMPERSONATE.START \(login) tom REASON help")["session"].text ?? ""
    #expect(core.run("USER.SET ana@acme.test first Anna", as: token).integer == 1)
    for line in [
      "USER.SET ana@acme.test email a@b.test", "USER.RENAME ana@acme.test ana", "ROLE.GRANT ana@acme.test manager",
      "USER.CREATE eva ROLE individual", "PRODUCT.ENABLE ana@acme.test payroll ADMIN",
    ] {
      let answer = core.run(line, as: token)
      #expect(answer.text?.hasPrefix("REFUSED impersonation: ") == true, "\(line): \(answer)")
    }
    // Who lacks the right is told no more than that.
    #expect(core.run("USER.SET ana@acme.test authority 1", as: token).text?.hasPrefix("NOPERM ") == true)
  }
}
