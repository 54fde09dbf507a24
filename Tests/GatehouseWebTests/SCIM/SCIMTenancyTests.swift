import GatehouseTestSupport
import Testing

/// A provider and the workspaces that are not its own.
@Suite(.blocking) struct SCIMTenancyTests {
  let client: SCIMClient

  init() throws { client = try SCIMClient() }

  private func beta(_ method: String, _ path: String, _ body: String? = nil) throws -> SCIMClient.Answer {
    try client.send(method, path, body, secret: client.otherSecret)
  }

  @Test("W4: people and external ids of another workspace are not there") func invisible() throws {
    let id = try client.made("ana@acme.test", #","externalId":"00u1""#)
    let patch = #"{"Operations":[{"op":"replace","path":"title","value":"x"}]}"#
    #expect(try beta("GET", "/Users/\(id)").status == 404)
    #expect(try beta("PATCH", "/Users/\(id)", patch).status == 404)
    #expect(try beta("PUT", "/Users/\(id)", #"{"userName":"ana@acme.test"}"#).status == 404)
    #expect(try beta("DELETE", "/Users/\(id)").status == 404)
    for filter in ["userName%20eq%20%22ana@acme.test%22", "externalId%20eq%20%2200u1%22", "id%20eq%20%22\(id)%22"] {
      #expect(try beta("GET", "/Users?filter=\(filter)")("totalResults") == "0")
    }
    #expect(try beta("GET", "/Users")("totalResults") == "0")
    for id in ["0", "-1", "x", "99999999999999999999", "%23ana@acme.test"] {
      #expect(try client.get("/Users/\(id)").status == 404, "\(id)")
    }
    // The same external id means somebody else there.
    #expect(try beta("POST", "/Users", #"{"userName":"bo","externalId":"00u1"}"#).status == 201)
  }

  @Test("W7: that a name is taken is all that is told") func takenNames() throws {
    _ = try client.made("ana@acme.test")
    let answer = try beta("POST", "/Users", #"{"userName":"Ana@acme.test"}"#)
    #expect(answer.status == 409)
    #expect(answer("detail") == "username: Ana@acme.test is taken; choose another")
  }

  @Test("W2, W3: of a shared person, another workspace has the membership and its own values alone") func shared()
    throws
  {
    let id = try client.made("ana@acme.test", #","externalId":"00u1","title":"Boss""#)
    try client.admin.ok("WORKSPACE.MEMBER beta ana@acme.test")
    let seen = try beta("GET", "/Users/\(id)")
    #expect(seen.status == 200 && seen("externalId") == nil && seen("title") == nil)
    let own =
      #"{"Operations":[{"op":"add","path":"externalId","value":"b-1"},{"op":"add","path":"title","value":"Guest"}]}"#
    #expect(try beta("PATCH", "/Users/\(id)", own)("externalId") == "b-1")
    #expect(try client.get("/Users/\(id)")("title") == "Boss")
    for operation in [
      #"{"op":"replace","path":"active","value":false}"#, #"{"op":"replace","path":"userName","value":"x"}"#,
      #"{"op":"replace","path":"name.givenName","value":"X"}"#,
    ] { #expect(try beta("PATCH", "/Users/\(id)", #"{"Operations":[\#(operation)]}"#).status == 403, "\(operation)") }
    #expect(try beta("DELETE", "/Users/\(id)").status == 204)
    #expect(try beta("GET", "/Users/\(id)").status == 404)
    #expect(try client.get("/Users/\(id)")("active") == "true")
  }

  @Test("who asks: one service of one workspace, and it must be able to write") func services() throws {
    let boss = try #require(try client.admin.fields("SERVICE.CREATE free ADMIN READ")["secret"])
    let refused = try client.get("/Users", secret: boss)
    #expect(
      refused.status == 403 && refused("detail")?.contains("SERVICE.CREATE name ADMIN READ WORKSPACE workspace") == true
    )
    let both = try #require(
      try client.admin.fields("SERVICE.CREATE two ADMIN READ WORKSPACE acme WORKSPACE beta")["secret"])
    #expect(try client.get("/Users", secret: both).status == 403)
    let reader = try #require(try client.admin.fields("SERVICE.CREATE reader READ WORKSPACE acme")["secret"])
    #expect(try client.get("/Users", secret: reader).status == 200)
    #expect(try client.send("POST", "/Users", #"{"userName":"x"}"#, secret: reader).status == 403)
    let wrong = try client.get("/Users", secret: "gk_wrong")
    #expect(wrong.status == 401 && wrong.headers["www-authenticate"] != nil)
    #expect(wrong("schemas.0") == "urn:ietf:params:scim:api:messages:2.0:Error")
  }

  @Test("too many requests are told when to come again") func rate() throws {
    try client.admin.ok("SERVICE.SET okta COMMANDS 2")
    var answers: [SCIMClient.Answer] = []
    for _ in 0..<12 where !answers.contains(where: { $0.status == 429 }) {
      answers.append(try client.get("/Users?count=1"))
    }
    let last = try #require(answers.last)
    #expect(last.status == 429 && last.headers["retry-after"] == "1")
    #expect(last("status") == "429")
  }

  @Test("/Me is the user of a session, and nobody behind a service") func me() throws {
    try client.admin.ok("PRODUCT.CREATE acme/app")
    let id = try client.made("ana@acme.test", #","title":"Boss""#)
    try client.admin.ok("PRODUCT.ENABLE ana@acme.test acme/app")
    let token = try #require(try client.admin.fields("SESSION.CREATE ana@acme.test acme/app")["session"])
    let me = try client.get("/Me", secret: token)
    #expect(me.status == 200 && me("id") == id && me("title") == "Boss")
    #expect(try client.get("/Me").status == 404)
    #expect(try client.send("PATCH", "/Me", "{}", secret: token).status == 405)
    try client.admin.ok("USER.STATUS ana@acme.test inactive")
    #expect(try client.get("/Me", secret: token).status == 401)
    #expect(try client.get("/Users", secret: token).status == 401)
  }
}
