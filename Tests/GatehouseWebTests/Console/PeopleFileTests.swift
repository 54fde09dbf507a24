import Testing

@testable import GatehouseWeb

/// What the console reads of a file of people, without a server.
@Suite("The console: rows of a file of people")
struct PeopleFileTests {
  @Test(
    "one employment without days is the account, in whatever order the columns are; others are given elsewhere",
    arguments: [
      ("username,employments", "ana,Widgets", "Widgets"), ("username,employments", "ana,Widgets@main", "Widgets"),
      ("username,account,employments", "ana,Widgets,Widgets", "Widgets"),
      ("username,employments,account", "ana,Widgets,Widgets", "Widgets"), ("username,employments", "ana,", ""),
      ("username,account,employments", "ana,Widgets,Gadgets", nil),
      ("username,employments", "ana,Widgets@2026-01-01..", nil),
      ("username,employments", "ana,Widgets;Gadgets", nil),
    ])
  func employments(header: String, row: String, account: String?) throws {
    let file = try PeopleFile("\(header)\n\(row)\n", fields: [])
    guard let account else {
      #expect(file.rows.isEmpty && file.faults.map(\.column) == ["employments"], "\(file.faults)")
      return
    }
    #expect(file.faults.isEmpty, "\(file.faults)")
    let given = file.rows.first?.values.filter { $0.field == "account" }.map(\.value)
    #expect(given == (account.isEmpty ? [] : [account]))
  }
}
