import Foundation
import GatehouseStorage
import GatehouseTestSupport
import GatehouseWire
import Logging
import Synchronization
@testable import GatehouseServer

/// A server among others in this process, with a line to their engine that can be cut.
final class TestNode: Sendable {
  let name: String
  let line = MemoryLine()
  let folder: String
  private let server: GatehouseServer
  private let task: Task<Void, any Error>
  /// Why it ended by itself.
  private let fault = Mutexed("")
  /// How often the server was ready.
  private let readiness: Mutexed<Int>

  init(
    _ name: String, _ folder: String, _ engine: MemoryEngine, follows: Bool = false,
    _ change: (inout ServerConfiguration) -> Void = { _ in }
  ) throws {
    self.name = name
    self.folder = folder
    var configuration = ServerConfiguration()
    configuration.dataPath = folder
    configuration.port = 0
    configuration.httpPort = 0
    configuration.lanes = 1
    configuration.partitions = 4
    configuration.segmentBytes = 1 << 20
    configuration.replication = "memory://test"
    configuration.nodeName = name
    configuration.follow = follows ? .yes : .no
    change(&configuration)
    let readiness = Mutexed(0)
    self.readiness = readiness
    let server = GatehouseServer(
      configuration: configuration, provider: MemoryProvider(engine: engine, line: line),
      logger: Logger(label: name) { _ in SwiftLogNoOpLogHandler() },
      whenReady: { readiness.withLock { $0 += 1 } })
    self.server = server
    let fault = self.fault
    task = Task {
      do {
        try await server.run()
      } catch {
        fault.withLock { $0 = "\(error)" }
        throw error
      }
    }
  }

  var starts: Int { readiness.withLock { $0 } }

  var port: Int { server.port }

  /// The reply on a connection of its own; nil if there is none.
  func ask(_ line: String) async -> RESPValue? {
    guard starts > 0 else { return nil }
    let port = server.port
    // A client blocks, and must not keep a thread from the servers' tasks.
    return try? await onOwnThread {
      let client = try BlockingClient(host: "127.0.0.1", port: port)
      return try client.command(line.split(separator: " ").map(String.init))
    }
  }

  /// Whether a command is carried out.
  func does(_ line: String) async -> Bool {
    guard let reply = await ask(line) else { return false }
    return reply.errorText == nil
  }

  /// A figure of `INFO`.
  func info(_ section: String, _ field: String) async -> String? {
    await ask("INFO \(section)")?.string?.split(whereSeparator: \.isNewline)
      .first { $0.hasPrefix("\(field):") }.map { String($0.dropFirst(field.count + 1)) }
  }

  var role: String? { get async { await ask("ROLE")?.elements?.first?.string } }

  /// Whether it has led, and follows now.
  var hasComeBack: Bool {
    get async {
      if starts != 2 { return false }
      return await role == "slave"
    }
  }

  /// Stops it as a signal would.
  func stop() async throws {
    server.shutDown()
    try await task.value
  }

  /// Why it has stopped by itself.
  func failure() async -> (any Error)? {
    do {
      try await task.value
      return nil
    } catch {
      return error
    }
  }
}

/// Nodes that share an engine.
final class TestCluster {
  let engine: MemoryEngine
  private let place: TemporaryFolder
  private(set) var nodes: [TestNode] = []

  init(leaseMilliseconds: UInt64 = 600) throws {
    engine = MemoryEngine(leaseMilliseconds: leaseMilliseconds)
    place = try TemporaryFolder("cluster")
  }

  /// Three nodes and a product. The first one leads.
  static func three(
    leaseMilliseconds: UInt64 = 600
  ) async throws -> (cluster: TestCluster, one: TestNode, two: TestNode, three: TestNode) {
    let cluster = try TestCluster(leaseMilliseconds: leaseMilliseconds)
    let one = try await cluster.begin()
    guard await one.does("PRODUCT.CREATE payroll") else { throw TestFailure("no product") }
    let two = try await cluster.join("two", from: one)
    let three = try await cluster.join("three", from: one)
    try await two.untilFollowing()
    try await three.untilFollowing()
    return (cluster, one, two, three)
  }

  /// Where a node's folder is, or will be.
  func path(_ name: String) -> String { place.path(name) }

  /// Starts a node on a new folder, which begins the shared log.
  func begin(_ name: String = "one", _ change: (inout ServerConfiguration) -> Void = { _ in }) async throws -> TestNode
  {
    await untilTasksRun()
    let node = try TestNode(name, place.path(name), engine, follows: false, change)
    nodes.append(node)
    try await node.untilLeading()
    return node
  }

  /// Starts a node on a copy of another's folder.
  func join(
    _ name: String, from other: TestNode, _ change: (inout ServerConfiguration) -> Void = { _ in }
  ) async throws -> TestNode {
    _ = try Backup.copy(from: other.folder, to: place.path(name))
    return try await start(name, change)
  }

  /// Starts a node on its folder.
  func start(_ name: String, _ change: (inout ServerConfiguration) -> Void = { _ in }) async throws -> TestNode {
    let node = try TestNode(name, place.path(name), engine, follows: true, change)
    nodes.removeAll { $0.name == name }
    nodes.append(node)
    try await soon("\(name) answers") { await node.role != nil }
    return node
  }

  func stop() async throws { for node in nodes { try? await node.stop() } }
}

extension TestNode {
  func untilLeading() async throws { try await soon("\(name) leads") { await self.role == "master" } }

  func untilFollowing() async throws {
    try await soon("\(name) follows") {
      let fault = self.fault.withLock { $0 }
      guard fault.isEmpty else { throw TestFailure("\(name) has ended: \(fault)") }
      guard let role = await self.ask("ROLE")?.elements, role.count == 5 else { return false }
      return role[0].string == "slave" && role[3].string == "connected"
    }
  }

  /// Waits until everything that another node has is here.
  func untilLevel(with other: TestNode) async throws {
    guard let lsn = await other.info("log", "log_durable_lsn") else {
      throw TestFailure("\(other.name) does not answer")
    }
    try await soon("\(name) has record \(lsn)") { await self.info("log", "log_durable_lsn") == lsn }
  }
}

/// Waits until one of some nodes leads.
func oneLeads(of nodes: TestNode...) async throws -> TestNode {
  var leader: TestNode?
  try await soon("one of \(nodes.map(\.name)) leads") {
    for node in nodes where leader == nil {
      if await node.role == "master" { leader = node }
    }
    return leader != nil
  }
  return leader!
}

/// Waits until something is so.
func soon(
  _ what: String, within seconds: Int = 15, file: StaticString = #fileID, line: UInt = #line,
  _ isSo: () async throws -> Bool
) async throws {
  let end = ContinuousClock.now + .seconds(seconds * Patience.factor)
  // On a busy machine the time may pass without many looks.
  var looks = 0
  while ContinuousClock.now < end || looks < 200 {
    if try await isSo() { return }
    looks += 1
    try await Task.sleep(for: .milliseconds(10))
  }
  throw TestFailure("it does not happen that \(what)", file: file, line: line)
}

/// Waits until tasks run when they should: a lease of half a second ends by itself while other tests keep all of Swift's
/// threads busy for seconds.
private func untilTasksRun() async {
  var prompt = 0
  while prompt < 50 {
    let before = ContinuousClock.now
    try? await Task.sleep(for: .milliseconds(10))
    prompt = ContinuousClock.now - before < .milliseconds(100) ? prompt + 1 : 0
  }
}
