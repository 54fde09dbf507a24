import Foundation
import GatehouseTestSupport
import GatehouseWire
import Synchronization
import Testing

/// Invariants over all partitions, under many clients and over kills: no more seats are taken than were bought, a name
/// has one user, and one super administrator who may log in remains (P9, L18).
@Suite("Durability: bounds under 64 clients", .serialized, .blocking)
struct BoundsTests {
  static let clients = 64
  /// A quarter of the kills of `KillTests` on each layout, because each kill is under more load.
  static let kills = max(3, KillTests.kills / 16)

  @Test(
    "seats, names and the last super administrator are never wrong, not for a moment and not after kill −9",
    arguments: [Layout(lanes: 4, partitions: 1024), Layout(lanes: 2, partitions: 64)])
  func bounds(layout: Layout) throws {
    let server = try TestServer(.init(layout, arguments: ["--segment-bytes", "1mb"]))
    let gate = try server.client()
    for line in [
      "WORKSPACE.SET main policy.delete.keep-tracked off policy.delete.needs-reason off", "PRODUCT.CREATE portal",
      "POOL.SET portal * 10", "POOL.SET portal office 6",
    ] { try gate.ok(line) }
    for boss in 0..<4 { try gate.ok("USER.CREATE boss\(boss) ROLE super-administrator") }
    var picture = TrailPicture()
    let seed = UInt64.random(in: 0...UInt64.max)
    var random = SeededRandom(seed: seed)
    for round in 0..<Self.kills {
      picture = try load(
        server, picture, seed: seed &+ UInt64(round * Self.clients),
        for: .milliseconds(Int.random(in: 150...700, using: &random)))
      try server.start(lanes: [1, 2, 4].randomElement(using: &random)!)
      try compare(server, &picture)
    }
    #expect(picture.lsn > 100, "something was done")
  }

  // MARK: Load

  /// Lets all clients work, one of them reading the trail and one the pools, and kills the server meanwhile.
  ///
  /// - Returns: what the trail showed.
  private func load(_ server: TestServer, _ before: TrailPicture, seed: UInt64, for time: Duration) throws
    -> TrailPicture
  {
    let picture = Mutex(before)
    let killer = Thread {
      pause(time)
      server.kill()
    }
    killer.start()
    try inParallel(Self.clients + 2) { worker in
      guard let client = try? server.client() else { return }
      switch worker {
      case Self.clients: try watchTrail(client, picture)
      case Self.clients + 1: try watchPools(client)
      default:
        var random = SeededRandom(seed: seed &+ UInt64(worker))
        while let reply = try? client.pipeline([Self.command(&random)])[0] {
          if let error = reply.errorText, !Self.legal.contains(where: error.hasPrefix) { throw TestFailure(error) }
        }
      }
    }
    try eventually("the server is killed") { !server.isRunning }
    return picture.withLock { $0 }
  }

  private static let legal = ["CONFLICT", "NOTFOUND", "NOSEATS", "REFUSED", "BUSY"]

  private static func command(_ random: inout SeededRandom) -> [String] {
    let name = "name\(Int.random(in: 0..<24, using: &random))"
    let boss = "boss\(Int.random(in: 0..<4, using: &random))"
    let line =
      switch Int.random(in: 0..<18, using: &random) {
      case 0...1: "USER.CREATE \(name) PRODUCT portal"
      case 2: "USER.CREATE \(name) LICENCE portal office"
      case 3: "USER.DELETE \(name)"
      case 4...5: "USER.RENAME \(name) name\(Int.random(in: 0..<24, using: &random))"
      case 6: "PRODUCT.ENABLE \(name) portal"
      case 7: "PRODUCT.ENABLE \(name) portal LICENCE office"
      case 8: "PRODUCT.DISABLE \(name) portal"
      case 9: "LICENCE.ASSIGN \(name) portal office"
      case 10: "LICENCE.REMOVE \(name) portal"
      case 11: "POOL.SET portal * \(Int.random(in: 8...12, using: &random))"
      case 12: "POOL.SET portal office \(Int.random(in: 4...7, using: &random))"
      case 13: "ROLE.GRANT \(boss) super-administrator"
      case 14: "ROLE.REVOKE \(boss) super-administrator"
      case 15: "USER.STATUS \(boss) locked"
      case 16: "USER.STATUS \(boss) active"
      default: "SESSION.CREATE \(name) portal"
      }
    return words(of: line)
  }

  /// The trail shows durable records: what it has shown must still be there after the kill.
  private func watchTrail(_ client: Client, _ picture: borrowing Mutex<TrailPicture>) throws {
    while true {
      var now = picture.withLock { $0 }
      do { try now.read(client) } catch let failure as TestFailure { throw failure } catch { return }
      picture.withLock { $0 = now }
    }
  }

  private func watchPools(_ client: Client) throws {
    while let reply = try? client.pipeline([["POOL.LIST", "portal"]])[0] {
      for pool in reply.items.compactMap({ Fields($0) }) {
        guard let used = pool.integer("used"), let bought = pool.integer("bought"), used <= bought else {
          throw TestFailure("POOL.LIST shows \(pool)")
        }
      }
    }
  }

  // MARK: Afterwards

  /// Compares the restored state with what the trail showed, seats and names included.
  private func compare(_ server: TestServer, _ picture: inout TrailPicture) throws {
    let gate = try server.client()
    try picture.read(gate)
    let shown = try gate.pages("USER.LIST COUNT 500")
    #expect(Set(shown.compactMap { $0["id"] }) == Set(picture.live.keys))
    for (id, user) in picture.live {
      let fields = try gate.fields("USER.GET \(user.name)")
      #expect(fields["id"] == id && fields["status"] == user.status, "a name leads to its user")
      #expect(fields.shown("roles").contains("super-administrator") == user.isSuperAdministrator)
      let access = (fields.value("products")?.items ?? []).compactMap { Fields($0) }.first { $0["product"] == "portal" }
      let expected = user.accesses["portal"] ?? .init()
      #expect(access?["enabled"] ?? "0" == (expected.isEnabled ? "1" : "0"))
      #expect(access?["licence"] ?? "" == expected.licence)
    }
    for pool in try gate.list("POOL.LIST portal") {
      let type = try #require(pool["type"])
      #expect(pool.integer("used") == Int64(picture.used("portal", type)))
      #expect(pool.integer("bought") == picture.bought["portal"]?[type].map { Int64($0) })
    }
  }
}
