import Foundation
import GatehouseTestSupport
import GatehouseWire
import Testing

/// `GET /events`.
@Suite(.blocking, .serialized) struct EventStreamTests {
  private static func server() throws -> TestServer {
    var options = TestServer.Options(lanes: 1)
    options.servesHTTP = true
    return try TestServer(options)
  }

  private static let patience = Duration.seconds(30) * Patience.factor

  /// A stream that stays open.
  private final class Stream {
    private let connection: RawConnection
    /// Lines of the body that were received. Each chunk of it ends with CRLF, its lines with LF.
    private var lines: [Substring] = []

    init(_ server: TestServer, _ target: String, secret: String? = nil, headers: [String] = []) throws {
      connection = try RawConnection(port: server.httpPort, patience: EventStreamTests.patience)
      var lines = ["GET \(target) HTTP/1.1", "host: localhost"] + headers
      if let secret { lines.append("authorization: Bearer \(secret)") }
      try connection.send(lines.joined(separator: "\r\n") + "\r\n\r\n")
      #expect(try connection.receiveLine() == "HTTP/1.1 200 OK")
      while try line() != ": events" {}
    }

    private func line() throws -> Substring {
      while lines.isEmpty { lines = try connection.receiveLine().split(separator: "\n").reversed() }
      return lines.removeLast()
    }

    /// The next lines `id:`, `event:` and `data:`.
    func next() throws -> (id: String, type: String, data: String) {
      var fields: [String: String] = [:]
      // Comments keep coming where no event does.
      let deadline = ContinuousClock.now + EventStreamTests.patience
      while ContinuousClock.now < deadline {
        let line = try line()
        guard let colon = line.firstRange(of: ": ") else { continue }
        fields[String(line[..<colon.lowerBound])] = String(line[colon.upperBound...])
        if let data = fields["data"] { return (fields["id"] ?? "", fields["event"] ?? "", data) }
      }
      throw TestFailure("no event comes")
    }

    /// What comes until the server ends it.
    func rest() throws -> String { try connection.receiveUntilClosed() }

    func isQuiet(for time: Duration) -> Bool { connection.isQuiet(for: time) }
  }

  @Test func eventsComeAsTheyHappen() throws {
    let server = try Self.server()
    let client = try server.client()
    try client.ok("PRODUCT.CREATE payroll")
    let all = try Stream(server, "/events?after=0")
    let new = try Stream(server, "/events")
    let some = try Stream(server, "/events?after=0&type=status-set,user-created")
    let first = try all.next()
    #expect(first.id == "1" && first.type == "gatehouse.product-created")
    try client.ok("USER.CREATE ana PRODUCT payroll NOINVITE")
    for stream in [all, new] {
      let event = try stream.next()
      #expect(event.id == "2" && event.type == "gatehouse.contact-created")
      #expect(event.data.contains(#""specversion":"1.0","id":"2","source":"urn:gatehouse:"#))
      #expect(event.data.contains(#""new":"ana""#))
    }
    #expect(try some.next().type == "gatehouse.user-created")
    try client.ok("USER.STATUS ana locked")
    let event = try some.next()
    #expect(event.id == "3" && event.type == "gatehouse.status-set")
    let again = try Stream(server, "/events?after=0", headers: ["last-event-id: 2"])
    #expect(try again.next().id == "3", "the header goes before the address")
  }

  @Test func theEventsOfOneRecordHaveIdsOfTheirOwn() throws {
    let server = try Self.server()
    let client = try server.client()
    try client.ok("PRODUCT.CREATE payroll")
    try client.ok("MULTI")
    for name in ["ana", "bob", "carl"] { _ = try client.reply("USER.CREATE \(name) PRODUCT payroll NOINVITE") }
    _ = try client.reply("EXEC")
    let stream = try Stream(server, "/events?after=1")
    #expect(try (0..<3).map { _ in try stream.next().id } == ["2.1", "2.2", "2"])
    let rest = try Stream(server, "/events", headers: ["last-event-id: 2.1"])
    #expect(try (0..<2).map { _ in try rest.next().id } == ["2.2", "2"])
    withExtendedLifetime(server) {}
  }

  @Test func aClientThatIsKilledAndResumedMissesNothingAndSeesNothingTwice() throws {
    let server = try Self.server()
    let client = try server.client()
    let folder = try TemporaryFolder("events")
    let script = """
      import http.client, os, sys
      out = os.open(sys.argv[2], os.O_RDWR | os.O_CREAT | os.O_APPEND)
      seen = os.read(out, 1 << 24).split()
      # The last write of one that was killed is whole: an id and its line end are one write.
      last = seen[-1].decode() if seen else "0"
      connection = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]))
      connection.request("GET", "/events", headers={"Last-Event-ID": last})
      answer = connection.getresponse()
      assert answer.status == 200, answer.read()
      for line in answer:
        if line.startswith(b"id: "): os.write(out, line[4:])
      """
    try client.ok("PRODUCT.CREATE payroll")
    for round in 0..<6 {
      let reader = try ChildProcess(
        "python3", ["-c", script, "\(server.httpPort)", folder.path("ids")], errors: folder.path("errors"))
      let before = readText(folder.path("ids")).count
      for number in 0..<10 {
        try client.ok("MULTI")
        _ = try client.reply("USER.CREATE r\(round)n\(number) PRODUCT payroll NOINVITE")
        _ = try client.reply("USER.CREATE r\(round)m\(number) PRODUCT payroll NOINVITE")
        _ = try client.reply("EXEC")
      }
      try eventually("it reads", within: Self.patience) { readText(folder.path("ids")).count > before }
      pause(.milliseconds(Int.random(in: 0...30)))
      reader.kill()
    }
    let reader = try ChildProcess(
      "python3", ["-c", script, "\(server.httpPort)", folder.path("ids")], errors: folder.path("errors"))
    let expected = ["1"] + (2...61).flatMap { ["\($0).1", "\($0)"] }
    func ids() -> [String] { readText(folder.path("ids")).split(separator: "\n").map(String.init) }
    try eventually("it has all", within: Self.patience) { ids().count >= expected.count }
    reader.kill()
    #expect(ids() == expected)
    #expect(readText(folder.path("errors")).isEmpty)
    withExtendedLifetime(server) {}
  }

  @Test("W4: without waiting, a reader gets all that is theirs, behind any number of records that are not")
  func throughNow() throws {
    let server = try Self.server()
    let client = try server.client()
    try client.ok("WORKSPACE.CREATE acme")
    for number in 0..<250 { try client.ok("USER.CREATE n\(number) NOINVITE") }
    try client.ok("PRODUCT.CREATE acme/app")
    _ = try client.fields("SERVICE.CREATE ops ADMIN")
    let acme = try client.fields("SERVICE.CREATE portal ADMIN WORKSPACE acme")["secret"]
    for address in ["/events?after=0&until=now", "/events?after=0&until=now&workspace=acme"] {
      #expect(try server.get(address, secret: acme).body.contains("acme/app"), "\(address)")
    }
  }

  @Test("W4: a bound service sees its workspace; who may not read is refused") func whoSeesWhat() throws {
    let server = try Self.server()
    let client = try server.client()
    for name in ["acme", "beta"] {
      try client.ok("WORKSPACE.CREATE \(name)")
      try client.ok("PRODUCT.CREATE \(name)/app")
    }
    let ops = try client.fields("SERVICE.CREATE ops ADMIN SESSIONS")["secret"]
    let acme = try client.fields("SERVICE.CREATE portal ADMIN WORKSPACE acme")["secret"]
    let reader = try client.fields("SERVICE.CREATE reader READ")["secret"]
    #expect(try server.get("/events").status == 401)
    #expect(try server.get("/events", secret: "gk_wrong").status == 401)
    #expect(try server.get("/events", secret: reader).status == 403)
    #expect(try server.get("/events?workspace=beta", secret: acme).status == 404)
    #expect(try server.get("/events?after=999", secret: ops).status == 409)
    #expect(try server.get("/events?after=x", secret: ops).body.contains("after is not the id of an event"))
    #expect(try server.get("/events?tpye=x", secret: ops).body.contains("there is no parameter 'tpye'"))
    #expect(try server.get("/events?type=x", secret: ops).status == 400)
    let stream = try Stream(server, "/events?after=0", secret: acme)
    let filtered = try Stream(server, "/events?after=0&workspace=acme", secret: ops)
    try client.ok("USER.CREATE bea WORKSPACE beta PRODUCT beta/app NOINVITE")
    try client.ok("USER.CREATE ann WORKSPACE acme PRODUCT acme/app NOINVITE")
    for stream in [stream, filtered] {
      var data: [String] = []
      while data.last?.contains("ann") != true { data.append(try stream.next().data) }
      #expect(data.count == 3 && data.allSatisfy { !$0.contains("beta") && !$0.contains("bea") })
    }
    // Somebody in a session, with a role that may read.
    try client.ok("ROLE.DEFINE watcher feed.read WORKSPACE acme")
    let session = try #require(try client.fields("SESSION.CREATE ann acme/app")["session"])
    #expect(try server.get("/events", secret: session).status == 403)
    try client.ok("ROLE.GRANT ann watcher WORKSPACE acme")
    let own = try Stream(server, "/events", secret: session)
    try client.ok("PRODUCT.CREATE beta/other")
    try client.ok("PRODUCT.CREATE acme/more")
    #expect(try own.next().data.contains("product acme/more"))
    // A session that is over is nobody, which is another thing than somebody who may not.
    let forged = String(session.dropLast()) + (session.hasSuffix("A") ? "B" : "A")
    for token in [forged, "gs_x", "gs_"] {
      #expect(try server.get("/events", secret: token).status == 401, "\(token)")
    }
    try client.ok("SESSION.REVOKE \(session)")
    #expect(try server.get("/events", secret: session).status == 401)
  }

  @Test("whoever does not want to wait gets what there is") func whatThereIs() throws {
    let server = try Self.server()
    let client = try server.client()
    for number in 0..<250 { try client.ok("PRODUCT.CREATE p\(number)") }
    let answer = try server.get("/events?after=0&until=now")
    #expect(answer.status == 200 && answer.body.matches(of: /event: gatehouse.product-created/).count == 250)
    #expect(try server.get("/events?until=now").body == ": events\n\n")
    #expect(try server.get("/events?until=later").status == 400)
  }

  @Test func itEndsAtOnceWithItsServiceAndWithTheServer() throws {
    let server = try Self.server()
    let client = try server.client()
    try client.ok("WORKSPACE.CREATE acme")
    let ops = try client.fields("SERVICE.CREATE ops ADMIN")["secret"]
    // What happens elsewhere does not wake it.
    let bound = try client.fields("SERVICE.CREATE portal ADMIN WORKSPACE acme")["secret"]
    let lowered = try client.fields("SERVICE.CREATE lowered ADMIN")["secret"]
    let streams = try (0..<20).map { _ in try Stream(server, "/events", secret: bound) }
    let other = try Stream(server, "/events?type=status-set", secret: lowered)
    let last = try Stream(server, "/events?type=status-set", secret: ops)
    let start = ContinuousClock.now
    try client.ok("SERVICE.DELETE portal")
    try client.ok("SERVICE.SET lowered READ")
    for stream in streams + [other] {
      #expect(try stream.rest().contains("event: error\ndata: {"))
    }
    #expect(ContinuousClock.now - start < .seconds(5) * Patience.factor)
    #expect(last.isQuiet(for: .milliseconds(200)))
    let stop = ContinuousClock.now
    #expect(try server.terminate() == .exited(0))
    #expect(try !last.rest().contains("error"))
    #expect(ContinuousClock.now - stop < .seconds(5) * Patience.factor)
  }

  @Test func aReaderThatDoesNotReadHarmsNobody() throws {
    let server = try Self.server()
    let client = try server.client()
    try client.ok("PRODUCT.CREATE payroll")
    // Together more than the buffers of both ends hold.
    let (count, long) = (800, String(repeating: "x", count: 1000))
    try client.ok("USER.CREATE ana PRODUCT payroll NOINVITE")
    let slow = try RawConnection(port: server.httpPort, patience: Self.patience, receiveBuffer: 65_536)
    try slow.send("GET /events?after=0 HTTP/1.1\r\nhost: localhost\r\n\r\n")
    let fast = try Stream(server, "/events")
    for number in 0..<count { try client.ok("USER.SET ana phone \(number) REASON \(long)") }
    for number in 0..<count { #expect(try fast.next().data.contains("\"new\":\"\(number)\"")) }
    #expect(try server.get("/readyz").status == 200)
    // It has lost nothing: what was kept back comes once it reads.
    var received: [UInt8] = []
    let end = Array("\"new\":\"\(count - 1)\"".utf8)
    try eventually("it has all", within: Self.patience) {
      received += try slow.receiveSome()
      return received.suffix(20_000).firstRange(of: end) != nil
    }
    let text = String(decoding: received.filter { $0 != 13 }, as: UTF8.self)
    #expect(text.components(separatedBy: "\nid: ").count == count + 3)
  }
}
