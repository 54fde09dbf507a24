import Foundation
import GatehouseTestSupport
import Testing

/// Clients with heavy requests next to clients with light ones.
@Suite("Wire: fairness", .serialized, .blocking)
struct FairnessTests {
  @Test(
    "long pipelines of large replies do not delay a client that sends one request at a time",
    arguments: [("COMMAND DOCS", 1), ("USER.LIST COUNT 1000", 1), ("USER.LIST COUNT 1000", 2)])
  func heavyPipelines(request: String, lanes: Int) throws {
    let server = try TestServer(.init(lanes: lanes))
    let gate = try server.client()
    try gate.ok("PRODUCT.CREATE payroll")
    _ = try gate.pipeline((0..<500).map { ["USER.CREATE", "u\($0)", "PRODUCT", "payroll"] })
    let heavy = try (0..<150).map { _ in try server.rawConnection(patience: .seconds(60)) }
    let pipeline = String(repeating: request + "\r\n", count: 20) + "PING\r\n"
    let start = ContinuousClock.now
    for client in heavy { try client.send(pipeline) }

    // The light client continues until every heavy one has its last answer.
    nonisolated(unsafe) let clients = heavy
    let isDone = Collected<Bool>()
    Thread.detachNewThread {
      for client in clients {
        var end: [UInt8] = []
        while !end.suffix(7).elementsEqual("+PONG\r\n".utf8), let part = try? client.receiveSome(), !part.isEmpty {
          end = Array((end + part).suffix(7))
        }
      }
      isDone.add(true)
    }
    var longest = Duration.zero
    var answers = 0
    while isDone.all.isEmpty {
      let asked = ContinuousClock.now
      #expect(try gate.text("LOGIN.CHECK u1 payroll") == "ALLOW")
      longest = max(longest, ContinuousClock.now - asked)
      answers += 1
    }
    let total = ContinuousClock.now - start
    #expect(answers > 10 && longest < total / 3, "\(answers) answers, the longest took \(longest) of \(total)")
  }
}
