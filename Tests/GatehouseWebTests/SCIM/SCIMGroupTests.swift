import GatehouseTestSupport
import Testing

/// Groups, which are roles of the workspace or its account groups.
@Suite(.serialized) struct SCIMGroupTests {
  let client: SCIMClient

  init() throws { client = try SCIMClient() }

  private func members(_ id: String) throws -> [String] {
    try client.get("/Groups/\(id)").values("members", "value").sorted()
  }

  @Test("members come and go as providers say it", arguments: ["role", "group"]) func members(kind: String) throws {
    try client.admin.ok("WORKSPACE.SET acme policy.scim.groups \(kind)")
    let ana = try client.made("ana"), bo = try client.made("bo"), cy = try client.made("cy")
    let made = try client.send("POST", "/Groups", #"{"displayName":"Sales Team","members":[{"value":"\#(ana)"}]}"#)
    #expect(made.status == 201 && made("displayName") == "Sales Team")
    let id = try #require(made("id"))
    let way = "/Groups/\(id)"
    // Okta: pathless with the id; Entra: capitals, and values to remove.
    #expect(
      try client.patch(way, #"{"op":"add","path":"members","value":[{"value":"\#(bo)"},{"value":"\#(cy)"}]}"#).status
        == 204)
    #expect(try members(id) == [ana, bo, cy].sorted())
    #expect(try client.patch(way, #"{"op":"remove","path":"members[value eq \"\#(ana)\"]"}"#).status == 204)
    #expect(try client.patch(way, #"{"op":"Remove","path":"members","value":[{"value":"\#(bo)"}]}"#).status == 204)
    #expect(try members(id) == [cy])
    // What is so already is no fault.
    #expect(try client.patch(way, #"{"op":"remove","path":"members","value":[{"value":"\#(bo)"}]}"#).status == 204)
    #expect(try client.patch(way, #"{"op":"add","path":"members","value":[{"value":"\#(cy)"}]}"#).status == 204)
    let all =
      #"{"op":"replace","value":{"id":"\#(id)","displayName":"Sales EU"}},{"op":"replace","path":"members","value":[{"value":"\#(ana)"},{"value":"\#(bo)"}]}"#
    #expect(try client.patch(way, all).status == 204)
    #expect(try members(id) == [ana, bo].sorted())
    #expect(try client.get(way)("displayName") == "Sales EU")
    #expect(try client.get("/Users/\(ana)")("groups.0.value") == id)
    #expect(try client.get("/Users/\(cy)")("groups.0.value") == nil)
    #expect(
      try client.send("PUT", way, #"{"displayName":"Sales EU","members":[{"value":"\#(cy)"}]}"#).values(
        "members", "value") == [cy])
    #expect(try client.patch(way, #"{"op":"remove","path":"members"}"#).status == 204)
    #expect(try members(id).isEmpty)
    #expect(try client.send("DELETE", way).status == 204)
    #expect(try client.get(way).status == 404)
  }

  @Test("an unknown member leaves everything as it was") func unknownMember() throws {
    let ana = try client.made("ana")
    let id = try #require(try client.send("POST", "/Groups", #"{"displayName":"G"}"#)("id"))
    let stranger = try #require(
      try client.send("POST", "/Users", #"{"userName":"x"}"#, secret: client.otherSecret)("id"))
    for value in ["999999999", stranger] {
      let answer = try client.patch(
        "/Groups/\(id)", #"{"op":"add","path":"members","value":[{"value":"\#(ana)"},{"value":"\#(value)"}]}"#)
      #expect(answer.status == 404, "\(value)")
    }
    #expect(try members(id).isEmpty)
    #expect(
      try client.patch("/Groups/\(id)", #"{"op":"add","path":"members","value":[{"value":"a b"}]}"#).status == 400)
  }

  @Test("names are those of one group, and groups are found by them") func names() throws {
    let first = try client.send("POST", "/Groups", #"{"displayName":"Ops","externalId":"g-1"}"#)
    #expect(first("externalId") == "g-1")
    #expect(try client.send("POST", "/Groups", #"{"displayName":"OPS"}"#)("scimType") == "uniqueness")
    let second = try #require(try client.send("POST", "/Groups", #"{"displayName":"Dev"}"#)("id"))
    #expect(
      try client.patch("/Groups/\(second)", #"{"op":"replace","path":"displayName","value":"ops"}"#).status == 409)
    let found = try client.get("/Groups?excludedAttributes=members&filter=displayName%20eq%20%22OPS%22")
    #expect(found("totalResults") == "1" && found("Resources.0.id") == first("id"))
    #expect(try client.get("/Groups?filter=externalId+eq+%22g-1%22")("totalResults") == "1")
    #expect(try client.get("/Groups?filter=displayName%20eq%20%22none%22")("totalResults") == "0")
    // The same name in another workspace is another group.
    #expect(try client.send("POST", "/Groups", #"{"displayName":"Ops"}"#, secret: client.otherSecret).status == 201)
    #expect(try client.get("/Groups")("totalResults") == "2")
  }

  @Test("a role that administrators have defined is a group, with what it gives") func definedRoles() throws {
    try client.admin.ok("ROLE.DEFINE clerk WORKSPACE acme user.read")
    let ana = try client.made("ana")
    #expect(
      try client.patch("/Groups/clerk", #"{"op":"add","path":"members","value":[{"value":"\#(ana)"}]}"#).status == 204)
    #expect(try client.admin.shown("PERMISSION.LIST ana WORKSPACE acme").contains("user.read"))
    #expect(try client.patch("/Groups/clerk", #"{"op":"replace","path":"displayName","value":"Clerks"}"#).status == 204)
    #expect(try client.admin.shown("PERMISSION.LIST ana WORKSPACE acme").contains("user.read"))
  }
}
