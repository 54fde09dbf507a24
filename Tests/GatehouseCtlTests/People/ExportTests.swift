import Foundation
import GatehouseTestSupport
import GatehouseWire
import Testing

@Suite("gatehousectl export", .blocking)
struct ExportTests {
  /// People with all that import takes, and values that spreadsheets and parsers stumble over.
  private static func fill(_ gate: Client) throws {
    try gate.ok("WORKSPACE.CREATE acme")
    try prepare(gate)
    // Two workspaces may have fields of one name.
    try gate.ok("FIELD.DEFINE note text")
    let hostile = ["=1+1", "'t Hooft", "'=x", "a,b;c\"d\"\ne\n\nf", "@x", "-5", "+420", "\ttab", "Zoë 😀", "  blanks  "]
    for (index, text) in hostile.enumerated() {
      try gate.ok(
        "USER.CREATE", "user\(index)", "WORKSPACE", "acme", "FIRST", text, "LAST", "x\(text)", "SCHEDULE", text,
        "FIELD", "note", text, "FIELD", "points", "-\(index)", "NOINVITE")
    }
    try gate.ok(
      "USER.CREATE ana WORKSPACE acme FIRST Ana MIDDLE M LAST Silva EMAIL a@x.test PHONE +351 DEPARTMENT Sales"
        + " TIMEZONE Europe/Lisbon SCHEDULE full LEAVE 25 HIRED 2026-03-01 RELEASED 2030-01-01 INITIALS AS REFERENCE 7"
        + " DIVISION North AUTHORITY RESTRICT-BOOKINGS ACCOUNT Widgets FIELD member 0 STATUS locked PRODUCT acme/time LICENCE acme/payroll office PRODUCT wiki NOINVITE"
        + " ROLE individual ROLE manager WITHIN")
    try gate.ok("USER.CREATE =cmd WORKSPACE acme ROLE manager NOINVITE")
    try gate.ok("USER.CREATE stranger NOINVITE")
    for line in Self.ties { try gate.ok(line) }
    for (user, external) in [("ana", "00u1"), ("zoe", "user:\"7\"")] {
      try gate.ok("USER.PROVISION", user, "externalId", external, "WORKSPACE", "acme")
    }
    let emails = #"[{"value":"a@x.test","primary":true},{"value":"b@x.test"}]"#
    try gate.ok(
      "USER.PROVISION", "ana", "emails", emails, "urn:x:2.0:User:cost \"center\"", " =1;2|3\n@4 ", "WORKSPACE", "acme"
    )
  }

  /// What has days, limits, scopes and others in it. Whom ana looks after comes after her in the file, and zoe before bo.
  private static let ties = [
    "EMPLOY.SET ana Widgets FROM 2024-02-01 WORKSPACE acme",
    "EMPLOY.ADD ana 'Smith; Sons, \"Best\" @ A/S' TO 2025-12-31 WORKSPACE acme",
    "ROLE.GRANT ana manager GROUP North WORKSPACE acme UNTIL 2090-01-01T09:00:00Z",
    "ROLE.GRANT ana manager WORKSPACE acme", "ROLE.GRANT ana individual PRODUCT acme/time FROM 2090-01-01",
    "PRODUCT.ENABLE ana acme/time ADMIN UNTIL 2090-12-31",
    "USER.CREATE zoe WORKSPACE acme FIRST Zoe NOINVITE", "PRODUCT.ENABLE zoe acme/wiki FROM 2090-01-01T00:00:00Z",
    "LICENCE.ASSIGN zoe acme/payroll office", "EMPLOY.ADD zoe Widgets FROM 2090-01-01 WORKSPACE acme",
    "EMPLOY.ADD zoe 'Smith; Sons, \"Best\" @ A/S' WORKSPACE acme",
    "ROLE.GRANT zoe manager WORKSPACE acme UNTIL 9999-12-31",
    "USER.CREATE bo@acme.test WORKSPACE acme NOINVITE", "MANAGE.ADD ana USER zoe WORKSPACE acme",
    "MANAGE.ADD ana USER bo@acme.test WORKSPACE acme", "MANAGE.ADD ana ACCOUNT Widgets WORKSPACE acme",
    "MANAGE.ADD bo@acme.test USER ana WORKSPACE acme", "MANAGE.ADD zoe GROUP North WORKSPACE acme",
  ]

  private static func prepare(_ gate: Client) throws {
    for product in ["acme/payroll", "acme/time", "wiki", "acme/wiki"] { try gate.ok("PRODUCT.CREATE \(product)") }
    try gate.ok("POOL.SET acme/payroll office 5")
    try gate.ok("FIELD.DEFINE note text WORKSPACE acme")
    try gate.ok("FIELD.DEFINE points number WORKSPACE acme")
    try gate.ok("FIELD.DEFINE member flag WORKSPACE acme")
    try gate.ok("ACCOUNT.CREATE Widgets CUSTOMER WORKSPACE acme")
    try gate.ok("ACCOUNT.CREATE 'Smith; Sons, \"Best\" @ A/S' CUSTOMER WORKSPACE acme")
    try gate.ok("GROUP.CREATE North WORKSPACE acme")
  }

  @Test(
    "L22, L23: the round trip loses nothing: what is not set stays so, and account and authority are kept",
    arguments: [["--format", "csv"], ["--format", "csv", "--bom", "--delimiter", ";"], ["--format", "jsonl"]])
  func roundTrip(_ options: [String]) throws {
    let (old, new) = (try PeopleServer(), try PeopleServer())
    try Self.fill(old.gate)
    try new.gate.ok("WORKSPACE.CREATE acme")
    try Self.prepare(new.gate)
    let path = old.folder.path(options.contains("jsonl") ? "people.jsonl" : "people.csv")
    let exported = try old.run(["export", "users", "--workspace", "acme", "--output", path] + options)
    #expect(exported.code == 0, "\(exported.errors)")
    #expect(!exported.errors.contains("not in the file"), "\(exported.errors)")
    let tried = try new.run("import", path, "--workspace", "acme", "--dry-run")
    #expect(
      tried.output == "14 rows: 14 users to create, 3 management links to make, 0 rows refused; nothing was written\n",
      "\(tried.output)\(tried.errors)")
    let imported = try new.run("import", path, "--workspace", "acme")
    #expect(
      imported.output == "14 rows: 14 users created, 3 management links made, 0 rows refused\n",
      "\(imported.output)\(imported.errors)")
    for user in (0..<10).map({ "user\($0)" }) + ["ana", "=cmd", "zoe", "bo@acme.test"] {
      #expect(try Self.known(new, user) == Self.known(old, user))
    }
    #expect(try new.gate.integer("USER.COUNT") == 14)
    #expect(try new.person("ana")["account"] == "acme/Widgets" && new.person("ana")["authority"] == "1")
    #expect(try new.gate.fields("USER.EXTERNAL 00u1 WORKSPACE acme")["username"] == "ana")
    #expect(
      try new.gate.fields("USER.GET ana").value("provisioned")?["acme/urn:x:2.0:User:cost \"center\""]?.string
        == " =1;2|3\n@4 ")
    #expect(
      try new.gate.list("EMPLOY.LIST zoe").map { "\($0["account"] ?? "") \($0["from"] ?? "") \($0["main"] ?? "")" }
        == ["acme/Widgets 2090-01-01 1", "acme/Smith; Sons, \"Best\" @ A/S  0"], "the main one has not begun")
    // The new server exports the same rows.
    let again = new.folder.path(options.contains("jsonl") ? "again.jsonl" : "again.csv")
    let back = try new.run(["export", "users", "--workspace", "acme", "--output", again] + options)
    #expect(back.code == 0 && Self.rows(again) == Self.rows(path), "\(back.errors)")
    // The same file into the server it is from, and again into the new one: everybody is there, with all of it.
    for world in [old, new] {
      let same = try world.run("import", path, "--workspace", "acme")
      #expect(same.output == "14 rows: 0 users created, 14 already there, 0 rows refused\n", "\(same.output)")
    }
    try old.gate.ok("EMPLOY.SET ana Widgets TO 2091-01-01 WORKSPACE acme")
    try old.gate.ok("ROLE.REVOKE ana manager GROUP North WORKSPACE acme")
    try old.gate.ok("MANAGE.REMOVE ana ACCOUNT Widgets WORKSPACE acme")
    try old.gate.ok("USER.PROVISION ana externalId other WORKSPACE acme")
    let other = try old.run("import", path, "--workspace", "acme", "--update", "--dry-run")
    #expect(
      other.output.contains(
        " differs in employments, roles, manages, provisioned, which --update does not change; use EMPLOY.ADD and"
          + " EMPLOY.SET, ROLE.GRANT, MANAGE.ADD, USER.PROVISION\n"), "\(other.output)")
    let twice = try old.run("export", "users", "--workspace", "acme", "--output", path)
    #expect(twice.code == 73 && twice.errors.contains("cannot make \(path): File exists"), "\(twice.errors)")
  }

  /// What a server knows of a user, without what is a matter of that server.
  private static func known(_ world: PeopleServer, _ user: String) throws -> [String] {
    let person = try world.person(user).sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" }
    let employments = try world.gate.list("EMPLOY.LIST", user).map { employment in
      ["account", "from", "to", "main"].map { employment[$0] ?? "" }.joined(separator: " ")
    }
    let links = try world.gate.list("MANAGE.LIST", user).map { "\($0["kind"] ?? "") \($0["name"] ?? "")" }
    let roles = try world.gate.list("ROLE.LIST", user).map(\.description)
    // The main ones come first in a file, and links to users after others: their order has no meaning.
    return person + employments.sorted() + links.sorted() + roles.sorted()
  }

  private static func rows(_ path: String) -> [String] {
    readText(path).split(whereSeparator: \.isNewline).map(String.init).sorted()
  }

  private static func quoted(_ cell: String) -> String { "\"" + cell.replacing("\"", with: "\"\"") + "\"" }

  @Test("formulas are defused in CSV, conditions and fields are those of the list, pages are put together")
  func lists() throws {
    let world = try PeopleServer()
    try Self.fill(world.gate)
    let names = try world.run(
      "export", "users", "--workspace", "acme", "--fields", "username, first", "--where", "first ^== =")
    #expect(names.output == "username,first\r\nuser0,'=1+1\r\n", "\(names.output)\(names.errors)")
    let formula = try world.run(
      "export", "users", "--workspace", "acme", "--where", "username = =cmd", "--fields", "username,roles,id")
    let id = try world.gate.fields("USER.GET =cmd")["id"] ?? ""
    #expect(formula.output == "username,roles,id\r\n'=cmd,manager@everywhere,\(id)\r\n")
    let wrong = try world.run("export", "users", "--fields", "shoe")
    #expect(wrong.code == 1 && wrong.errors.contains("the server refused: ERR no field 'shoe'"))
    try world.gate.ok("PRODUCT.CREATE main/other")
    try world.gate.ok("ROLE.GRANT zoe individual PRODUCT other")
    try world.gate.ok("MANAGE.ADD zoe USER stranger")
    let foreign = try world.run("export", "users", "--workspace", "acme")
    #expect(foreign.errors.contains("not in the file are 1 grant of roles over other workspaces"), "\(foreign.errors)")
    #expect(!foreign.errors.contains("management link"), "\(foreign.errors)")
    // Another account has the name by now.
    try world.gate.ok("ACCOUNT.CREATE Former CUSTOMER WORKSPACE acme")
    try world.gate.ok("EMPLOY.ADD zoe Former TO 2020-01-01 WORKSPACE acme")
    try world.gate.ok("ACCOUNT.DELETE Former WORKSPACE acme")
    try world.gate.ok("ACCOUNT.CREATE Former CUSTOMER WORKSPACE acme")
    let gone = try world.run(
      "export", "users", "--workspace", "acme", "--where", "username = zoe", "--fields", "username,employments")
    #expect(!gone.output.contains("Former") && gone.output.contains("acme/Widgets@2090-01-01.."), "\(gone.output)")
    #expect(
      gone.errors.contains("not in the file are 1 employment at accounts that were deleted"), "\(gone.errors)")
    let ties = try world.run(
      "export", "users", "--workspace", "acme", "--where", "username = ana", "--fields",
      "employments,products,licences,roles,manages")
    #expect(
      ties.output
        == "employments,products,licences,roles,manages\r\n"
        + Self.quoted(#"acme/Widgets@2024-02-01..;"acme/Smith; Sons, ""Best"" @ A/S"@..2025-12-31"#) + ","
        + "acme/payroll;acme/time@admin@..2091-01-01T00:00:00.000Z;acme/wiki,acme/payroll:office,"
        + "individual;manager;manager@group:acme/North@..2090-01-01T09:00:00.000Z;manager@workspace;"
        + "individual@product:acme/time@2090-01-01T00:00:00.000Z..,"
        + "account:acme/Widgets;user:zoe;user:bo@acme.test\r\n", "\(ties.output)")

    let file = (0..<2500).map { "many\($0)\n" }.joined()
    #expect(try world.load("username\n" + file, "--workspace", "acme").code == 0)
    let all = try world.run(
      "export", "users", "--workspace", "acme", "--fields", "username", "--where", "username ^= many")
    let exported = all.output.split(separator: "\r\n").dropFirst().map(String.init)
    #expect(exported.count == 2500 && Set(exported) == Set((0..<2500).map { "many\($0)" }))
  }

  @Test("contacts, with a login or without")
  func contacts() throws {
    let (old, new) = (try PeopleServer(), try PeopleServer())
    try old.gate.ok("CONTACT.CREATE FIRST Ana LAST -x EMAIL a@x.test")
    try old.gate.ok("CONTACT.CREATE NAME 'Bo Lind'")
    try old.gate.ok("USER.CREATE cy FIRST Cy NOINVITE")
    try old.gate.ok("USER.CREATE dee NOINVITE")
    try old.gate.ok("USER.DELETE dee REASON x")
    let all = try old.run("export", "contacts")
    #expect(all.output.split(separator: "\r\n").count == 4)
    #expect(all.errors.contains("not in the file are 1 contact with neither a name nor an e-mail"), "\(all.errors)")
    let without = try old.run("export", "contacts", "--where", "user = ''")
    #expect(without.output.contains("Ana,,'-x,a@x.test,") && without.output.split(separator: "\r\n").count == 3)
    #expect(try new.load(without.output, "--contacts").output == "2 rows: 2 contacts created, 0 rows refused\n")
    #expect(
      try new.run("export", "contacts").output.split(separator: "\r\n").sorted()
        == without.output.split(separator: "\r\n").sorted())
  }

  @Test("W2, L24: the export of a workspace with shared people is read back, by the same server and by a fresh one")
  func sharedPeople() throws {
    let (old, new) = (try PeopleServer(), try PeopleServer())
    for line in [
      "WORKSPACE.CREATE alfa", "WORKSPACE.CREATE beta", "PRODUCT.CREATE alfa/pay", "PRODUCT.CREATE beta/pay",
      "POOL.SET beta/pay office 5", "PRODUCT.CREATE hr",
      "USER.CREATE own WORKSPACE alfa PRODUCT alfa/pay NOINVITE", "PRODUCT.ENABLE own beta/pay LICENCE office",
      "PRODUCT.ENABLE own hr", "USER.CREATE theirs WORKSPACE beta FIRST Theirs PRODUCT beta/pay NOINVITE",
      "PRODUCT.ENABLE theirs alfa/pay",
    ] { try old.gate.ok(line) }
    for line in ["WORKSPACE.CREATE alfa", "PRODUCT.CREATE alfa/pay"] { try new.gate.ok(line) }
    let users = try old.run("export", "users", "--workspace", "alfa")
    #expect(users.errors.contains("not in the file are 1 member whose home is another workspace"), "\(users.errors)")
    #expect(users.output.contains("own,") && !users.output.contains("theirs") && !users.output.contains("beta/"))
    #expect(!users.output.contains("hr"))
    let same = try old.load(users.output, "--workspace", "alfa", "--update", "--dry-run")
    #expect(same.code == 0 && same.output.contains("0 rows refused"), "\(same.output)\(same.errors)")
    #expect(try new.load(users.output, "--workspace", "alfa").output == "1 row: 1 user created, 0 rows refused\n")
    // Contacts go the same way, and chosen fields are those of all members.
    let contacts = try old.run("export", "contacts", "--workspace", "alfa")
    #expect(!contacts.output.contains("Theirs"))
    // A service of the workspace sees no other home, and leaves out the same people.
    try old.gate.ok("SERVICE.CREATE ops ADMIN")
    let secret = try #require(try old.gate.fields("SERVICE.CREATE alfa ADMIN WORKSPACE alfa")["secret"])
    old.credentials = "alfa:\(secret)"
    let bound = try old.run("export", "users", "--workspace", "alfa")
    #expect(bound.output == users.output, "\(bound.output)\(bound.errors)")
    #expect(bound.errors.contains("not in the file are 1 member whose home is another workspace"), "\(bound.errors)")
    #expect(try old.run("export", "contacts", "--workspace", "alfa").output == contacts.output)
    let all = try old.run("export", "users", "--workspace", "alfa", "--fields", "username,products")
    #expect(all.output.split(separator: "\r\n").sorted() == ["own,alfa/pay", "theirs,alfa/pay", "username,products"])
    withExtendedLifetime((old, new)) {}
  }
}
