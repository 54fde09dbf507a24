import Testing

@testable import GatehouseCore

/// Columns with several values: what a cell says, and that it is written as it is read.
@Suite("people: several values in one cell")
struct CellValueTests {
  @Test("employments have days, and names with blanks, commas and slashes")
  func employments() throws {
    let cell =
      #"Widgets@2026-03-01..2026-12-31@main; Novo Nordisk A/S@..2025-12-31 |"Smith; ""Sons"" @ Co"@2027-01-01..;x"#
    let values = try PersonColumn.employments(in: cell)
    #expect(
      values == [
        EmploymentValue(account: "Widgets", days: CellRange(from: "2026-03-01", until: "2026-12-31"), isMain: true),
        EmploymentValue(account: "Novo Nordisk A/S", days: CellRange(from: nil, until: "2025-12-31")),
        EmploymentValue(account: #"Smith; "Sons" @ Co"#, days: CellRange(from: "2027-01-01", until: nil)),
        EmploymentValue(account: "x", days: .open),
      ])
    #expect(
      CellValue.cell(values.map(\.value), .markedNames)
        == #"Widgets@2026-03-01..2026-12-31@main;Novo Nordisk A/S@..2025-12-31;"Smith; ""Sons"" @ Co"@2027-01-01..;x"#)
    #expect(try PersonColumn.employments(in: "").isEmpty && PersonColumn.employments(in: " ; ").isEmpty)
  }

  @Test("roles have scopes and limits, products administrators and limits")
  func accesses() throws {
    #expect(
      try PersonColumn.roles(
        in: #"manager individual@everywhere;clerk@account:"Novo Nordisk A/S"@..2026-12-31,x@workspace"#)
        == [
          RoleValue(role: "manager"), RoleValue(role: "individual", scope: .everywhere),
          RoleValue(
            role: "clerk", scope: .part("account", of: "Novo Nordisk A/S"),
            limits: CellRange(from: nil, until: "2026-12-31")),
          RoleValue(role: "x", scope: .workspace),
        ])
    #expect(
      try PersonColumn.accesses(in: "acme/time@admin@2026-03-01T09:00:00.000Z..|wiki, pay@off")
        == [
          AccessValue(
            product: "acme/time", isAdministrator: true, limits: CellRange(from: "2026-03-01T09:00:00.000Z", until: nil)
          ),
          AccessValue(product: "wiki"), AccessValue(product: "pay", isOff: true),
        ])
    #expect(try PersonColumn.licences(in: "acme/pay:office, time:guest") == ["acme/pay:office", "time:guest"])
  }

  @Test("those looked after are users, also by names with an @, accounts and groups")
  func managed() throws {
    #expect(
      try PersonColumn.managed(in: "user:bo@acme.test;cy; account:Novo Nordisk;group:\"a;b\"")
        == [
          ManagedValue(.user, "bo@acme.test"), ManagedValue(.user, "cy"), ManagedValue(.account, "Novo Nordisk"),
          ManagedValue(.group, "a;b"),
        ])
  }

  @Test("what a provisioning system keeps is an attribute and its value, whatever that is")
  func provisioned() throws {
    let values = [
      ProvisionedCell("externalId", "00u1"), ProvisionedCell("emails", #"[{"value":"a@x.test"},{"value":"b"}]"#),
      ProvisionedCell("urn:x:2.0:User:\"a\"", "user:\"7\""), ProvisionedCell("user:x", " =1;2|3\r\n@4 "),
    ]
    #expect(try PersonColumn.provisioned(in: CellValue.cell(values.map(\.cell), .markedNames)) == values)
    #expect(
      try PersonColumn.provisioned(in: #"externalId@00u1; title@"Head; Sales""#)
        == [ProvisionedCell("externalId", "00u1"), ProvisionedCell("title", "Head; Sales")])
  }

  @Test(
    "what is written is read back, whatever the text",
    arguments: [
      "Widgets", "a b", " a ", "a;b", "a|b,c", "@x", "a@b", "\"", "\"a\"b", "a\"", "user:", "user: x", "account:a;\"b",
      "x..y", "ž\u{30c}\"\u{301}", "", "=1+1",
    ])
  func roundTrip(_ text: String) throws {
    for form in [CellValue.Form.words, .markedWords, .names, .markedNames] {
      let marked = [CellValue(text, ["2026-01-01..", text]), CellValue("next", ["main"])]
      let values = [CellValue(text), CellValue("next")]
      #expect(try CellValue.values(in: CellValue.cell(values, form), form) == values, "\(text)")
      guard form.hasMarks else { continue }
      #expect(try CellValue.values(in: CellValue.cell(marked, form), form) == marked, "\(text)")
    }
  }

  @Test(
    "what cannot be read is refused, and says why",
    arguments: [
      (PersonColumn.employments, "\"Widgets", "a quote is opened and never closed"),
      (
        .employments, "\"Widgets\"x",
        "there is text behind a closing quote; a quote inside of quotes is doubled"
      ),
      (
        .employments, "Widgets@soon",
        "'@soon' behind Widgets is not from..to, such as @2026-03-01..2026-12-31, or @main"
      ),
      (
        .employments, "Widgets@2026..2027",
        "'@2026..2027' behind Widgets is not from..to, such as @2026-03-01..2026-12-31, or @main"
      ),
      (.products, "time@..20261231", "'@..20261231' behind time is none of @admin, @off and @from..until"),
      (.products, "time@2026-13-01..", "'@2026-13-01..' behind time is none of @admin, @off and @from..until"),
      (.employments, "a@main;b@main", "more than one of the employments is the main one"),
      (.products, "time@owner", "'@owner' behind time is none of @admin, @off and @from..until"),
      (
        .roles, "manager@account:",
        "'@account:' behind manager is none of @workspace, @everywhere, @account:name, @group:name, @product:name and"
          + " @from..until"
      ),
      (.manages, "user:", "'user:' names nobody"),
      (
        .provisioned, "title@a@b",
        "'title' is an attribute without a value; write attribute@value, the value in quotes"
      ),
    ])
  func faults(_ column: PersonColumn, _ cell: String, _ why: String) { #expect(column.fault(of: cell) == why) }
}
