import GatehouseCore
import Testing

@testable import GatehouseWeb

/// What the console reads of a file of people, without a server.
@Suite("The console: rows of a file of people")
struct PeopleFileTests {
  private func words(_ rows: [PeopleFile.Row]) -> [String] {
    PeopleFile.command(rows, workspace: "acme", invites: false)
  }

  @Test("cells go to the server as they are, with their marks, and an empty one says nothing")
  func cells() throws {
    let file = try PeopleFile(
      #"""
      Login,Employments,Products,Roles,Provisioned,Last
      ana,"Widgets@2026-01-01..;""Smith; Sons""@main",payroll@admin,manager@account:Widgets,"externalId@'7",Silva
      bo,,,,,'=Lind

      """#, fields: [])
    #expect(file.faults.isEmpty, "\(file.faults)")
    #expect(
      words(file.rows) == [
        "USER.CREATEMANY", "WORKSPACE", "acme", "FIELDS", "6", "username", "employments", "products", "roles",
        "provisioned", "last", "ROWS", "12", "ana", #"Widgets@2026-01-01..;"Smith; Sons"@main"#, "payroll@admin",
        "manager@account:Widgets", "externalId@'7", "Silva", "bo", "", "", "", "", "=Lind", "WITHIN", "NOINVITE",
        "ACCEPT-BILLING",
      ])
  }

  @Test(
    "a cell that cannot be read is refused by its column",
    arguments: [
      ("employments", "Widgets@soon"), ("products", "payroll@boss"), ("roles", "clerk@moon"), ("manages", "user:"),
      ("provisioned", "externalId"),
    ])
  func faults(column: String, cell: String) throws {
    let file = try PeopleFile("username,\(column)\nana,\(cell)\n", fields: [])
    #expect(file.rows.isEmpty && file.faults.map(\.column) == [column], "\(file.faults)")
    #expect(file.faults.map(\.username) == ["ana"])
  }

  @Test("tried by itself, a row looks after nobody of the other rows")
  func alone() throws {
    let file = try PeopleFile(
      "username,manages\nana,user:BO;zoe;account:Bo;ana\nbo,ana\ncy,\n", fields: [])
    #expect(
      file.rows.map { file.alone($0).text(.manages) } == ["user:zoe;account:Bo;user:ana", nil, nil], "\(file.rows)")
    #expect(file.rows.map { $0.text(.manages) } == ["user:BO;zoe;account:Bo;ana", "ana", nil])
  }

  @Test("a refusal of the server is told by the column that it is about")
  func refusals() throws {
    let file = try PeopleFile(
      "username,E-mail,Jobs,Looks,IdP\nana,x,Widgets,user:zoe,externalId@7\n".replacing("Jobs", with: "Employments")
        .replacing("Looks", with: "Manages").replacing("IdP", with: "Provisioned"), fields: [])
    let row = try #require(file.rows.first)
    for (refusal, column) in [
      ("ERR email is not an e-mail address, such as ana@acme.test", "E-mail"),
      ("NOTFOUND account Widgets", "Employments"), ("NOTFOUND user zoe", "Manages"),
      ("CONFLICT externalId: 7 belongs to another user of acme; each has one of their own", "Provisioned"),
      ("CONFLICT username: ana is taken; choose another", "username"), ("REFUSED authority: no; ask", ""),
    ] { #expect(file.fault(row, CommandFailure(refusal)).column == column, "\(refusal)") }
  }
}
