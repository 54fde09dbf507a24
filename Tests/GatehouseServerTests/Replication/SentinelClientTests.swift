import Foundation
import GatehouseTestSupport
import GatehouseWire
import Synchronization
import Testing
@testable import GatehouseServer

/// redis-py's Sentinel client, unmodified: it finds the leader, goes on with the next one when the first is lost, and no
/// change is lost that it was told of.
@Suite(.serialized) struct SentinelClientTests {
  private static let script = """
    import os, sys, time, redis
    from redis.sentinel import Sentinel, MasterNotFoundError
    ports = [int(port) for port in sys.argv[1].split(",")]
    running = sys.argv[2]
    sentinel = Sentinel([("127.0.0.1", port) for port in ports], socket_timeout=2)
    leader = sentinel.master_for("gatehouse", socket_timeout=2)
    followers = sentinel.slave_for("gatehouse", socket_timeout=2)
    told, failures, checks, number = [], 0, 0, 0
    while os.path.exists(running):
        number += 1
        name = "user%d" % number
        try:
            leader.execute_command("USER.CREATE", name, "PRODUCT", "payroll", "STATUS", "active")
            told.append(name)
        except (redis.ConnectionError, redis.ReadOnlyError, redis.ResponseError, redis.TimeoutError, MasterNotFoundError) as error:
            failures += 1
            time.sleep(0.05)
        try:
            followers.execute_command("LOGIN.CHECK", "user1", "payroll")
            checks += 1
        except (redis.ConnectionError, redis.ResponseError, redis.TimeoutError):
            pass
    lost = []
    for name in told:
        for attempt in range(100):
            try:
                answer = leader.execute_command("LOGIN.CHECK", name, "payroll")
                break
            except (redis.ConnectionError, redis.ResponseError, redis.TimeoutError, MasterNotFoundError):
                time.sleep(0.1)
        if answer != b"ALLOW":
            lost.append((name, answer))
    print("told", len(told), "failures", failures, "checks", checks, "lost", lost)
    print("port", sentinel.discover_master("gatehouse")[1])
    sys.exit(1 if lost or not checks else 0)
    """

  /// Waits until the client has created some more users.
  private static func untilMoreUsers(_ node: TestNode) async throws {
    func count() async -> Int64 { await node.ask("USER.COUNT")?.integer ?? 0 }
    let before = await count()
    try await soon("the client creates users on \(node.name)", within: 30) { await count() >= before + 30 }
  }

  @Test func itFailsOverWithoutLosingWhatItWasTold() async throws {
    guard case .ready(let interpreter) = ForeignClient.redisPyNewest.interpreter else { return }
    let (cluster, one, two, three) = try await TestCluster.three()
    try await soon("the nodes know each other") { await two.ask("NODE.LIST")?.elements?.count == 3 }
    let ports = [one, two, three].map { "\($0.port)" }.joined(separator: ",")
    // The client goes on for as long as there is a file.
    let folder = try TemporaryFolder("sentinel")
    let running = folder.path("running")
    try Data().write(to: URL(filePath: running))
    let client = Task {
      try await onOwnThread {
        try runProgram(interpreter.program, ["-c", Self.script, ports, running], limit: .seconds(120))
      }
    }
    try await Self.untilMoreUsers(one)
    one.line.isCut.store(true, ordering: .releasing)
    let leader = try await oneLeads(of: two, three)
    one.line.isCut.store(false, ordering: .releasing)
    try await Self.untilMoreUsers(leader)
    try FileManager.default.removeItem(atPath: folder.path("running"))
    let result = try await client.value
    #expect(result.succeeded, "\(result.output) \(result.errors)")
    #expect(result.output.contains("lost []"), "\(result.output)")
    #expect(!result.output.contains("port \(one.port)\n"), "\(result.output)")
    try await soon("the first one follows") { await one.role == "slave" }
    try await one.untilLevel(with: leader)
    let hash = await leader.ask("NODE.HASH")
    #expect(await one.ask("NODE.HASH") == hash)
    try await cluster.stop()
  }
}
