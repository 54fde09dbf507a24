import Foundation
import GatehouseTestSupport
import GatehouseWire
import Testing
@testable import GatehouseServer

/// Nodes whose own disks are full, while the shared log has room.
@Suite(.enabled(if: SmallDisk.mayBeMade, "only root may mount a small file system"), .serialized)
struct FullNodeTests {
  /// Sets a name again and again, until that is refused.
  ///
  /// - Returns: how often it was acknowledged, and the refusal.
  private static func write(to port: Int) async throws -> (acknowledged: Int, refusal: String) {
    try await onOwnThread {
      let client = try BlockingClient(host: "127.0.0.1", port: port)
      for number in 0..<20_000 {
        // What does not compress.
        let reason = (0..<20).map { _ in String(UInt64.random(in: 0...UInt64.max), radix: 36) }.joined()
        let reply = try client.command(["USER.SET", "ana", "last", "n\(number)", "REASON", reason])
        if let refusal = reply.errorText { return (number, refusal) }
      }
      return (20_000, "")
    }
  }

  /// Whether a node says that it may lead.
  private static func isCandidate(_ node: TestNode) async -> Bool {
    await node.ask("NODE.LIST")?.elements?.first?["candidate"]?.integer == 1
  }

  @Test func aLeaderWhoseDiskIsFullHandsOver() async throws {
    let cluster = try TestCluster()
    let disk = try SmallDisk(cluster.path("one"), megabytes: 12)
    let one = try await cluster.begin()
    #expect(await one.does("USER.CREATE ana"))
    let two = try await cluster.join("two", from: one)
    try await two.untilFollowing()
    try await soon("the nodes know each other") { await one.ask("NODE.LIST")?.elements?.count == 2 }
    // Without it the log would be full at once.
    try await soon("the reserve is there") { FileManager.default.fileExists(atPath: "\(disk.path)/log/reserve") }
    try disk.fill()
    let written = try await Self.write(to: one.port)
    #expect(written.refusal.hasPrefix("READONLY the disk is full"), "\(written)")
    try await two.untilLeading()
    #expect(await two.ask("USER.GET ana")?["last"]?.string == "n\(written.acknowledged - 1)")
    #expect(await two.does("USER.CREATE ben"))
    // The other one follows, as far as its disk goes, and does not lead.
    try await soon("it has come back") { await one.hasComeBack }
    try await soon("it says that it cannot lead") { await !Self.isCandidate(one) }
    try disk.makeRoom()
    try await one.untilLevel(with: two)
    #expect(await one.ask("USER.GET ben")?.errorText == nil)
    try await soon("it can lead again") { await Self.isCandidate(one) }
    try await cluster.stop()
  }
}
