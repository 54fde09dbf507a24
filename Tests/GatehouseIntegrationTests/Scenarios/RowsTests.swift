import Foundation
import GatehouseTestSupport
import Testing

/// Each rule of the five systems, of tenancy and of what goes beyond them is a row with a number. A suite walks its rows in
/// order, and the name of a test begins with the row that it proves.
@Suite("Rows", .blocking)
struct RowsTests {
  /// The files of a suite, and how many rows it has.
  private static let suites: [(row: String, files: [String], count: Int)] = [
    ("T", ["SharedAccountsTests"], 11), ("S", ["ContactsAndLoginsTests"], 12), ("P", ["LicencesAndRolesTests"], 13),
    ("L", ["OrganisationTests", "OrganisationTests+administration"], 25), ("K", ["AccountToolsTests"], 8),
    ("W", ["TenancyTests"], 7), ("B", ["BeyondTests"], 13),
  ]

  @Test("Every row has its test, in the order of the rows", arguments: suites.indices)
  func everyRow(index: Int) throws {
    let suite = Self.suites[index]
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    var rows: [Int] = []
    for file in suite.files {
      let text = try String(contentsOf: folder.appendingPathComponent("\(file).swift"), encoding: .utf8)
      for match in text.matches(of: try Regex<(Substring, Substring)>("@Test\\(\\s*\"\(suite.row)([0-9]+): ")) {
        if let number = Int(match.output.1) { rows.append(number) }
      }
    }
    #expect(rows == rows.sorted() && Set(rows) == Set(1...suite.count), "\(rows)")
  }
}
