import Foundation
import GatehouseServer
import GatehouseTestSupport
import Testing

@Suite(.blocking) struct ReadmeTests {
  @Test func `the configuration table matches the server`() throws {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let readme = try String(contentsOf: root.appendingPathComponent("README.md"), encoding: .utf8)
    let start = try #require(readme.range(of: "<!-- settings -->\n"))
    let end = try #require(readme.range(of: "<!-- end of settings -->"))

    var table = "| setting | default | live | what it is |\n| --- | --- | --- | --- |\n"
    for setting in Setting.all {
      let live = setting.isLive ? "yes" : ""
      table += "| `\(setting.name)` | `\(setting.defaultText)` | \(live) | \(setting.summary) |\n"
    }
    #expect(readme[start.upperBound..<end.lowerBound] == table, "README.md should say:\n\(table)")
  }
}
