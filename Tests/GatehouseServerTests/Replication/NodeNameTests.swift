import GatehouseStorage
import GatehouseTestSupport
import Testing
@testable import GatehouseServer

/// Two nodes of one name.
@Suite(.serialized) struct NodeNameTests {
  @Test func theSecondStopsAndSaysWhoHasTheName() async throws {
    let cluster = try TestCluster()
    let one = try await cluster.begin()
    let two = try await cluster.join("two", from: one)
    try await two.untilFollowing()
    // On a folder of its own, and without one, which it would have to fetch.
    let copy = two.folder + "-copy"
    _ = try Backup.copy(from: one.folder, to: copy)
    for folder in [copy, two.folder + "-none"] {
      let other = try TestNode("two", folder, cluster.engine, follows: true)
      let failure = "\(try #require(await other.failure()))"
      #expect(
        failure.hasPrefix("a node at 127.0.0.1:\(two.port) has the name \"two\" already, and lives: "), "\(failure)")
      #expect(failure.contains("with --node, or stop the other one first"))
    }
    // The first is not touched.
    #expect(await one.does("USER.CREATE ana"))
    try await two.untilLevel(with: one)
    #expect(two.starts == 1)
    #expect(cluster.engine.withState { $0.nodes["two"]?.port } == two.port)
    try await cluster.stop()
  }
}
