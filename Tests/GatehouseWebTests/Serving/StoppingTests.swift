import GatehouseTestSupport
import Testing

/// The end of a server that clients are connected to.
@Suite("HTTP: stopping", .blocking)
struct StoppingTests {
  @Test("connections that wait for nothing are closed at once")
  func idle() throws {
    let server = try TestServer.serving()
    let connections = try (0..<20).map { _ in try RawConnection(port: server.httpPort) }
    for connection in connections.dropLast(5) {
      try connection.send("GET /livez HTTP/1.1\r\nhost: a\r\n\r\n")
      #expect(try connection.receiveLine() == "HTTP/1.1 200 OK")
    }
    let start = ContinuousClock.now
    #expect(try server.terminate() == .exited(0))
    #expect(ContinuousClock.now - start < .seconds(2) * Patience.factor)
    for connection in connections { #expect(try !connection.receiveUntilClosed().contains("503")) }
  }

  @Test("answers under way arrive whole, and clients that do not read or send hold up nothing for long")
  func underWay() throws {
    let server = try TestServer.serving()
    let gate = try server.client()
    _ = try gate.pipeline((1...1900).map { ["PRODUCT.CREATE", "product-\($0)"] })
    _ = try gate.pipeline((1...1900).map { ["POOL.SET", "product-\($0)", "*", "3"] })
    let get = "GET /metrics HTTP/1.1\r\nhost: localhost\r\n\r\n"
    let reader = try RawConnection(port: server.httpPort, receiveBuffer: 4096)
    try reader.send(get)
    #expect(try reader.receiveLine() == "HTTP/1.1 200 OK")
    let stuck = try RawConnection(port: server.httpPort, receiveBuffer: 4096)
    try stuck.send(String(repeating: get, count: 50))
    let half = try RawConnection(port: server.httpPort)
    try half.send("GET /met")
    pause(.milliseconds(200))
    let start = ContinuousClock.now
    _ = try runProgram("kill", [String(try #require(server.pid))])
    let text = try reader.receiveUntilClosed()
    #expect(text.contains("gatehouse_products 1900"), "cut off after \(text.utf8.count) bytes")
    #expect(server.waitForEnd(upTo: .seconds(15)) == .exited(0))
    #expect(ContinuousClock.now - start < .seconds(8) * Patience.factor)
  }

  @Test(
    "refused groups of commands leave no request waiting, through any front, and the server stops",
    .timeLimit(.minutes(2)))
  func afterRefusedGroups() throws {
    let client = try SCIMClient()
    let server = client.server
    let reader = try #require(try client.admin.fields("SERVICE.CREATE reader READ WORKSPACE beta")["secret"])
    let gate = try server.client(.resp2)
    try gate.ok("AUTH", reader)
    let ana = try client.made("ana"), bo = try client.made("bo")
    _ = try client.made("taken")
    let team = try #require(try client.send("POST", "/Groups", #"{"displayName":"Team"}"#)("id"))
    for round in 0..<10 {
      // Ordinary refusals of several commands as one.
      #expect(
        try client.patch(
          "/Users/\(ana)",
          #"{"op":"replace","path":"title","value":"x\#(round)"},{"op":"replace","path":"userName","value":"taken"}"#
        ).status == 409)
      #expect(
        try client.patch(
          "/Users/\(bo)",
          #"{"op":"replace","path":"nickName","value":"x\#(round)"},{"op":"replace","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager","value":"\#(bo)"}"#
        ).status == 400)
      #expect(
        try client.send(
          "POST", "/Groups", #"{"displayName":"g\#(round)","members":[{"value":"\#(ana)"},{"value":"99999"}]}"#
        ).status == 400)
      // What gates refuse, of this tenant and of another, over HTTP and RESP.
      let question =
        ##"{"subject":{"type":"user","id":"#abc"},"action":{"name":"login"},"resource":{"type":"product","id":"beta/pay"}}"##
      #expect(try server.request("POST", "/access/v1/evaluation", secret: reader, body: question).status == 400)
      #expect(try client.patch("/Groups/\(team)", #"{"op":"remove","path":"members[value eq \"abc\"]"}"#).status == 204)
      #expect(try client.send("POST", "/Users", #"{"userName":"z"}"#, secret: reader).status == 403)
      #expect(
        try server.request(
          "POST", "/introspect", headers: [("content-type", "application/x-www-form-urlencoded")],
          secret: reader, body: "token=gs_x"
        ).status < 500)
      try gate.refused("USER.CREATE z", with: "NOPERM")
      try gate.refused("NO.SUCH", with: "ERR")
      try gate.ok("PING")
      let bulk = try client.send(
        "POST", "/Bulk",
        #"""
        {"Operations":[{"method":"POST","path":"/Groups","bulkId":"g","data":{"displayName":"h","members":[{"value":"99999"}]}},
        {"method":"PATCH","path":"/Groups/\#(team)","data":{"Operations":[{"op":"remove","path":"members[value eq \"abc\"]"}]}}]}
        """#)
      #expect(bulk.values("Operations", "status") == ["400", "204"])
    }
    let metrics = try server.get("/metrics", secret: client.secret).body + (try server.get("/livez").body)
    #expect(!metrics.contains(/gatehouse_http_requests_in_progress [2-9]/))
    let start = ContinuousClock.now
    #expect(try server.terminate() == .exited(0))
    #expect(ContinuousClock.now - start < .seconds(8) * Patience.factor)
  }
}
