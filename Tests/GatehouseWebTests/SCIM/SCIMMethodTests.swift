import GatehouseTestSupport
import Testing

/// What HTTP asks of every address.
@Suite(.blocking) struct SCIMMethodTests {
  let client: SCIMClient

  init() throws { client = try SCIMClient() }

  @Test("HEAD is GET without the body") func head() throws {
    let id = try client.made("ana")
    let group = try #require(try client.send("POST", "/Groups", #"{"displayName":"G"}"#)("id"))
    for path in [
      "/Users", "/Users/\(id)", "/Groups", "/Groups/\(group)", "/Schemas", "/ServiceProviderConfig",
      "/ResourceTypes/User", "",
    ] {
      let (head, get) = (try client.send("HEAD", path), try client.get(path))
      #expect(head.status == 200 && head.json == nil, "\(path)")
      #expect(head.headers["content-type"] == "application/scim+json" && head.headers["etag"] == get.headers["etag"])
    }
    #expect(try client.send("HEAD", "/Users/999999").status == 404)
  }

  @Test("405 names what an address takes") func methods() throws {
    for (method, path, allowed) in [
      ("DELETE", "/Users", "GET, HEAD, POST"), ("PUT", "/Groups", "GET, HEAD, POST"), ("PATCH", "", "GET, HEAD"),
      ("POST", "/Users/1", "GET, HEAD, PUT, PATCH, DELETE"), ("POST", "/Groups/1", "GET, HEAD, PUT, PATCH, DELETE"),
      ("PUT", "/Schemas", "GET, HEAD"), ("DELETE", "/Schemas/x", "GET, HEAD"), ("GET", "/Bulk", "POST"),
      ("GET", "/.search", "POST"), ("GET", "/Users/.search", "POST"), ("PUT", "/Me", "GET, HEAD"),
      ("POST", "/ServiceProviderConfig", "GET, HEAD"), ("DELETE", "/ResourceTypes", "GET, HEAD"),
    ] {
      let answer = try client.send(method, path)
      #expect(answer.status == 405 && answer.headers["allow"] == allowed, "\(method) \(path)")
      #expect(answer("status") == "405")
    }
    for path in ["/Nothing", "/Users/1/2", "/Bulk/1"] { #expect(try client.get(path).status == 404, "\(path)") }
  }

  @Test("If-None-Match is a list, or any version") func unchanged() throws {
    let id = try client.made("ana")
    let etag = try #require(try client.get("/Users/\(id)").headers["etag"])
    for header in [etag, "*", "W/\"9\", \(etag)", String(etag.dropFirst(2))] {
      let answer = try client.send("GET", "/Users/\(id)", headers: [("if-none-match", header)])
      #expect(answer.status == 304 && answer.headers["etag"] == etag, "\(header)")
    }
    #expect(try client.send("GET", "/Users/\(id)", headers: [("if-none-match", "W/\"9\"")]).status == 200)
  }

  @Test("bodies in an encoding that is not taken, and broken ones") func bodies() throws {
    let zipped = try client.send("POST", "/Users", #"{"userName":"a"}"#, headers: [("content-encoding", "gzip")])
    #expect(zipped.status == 415)
    #expect(
      try client.send("POST", "/Users", #"{"userName":"a"}"#, headers: [("content-encoding", "identity")]).status == 201
    )
    let twice = try client.send("POST", "/Users", #"{"userName":"a","userName":"b"}"#)
    #expect(twice.status == 400 && twice("detail")?.contains("two members of an object have the same name") == true)
    for chunk in ["zz\r\n", "fffffffffffffffff\r\na", "1\r\nab\r\n"] {
      let connection = try RawConnection(port: client.server.httpPort)
      try connection.send(
        "POST /scim/v2/Users HTTP/1.1\r\nhost: a\r\nauthorization: Bearer \(client.secret)\r\n"
          + "transfer-encoding: chunked\r\n\r\n\(chunk)")
      let text = try connection.receiveUntilClosed()
      #expect(text.hasPrefix("HTTP/1.1 400") && text.contains("application/scim+json"), "\(chunk): \(text)")
    }
  }
}
