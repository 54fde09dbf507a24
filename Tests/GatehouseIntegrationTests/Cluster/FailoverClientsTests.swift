#if Replication
  import Foundation
  import GatehouseTestSupport
  import GatehouseWire
  import Testing

  /// Clients of Redis Sentinel, unmodified, write to two nodes on an etcd while the lead goes from one to the other: handed
  /// over first, then by a node that is killed and at once back. The last is where a client could stay with a node that
  /// leads no more, if it was neither told nor disconnected.
  @Suite("Clients that fail over", .enabled(if: findProgram("etcd") != nil, "etcd is not installed"), .serialized)
  struct FailoverClientsTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder("failover") }

    @Test("each goes on with the node that leads, and no user is lost that it was told of")
    func failover() throws {
      let commands = try commands()
      let etcd = try startEtcd()
      defer { etcd.process.kill() }
      let one = try server("one", follows: false, etcd.address)
      let first = try one.client()
      try soon("the first node leads") { try first.reply("ROLE").items.first?.scalarText == "master" }
      try first.ok("PRODUCT.CREATE payroll")
      let two = try server("two", follows: true, etcd.address)
      try soon("the second node follows") {
        try two.client().reply("ROLE").items.dropFirst(3).first?.scalarText == "connected"
      }
      try soon("the nodes know each other") { try first.reply("NODE.LIST").items.count == 2 }
      let writers = try startClients(commands, [one, two])
      defer { for writer in writers { writer.process.kill() } }
      try waitForEach(writers, more: 1, "before the lead goes anywhere")
      try two.client().ok("NODE.PROMOTE two")
      try soon("the second node leads") { try two.client().reply("ROLE").items.first?.scalarText == "master" }
      try waitForEach(writers, more: 3, "after the lead was handed over")
      two.kill()
      try two.start()
      try waitForEach(writers, more: 3, "after the node that led was killed and came back")
      for writer in writers { writer.process.kill() }
      let leader = try [one, two].compactMap { node -> Client? in
        let client = try node.client()
        return try client.reply("ROLE").items.first?.scalarText == "master" ? client : nil
      }
      #expect(leader.count == 1)
      let told = writers.flatMap(\.told)
      let answers = try leader[0].pipeline(told.map { ["LOGIN.CHECK", $0, "payroll"] })
      let lost = zip(told, answers).filter { $1.scalarText != "ALLOW" }.map(\.0)
      #expect(lost.isEmpty, "\(lost)")
    }

    // MARK: Nodes

    private func startEtcd() throws -> (process: ChildProcess, address: String) {
      let (client, peer) = (try FreePort.next(), try FreePort.next())
      let process = try ChildProcess(
        "etcd",
        [
          "--data-dir", folder.path("etcd"), "--listen-client-urls", "http://127.0.0.1:\(client)",
          "--advertise-client-urls", "http://127.0.0.1:\(client)", "--listen-peer-urls", "http://127.0.0.1:\(peer)",
          "--initial-advertise-peer-urls", "http://127.0.0.1:\(peer)",
          "--initial-cluster", "default=http://127.0.0.1:\(peer)", "--log-level", "error",
        ], errors: folder.path("etcd.log"))
      return (process, "etcd://127.0.0.1:\(client)")
    }

    /// A node waits for etcd by itself.
    private func server(_ name: String, follows: Bool, _ etcd: String) throws -> TestServer {
      try TestServer(
        TestServer.Options(
          Layout(lanes: 1),
          arguments: [
            "--replication", etcd, "--replication-lease", "2s", "--node", name, "--follow", follows ? "yes" : "no",
          ]))
    }

    /// - Throws: if it does not come true in time.
    private func soon(_ what: String, _ isTrue: () throws -> Bool) throws {
      let deadline = ContinuousClock.now + .seconds(60) * Patience.factor
      while ContinuousClock.now < deadline {
        if (try? isTrue()) == true { return }
        pause(.milliseconds(20))
      }
      throw TestFailure("not in time: \(what)")
    }

    // MARK: Clients

    /// A client that writes until it is killed.
    private struct Writer {
      let name: String
      let process: ChildProcess
      let output: String

      /// The users that it was told of.
      var told: [String] {
        readText(output).split(whereSeparator: \.isNewline).filter { $0.hasPrefix("ok ") }.map {
          String($0.dropFirst(3))
        }
      }
    }

    /// How each client is started that is here.
    private func commands() throws -> [(client: FailoverClient, command: FailoverClient.Command)] {
      let scripts = URL(filePath: #filePath).deletingLastPathComponent().path() + "../Resources/failover"
      return try FailoverClient.allCases.compactMap { client in
        switch try client.prepare(scripts: scripts) {
        case .unavailable(let why):
          // As of ForeignClientTests: it may be missing by hand, and is installed by continuous integration.
          let message = "\(client.rawValue) is not available, its failover is not tested: \(why)"
          let isIntegration = ProcessInfo.processInfo.environment["CI"].map { !$0.isEmpty } ?? false
          if isIntegration { Issue.record("\(message)") } else { print(message) }
          return nil
        case .ready(let command): return (client, command)
        }
      }
    }

    private func startClients(
      _ commands: [(client: FailoverClient, command: FailoverClient.Command)], _ nodes: [TestServer]
    ) throws -> [Writer] {
      let addresses = nodes.map { "127.0.0.1:\($0.port)" }.joined(separator: ",")
      // Those that were started end with their `ChildProcess` if a later one cannot be started.
      return try commands.map { client, command in
        let output = folder.path("\(client.rawValue).log")
        let process = try ChildProcess(
          command.program, command.arguments + [addresses, "\(client.rawValue)-"], environment: command.environment,
          output: output, errors: output)
        return Writer(name: client.rawValue, process: process, output: output)
      }
    }

    /// Waits until each client was told of so many users more.
    private func waitForEach(_ writers: [Writer], more: Int, _ when: String) throws {
      let before = writers.map(\.told.count)
      let deadline = ContinuousClock.now + .seconds(30) * Patience.factor
      func late() -> [Writer] { zip(writers, before).filter { $0.told.count < $1 + more }.map(\.0) }
      while !late().isEmpty {
        guard ContinuousClock.now < deadline else {
          let texts = late().map { "\($0.name): …\(readText($0.output).suffix(1_000))" }
          throw TestFailure("\(when), these clients do not go on:\n\(texts.joined(separator: "\n"))")
        }
        pause(.milliseconds(50))
      }
    }
  }
#endif
