#if Replication
  import Foundation
  import GatehouseTestSupport
  import GatehouseWire
  import Testing

  /// `tools/cluster`, as somebody tries it: three members of etcd and two nodes.
  @Suite("tools/cluster", .enabled(if: findProgram("etcdctl") != nil, "etcd is not installed"), .blocking)
  struct ClusterScriptTests {
    private static let script =
      URL(filePath: #filePath).deletingLastPathComponent().path() + "../../../tools/cluster"
    private static let nodes = 2

    private let folder: TemporaryFolder
    private let port: Int
    private let program: String

    init() throws {
      folder = try TemporaryFolder("cluster")
      port = Int(try FreePort.first(of: UInt16(Self.nodes)))
      program = try GatehouseProgram.path()
    }

    private func cluster(_ arguments: String...) throws -> ProgramResult {
      try runProgram(
        Self.script, arguments + ["--data", folder.path("nodes")], limit: .seconds(120) * Patience.factor)
    }

    /// What a node answers; nil if it does not.
    private func ask(_ node: Int, _ line: String) -> RESPValue? {
      guard let client = try? BlockingClient(host: "127.0.0.1", port: port + node - 1) else { return nil }
      return try? client.command(line.split(separator: " ").map(String.init))
    }

    private func role(_ node: Int) -> String? { ask(node, "ROLE")?.elements?.first?.string }

    private func soon(_ what: String, _ isSo: () -> Bool) throws {
      let end = ContinuousClock.now + .seconds(60) * Patience.factor
      while !isSo() {
        guard ContinuousClock.now < end else { throw TestFailure("it does not happen that \(what)") }
        pause(.milliseconds(50))
      }
    }

    /// Makes a user wherever changes are taken. If an attempt before was lost with its leader, the user may be there.
    private func create(_ name: String) throws {
      try soon("\(name) is made") {
        (1...Self.nodes).contains { node in
          guard let reply = ask(node, "USER.CREATE \(name)") else { return false }
          return reply.errorText?.hasPrefix("CONFLICT") ?? true
        }
      }
    }

    @Test("changes go on after the leader was killed, which comes back as a follower, and all nodes have the same")
    func aTry() throws {
      defer { _ = try? cluster("stop") }
      let members = try FreePort.first(of: 6)
      let started = try cluster(
        "start", "--program", program, "--port", "\(port)", "--nodes", "\(Self.nodes)", "--etcd-port", "\(members)")
      #expect(started.succeeded, "\(started.output)\n\(started.errors)")
      try soon("node 1 leads and node 2 follows") { role(1) == "master" && role(2) == "slave" }
      for number in 0..<5 { try create("a\(number)") }
      #expect(try cluster("kill", "1").succeeded)
      for number in 0..<5 { try create("b\(number)") }
      #expect(role(2) == "master")
      try soon("node 1 has come back") { role(1) == "slave" }
      try create("last")
      try soon("node 1 has everything") { ask(1, "USER.GET last").map { $0.errorText == nil } ?? false }
      for node in 1...Self.nodes {
        for name in (0..<5).flatMap({ ["a\($0)", "b\($0)"] }) {
          // On a busy machine the lead may change meanwhile, and clients are dismissed.
          try soon("\(name) on node \(node)") { ask(node, "USER.GET \(name)").map { $0.errorText == nil } ?? false }
        }
      }
      let verified = try runProgram(program + "ctl", ["cluster", "verify", "--port", "\(port)"])
      #expect(verified.succeeded && verified.output.contains("all 2 nodes have the same log"), "\(verified)")
      let status = try cluster("status").output
      #expect(status.contains("slave") && status.contains("master") && !status.contains("stopped"), "\(status)")
      #expect(try cluster("stop").succeeded)
      let stopped = try cluster("status").output
      #expect(stopped.split(separator: "\n").allSatisfy { $0.contains("stopped") }, "\(stopped)")
    }
  }
#endif
