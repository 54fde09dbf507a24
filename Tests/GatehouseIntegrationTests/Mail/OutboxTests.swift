import Foundation
import GatehouseTestSupport
import GatehouseWire
import Testing

/// Mails as a sender sees them over TCP, across deaths of the server.
@Suite("Outbox", .blocking)
struct OutboxTests {
  @Test("a mail that was handed out before a kill is handed out again when its lease ends, and an answer stays one")
  func kill() throws {
    let server = try TestServer(.init(lanes: 2))
    var gate = try server.client()
    try gate.ok("USER.CREATE ana@acme.test")
    try gate.ok("USER.CREATE bob@acme.test")
    let mails = try gate.list("MAIL.NEXT COUNT 2 LEASE 20s")
    #expect(Set(mails.compactMap { $0["to"] }) == ["ana@acme.test", "bob@acme.test"])
    let (first, second) = (mails[0]["id"] ?? "", mails[1]["id"] ?? "")
    server.kill()
    try server.start()
    gate = try server.client()
    #expect(try gate.list("MAIL.NEXT COUNT 2").isEmpty, "a lease outlives the server, as its holder may")
    #expect(try gate.integer("MAIL.ACK \(first)") == 1)
    server.kill()
    try server.start()
    gate = try server.client()
    #expect(try gate.integer("MAIL.ACK \(first)") == 0, "it was sent")
    var again: [Fields] = []
    try eventually("the lease ends", within: .seconds(60)) {
      again = try gate.list("MAIL.NEXT COUNT 2 LEASE 1m")
      return !again.isEmpty
    }
    #expect(again.map { $0["id"] } == [second] && again[0]["attempt"] == "2")
    try gate.ok("SAVE")
    #expect(try server.terminate() == .exited(0))
    try server.start()
    gate = try server.client()
    #expect(try gate.pages("MAIL.LIST").map { $0["state"] } == ["leased"])
    #expect(try gate.text("INFO timers")?.contains("queued_mails:1\r\ndead_mails:0\r\n") == true)
  }

  @Test("many senders at once get each mail once")
  func manySenders() throws {
    let server = try TestServer(.init(lanes: 2))
    let gate = try server.client()
    _ = try gate.pipeline((0..<400).map { ["USER.CREATE", "u\($0)@acme.test"] })
    let sent = Collected<String>()
    try inParallel(8) { _ in
      let client = try server.client()
      while true {
        let mails = try client.list("MAIL.NEXT COUNT 7")
        if mails.isEmpty { return }
        for mail in mails {
          sent.add(mail["to"] ?? "")
          try client.ok("MAIL.ACK \(mail["id"] ?? "")")
        }
      }
    }
    #expect(sent.all.count == 400 && Set(sent.all).count == 400)
    #expect(try gate.pages("MAIL.LIST").isEmpty)
  }
}
