import Testing

@testable import GatehouseCore

/// `USER.LIST` and `USER.COUNT`.
@Suite struct UserListTests {
  let core = CoreHarness(partitions: 8)
  private static let departments = ["IT", "HR", "Úklid", ""]
  private static let count = 60

  init() {
    core.run("PRODUCT.CREATE payroll")
    core.run("PRODUCT.CREATE plans")
    core.run("POOL.SET payroll office 100")
    core.run("WORKSPACE.CREATE acme")
    for number in 0..<Self.count {
      var words = ["USER.CREATE", "User\(number)", "NOINVITE", "LAST", "Name\(number * 7 % 60)"]
      let department = Self.departments[number % 4]
      if !department.isEmpty { words += ["DEPARTMENT", department] }
      if number % 2 == 0 { words += ["PRODUCT", "payroll"] }
      if number % 3 == 0 { words += ["PRODUCT", "plans"] }
      if number % 10 == 0 { words += ["LICENCE", "payroll", "office"] }
      if number % 20 == 0 { words += ["ROLE", "manager"] }
      if number % 5 == 0 { words += ["STATUS", "inactive"] }
      if number == 7 { words += ["WORKSPACE", "acme", "HIRED", "2026-02-01"] }
      let answer = core.run(words)
      precondition(!answer.isError, "\(answer)")
      core.advance(1000)
    }
    core.run("USER.DELETE user59 REASON x")
  }

  @Test("L24: a page far down a list passes over whole partitions by what the indexes count", arguments: ["", "acme"])
  func farPage(workspace: String) {
    let core = CoreHarness(partitions: 4)
    core.run("WORKSPACE.CREATE acme")
    for number in 0..<1300 {
      core.run("USER.CREATE u\(number) NOINVITE WORKSPACE \(number % 300 == 0 ? "main" : "acme")")
    }
    let condition = workspace.isEmpty ? "" : "WHERE workspace = acme"
    let all = core.run("USER.LIST \(condition) COUNT 10000 FIELDS 1 id")[1].items.map { $0["id"].integer }
    #expect(core.slices >= 8)
    let page = core.run("USER.LIST \(condition) COUNT 10 OFFSET \(all.count - 10) FIELDS 1 id")
    #expect(page[1].items.map { $0["id"].integer } == Array(all.suffix(10)))
    // Three are entered once, and one is read.
    #expect(core.slices <= 5, "\(core.slices)")
  }

  @Test("L24: counts by status, product, role, workspace and account follow every change") func countsFollowChanges() {
    core.run("ACCOUNT.CREATE Widgets CUSTOMER")
    func count(_ condition: String) -> Int64? { core.run("USER.COUNT WHERE \(condition)").integer }
    // From now on the indexes have everybody.
    #expect(count("status = inactive") == 12)
    for (line, condition, expected) in [
      ("USER.STATUS user1 locked", "status = locked", 1), ("USER.STATUS user1 active", "status = locked", 0),
      ("PRODUCT.ENABLE user1 payroll", "product = payroll", 31),
      ("PRODUCT.DISABLE user0 payroll", "product = payroll", 30),
      ("ROLE.GRANT user1 training-administrator", "role = training-administrator", 1),
      ("ROLE.REVOKE user1 training-administrator", "role = training-administrator", 0),
      ("WORKSPACE.MEMBER acme user1", "workspace = acme", 2),
      ("WORKSPACE.MEMBER acme user1 REMOVE", "workspace = acme", 1),
      ("EMPLOY.ADD user1 Widgets", "account = Widgets", 1),
      ("EMPLOY.ADD user2 Widgets FROM 2999-01-01", "account = Widgets", 1),
      ("EMPLOY.END user1 Widgets TO 2020-01-01", "account = Widgets", 0),
      ("USER.CREATE zoe PRODUCT payroll NOINVITE", "product = payroll", 31),
      ("USER.DELETE zoe REASON x", "product = payroll", 30), ("USER.CREATE zoe NOINVITE", "workspace = main", 59),
      ("PRODUCT.ENABLE zoe payroll UNTIL \(TimeText.text(of: core.now + 3_600_000))", "product = payroll", 31),
    ] as [(String, String, Int64)] {
      let answer = core.run(line)
      #expect(!answer.isError, "\(line): \(answer)")
      #expect(count(condition) == expected, "\(line): \(condition)")
    }
    core.advance(7_200_000)
    #expect(count("product = payroll") == 30, "it has ended by itself")
    #expect(count("account = Widgets").map { 60 - $0 } == count("account != Widgets"))
    #expect(Invariants.check(core.cells, core.wholeDirectory) == [])
  }

  @Test("L24: conditions compare as searches do; a doubled sign tells accents apart") func folding() {
    for (name, first) in [("josé", "İpek"), ("jose", "Ipek"), ("third", "O’Neill")] {
      core.run(["USER.CREATE", name, "FIRST", first, "NOINVITE"])
    }
    func found(_ line: String) -> [String] {
      core.run("USER.LIST \(line) FIELDS 1 username")[1].items.compactMap { $0["username"].text }.sorted()
    }
    #expect(found("WHERE first = ipek") == ["jose", "josé"])
    #expect(found("WHERE first = İPEK") == ["jose", "josé"])
    #expect(found("WHERE first == ipek") == ["jose"])
    #expect(found("WHERE first == İpek") == ["josé"])
    #expect(found("WHERE first ^= ip WHERE first !== ipek") == ["josé"])
    #expect(found("WHERE first ~== İPE") == ["josé"])
    #expect(found("WHERE first ^= o'n") == ["third"])
    #expect(found("WHERE department = uklid").count == 15)
    #expect(found("WHERE department == uklid").isEmpty)
    // A username is somebody's alone.
    #expect(found("WHERE username = JOSE") == ["jose"])
    #expect(found("WHERE username ^= jose") == ["jose", "josé"])
    #expect(core.run("USER.COUNT WHERE first = ipek").integer == 2)
    #expect(
      core.run("USER.LIST WHERE first <== a").text
        == "ERR no operator '<=='; operators are = != < > <= >= ^= ~=, and == !== ^== ~==, which tell accents apart")
  }

  /// All items of a list, page by page.
  private func all(_ words: [String], count: Int) -> [Answer] {
    var items: [Answer] = []
    var cursor = "0"
    repeat {
      let page = core.run(["USER.LIST"] + words + ["COUNT", String(count), "CURSOR", cursor])
      #expect(page[1].items.count <= count)
      items += page[1].items
      guard let next = page[0].text, !page.isError else { return items }
      #expect(next == "0" || page[1].items.count == count)
      cursor = next
    } while cursor != "0" && items.count <= Self.count
    return items
  }

  private func names(_ words: String, count: Int = 100) -> [String] {
    all(CoreHarness.words(words), count: count).compactMap { $0["username"].text }
  }

  private func numbers(where condition: (Int) -> Bool) -> Set<String> {
    Set((0..<59).filter(condition).map { "User\($0)" })
  }

  @Test(arguments: [1, 2, 7, 58, 59, 60, 1000])
  func pagesShowEachUserOnce(count: Int) {
    let ids = all([], count: count).compactMap { $0["id"].integer }
    #expect(ids.count == 59)
    #expect(Set(ids).count == 59)
    // Partition by partition, and by id within each.
    let order = ids.map { id in
      let id = UserID(raw: UInt64(id))
      return core.partitioning.partition(of: id) << 32 | core.partitioning.serial(of: id)
    }
    #expect(order == order.sorted())
    for sort in ["username", "last", "created", "department", "status"] {
      let sorted = all(["SORT", sort, "FIELDS", "2", "id", sort], count: count)
      #expect(Set(sorted.compactMap { $0["id"].integer }).count == 59)
      let reversed = all(["SORT", sort, "DESC", "FIELDS", "2", "id", sort], count: count)
      #expect(sorted == reversed.reversed())
    }
  }

  @Test func sortsNumbersAsNumbersAndTextsInAnyCase() {
    let created = all(["SORT", "created", "FIELDS", "1", "created"], count: 9).compactMap { $0["created"].integer }
    #expect(created == created.sorted())
    let names = names("SORT username", count: 9)
    #expect(names == names.sorted { $0.lowercased() < $1.lowercased() })
    // Fields that are not set sort last.
    let departments = all(["SORT", "department", "FIELDS", "1", "department"], count: 100).map { $0["department"].text }
    #expect(departments.compactMap(\.self).count < departments.count)
    #expect(departments.reversed().prefix { $0 == nil }.count == departments.count { $0 == nil })
    #expect(departments.compactMap(\.self).last == "Úklid")
  }

  @Test func conditionsChoose() {
    #expect(Set(names("WHERE department = it")) == numbers { $0 % 4 == 0 })
    #expect(Set(names("WHERE department = ÚKLID")) == numbers { $0 % 4 == 2 })
    #expect(Set(names("WHERE department = \"\"")) == numbers { $0 % 4 == 3 })
    #expect(Set(names("WHERE department != it")) == numbers { $0 % 4 != 0 })
    #expect(Set(names("WHERE username ^= USER1")) == numbers { "\($0)".hasPrefix("1") })
    #expect(Set(names("WHERE username ~= r3")) == numbers { "\($0)".hasPrefix("3") })
    #expect(Set(names("WHERE username > user57")) == numbers { $0 == 58 || ($0 > 5 && $0 < 10) })
    #expect(Set(names("WHERE product = payroll")) == numbers { $0 % 2 == 0 })
    #expect(Set(names("WHERE product = payroll WHERE product != plans")) == numbers { $0 % 2 == 0 && $0 % 3 != 0 })
    #expect(Set(names("WHERE product = \"\"")) == numbers { $0 % 2 != 0 && $0 % 3 != 0 })
    #expect(Set(names("WHERE licence = office")) == numbers { $0 % 10 == 0 })
    #expect(Set(names("WHERE licence = payroll:office")) == numbers { $0 % 10 == 0 })
    #expect(Set(names("WHERE licence != office WHERE product ^= pay")) == numbers { $0 % 2 == 0 && $0 % 10 != 0 })
    #expect(Set(names("WHERE role = manager")) == numbers { $0 % 20 == 0 })
    #expect(Set(names("WHERE status = inactive")) == numbers { $0 % 5 == 0 })
    #expect(Set(names("WHERE status != active")) == numbers { $0 % 5 == 0 })
    #expect(names("WHERE workspace = acme") == ["User7"])
    #expect(names("WHERE hired <= 2026-02-01") == ["User7"])
    #expect(names("WHERE hired > 2026-02-01").isEmpty)
    #expect(Set(names("WHERE last-login = \"\"")).count == 59)
    #expect(Set(names("WHERE created >= 2026-03-01 WHERE created < 2026-03-01T09:00:10Z")) == numbers { $0 < 10 })
    #expect(Set(names("WHERE created < 2026-03-01")).isEmpty)
    _ = core.logIn("user3", "plans")
    #expect(names("WHERE last-login > 0") == ["User3"])
    let id = core.user("user2")!.id.raw
    #expect(names("WHERE id = #\(id)") == ["User2"])
  }

  @Test func deletedUsersAreListedOnlyWhenAskedFor() {
    #expect(names("").count == 59)
    #expect(names("WHERE status = deleted") == ["User59"])
    #expect(names("WHERE username = user59").isEmpty)
    #expect(core.run("USER.COUNT").integer == 59)
    #expect(core.run("USER.COUNT WHERE status = DELETED").integer == 1)
    #expect(core.run("USER.COUNT WHERE status != deleted").integer == 59)
  }

  @Test func fieldsAreChosen() {
    let item = core.run("USER.LIST WHERE username = user0 FIELDS 6 username product licence role workspace hired")[1][0]
    #expect(
      "\(item)"
        == "{username: User0, product: [payroll, plans], licence: [payroll:office], role: [manager],"
        + " workspace: [main], hired: nil}")
    #expect(
      core.run("USER.LIST COUNT 1")[1][0].keys == ["id", "contact", "username", "first", "last", "email", "status"])
  }

  @Test(arguments: [
    "WHERE colour = red", "WHERE username === ana", "WHERE created ~= 5", "WHERE status = asleep",
    "WHERE product > payroll", "WHERE created > soon", "WHERE hired = soon", "SORT product", "SORT colour", "DESC",
    "CURSOR x", "CURSOR 5-5", "SORT username CURSOR 5", "SORT username CURSOR zz-5", "COUNT 0", "FIELDS 1 colour",
    "WHERE username =", "FIELDS 2 id", "FIELDS 3 id username ID",
  ])
  func whatIsMalformedIsASyntaxError(words: String) {
    let answer = core.run("USER.LIST \(words)")
    #expect(answer.text?.hasPrefix("ERR ") == true, "\(answer)")
  }

  /// Any number as a cursor, also one that no list returned.
  @Test(arguments: [1, 2, 8])
  func aCursorThatNoListReturnedIsRefused(partitions: Int) {
    let core = CoreHarness(partitions: partitions)
    for number in 0..<20 { core.run("USER.CREATE user\(number) NOINVITE") }
    let last = core.cells[0].state.people.users.last
    let beyond: UserID = core.partitioning.id(serial: last + 1, partition: 0)
    for cursor in [UInt64.max, UInt64.max - 1, UInt64(Int64.max), 1 << 40, beyond.raw] {
      #expect(core.run("USER.LIST CURSOR \(cursor)").text?.hasPrefix("ERR CURSOR ") == true)
      #expect(core.run("USER.LIST SORT username CURSOR 7a7a-\(cursor)").text == nil)
    }
    // With several partitions small numbers belong to no user.
    for number in 1..<partitions { #expect(core.run("USER.LIST CURSOR \(number)").isError) }
    let end: UserID = core.partitioning.id(serial: last, partition: 0)
    #expect(core.run("USER.LIST CURSOR \(end.raw)")[1].items.count == 20 - last)
  }

  /// Of many people the few whose login was deleted are found without a look at the others.
  @Test func deletedLoginsAreFoundByAnIndex() {
    let core = CoreHarness(partitions: 1)
    for number in 0..<900 { core.run("USER.CREATE user\(number) NOINVITE") }
    _ = core.run("USER.COUNT WHERE status = deleted")
    _ = core.run("USER.LIST SORT username COUNT 1")
    func names(_ more: String = "") -> [String] {
      core.run("USER.LIST WHERE status = deleted \(more) FIELDS 1 username")[1].items.compactMap { $0["username"].text }
    }
    #expect(names().isEmpty && core.slices == 1)
    for number in [850, 7, 300] { core.run("USER.DELETE user\(number) REASON x") }
    #expect(names() == ["user7", "user300", "user850"] && core.slices == 1)
    #expect(names("SORT username DESC") == ["user850", "user7", "user300"] && core.slices == 1)
    #expect(names("WHERE username ^= user8") == ["user850"] && names("OFFSET 2") == ["user850"])
    #expect(core.run("USER.COUNT WHERE status = deleted").integer == 3 && core.slices == 1)
    #expect(core.run("USER.COUNT").integer == 897)
    core.run("USER.PURGE user7")
    core.run("USER.RESTORE #\(core.run("USER.GET user300")["contact"].integer ?? 0) NOINVITE")
    #expect(names().contains("user850") && !names().contains("user7"))
    #expect(Invariants.check(core.cells, core.wholeDirectory) == [])
  }

  @Test(
    "counts go by an index where a filter has one",
    arguments: [
      "status = locked", "product = app", "role = manager", "workspace = beta", "account = Widgets",
    ])
  func countsByIndex(condition: String) {
    let core = CoreHarness(partitions: 1)
    core.run("PRODUCT.CREATE app")
    core.run("WORKSPACE.CREATE beta")
    core.run("ACCOUNT.CREATE Widgets CUSTOMER")
    for number in 0..<900 {
      core.run(
        "USER.CREATE user\(number) NOINVITE" + (number % 300 == 7 ? " PRODUCT app ROLE manager ACCOUNT Widgets" : ""))
    }
    for number in [7, 307, 607] {
      core.run("USER.STATUS user\(number) locked")
      core.run("WORKSPACE.MEMBER beta user\(number)")
    }
    // The first question may have to file people.
    _ = core.run("USER.COUNT WHERE \(condition)")
    #expect(core.run("USER.COUNT WHERE \(condition)").integer == 3)
    #expect(core.slices == 1)
    #expect(core.run("USER.COUNT WHERE department = x").integer == 0)
    #expect(core.slices > 1, "nobody has filed departments, so everybody is looked at")
  }

  @Test("T11: the main role is shown and filtered by, apart from others")
  func mainRole() {
    let core = CoreHarness(partitions: 4)
    core.run("USER.CREATE one ROLE manager ROLE individual NOINVITE")
    core.run("USER.CREATE two ROLE individual ROLE manager NOINVITE")
    let found = core.run("USER.LIST WHERE main-role = manager FIELDS 2 username main-role")[1]
    #expect("\(found)" == "[{username: one, main-role: [manager]}]", "\(found)")
    #expect(core.run("USER.COUNT WHERE role = manager").integer == 2)
    #expect(core.run("USER.LIST WHERE main-role = mangaer").text == "NOTFOUND role mangaer")
  }

  @Test func conditionsAreLimited() {
    let most = String(repeating: "WHERE id > 0 ", count: Limits.conditionsOfList)
    #expect(core.run("USER.COUNT \(most)").integer == 59)
    for command in ["USER.COUNT", "USER.LIST"] {
      #expect(core.run("\(command) \(most) WHERE id > 0").text?.hasPrefix("LIMIT conditions: ") == true)
    }
  }

  @Test func unknownNamesInConditionsAreRefused() {
    #expect(
      core.run("USER.COUNT WHERE product = wages").text
        == "NOTFOUND product wages; it was looked for in main: workspace/product names that of another workspace")
    #expect(core.run("USER.COUNT WHERE workspace = wages").text == "NOTFOUND workspace wages")
    #expect(core.run("USER.COUNT WHERE role = wages").text?.hasPrefix("NOTFOUND role wages") == true)
  }

  @Test func administratorsSeeWhomTheyManage() {
    core.run("USER.CREATE root PRODUCT plans ROLE super-administrator NOINVITE")
    core.run("USER.CREATE tom PRODUCT plans ROLE training-administrator NOINVITE")
    core.run("USER.CREATE pam PRODUCT plans NOINVITE")
    core.run("PRODUCT.ENABLE pam plans ADMIN")
    core.run("USER.CREATE wes WORKSPACE acme PRODUCT plans NOINVITE")
    core.run("WORKSPACE.SET acme owner wes")
    func count(_ user: String) -> Answer { core.run("USER.COUNT", as: core.logIn(user, "plans")) }
    #expect(count("root").integer == 63)
    #expect(count("tom").integer == 62)
    // Members of main, but for super administrators: all but user7 and root; wes joined main with the product.
    #expect(count("pam").integer == 61)
    #expect(count("wes").integer == 2)
    #expect(count("user3").text?.hasPrefix("NOPERM ") == true)
    #expect(core.run("USER.LIST", as: "gs_nothing").text?.hasPrefix("NOPERM ") == true)
  }
}
