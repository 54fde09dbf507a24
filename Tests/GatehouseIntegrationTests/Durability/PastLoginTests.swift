import GatehouseTestSupport
import GatehouseWire
import Testing

/// B1: past logins are told from the log and its archive.
@Suite("Logins of the past", .blocking)
struct PastLoginTests {
  private struct Asked {
    let question: String
    let moment: Int64
    let answer: String
  }

  /// The server's time, in a millisecond of its own.
  private func moment(_ gate: Client) throws -> Int64 {
    pause(.milliseconds(3))
    let parts = try gate.ok("TIME").items.compactMap { $0.scalarText.flatMap { Int64($0) } }
    guard parts.count == 2 else { throw TestFailure("TIME answered \(parts)") }
    pause(.milliseconds(3))
    return parts[0] * 1000 + parts[1] / 1000
  }

  @Test("past answers equal those of then, across compactions, kills and restarts", arguments: [1, 2] as [UInt64])
  func acrossRestarts(seed: UInt64) throws {
    var random = SeededRandom(seed: seed)
    let server = try TestServer(.init(lanes: 2, arguments: ["--segment-bytes", "1mb"]))
    var gate = try server.client()
    for line in [
      "PRODUCT.CREATE crm", "WORKSPACE.CREATE acme", "PRODUCT.CREATE acme/app", "USER.CREATE eva NOINVITE PRODUCT crm",
      "USER.CREATE ivy NOINVITE PRODUCT crm", "WORKSPACE.MEMBER acme eva",
    ] { try gate.ok(line) }
    let ids = try ["eva", "ivy"].map { "#\(try gate.fields("USER.GET \($0)")["id"] ?? "")" }
    var asked: [Asked] = []
    for round in 0..<60 {
      let id = ids.randomElement(using: &random)!
      let day = Int.random(in: 10...28, using: &random)
      let changes = [
        "USER.STATUS \(id) locked", "USER.STATUS \(id) active",
        "PRODUCT.ENABLE \(id) crm UNTIL 2099-01-\(day)T00:00:00Z", "PRODUCT.DISABLE \(id) crm",
        "PRODUCT.ENABLE \(id) acme/app", "WORKSPACE.MEMBER acme \(id) UNTIL 2099-02-\(day)T00:00:00Z",
        "WORKSPACE.MEMBER acme \(id) REMOVE", "WORKSPACE.MEMBER acme \(id)", "USER.SET \(id) hired 2030-05-\(day)",
        "USER.SET \(id) hired 2020-05-\(day)", "WORKSPACE.SET main policy.login.within-employment on",
        "WORKSPACE.SET main policy.login.within-employment off", "WORKSPACE.SET main policy.timezone Asia/Tokyo",
        "WORKSPACE.SET acme policy.login.within-employment on", "POOL.SET crm office \(day)",
        "LICENCE.ASSIGN \(id) crm office", "USER.RENAME \(id) name\(round)",
      ]
      for change in changes.shuffled(using: &random).prefix(3) { _ = try gate.reply(change) }
      let moment = try moment(gate)
      for product in ["crm", "acme/app"] {
        let name = try gate.fields("USER.GET \(id)")["username"] ?? ""
        for user in [id, name] {
          let question = "LOGIN.EXPLAIN \(user) \(product)"
          asked.append(Asked(question: question, moment: moment, answer: try gate.shown(question)))
        }
      }
      switch round {
      case 15, 45: try gate.ok("COMPACT")
      case 30:
        server.kill()
        try server.start()
        gate = try server.client()
      default: break
      }
    }
    try server.terminate()
    try server.start()
    gate = try server.client()
    for one in asked { #expect(try gate.shown("\(one.question) AT \(one.moment)") == one.answer, "\(one.question)") }
  }
}
