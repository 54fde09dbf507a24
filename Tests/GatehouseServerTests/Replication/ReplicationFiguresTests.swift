import Foundation
import GatehouseTestSupport
import Testing
@testable import GatehouseServer

/// What monitoring reads of a node among others.
struct ReplicationFiguresTests {
  private static let monitoring = URL(filePath: #filePath).deletingLastPathComponent()
    .appending(path: "../../../tools/monitoring").standardized.path

  @Test("the alert rules and the dashboard ask only for figures that a node has")
  func knownFigures() async throws {
    let test = try await TestContext()
    test.context.facts.node.follow()
    let names = Set(ReplicationSection(context: test.context).figures.flatMap(\.samples).map(\.metric.name))
    for file in ["alerts.yml", "dashboard.json"] {
      let text = readText("\(Self.monitoring)/\(file)")
      let asked = Set(
        text.matches(of: /gatehouse_replication_[a-z_]+/).map { "\($0.output)".replacing(/_(bucket|total)$/, with: "") }
      )
      #expect(asked.count > 4, "\(file)")
      #expect(asked.subtracting(names).isEmpty, "\(file) asks for \(asked.subtracting(names).sorted())")
    }
    await test.stop()
  }
}
