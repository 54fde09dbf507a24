import Testing

@testable import GatehouseCore

/// Creating users with passwords, and importing hashes.
@Suite("Passwords of new and imported users")
struct PasswordImportTests {
  private static let hash = "$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHApl8ArZWb2GRPPc"
  private let core = CoreHarness(partitions: 4)

  init() {
    core.run("PRODUCT.CREATE payroll")
    core.run("USER.CREATE tom PRODUCT payroll ROLE training-administrator NOINVITE")
    core.decidesTwice = true
  }

  private func logIn(_ password: String, _ user: String = "ana") -> Answer {
    core.run(["LOGIN.PASSWORD", user, "payroll", password])
  }

  @Test("P7, P13: a user is created with a password, which is temporary, with or without an invitation")
  func created() {
    #expect(
      core.run("USER.CREATE ana PRODUCT payroll EMAIL ana@acme.test NOINVITE PASSWORD correct-horse").isError == false)
    #expect(logIn("correct-horse")["must-change"].integer == 1)
    #expect(core.run("MAIL.LIST")[1].items.isEmpty)
    core.run("WORKSPACE.SET main policy.password.admin-sets-final on")
    #expect(core.run("USER.CREATE ben PRODUCT payroll EMAIL ben@acme.test PASSWORD correct-horse").isError == false)
    #expect(logIn("correct-horse", "ben")["must-change"].integer == 0)
    #expect(core.run("MAIL.LIST")[1][0]["kind"].text == "invitation")
    core.expectReplicated()
  }

  @Test("a weak password, or one that may not be given, creates nobody")
  func allOrNothing() {
    let before = core.lsn
    #expect(
      core.run("USER.CREATE ana PASSWORD weak-one").text?.hasPrefix("REFUSED password.strength: it is easy to guess")
        == true)
    #expect(core.run("USER.CREATE ana PASSWORD short").text?.hasPrefix("REFUSED password: it has 5 characters") == true)
    #expect(
      core.run("USER.CREATE ana PASSWORD correct-horse PASSWORD-HASH \(Self.hash)").text
        == "ERR PASSWORD-HASH is that of a password nobody here knows; give it or PASSWORD")
    #expect(
      core.run("USER.CREATE ana PASSWORD correct-horse IDEM k").text
        == "ERR IDEM cannot stand beside a password: the log would keep a digest of it; leave it out")
    #expect(core.run("USER.CREATE ana PASSWORD correct-horse DRYRUN").isError == false)
    #expect(core.lsn == before && core.run("USER.GET ana").text?.hasPrefix("NOTFOUND") == true)
    #expect(core.run("USER.CREATE ana IDEM k").isError == false, "without a password a key is taken as ever")
  }

  @Test("who may create users needs the right over passwords too, and only a service imports hashes")
  func authority() {
    core.run("ROLE.DEFINE creator user.create user.read")
    core.run("USER.CREATE cai PRODUCT payroll ROLE creator NOINVITE")
    let cai = core.logIn("cai", "payroll")
    #expect(core.run("USER.CREATE ana PASSWORD correct-horse", as: cai).text?.hasPrefix("NOPERM") == true)
    let tom = core.logIn("tom", "payroll")
    #expect(core.run("USER.CREATE ana PRODUCT payroll PASSWORD correct-horse", as: tom).isError == false)
    for line in ["USER.CREATE ben PASSWORD-HASH \(Self.hash)", "PASSWORD.IMPORT ana \(Self.hash)"] {
      #expect(core.run(line, as: tom).text == "NOPERM a service's own authority, to import a hash")
    }
    #expect(core.run("PASSWORD.IMPORT ana \(Self.hash)").text == "OK")
  }

  @Test("B13: what waits for a second person keeps no password")
  func approval() {
    core.run("WORKSPACE.SET main policy.approval.needs user.create")
    let tom = core.logIn("tom", "payroll")
    #expect(
      core.run("USER.CREATE ana PASSWORD correct-horse", as: tom).text
        == "REFUSED approval: main asks for two people, and a secret cannot wait; ask a service to do it")
    #expect(core.run("USER.CREATE ana", as: tom)["approval"].integer != nil)
  }

  @Test("a hash that is malformed or too costly is refused with its reason")
  func refused() {
    core.run("USER.CREATE ana PRODUCT payroll NOINVITE")
    for line in ["PASSWORD.IMPORT ana 5f4dcc3b5aa765d61d8327deb882cf99", "USER.CREATE ben PASSWORD-HASH $2b$05$short"] {
      #expect(
        core.run(line).text
          == "REFUSED password-hash: it is not complete, or of no form that is known; give it as the other system keeps"
          + " it: Argon2, bcrypt, scrypt, yescrypt, PBKDF2, sha256-crypt and sha512-crypt are known")
    }
    #expect(
      core.run("PASSWORD.IMPORT ana $scrypt$ln=20,r=8,p=1$c2FsdA$AAAAAAAAAAAAAAAAAAAAAA").text
        == "REFUSED password-hash: it takes 1024 MiB of memory, more than 512; leave it out, and have the user ask for"
        + " another password")
    #expect(core.run("USER.GET ben").text?.hasPrefix("NOTFOUND") == true)
  }

  @Test(
    "rows of USER.CREATEMANY have hashes, all or none; an import ends sessions and is in the trail without the hash")
  func rows() throws {
    let many = ["USER.CREATEMANY", "FIELDS", "3", "username", "product", "password-hash", "ROWS", "6"]
    #expect(core.run(many + ["ana", "payroll", Self.hash, "ben", "payroll", ""]).items.count == 2)
    #expect(
      core.run(many + ["cai", "payroll", "", "dan", "payroll", "none"]).text?
        .hasPrefix("REFUSED row 2: password-hash: it is not complete") == true)
    let session = core.logIn("ana", "payroll")
    #expect(core.run("PASSWORD.IMPORT ana \(Self.hash)").text == "OK")
    #expect(core.run("SESSION.CHECK \(session)").isNull)
    core.expectReplicated()
  }

  @Test(
    "P5, P13: rows of USER.CREATEMANY have passwords, hashed together, which must be changed; a bad one refuses all")
  func passwordsOfRows() {
    let many = ["USER.CREATEMANY", "NOINVITE", "FIELDS", "3", "username", "product", "password", "ROWS"]
    let before = core.lsn
    for (values, refusal) in [
      (
        ["ana", "payroll", "correct-horse", "ben", "payroll", "weak-one"],
        "REFUSED row 2: password.strength: it is easy"
      ),
      (["ana", "payroll", "short", "ben", "payroll", ""], "REFUSED row 1: password: it has 5 characters"),
      (["ana", "payroll", "weak-one", "tom", "payroll", "correct-horse"], "CONFLICT row 2: username: tom"),
    ] {
      let answer = core.run(many + ["6"] + values)
      #expect(answer.text?.hasPrefix(refusal) == true, "\(answer)")
    }
    #expect(core.run(many + ["3", "ana", "payroll", "correct-horse", "IDEM", "k"]).text?.hasPrefix("ERR IDEM") == true)
    #expect(core.run(many + ["3", "ana", "payroll", "correct-horse", "DRYRUN"]).isError == false)
    #expect(core.lsn == before && core.run("USER.COUNT").integer == 1)
    let rows = ["ana", "payroll", "correct-horse", "ben", "payroll", "", "cai", "payroll", "correct-zebra"]
    #expect(core.run(many + ["9"] + rows).items.count == 3)
    #expect(core.lsn == before + 1)
    #expect(
      logIn("correct-horse")["must-change"].integer == 1 && logIn("correct-zebra", "cai")["must-change"].integer == 1)
    #expect(
      logIn("correct-zebra")["reason"].text == "credentials"
        && logIn("correct-horse", "ben")["reason"].text == "credentials")
    // One command after another is not given the hashes of the one before.
    #expect(core.run(many + ["3", "dan", "payroll", "correct-horse"]).items.count == 1)
    #expect(logIn("correct-horse", "dan")["decision"].text == "ALLOW")
    core.expectReplicated()
  }

  @Test("a row has a password or a hash, few rows of a command have one, and who may not set passwords gives none")
  func limitsOfRows() {
    core.run("USER.CREATE cai PRODUCT payroll ROLE creator NOINVITE")
    let both = ["USER.CREATEMANY", "FIELDS", "3", "username", "password", "password-hash", "ROWS", "3", "ana"]
    #expect(core.run(both + ["correct-horse", Self.hash]).text?.hasPrefix("ERR row 1: PASSWORD-HASH is") == true)
    let many = { (count: Int) in
      ["USER.CREATEMANY", "NOINVITE", "FIELDS", "2", "username", "password", "ROWS", "\(2 * count)"]
        + (0..<count).flatMap { ["user\($0)", "correct-horse"] }
    }
    let most = Limits.passwordsOfCreateMany
    #expect(
      core.run(many(most + 1)).text
        == "LIMIT rows: at most \(most) users with a password in one command; give fewer rows")
    #expect(core.run(many(most)).items.count == most)
    core.run("ROLE.DEFINE creator user.create user.read")
    core.run("USER.CREATE eva PRODUCT payroll ROLE creator NOINVITE")
    let eva = core.logIn("eva", "payroll")
    let one = ["AS", eva, "USER.CREATEMANY", "NOINVITE", "FIELDS", "2", "username", "password", "ROWS", "2", "zoe"]
    #expect(core.run(one + ["correct-horse"]).text?.hasPrefix("NOPERM row 1: ") == true)
    #expect(core.run(one + [""]).isError == false)
  }

  @Test("S12: a restored login has no password, though it was created with one")
  func restored() {
    core.run("USER.CREATE ana PRODUCT payroll PASSWORD correct-horse NOINVITE")
    core.run("USER.DELETE ana REASON left")
    core.run("USER.RESTORE #\(core.run("CONTACT.SEARCH ana")[0]["contact"])")
    core.run("PRODUCT.ENABLE ana payroll")
    #expect(logIn("correct-horse")["reason"].text == "credentials")
  }
}
