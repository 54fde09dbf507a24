import Foundation
import GatehouseTestSupport
import Testing

@Suite("gatehousectl import", .blocking)
struct ImportTests {
  @Test("columns by their own and usual names, defaults, fields of the workspace; a second run finds everybody there")
  func columns() throws {
    let world = try PeopleServer()
    try world.gate.ok("WORKSPACE.CREATE acme")
    for product in ["acme/payroll", "acme/time"] { try world.gate.ok("PRODUCT.CREATE \(product)") }
    try world.gate.ok("POOL.SET acme/payroll office 5")
    try world.gate.ok("FIELD.DEFINE badge number WORKSPACE acme")
    let file = """
      Login;Given name;Surname;E-Mail;Dept;hired;badge;Product;Licence(s);Role;Notes
      ana;Ana;Silva;ana@x.test;Sales;2026-03-01;007;payroll,time;payroll:office;manager;x
      bo;Bo;;;;;;;;;"a
      b"

      """
    let options = ["--workspace", "acme", "--product", "time", "--ignore", "Notes", "--map", "Given name=first"]
    let result = try world.load(bytes: Array(file.utf8), options + ["--reason", "moved"])
    #expect(result.code == 0 && result.output == "2 rows: 2 users created, 0 rows refused\n", "\(result.errors)")
    let ana = try world.person("ana")
    #expect(ana["first"] == "Ana" && ana["last"] == "Silva" && ana["email"] == "ana@x.test")
    #expect(ana["department"] == "Sales" && ana["hired"] == "2026-03-01" && ana["home"] == "acme")
    #expect(ana["fields"]?.contains("badge") == true && ana["fields"]?.contains("7") == true, "\(ana)")
    let roles = try world.gate.list("ROLE.LIST ana")
    #expect(roles.map { $0["scope"] } == ["workspace acme"], "a role of a file gives no power over other workspaces")
    #expect(try world.gate.text("LOGIN.CHECK ana acme/payroll") == "ALLOW")
    #expect(try world.gate.text("LOGIN.CHECK bo acme/time") == "ALLOW")
    #expect(try world.gate.text("LOGIN.CHECK bo acme/payroll") == "DENY product-disabled")
    let record = try #require(try world.gate.pages("AUDIT.LIST USER ana").first)
    #expect(
      record["reason"] == "moved" && !record.shown("changes").contains("mail-queued"), "nobody is invited unasked")

    let again = try world.load(bytes: Array(file.utf8), options)
    #expect(
      again.code == 0 && again.output == "2 rows: 0 users created, 2 already there, 0 rows refused\n",
      "\(again.output)\(again.errors)")
  }

  @Test("unknown columns are named, with those that there are, and nothing is written")
  func unknownColumns() throws {
    let world = try PeopleServer()
    try world.gate.ok("FIELD.DEFINE badge number")
    let result = try world.load("username,Shoe size,first,Given name,\nana,40,A,B,\n")
    #expect(result.code == 1 && result.output.isEmpty)
    let told = """
      gatehousectl: unknown column 'Shoe size'; the columns 'first' and 'Given name' are both first; column 5 has no name; \
      columns are username, name, first, middle, last, email, department, timezone, schedule, leave, phone, language, hired, \
      released, status, initials, reference, division, authority, restrict-bookings, account, employments, products, \
      licences, roles, manages, provisioned, password, password-hash, badge; --map column=field says what a column \
      is, --ignore column leaves it out

      """
    #expect(result.errors.contains(told), "\(result.errors)")
    let map = try world.load("username,x\nana,y\n", "--map", "x=nothing")
    #expect(map.code == 1 && map.errors.contains("--map 'x=nothing': unknown column 'nothing'; columns are username, "))
    #expect(try world.gate.integer("USER.COUNT") == 0)
    for (text, message) in [
      ("", "the file is empty; its first line must name the columns"),
      ("username\nana\n\"bo", "line 3: a quote is opened and never closed"),
      ("username\nan\0a\n", "line 2: there is a NUL byte; if the file is UTF-16, give --encoding utf-16"),
    ] {
      let bad = try world.load(text)
      #expect(bad.code == 66 && bad.errors.contains("gatehousectl: \(message)\n"), "\(bad.errors)")
    }
    let empty = try world.load("username,first\r\n")
    #expect(empty.code == 0 && empty.output == "0 rows: 0 users created, 0 rows refused\n")
    #expect(try world.gate.integer("USER.COUNT") == 0)
  }

  static let mixed = """
    username,first,email,hired,products,reference,status
    ana,Ana,ana@x.test,2026-03-01,payroll,R1,
    bo,Bo,nobody,,,,
    cleo,Cleo,,soon,,,
    dan,Dan,,,nothing,,
    ANA,Other,,,,,
    eve,Eve,,,,R1,
    ,Nobody,,,,,
    fay,Fay
    gil,Gil,,,payroll,R2,deleted
    hal,Hal,,,payroll,R3,locked

    """

  static let refusals = [
    "line 3, column email: ERR email is not an e-mail address, such as ana@acme.test",
    "line 4, column hired: ERR hired is not a day, such as 2026-03-01",
    "line 5, column products: NOTFOUND product nothing; it was looked for in main: workspace/product names that of"
      + " another workspace",
    "line 6, column username: line 2 has the same username",
    "line 7, column reference: line 2 has the same reference",
    "line 8, column username: it is missing",
    "line 9: the row has 2 cells, and the header 7",
    "line 10, column status: ERR STATUS of a new user cannot be deleted",
  ]

  @Test("P5: a refused row refuses all; every one is reported with its line, its column and why")
  func allOrNone() throws {
    let world = try PeopleServer()
    try world.gate.ok("PRODUCT.CREATE payroll")
    let report = world.folder.path("refused.csv")
    try world.gate.ok("USER.CREATE zoe REFERENCE R9 NOINVITE")
    try world.gate.ok("WORKSPACE.SET main policy.user.required-fields reference")
    let required = try world.load(Self.mixed, "--dry-run")
    #expect(required.code == 1 && required.output.contains("line 7, column reference: line 2 has the same reference"))
    let result = try world.load(Self.mixed, "--report", world.folder.path("refused-before.csv"))
    #expect(result.code == 1)
    #expect(result.output.hasSuffix("; nothing was written\n"), "\(result.output)")
    #expect(try world.gate.integer("USER.COUNT") == 1)

    try world.gate.ok("WORKSPACE.SET main policy.user.required-fields ''")
    let second = try world.load(Self.mixed, "--report", report)
    let wanted = Self.refusals.filter { !$0.contains("same reference") }
    #expect(PeopleServer.lines(second) == wanted + ["10 rows: 3 users to create, 7 rows refused; nothing was written"])
    #expect(try world.gate.integer("USER.COUNT") == 1)
    let table = readText(report).split(separator: "\r\n")
    #expect(table.count == 8 && table[0] == "line,column,username,reason")
    #expect(table[1] == #"3,email,bo,"ERR email is not an e-mail address, such as ana@acme.test""#)

    let json = try world.load(Self.mixed, "--json").objects()
    #expect(json.count == 8 && json[0]["line"] as? Int == 3 && json[0]["column"] as? String == "email")
    #expect(json[7]["refused"] as? Int == 7 && json[7]["written"] as? Bool == false)

    let going = try world.load(Self.mixed, "--keep-going")
    #expect(PeopleServer.lines(going) == wanted + ["10 rows: 3 users created, 7 rows refused"])
    #expect(going.code == 1)
    #expect(try world.gate.integer("USER.COUNT") == 4)
    #expect(try world.person("hal")["status"] == "locked")
  }

  @Test("P9: rows that would take more seats than are left together are refused, though each alone would not be")
  func seats() throws {
    let world = try PeopleServer()
    try world.gate.ok("PRODUCT.CREATE payroll")
    try world.gate.ok("POOL.SET payroll office 2")
    try world.gate.ok("POOL.SET payroll * 3")
    let file = "username,products,licences\na,payroll,office\nb,payroll,\nc,payroll,office\nd,payroll,office\n"
    let result = try world.load(file)
    let wanted = [
      "line 5, column licences: NOSEATS payroll:office bought 2; the rows before this one take the last",
      "4 rows: 3 users to create, 1 row refused; nothing was written",
    ]
    #expect(PeopleServer.lines(result) == wanted, "\(result.output)")
    try world.gate.ok("POOL.SET payroll office 3")
    #expect(try world.load(file).output.contains("line 5, column products: NOSEATS payroll:* bought 3;"))
    #expect(try world.gate.integer("USER.COUNT") == 0)
    try world.gate.ok("POOL.SET payroll * 4")
    #expect(try world.load(file).code == 0)
  }

  @Test("users who are there and differ are refused, or changed with --update; empty cells change nothing")
  func update() throws {
    let world = try PeopleServer()
    try world.gate.ok("PRODUCT.CREATE payroll")
    try world.gate.ok("FIELD.DEFINE size choice CHOICES 2 small large")
    try world.gate.ok("USER.CREATE ana FIRST Ana LAST Silva DEPARTMENT Sales NOINVITE")
    try world.gate.ok("USER.CREATE cy FIRST x NOINVITE")
    let odd = try world.load("username,first,last\ncy,Cy,Reason\n", "--update")
    #expect(odd.output == "1 row: 0 users created, 1 changed, 0 rows refused\n", "\(odd.output)")
    #expect(try world.person("cy")["last"] == "Reason")
    let file = "username,name,department,size,hired\nana,Anna Silva,,Large,\nbo,Bo,,,\n"
    let refused = try world.load(file)
    #expect(refused.code == 1)
    let id = try #require(try world.gate.fields("USER.GET ana")["id"])
    #expect(
      PeopleServer.lines(refused).first
        == "line 2: CONFLICT username: ana belongs to user #\(id); choose another; it differs in size, first",
      "\(refused.output)")
    let trial = try world.load(file, "--update", "--dry-run")
    #expect(trial.output == "2 rows: 1 user to create, 1 to change, 0 rows refused; nothing was written\n")
    #expect(try world.person("ana")["first"] == "Ana")
    let changed = try world.load(file, "--update")
    #expect(changed.output == "2 rows: 1 user created, 1 changed, 0 rows refused\n", "\(changed.output)")
    let ana = try world.person("ana")
    #expect(ana["first"] == "Anna" && ana["department"] == "Sales" && ana["fields"]?.contains("large") == true)
    #expect(
      try world.load(file, "--update").output == "2 rows: 0 users created, 2 already there, 0 rows refused\n")
    let other = try world.load("username,status,products\nana,locked,payroll\n", "--update")
    #expect(
      other.output.hasPrefix("line 2: #\(id) differs in products, which --update does not change; use PRODUCT.ENABLE\n")
    )
    #expect(try world.person("ana")["status"] == "active")
  }

  @Test("L23: many are set to inactive by a file, each with the fields of the row or not at all")
  func statuses() throws {
    let world = try PeopleServer()
    for name in ["ana", "bo"] { try world.gate.ok("USER.CREATE \(name) NOINVITE") }
    let file = "username,status,department\nana,inactive,Where\nbo,Inactive,\n"
    #expect(
      try world.load(file).output.contains("choose another; it differs in department, status\n"),
      "without --update nobody is changed")
    let changed = try world.load(file, "--update")
    #expect(changed.output == "2 rows: 0 users created, 2 changed, 0 rows refused\n", "\(changed.output)")
    #expect(try world.gate.integer("USER.COUNT WHERE status = inactive") == 2)
    #expect(try world.person("ana")["department"] == "Where")
    #expect(try world.load(file, "--update").output == "2 rows: 0 users created, 2 already there, 0 rows refused\n")
    let wrong = try world.load("username,status,department\nana,gone,Sales\n", "--update")
    #expect(wrong.code == 1 && wrong.output.contains("column status: "), "\(wrong.output)")
    #expect(try world.person("ana")["department"] == "Where")
  }

  @Test("people log in with the passwords that they have in another system; a bad hash is refused by its row")
  func hashes() throws {
    let world = try PeopleServer(.init(arguments: ["--password-memory", "64", "--password-passes", "1"]))
    try world.gate.ok("PRODUCT.CREATE payroll")
    let samples = HashSamples.all
    var file = "username\tPassword Hash\n"
    for (index, sample) in samples.enumerated() { file += "user\(index)\t\(sample.text)\n" }
    let options = ["--product", "payroll", "--delimiter", "tab"]
    let bad = try world.load(
      bytes: Array((file + "ana\t5f4dcc3b5aa765d61d8327deb882cf99\n").utf8), options, name: "people.tsv")
    #expect(bad.code == 1)
    let reason = "REFUSED password-hash: it is not complete, or of no form that is known"
    #expect(bad.output.contains("line \(samples.count + 2)") && bad.output.contains(reason), "\(bad.output)")
    #expect(!(bad.output + bad.errors).contains("5f4dcc3b"), "a hash is not shown")
    #expect(try world.gate.integer("USER.COUNT") == 0)
    let good = try world.load(bytes: Array(file.utf8), options, name: "people.tsv")
    #expect(good.code == 0, "\(good.errors)")
    for index in samples.indices {
      let login = try world.gate.fields("LOGIN.PASSWORD", "user\(index)", "payroll", HashSamples.password)
      #expect(login["decision"] == "ALLOW" && login["must-change"] == "0", "\(samples[index].name)")
    }
    let again = try world.load(bytes: Array(file.utf8), options, name: "people.tsv")
    #expect(again.code == 0 && again.output.contains("\(samples.count) already there"), "\(again.output)")
  }

  @Test("people get the passwords of the file, which they must change; a weak one is refused by its row and not shown")
  func passwords() throws {
    let world = try PeopleServer(.init(arguments: ["--password-memory", "64", "--password-passes", "1"]))
    try world.gate.ok("PRODUCT.CREATE payroll")
    var file = "username,Password,products\n"
    for number in 0..<60 { file += "user\(number),quiet pond \(number) in march,payroll\n" }
    let bad = try world.load(file + "ana,password1,payroll\nbo,,payroll\n")
    #expect(bad.code == 1 && bad.output.contains("line 62"), "\(bad.output)")
    #expect(bad.output.contains("REFUSED password.strength: "), "\(bad.output)")
    #expect(!(bad.output + bad.errors).contains("password1") && !bad.output.contains("pond"), "a password is not shown")
    #expect(try world.gate.integer("USER.COUNT") == 0)
    let good = try world.load(file + "bo,,payroll\n", "--connections", "2")
    #expect(good.code == 0 && good.output.contains("61 users created"), "\(good.output)\(good.errors)")
    for number in [0, 31, 59] {
      let login = try world.gate.fields("LOGIN.PASSWORD", "user\(number)", "payroll", "quiet pond \(number) in march")
      #expect(login["decision"] == "ALLOW" && login["must-change"] == "1", "\(login)")
    }
    #expect(try world.gate.fields("LOGIN.PASSWORD", "bo", "payroll", "x")["reason"] == "credentials")
    // Who is there keeps the password.
    let again = try world.load(file.replacing("march", with: "april"), "--update")
    #expect(again.code == 0 && again.output.contains("60 already there"), "\(again.output)\(again.errors)")
    let login = try world.gate.fields("LOGIN.PASSWORD", "user1", "payroll", "quiet pond 1 in march")
    #expect(login["decision"] == "ALLOW")
  }

  @Test("files of Windows and of Excel: UTF-16 with a mark, semicolons, Windows-1252")
  func encodings() throws {
    let world = try PeopleServer()
    let text = "username;last\r\nzoe;Müller – x\r\n"
    var wide: [UInt8] = [0xff, 0xfe]
    for unit in text.utf16 { wide += [UInt8(unit & 0xff), UInt8(unit >> 8)] }
    #expect(try world.load(bytes: wide, []).code == 0)
    #expect(try world.person("zoe")["last"] == "Müller – x")
    let narrow: [UInt8] = Array("username\tlast\nmo\t".utf8) + [0x4d, 0xfc, 0x20, 0x96, 0x0a]
    let refused = try world.load(bytes: narrow, [])
    #expect(
      refused.output.hasPrefix("line 2, column last: the text is not UTF-8; give --encoding, such as windows-1252\n"))
    #expect(try world.load(bytes: narrow, ["--encoding", "windows-1252"]).code == 0)
    #expect(try world.person("mo")["last"] == "Mü –")
  }

  @Test("JSON lines: lists, numbers and flags; lines that are no objects and names that are no columns are refused")
  func jsonLines() throws {
    let world = try PeopleServer()
    try world.gate.ok("PRODUCT.CREATE payroll")
    try world.gate.ok("PRODUCT.CREATE time")
    try world.gate.ok("FIELD.DEFINE badge number")
    let file = """
      {"username": "ana", "badge": 7, "products": ["payroll", "time"], "first": null, "last": "=x"}

      {"username": "bo", "shoe": 1}
      nonsense
      {"username": "cy", "first": {"a": 1}}

      """
    let result = try world.load(file, "--keep-going", name: "people.jsonl")
    let lines = PeopleServer.lines(result)
    #expect(lines.count == 4 && lines[0].hasPrefix("line 3, column shoe: unknown column; columns are username, "))
    #expect(lines[1] == "line 4: the line is not a JSON object")
    #expect(lines[2].hasPrefix("line 5, column first: the value must be a text, a number"), "\(lines[2])")
    #expect(lines[3] == "4 rows: 1 user created, 3 rows refused")
    #expect(try world.person("ana")["last"] == "=x")
    #expect(try world.gate.text("LOGIN.CHECK ana time") == "ALLOW")
  }

  @Test("contacts without a login; the same file again makes none twice")
  func contacts() throws {
    let world = try PeopleServer()
    let file = "first,last,email\nAna,Silva,ana@x.test\nAna,Silva,ana@x.test\nBo,,\n"
    let result = try world.load(file, "--contacts")
    #expect(result.output == "3 rows: 3 contacts created, 0 rows refused\n", "\(result.output)\(result.errors)")
    #expect(try world.gate.pages("CONTACT.LIST").count == 3, "equal rows are different people")
    #expect(try world.load(file + "Cy,,\n", "--contacts").code == 0)
    #expect(try world.gate.pages("CONTACT.LIST").count == 4)
    let wrong = try world.load("username\nana\n", "--contacts")
    #expect(wrong.code == 1 && wrong.errors.contains("unknown column 'username'; columns are name, first, "))
  }

  @Test("W2, W4: a service that is bound to a workspace imports only there, and learns nothing of others")
  func boundService() throws {
    let world = try PeopleServer()
    for workspace in ["acme", "beta"] {
      try world.gate.ok("WORKSPACE.CREATE \(workspace)")
      try world.gate.ok("PRODUCT.CREATE \(workspace)/app")
    }
    try world.gate.ok("USER.CREATE taken PRODUCT beta/app NOINVITE")
    try world.gate.ok("FIELD.DEFINE secret text WORKSPACE beta")
    let admin = try world.gate.fields("SERVICE.CREATE ops READ ADMIN")["secret"] ?? ""
    try world.gate.ok("AUTH ops \(admin)")
    let secret = try #require(try world.gate.fields("SERVICE.CREATE acme READ ADMIN WORKSPACE acme")["secret"])
    world.credentials = "acme:\(secret)"
    let file = "username,products\nana,app\n"
    let elsewhere = try world.load(file, "--workspace", "beta")
    #expect(elsewhere.code == 1 && elsewhere.errors.contains("the server refused: NOTFOUND workspace beta"))
    #expect(try world.load(file).errors.contains("the server refused: NOTFOUND workspace main"))
    let product = try world.load("username,products\nana,beta/app\n", "--workspace", "acme")
    #expect(product.output.hasPrefix("line 2, column products: NOTFOUND product beta/app\n"), "\(product.output)")
    let taken = try world.load("username\ntaken\n", "--workspace", "acme", "--update")
    #expect(
      taken.output.hasPrefix("line 2, column username: CONFLICT username: taken is taken; choose another\n"),
      "\(taken.output)")
    let columns = try world.load("username,secret\nana,x\n", "--workspace", "acme")
    #expect(columns.code == 1 && columns.errors.contains("unknown column 'secret'"))
    #expect(try world.gate.integer("USER.COUNT") == 1)
    #expect(try world.load(file, "--workspace", "acme").code == 0)
    #expect(try world.person("ana")["workspaces"]?.contains("acme") == true)
    let exported = try world.run("export", "users", "--workspace", "acme", "--fields", "username,products")
    #expect(exported.output == "username,products\r\nana,acme/app\r\n", "\(exported.errors)")
    #expect(try world.run("export", "users", "--workspace", "beta").errors.contains("NOTFOUND workspace beta"))
  }

  @Test("on a terminal a bar shows how far an import and an export are, elsewhere a line tells what was done")
  func progress() throws {
    let world = try PeopleServer()
    let file = "username\n" + (0..<2000).map { "user\($0)\n" }.joined()
    let plain = try world.load(file)
    for step in ["checking: ", "writing: "] { #expect(plain.errors.contains(step), "\(plain.errors)") }
    let program = "'\(try GatehouseProgram.path())ctl'"
    func watched(_ words: String) throws -> String {
      let command = "\(program) \(words) --port \(world.server.port)"
      return try runProgram("script", ["-qec", command, "/dev/null"], limit: .seconds(120)).output
    }
    let again = try watched("import '\(world.folder.path("people.csv"))'")
    #expect(again.contains("checking  ░") && again.contains(" 0 %"), "\(again)")
    #expect(!plain.errors.contains("░"))
    let exported = try watched("export users --fields username --output '\(world.folder.path("out.csv"))'")
    #expect(exported.contains("exporting  ") && exported.contains("exporting: "), "\(exported)")
  }

  @Test(
    "options that contradict each other",
    arguments: [["-"], ["x", "--contacts", "--update"], ["x", "--connections", "0"]])
  func usage(_ words: [String]) throws {
    #expect(try runProgram(try GatehouseProgram.path() + "ctl", ["import"] + words).code == 64)
  }
}
