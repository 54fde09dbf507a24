import GatehouseTestSupport
import Testing

/// The calls that Okta documents (SCIM 2.0, custom and catalogue applications), in the order of a person's life.
@Suite(.blocking) struct OktaReplayTests {
  let client: SCIMClient

  init() throws { client = try SCIMClient() }

  private func okta(_ method: String, _ path: String, _ body: String? = nil) throws -> SCIMClient.Answer {
    try client.send(
      method, path, body,
      headers: [
        ("user-agent", "Okta SCIM Client 1.0.0"), ("accept", "application/scim+json"), ("accept-charset", "utf-8"),
      ])
  }

  @Test func aPersonComesChangesAndLeaves() throws {
    // Saving the integration.
    let test = try okta("GET", "/Users?startIndex=1&count=2")
    #expect(test.status == 200 && test("totalResults") == "0" && test("startIndex") == "1")
    #expect(try okta("GET", "/Groups?startIndex=1&count=100").status == 200)
    // Before creating.
    let before = try okta("GET", "/Users?filter=userName%20eq%20%22test.user@okta.local%22&startIndex=1&count=100")
    #expect(before.status == 200 && before("totalResults") == "0")
    let created = try okta(
      "POST", "/Users",
      #"""
      {"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"test.user@okta.local",
      "name":{"givenName":"Test","familyName":"User"},"emails":[{"primary":true,"value":"test.user@okta.local",
      "type":"work"}],"displayName":"Test User","locale":"en-US","externalId":"00ujl29u0le5T6Aj10h7","groups":[],
      "password":"1mz050nq","active":true}
      """#)
    #expect(created.status == 201 && created("active") == "true" && created("externalId") == "00ujl29u0le5T6Aj10h7")
    let id = try #require(created("id"))
    #expect(try okta("POST", "/Users", #"{"userName":"test.user@okta.local"}"#).status == 409)
    // An update of a custom application: read, then put the whole object.
    let read = try okta("GET", "/Users/\(id)")
    #expect(read("name.givenName") == "Test" && read("emails.0.primary") == "true")
    let put = try okta(
      "PUT", "/Users/\(id)",
      #"""
      {"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"id":"\#(id)","userName":"test.user@okta.local",
      "name":{"givenName":"Another","middleName":"Excited","familyName":"User"},"emails":[{"primary":true,
      "value":"test.user@okta.local","type":"work","display":"test.user@okta.local"}],"active":true,"groups":[],
      "meta":{"resourceType":"User"}}
      """#)
    #expect(put.status == 200 && put("name.givenName") == "Another" && put("name.middleName") == "Excited")
    #expect(put("emails.0.display") == "test.user@okta.local")
    // Deactivation by PUT, by PATCH without a path, and back.
    let off = try okta("PUT", "/Users/\(id)", #"{"userName":"test.user@okta.local","active":false}"#)
    #expect(off("active") == "false")
    let on =
      #"{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"replace","value":{"active":true}}]}"#
    #expect(try okta("PATCH", "/Users/\(id)", on)("active") == "true")
    let leaver =
      #"{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"replace","value":{"active":false}}]}"#
    // Who leaves has lost access by the next request.
    try client.admin.ok("PRODUCT.CREATE acme/app")
    try client.admin.ok("PRODUCT.ENABLE test.user@okta.local acme/app")
    let token = try client.admin.token(of: "test.user@okta.local", to: "acme/app")
    func asProxy() throws -> Int {
      try client.server.get(
        "/auth?product=acme/app", headers: [("x-gatehouse-secret", client.secret)], secret: token
      ).status
    }
    #expect(try asProxy() == 200)
    #expect(try okta("PATCH", "/Users/\(id)", leaver)("active") == "false")
    #expect(try [401, 403].contains(asProxy()))
    #expect(try client.admin.text("LOGIN.CHECK test.user@okta.local acme/app") == "DENY status-inactive")
    #expect(
      try okta("GET", "/Users?filter=userName+eq+%22test.user@okta.local%22&startIndex=1&count=100")("totalResults")
        == "1")
    #expect(try okta("GET", "/Users/nobody").status == 404)
  }

  @Test func imports() throws {
    let rows = (0..<230).map { "u\($0)@okta.local" }.joined(separator: " ")
    try client.admin.ok("USER.CREATEMANY FIELDS 1 username WORKSPACE acme NOINVITE ROWS 230 \(rows)")
    var names: [String] = []
    for start in stride(from: 1, through: 201, by: 100) {
      let page = try okta("GET", "/Users?startIndex=\(start)&count=100")
      #expect(page("totalResults") == "230" && page("itemsPerPage") == String(min(100, 231 - start)))
      names += page.values("Resources", "userName")
    }
    #expect(Set(names).count == 230)
  }

  @Test func groups() throws {
    let ana = try client.made("ana@okta.local"), bo = try client.made("bo@okta.local")
    let group = try okta(
      "POST", "/Groups",
      #"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":"Test SCIMv2","members":[]}"#)
    #expect(group.status == 201)
    let id = try #require(group("id"))
    func patch(_ operations: String) throws {
      let answer = try okta(
        "PATCH", "/Groups/\(id)",
        #"{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[\#(operations)]}"#)
      #expect(answer.status == 200 || answer.status == 204)
    }
    try patch(
      #"""
      {"op":"replace","value":{"id":"\#(id)","displayName":"Test SCIMv2"}},
      {"op":"add","path":"members","value":[{"value":"\#(ana)","display":"ana@okta.local"},{"value":"\#(bo)"}]}
      """#)
    #expect(try okta("GET", "/Groups/\(id)").values("members", "value").sorted() == [ana, bo].sorted())
    try patch(#"{"op":"remove","path":"members[value eq \"\#(ana)\"]"}"#)
    #expect(try okta("GET", "/Groups/\(id)").values("members", "value") == [bo])
    try patch(#"{"op":"replace","path":"members","value":[{"value":"\#(ana)"}]}"#)
    #expect(try okta("GET", "/Groups/\(id)").values("members", "value") == [ana])
    try patch(#"{"op":"replace","value":{"id":"\#(id)","displayName":"Renamed"}}"#)
    #expect(
      try okta("GET", "/Groups?filter=displayName%20eq%20%22Renamed%22&startIndex=1&count=100")("totalResults") == "1")
    #expect(try okta("DELETE", "/Groups/\(id)").status == 204)
  }
}
