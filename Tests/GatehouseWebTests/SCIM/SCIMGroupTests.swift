import GatehouseTestSupport
import Testing

/// Groups, which are roles of the workspace or its account groups.
@Suite(.blocking, .serialized) struct SCIMGroupTests {
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
      #expect(answer.status == 400 && answer("scimType") == "invalidValue", "\(value)")
      #expect(answer("detail") == "there is no user \(value) to add to the group")
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

  @Test("a member is who has the role over the workspace itself, in force now; adding lifts an end") func membership()
    throws
  {
    try client.admin.ok("ROLE.DEFINE helpdesk user.read WORKSPACE acme")
    try client.admin.ok("PRODUCT.CREATE acme/pay")
    let ana = try client.made("ana"), bo = try client.made("bo"), cy = try client.made("cy")
    try client.admin.ok("ROLE.GRANT #\(ana) helpdesk PRODUCT acme/pay")
    try client.admin.ok("ROLE.GRANT #\(bo) helpdesk WORKSPACE acme FROM 2090-01-01T00:00:00Z")
    #expect(try members("helpdesk").isEmpty)
    #expect(try client.get("/Users/\(ana)")("groups.0.value") == nil)
    #expect(try client.get("/Users/\(bo)")("groups.0.value") == nil)
    #expect(try client.send("PUT", "/Groups/helpdesk", #"{"displayName":"helpdesk","members":[]}"#).status == 200)
    #expect(try client.patch("/Groups/helpdesk", #"{"op":"remove","path":"members"}"#).status == 204)
    #expect(try client.admin.shown("ROLE.LIST #\(ana)").contains("helpdesk"))
    // Somebody for whom it would end, or who would only get it, holds it from now on.
    try client.admin.ok("ROLE.GRANT #\(cy) helpdesk WORKSPACE acme UNTIL 2090-01-01T00:00:00Z")
    #expect(try members("helpdesk") == [cy])
    let both = #"{"op":"add","path":"members","value":[{"value":"\#(bo)"},{"value":"\#(cy)"}]}"#
    #expect(try client.patch("/Groups/helpdesk", both).status == 204)
    #expect(try members("helpdesk") == [bo, cy].sorted())
    #expect(
      try !client.admin.shown("ROLE.LIST #\(cy)").contains("2090")
        && !client.admin.shown("ROLE.LIST #\(bo)").contains("2090"))
    // The groups of a user, without a look at all groups.
    let found = try client.get("/Groups?filter=members.value%20eq%20%22\(cy)%22")
    #expect(found.values("Resources", "id") == ["helpdesk"])
    #expect(try client.get("/Groups?filter=members%5Bvalue%20eq%20%22\(ana)%22%5D")("totalResults") == "0")
  }

  @Test("an employment that would end or is to begin is lifted by adding, too") func employments() throws {
    try client.admin.ok("WORKSPACE.SET acme policy.scim.groups group")
    let ana = try client.made("ana")
    let id = try #require(try client.send("POST", "/Groups", #"{"displayName":"AG"}"#)("id"))
    let add = #"{"op":"add","path":"members","value":[{"value":"\#(ana)"}]}"#
    for days in ["TO 2090-01-01", "FROM 2089-01-01 TO 2090-01-01", "TO 2020-01-01"] {
      _ = try client.admin.reply("EMPLOY.END #\(ana) acme/AG")
      _ = try client.admin.reply("EMPLOY.ADD #\(ana) acme/AG \(days)")
      #expect(try client.patch("/Groups/\(id)", add).status == 204, "\(days)")
      #expect(try members(id) == [ana], "\(days)")
      #expect(try !client.admin.shown("EMPLOY.LIST #\(ana)").contains("2090"), "\(days)")
    }
  }

  @Test("If-Match guards a group, its members too, and Bulk's version does") func versions() throws {
    let ana = try client.made("ana")
    let made = try client.send("POST", "/Groups", #"{"displayName":"Team"}"#)
    let id = try #require(made("id"))
    let first = try #require(made.headers["etag"])
    #expect(first.hasPrefix("W/") && made("meta.version") == first)
    #expect(try client.get("/Groups/\(id)").headers["etag"] == first)
    for header in [first, "*", "\"x\", \(first)"] {
      #expect(try client.send("GET", "/Groups/\(id)", headers: [("if-none-match", header)]).status == 304, "\(header)")
    }
    let add = #"{"Operations":[{"op":"add","path":"members","value":[{"value":"\#(ana)"}]}]}"#
    for (method, body) in [("PUT", #"{"displayName":"X"}"#), ("PATCH", add), ("DELETE", nil)] as [(String, String?)] {
      let answer = try client.send(method, "/Groups/\(id)", body, headers: [("if-match", "W/\"1\"")])
      #expect(answer.status == 412, "\(method)")
    }
    #expect(try client.send("PATCH", "/Groups/\(id)", add, headers: [("if-match", first)]).status == 204)
    let second = try #require(try client.get("/Groups/\(id)").headers["etag"])
    #expect(second != first, "a member came")
    let stale =
      #"{"Operations":[{"method":"DELETE","path":"/Groups/\#(id)","version":"W/\"1\""}]}"#
    #expect(try client.send("POST", "/Bulk", stale).values("Operations", "status") == ["412"])
    let put = try client.send("PUT", "/Groups/\(id)", #"{"displayName":"Team2"}"#, headers: [("if-match", second)])
    #expect(put.status == 200 && put.headers["etag"] == put("meta.version"))
    #expect(try client.send("DELETE", "/Groups/\(id)", headers: [("if-match", "*")]).status == 204)
  }

  @Test("of requests that name the same version, one changes the group") func racingVersions() throws {
    let id = try #require(try client.send("POST", "/Groups", #"{"displayName":"Team"}"#)("id"))
    let etag = try #require(try client.get("/Groups/\(id)").headers["etag"])
    let (server, secret) = (client.server, client.secret)
    let statuses = Collected<Int>()
    try inParallel(6) { part in
      let body = #"{"displayName":"Team \#(part)"}"#
      statuses.add(
        try server.request("PUT", "/scim/v2/Groups/\(id)", headers: [("if-match", etag)], secret: secret, body: body)
          .status)
    }
    #expect(statuses.all.sorted() == [200, 412, 412, 412, 412, 412])
  }

  @Test("externalId stays with PUT, is one group's, and is kept of account groups, too", arguments: ["role", "group"])
  func externalIDs(kind: String) throws {
    try client.admin.ok("WORKSPACE.SET acme policy.scim.groups \(kind)")
    let made = try client.send("POST", "/Groups", #"{"displayName":"Team","externalId":"okta-7"}"#)
    let id = try #require(made("id"))
    #expect(made("externalId") == "okta-7")
    #expect(try client.send("PUT", "/Groups/\(id)", #"{"displayName":"Team2"}"#)("externalId") == "okta-7")
    #expect(try client.get("/Groups?filter=externalId%20eq%20%22okta-7%22")("Resources.0.id") == id)
    let taken = try client.send("POST", "/Groups", #"{"displayName":"Other","externalId":"okta-7"}"#)
    #expect(taken.status == 409 && taken("scimType") == "uniqueness")
    let other = try #require(try client.send("POST", "/Groups", #"{"displayName":"Other"}"#)("id"))
    let set = #"{"op":"add","path":"externalId","value":"okta-7"}"#
    #expect(try client.patch("/Groups/\(other)", set).status == 409)
    #expect(try client.patch("/Groups/\(id)", #"{"op":"replace","path":"externalId","value":"okta-8"}"#).status == 204)
    #expect(try client.patch("/Groups/\(other)", set).status == 204)
    #expect(try client.get("/Groups/\(id)")("externalId") == "okta-8")
    #expect(try client.patch("/Groups/\(id)", #"{"op":"remove","path":"externalId"}"#).status == 204)
    #expect(try client.get("/Groups/\(id)")("externalId") == nil)
    // Another workspace has identifiers of its own.
    let foreign = #"{"displayName":"Team","externalId":"okta-7"}"#
    #expect(try client.send("POST", "/Groups", foreign, secret: client.otherSecret).status == 201)
    let long = String(repeating: "x", count: 257)
    let refused = try client.patch("/Groups/\(id)", #"{"op":"replace","path":"displayName","value":"\#(long)"}"#)
    #expect(refused("detail") == "displayName is longer than 256 bytes; shorten it")
  }

  @Test("an account group that was deleted can be made again; the account of somebody else is not taken")
  func madeAgain()
    throws
  {
    try client.admin.ok("WORKSPACE.SET acme policy.scim.groups group")
    let ana = try client.made("ana")
    let members = #""members":[{"value":"\#(ana)"}]"#
    for _ in 0..<3 {
      let made = try client.send("POST", "/Groups", #"{"displayName":"AG",\#(members)}"#)
      #expect(made.status == 201 && made.values("members", "value") == [ana])
      #expect(try client.send("DELETE", "/Groups/\(try #require(made("id")))").status == 204)
    }
    _ = try client.admin.fields("ACCOUNT.CREATE Widgets CUSTOMER WORKSPACE acme")
    try client.admin.ok("EMPLOY.ADD #\(ana) acme/Widgets")
    let refused = try client.send("POST", "/Groups", #"{"displayName":"Widgets"}"#)
    #expect(refused.status == 409 && refused("detail")?.contains("an account that is in use") == true)
  }

  @Test("who was merged away is no member, and cannot be added under the old id") func mergedMembers() throws {
    let ana = try client.made("ana"), bo = try client.made("bo")
    let id = try #require(try client.send("POST", "/Groups", #"{"displayName":"Team"}"#)("id"))
    _ = try client.admin.reply("USER.MERGE #\(ana) #\(bo)")
    let answer = try client.patch("/Groups/\(id)", #"{"op":"add","path":"members","value":[{"value":"\#(bo)"}]}"#)
    #expect(answer.status == 400 && answer("detail") == "there is no user \(bo) to add to the group")
    let made = try client.send("POST", "/Groups", #"{"displayName":"Other","members":[{"value":"\#(bo)"}]}"#)
    #expect(made.status == 400)
  }
}
