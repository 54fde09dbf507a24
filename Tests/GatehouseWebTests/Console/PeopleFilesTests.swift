import GatehouseTestSupport
import GatehouseWire
import Testing

@testable import GatehouseWeb

/// People from a file, a list as a file, and several who are one.
@Suite("The console: files of people, and merging several", .blocking)
struct PeopleFilesTests {
  private let company: ConsoleCompany
  private let browser: Browser

  init() throws {
    company = try ConsoleCompany()
    browser = try company.signedIn()
  }

  private static let head = "Username,Given name,Surname,E-mail,Hired,Products,Licences\n"

  private func upload(_ rows: String) throws -> HTTPPage {
    try browser.get("/console/people/import")
    return try browser.upload("/console/people/import", [("file", "\u{feff}" + Self.head + rows)])
  }

  @Test("a file is tried first, and then all of it is added in one record")
  func added() throws {
    let page = try upload(
      "eve,Eve,\"Silva, née Lind\",eve@acme.test,2026-03-01,payroll,office\nbo,Bo,Lind,,,payroll;console,payroll:office\n"
    )
    #expect(page.status == 200 && page.has("Add 2 people?") && page.has("eve") && page.has("bo"), "\(page.text)")
    #expect(try company.gate.reply("USER.GET", "eve").errorText?.hasPrefix("NOTFOUND") == true)
    let csv = try #require(page.field("csv")).replacing("&quot;", with: "\"").replacing("&#39;", with: "'")
    let before = try company.gate.integer("USER.COUNT")
    let done = try browser.upload(
      "/console/people/import/apply", [("csv", csv), ("invite", ""), ("reason", "new hires")])
    #expect(done.has("2 people were added."), "\(done.text)")
    #expect(try company.gate.integer("USER.COUNT") == before + 2)
    #expect(try company.gate.fields("USER.GET eve")["last"] == "Silva, née Lind")
    let records = try company.gate.pages("AUDIT.LIST USER eve")
    #expect(records.filter { $0["command"] == "USER.CREATEMANY" }.count == 1)
  }

  @Test("L8, L9, L11: employments with days, marks, and whom somebody looks after, as gatehousectl import takes them")
  func marks() throws {
    for line in ["ACCOUNT.CREATE Widgets CUSTOMER", "ACCOUNT.CREATE 'Smith; Sons' CUSTOMER"] {
      try company.gate.ok(line)
    }
    let file = #"""
      username,employments,products,licences,roles,manages,provisioned
      eve,"Widgets@2026-01-01..2090-12-31;""Smith; Sons""@main",payroll@admin,office,manager@account:Widgets@..2090-01-01;individual,user:bo;account:Widgets,"externalId@00u1;emails@""[{""""value"""":""""e@x.test""""}]"""
      bo,,payroll@off,payroll:office,,eve,

      """#
    try browser.get("/console/people/import")
    let page = try browser.upload("/console/people/import", [("file", file)])
    #expect(page.status == 200 && page.has("Add 2 people?"), "\(page.text)")
    let done = try browser.upload(
      "/console/people/import/apply", [("csv", file), ("invite", ""), ("reason", "new hires")])
    #expect(done.has("2 people were added."), "\(done.text)")
    let gate = company.gate
    #expect(
      try gate.list("EMPLOY.LIST eve").map {
        "\($0["account"] ?? "") \($0["from"] ?? "") \($0["to"] ?? "") \($0["main"] ?? "")"
      }
      .sorted() == ["Smith; Sons   1", "Widgets 2026-01-01 2090-12-31 0"])
    #expect(
      try gate.list("ROLE.LIST eve").map { "\($0["role"] ?? "") \($0["scope"] ?? "") \($0["main"] ?? "")" }
        == ["manager account Widgets 1", "individual workspace main 0"])
    func links(_ user: String) throws -> [String] {
      try gate.list("MANAGE.LIST \(user)").map { "\($0["kind"] ?? "") \($0["name"] ?? "")" }.sorted()
    }
    #expect(try links("eve") == ["account Widgets", "user bo"] && links("bo") == ["user eve"])
    let eve = try gate.fields("USER.GET eve")
    #expect(eve.value("provisioned")?["main/emails"]?.string == #"[{"value":"e@x.test"}]"#)
    let payroll = eve.value("products")?.elements?.first { $0["product"]?.string == "payroll" }
    #expect(payroll?["admin"]?.integer == 1 && payroll?["licence"]?.string == "office")
    #expect(try gate.reply("LOGIN.CHECK", "bo", "payroll").string == "DENY product-disabled")
    #expect(try gate.pages("AUDIT.LIST USER bo").filter { $0["command"] == "USER.CREATEMANY" }.count == 1)
  }

  @Test("rows that would be refused are told with line and column, nobody is added, and a report has all of them")
  func refused() throws {
    let rows =
      "eve,Eve,Silva,nobody,2026-03-01,payroll,office\nsam,Sam,X,,,,\nbo,Bo,Lind,,46000,,\nkim,Kim\nliv,Liv,,,,nothing,\n"
    let page = try upload(rows)
    #expect(page.status == 409 && page.has("5 of 5 rows would be refused"), "\(page.text)")
    for words in ["2 eve E-mail", "3 sam Username", "4 bo Hired '46000' is not a day", "5", "the row has 2 cells"] {
      #expect(page.has(words), "\(words): \(page.text)")
    }
    #expect(try company.gate.reply("USER.GET", "bo").errorText?.hasPrefix("NOTFOUND") == true)
    let csv = try #require(page.field("csv"))
    let report = try browser.upload("/console/people/import/report", [("csv", csv)])
    #expect(report.body.hasPrefix("line,username,column,why\r\n2,eve,E-mail,"), "\(report.body)")
    #expect(report.body.contains("\r\n6,liv,Products,"), "\(report.body)")
    // Sent past the page, it is refused all the same.
    let forced = try browser.upload("/console/people/import/apply", [("csv", csv), ("reason", "x")])
    #expect(forced.status != 200, "\(forced.text)")
    #expect(try company.gate.reply("USER.GET", "eve").errorText?.hasPrefix("NOTFOUND") == true)
  }

  @Test("what is wrong between rows, or with the whole file, is told")
  func together() throws {
    #expect(try upload("eve,,,,,,\nEVE,,,,,,\n").has("has the same"))
    #expect(try upload("").has("the file has no people"))
    #expect(try upload("a,b\n\"").has("a quote is opened and never closed"))
    try browser.get("/console/people/import")
    let page = try browser.upload("/console/people/import", [("file", "name,wage\nx,1\n")])
    #expect(page.has("unknown column 'wage'") && page.has("there is no column 'username'"))
    #expect(page.body.contains("aria-invalid=\"true\""), "the field of the file is marked")
    let many = (0...PeopleFile.mostRows).map { "u\($0),,,,,,\n" }.joined()
    #expect(try upload(many).has("more than 1000 people"))
    try browser.get("/console/people/import")
    #expect(try browser.upload("/console/people/import", [("file", "")]).has("no file was chosen"))
  }

  @Test("damaged forms with files are refused, and forged ones too")
  func damaged() throws {
    try browser.get("/console/people/import")
    for (type, body) in [
      ("multipart/form-data", "x"), ("multipart/form-data; boundary=", "x"), ("multipart/form-data; boundary=b", "x"),
      ("multipart/form-data; boundary=b", "--b\r\n\r\n\r\n--b--"),
      ("multipart/form-data; boundary=b", "--b\r\ncontent-disposition: form-data; name=csrf\r\n\r\nx"),
      ("multipart/form-data; boundary=b", "--b\r\ncontent-disposition: form-data; name=csrf\r\n\r\nx\r\n--b--"),
    ] {
      let cookie = browser.cookies.map { "\($0.key)-\(company.server.httpPort)=\($0.value)" }.joined(separator: "; ")
      let answer = try company.server.request(
        "POST", "/console/people/import", headers: [("content-type", type), ("cookie", cookie)], body: body)
      #expect([400, 403].contains(answer.status), "\(type) \(body): \(answer.status)")
    }
  }

  @Test("a list is downloaded whole, as it is filtered and ordered, and a spreadsheet carries out none of it")
  func exported() throws {
    for number in 0..<120 {
      try company.gate.ok("USER.CREATE p\(number) FIRST P LAST L\(1000 + number) DEPARTMENT Sales NOINVITE")
    }
    try company.gate.ok(
      "USER.CREATE", "formula", "FIRST", "=HYPERLINK(1)", "LAST", "L0", "DEPARTMENT", "Sales", "NOINVITE")
    let file = try browser.get(
      "/console/people/export?department=Sales&sort=last&column=username&column=first&column=department")
    let lines = file.body.split(separator: "\r\n")
    #expect(lines.count == 122 && lines[0] == "Id,Username,first,Department" || lines[0].hasSuffix(",Department"))
    #expect(lines[1].contains("'=HYPERLINK(1)"), "\(lines[1])")
    #expect(lines[2].contains(",p0,") && lines.last?.contains(",p119,") == true)
    #expect(file.headers.contains { $0.name == "content-disposition" && $0.value.contains("people.csv") })
  }

  @Test("several are merged into one, all or none, in one record")
  func merged() throws {
    for name in ["ida", "ida2", "ida3"] { try company.gate.ok("USER.CREATE \(name) FIRST Ida NOINVITE") }
    let ids = try ["ida", "ida2", "ida3"].map { try company.id($0) }
    try browser.get("/console/people")
    let fields = ids.map { ("id", $0) }
    #expect(try browser.post("/console/people/merge-several", [("id", ids[0])]).has("fewer than two people are ticked"))
    try browser.get("/console/people")
    let page = try browser.post("/console/people/merge-several", fields)
    #expect(page.has("Merge 3 people?") && page.has("ida2"), "\(page.text)")
    let tried = try browser.post("/console/people/merge-several", fields + [("keep", ids[0])])
    #expect(tried.has("would be merged") && tried.has("Go ahead?"), "\(tried.text)")
    let done = try browser.post(
      "/console/people/merge-several/apply", fields + [("keep", ids[0]), ("reason", "the same")])
    #expect(done.has("2 were merged into ida"), "\(done.text)")
    #expect(try company.gate.fields("USER.GET ida3")["username"] == "ida")
    // Oneself is merged into nobody, and then nobody else is either.
    for name in ["ina", "ina2"] { try company.gate.ok("USER.CREATE \(name) FIRST Ina NOINVITE") }
    let others = try ["ina", "ina2", "sam"].map { ("id", try company.id($0)) }
    try browser.get("/console/people")
    let refused = try browser.post("/console/people/merge-several", others + [("keep", others[0].1)])
    #expect(refused.has("Nobody is merged"), "\(refused.text)")
    try browser.get("/console/people")
    let forced = try browser.post(
      "/console/people/merge-several/apply", others + [("keep", others[0].1), ("reason", "x")])
    #expect(forced.status != 200)
    #expect(try company.gate.fields("USER.GET ina2")["username"] == "ina2")
  }
}
