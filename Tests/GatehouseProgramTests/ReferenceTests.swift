import Foundation
import GatehouseTestSupport
import Testing

@testable import gatehouse

@Suite(.blocking) struct ReferenceTests {
  @Test func `the committed reference is what the program prints`() throws {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let page = root.appendingPathComponent("Sources/GatehouseCore/Documentation.docc/Commands.md")
    let committed = try String(contentsOf: page, encoding: .utf8)
    // Compared line by line, so that a failure shows the difference and not two pages.
    let lines = committed.split(separator: "\n", omittingEmptySubsequences: false)
    let printed = ReferencePage.text.split(separator: "\n", omittingEmptySubsequences: false)
    let place = zip(lines, printed).enumerated().first { $0.element.0 != $0.element.1 }?.offset
    let line = place ?? min(lines.count, printed.count)
    #expect(
      committed == ReferencePage.text, "Commands.md differs at line \(line + 1); run: \(ReferencePage.regeneration)")
  }

  /// Row numbers of the rules are for developers.
  @Test func `no rule is named by its row`() {
    #expect(ReferencePage.text.matches(of: /\b[TSPLK][0-9]{1,2}\b/).isEmpty)
  }

  @Test func `no cell of a table contains a bar`() {
    for line in ReferencePage.text.split(separator: "\n") where line.hasPrefix("|") {
      let bars = line.count { $0 == "|" }
      #expect(bars >= 3 && bars <= 5, "\(line)")
    }
  }
}
