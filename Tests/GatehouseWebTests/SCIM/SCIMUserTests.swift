import GatehouseTestSupport
import GatehouseWire
import Testing

@testable import GatehouseWeb

/// One person at a time, over a real server.
@Suite(.blocking) struct SCIMUserTests {
  let client: SCIMClient

  init() throws { client = try SCIMClient(["FIELD.DEFINE shoe number WORKSPACE acme"]) }

  @Test("what is sent is what is kept, and what Gatehouse has of it") func mapping() throws {
    let made = try client.send(
      "POST", "/Users",
      #"""
      {"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"Ana@acme.test","externalId":"00u1",
       "name":{"givenName":"Ana","familyName":"Lima","formatted":"Ms. Ana Lima"},"displayName":"Ana L.","title":"Boss",
       "locale":"en_US","timezone":"Europe/Prague","emails":[{"value":"ana@acme.test","type":"work","primary":true},
       {"value":"a@home.test","type":"home"}],"phoneNumbers":[{"value":"+1 555","type":"mobile"}],"active":true,
       "addresses":[{"type":"work","locality":"Brno"}],
       "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":"R&D","employeeNumber":"701",
       "costCenter":"9"},"urn:gatehouse:params:scim:schemas:extension:fields:2.0:User":{"shoe":"42"}}
      """#)
    #expect(made.status == 201)
    let id = try #require(made("id"))
    #expect(made.headers["location"]?.hasSuffix("/scim/v2/Users/\(id)") == true)
    #expect(made.headers["content-type"] == "application/scim+json")
    let read = try client.get("/Users/\(id)")
    for (path, value) in [
      ("userName", "Ana@acme.test"), ("externalId", "00u1"), ("name.formatted", "Ms. Ana Lima"),
      ("displayName", "Ana L."),
      ("locale", "en_US"), ("timezone", "Europe/Prague"), ("emails.1.value", "a@home.test"), ("active", "true"),
      ("phoneNumbers.0.type", "mobile"), ("addresses.0.locality", "Brno"), ("meta.resourceType", "User"),
    ] { #expect(read(path) == value, "\(path)") }
    #expect(read(in: enterprise, "employeeNumber") == "701")
    #expect(read(in: workspaceFields, "shoe") == "42")
    let user = try client.admin.fields("USER.GET", "#\(id)")
    for (name, value) in [
      ("first", "Ana"), ("last", "Lima"), ("email", "ana@acme.test"), ("phone", "+1 555"), ("department", "R&D"),
      ("reference", "701"), ("timezone", "Europe/Prague"), ("language", "en-us"), ("status", "active"),
      ("home", "acme"),
    ] { #expect(user[name] == value, "\(name)") }
  }

  @Test(
    "who is looked for by another spelling of the name is found, as the name is taken",
    arguments: [("Straße", "STRASSE"), ("νίκος", "ΝΊΚΟΣ"), ("νίκος", "νίκοσ"), ("ﬁn", "FIN"), ("Abc", "aBC")])
  func spellings(name: String, other: String) throws {
    _ = try client.made(name)
    let find = [#"userName eq "\#(other)""#, #"userName eq "\#(other)" or userName eq "zz""#]
    for filter in find { #expect(try client.find(filter)("totalResults") == "1", "\(filter)") }
    let again = try client.send("POST", "/Users", #"{"userName":"\#(other)"}"#)
    #expect(again.status == 409 && again("scimType") == "uniqueness")
  }

  @Test("a change is one record, and all of it or nothing") func oneRecord() throws {
    let id = try client.made("ana@acme.test")
    _ = try client.made("bo@acme.test")
    let before = try client.admin.fields("AUDIT.HEAD").integer("lsn")
    let all = try client.patch(
      "/Users/\(id)",
      #"""
      {"op":"replace","path":"name.givenName","value":"Ana"},{"op":"replace","path":"title","value":"Boss"},
      {"op":"replace","path":"active","value":false},{"op":"replace","path":"userName","value":"ana.lima@acme.test"}
      """#)
    #expect(all.status == 200 && all("userName") == "ana.lima@acme.test" && all("active") == "false")
    // The address was that of the login, so it follows (P8).
    #expect(all("emails.0.value") == "ana.lima@acme.test")
    let after = try client.admin.fields("AUDIT.HEAD").integer("lsn")
    #expect(after == before.map { $0 + 1 })
    let none = try client.patch(
      "/Users/\(id)",
      #"""
      {"op":"replace","path":"title","value":"None"},{"op":"replace","path":"userName","value":"BO@acme.test"}
      """#)
    #expect(none.status == 409 && none("scimType") == "uniqueness")
    #expect(try client.get("/Users/\(id)")("title") == "Boss")
    #expect(try client.admin.fields("AUDIT.HEAD").integer("lsn") == after)
  }

  @Test("who is deactivated is out at the next command") func deactivation() throws {
    try client.admin.ok("PRODUCT.CREATE acme/app")
    let id = try client.made("ana@acme.test")
    try client.admin.ok("PRODUCT.ENABLE", "#\(id)", "acme/app")
    let token = try #require(try client.admin.fields("SESSION.CREATE", "#\(id)", "acme/app")["session"])
    #expect(try client.patch("/Users/\(id)", #"{"op":"replace","value":{"active":false}}"#).status == 200)
    #expect(try client.admin.isNull("SESSION.CHECK", token))
    #expect(try client.admin.text("LOGIN.CHECK ana@acme.test acme/app") == "DENY status-inactive")
    // Still there for a provider that looks.
    #expect(try client.find(#"userName eq "ana@acme.test""#)("Resources.0.active") == "false")
    #expect(try client.patch("/Users/\(id)", #"{"op":"Replace","path":"active","value":"True"}"#)("active") == "true")
    #expect(try client.admin.text("LOGIN.CHECK ana@acme.test acme/app") == "ALLOW")
  }

  @Test("a login that is locked for a while is no business of the provider") func locked() throws {
    let id = try client.made("ana@acme.test")
    try client.admin.ok("USER.STATUS ana@acme.test locked")
    #expect(try client.patch("/Users/\(id)", #"{"op":"replace","path":"active","value":true}"#)("active") == "true")
    #expect(try client.admin.fields("USER.GET ana@acme.test")["status"] == "locked")
  }

  @Test("PUT changes no status that it does not name, and forgets nobody's external id") func put() throws {
    let id = try client.made("ana@acme.test", #","externalId":"00u1","title":"Boss","active":false"#)
    let put = try client.send("PUT", "/Users/\(id)", #"{"userName":"ana@acme.test","displayName":"Ana"}"#)
    #expect(put("active") == "false" && put("externalId") == "00u1" && put("displayName") == "Ana")
    #expect(put("title") == nil)
    #expect(try client.send("PUT", "/Users/\(id)", #"{"displayName":"Ana"}"#)("scimType") == "invalidValue")
  }

  @Test("clashes, and what is free again") func clashes() throws {
    let id = try client.made("ana@acme.test", #","externalId":"00u1""#)
    let same = try client.send("POST", "/Users", #"{"userName":"ANA@acme.test"}"#)
    #expect(same.status == 409 && same("scimType") == "uniqueness")
    let external = try client.send("POST", "/Users", #"{"userName":"bo","externalId":"00u1"}"#)
    #expect(external.status == 409 && external("detail")?.hasPrefix("externalId: 00u1 belongs") == true)
    #expect(try client.admin.reply("USER.GET bo").errorText?.hasPrefix("NOTFOUND") == true)
    #expect(try client.send("DELETE", "/Users/\(id)").status == 204)
    #expect(try client.get("/Users/\(id)").status == 404)
    #expect(try client.find(#"externalId eq "00u1""#)("totalResults") == "0")
    _ = try client.made("ana@acme.test", #","externalId":"00u1""#)
  }

  @Test("versions guard against changes in between") func versions() throws {
    let id = try client.made("ana")
    let first = try #require(try client.get("/Users/\(id)").headers["etag"])
    #expect(try client.send("GET", "/Users/\(id)", headers: [("if-none-match", first)]).status == 304)
    // A field of the workspace is part of the version, too.
    try client.admin.ok("USER.SET ana shoe 40")
    let body = #"{"Operations":[{"op":"replace","path":"title","value":"x"}]}"#
    #expect(try client.send("PATCH", "/Users/\(id)", body, headers: [("if-match", first)]).status == 412)
    let second = try #require(try client.get("/Users/\(id)").headers["etag"])
    #expect(try client.send("PATCH", "/Users/\(id)", body, headers: [("if-match", second)]).status == 200)
    #expect(try client.send("DELETE", "/Users/\(id)", headers: [("if-match", second)]).status == 412)
  }

  @Test("rules that refuse are named") func rules() throws {
    try client.admin.ok("WORKSPACE.CREATE solo")
    let id = try client.made("ana")
    try client.admin.ok("WORKSPACE.TRANSFER acme ana")
    let owner = try client.patch("/Users/\(id)", #"{"op":"replace","path":"active","value":false}"#)
    #expect(owner.status == 409 && owner("detail")?.hasPrefix("owner: ") == true)
    try client.admin.ok("WORKSPACE.SET acme policy.user.required-fields email")
    let missing = try client.send("POST", "/Users", #"{"userName":"bo"}"#)
    #expect(missing.status == 409 && missing("detail")?.hasPrefix("user.required-fields: missing email") == true)
  }

  @Test("a password is taken only where the workspace says so") func passwords() throws {
    let first = try client.made("ana", #","password":"correct-horse-battery""#)
    try client.admin.ok("PRODUCT.CREATE acme/app")
    try client.admin.ok("PRODUCT.ENABLE ana acme/app")
    func decision() throws -> String? {
      try client.admin.fields("LOGIN.PASSWORD ana acme/app correct-horse-battery")["decision"]
    }
    #expect(try decision() == "DENY")
    try client.admin.ok("WORKSPACE.SET acme policy.scim.passwords on")
    let set = try client.patch(
      "/Users/\(first)", #"{"op":"replace","path":"password","value":"correct-horse-battery"}"#)
    #expect(set.status == 200 && set("password") == nil)
    #expect(try decision() == "ALLOW")
    _ = try client.made("bo", #","password":"correct-horse-battery""#)
    #expect(try client.send("POST", "/Users", #"{"userName":"cy","password":"a"}"#).status >= 400)
    #expect(try client.admin.reply("USER.GET cy").errorText?.hasPrefix("NOTFOUND") == true)
  }

  @Test("the manager looks after the person, and is kept as it was sent") func manager() throws {
    let boss = try client.made("boss")
    let other = try client.made("other")
    let ana = try client.made("ana", #","\#(enterprise)":{"manager":{"value":"\#(boss)"}}"#)
    #expect(try client.admin.list("MANAGE.LIST boss").map { $0["name"] } == ["ana"])
    let path = "\(enterprise):manager"
    let moved = try client.patch("/Users/\(ana)", #"{"op":"Add","path":"\#(path)","value":"\#(other)"}"#)
    #expect(moved(in: enterprise, "manager") == other)
    #expect(try client.admin.list("MANAGE.LIST boss").isEmpty)
    #expect(try client.admin.list("MANAGE.LIST other").map { $0["name"] } == ["ana"])
    #expect(try client.send("DELETE", "/Users/\(other)").status == 204)
    #expect(try client.patch("/Users/\(ana)", #"{"op":"remove","path":"\#(path)"}"#).status == 200)
    #expect(try client.patch("/Users/\(ana)", #"{"op":"add","path":"\#(path)","value":"nobody"}"#).status == 200)
  }

  @Test("attributes that are asked for, and those that are not") func projections() throws {
    let id = try client.made("ana", #","name":{"givenName":"Ana","familyName":"Lima"},"title":"Boss""#)
    let some = try client.get("/Users/\(id)?attributes=name.givenName,TITLE")
    #expect(some("name.givenName") == "Ana" && some("title") == "Boss" && some("id") == id)
    #expect(some("name.familyName") == nil && some("userName") == nil)
    let others = try client.get("/Users/\(id)?excludedAttributes=name.givenName,title,id")
    #expect(others("name.familyName") == "Lima" && others("title") == nil && others("id") == id)
  }

  @Test("bodies that are none") func hostile() throws {
    for (body, status) in [
      ("", 400), ("[]", 400), ("{", 400), (#"{"userName":1e999}"#, 400), (#"{"userName":{"a":1}}"#, 400),
      (##"{"userName":"#5"}"##, 400), (#"{"userName":"a\u0000b"}"#, 400),
      (#"{"userName":"a","emails":[{"value":"none"}]}"#, 400),
      (#"{"userName":"a","active":"perhaps"}"#, 400),
    ] {
      let answer = try client.send("POST", "/Users", body)
      #expect(answer.status == status)
      #expect(answer("schemas.0") == "urn:ietf:params:scim:api:messages:2.0:Error")
      #expect(answer("status") == String(status))
    }
  }

  @Test("an id names one person: whoever was merged away is gone, and nothing is done to who was kept") func merged()
    throws
  {
    let kept = try client.made("kept"), gone = try client.made("gone")
    _ = try client.admin.reply("USER.MERGE #\(kept) #\(gone)")
    #expect(try client.get("/Users/\(gone)").status == 404)
    #expect(try client.send("DELETE", "/Users/\(gone)").status == 404)
    #expect(try client.patch("/Users/\(gone)", #"{"op":"replace","path":"active","value":false}"#).status == 404)
    #expect(try client.send("PUT", "/Users/\(gone)", #"{"userName":"x"}"#).status == 404)
    #expect(try client.get("/Users/\(kept)")("active") == "true")
    let manager = #"{"op":"add","path":"\#(enterprise):manager","value":"\#(gone)"}"#
    let other = try client.made("other")
    #expect(try client.patch("/Users/\(other)", manager).status == 200)
    #expect(try client.admin.list("MANAGE.LIST #\(kept)").isEmpty)
    // Nor is the one found by the name of the other: what a provider does about that would be done to both.
    #expect(try client.find(#"userName eq "gone""#)("totalResults") == "0")
    #expect(try client.send("POST", "/Users", #"{"userName":"gone"}"#).status == 409)
  }

  @Test("what the workspace requires is announced, and asked for by its name") func required() throws {
    try client.admin.ok("FIELD.DEFINE must text MANDATORY WORKSPACE acme")
    try client.admin.ok("WORKSPACE.SET acme policy.user.required-fields reference")
    let schemas = try client.get("/Schemas/\(workspaceFields)")
    let required = zip(schemas.values("attributes", "name"), schemas.values("attributes", "required"))
    #expect(required.contains { $0 == ("must", "true") } && required.count { $0.1 == "true" } == 1)
    let answer = try client.send(
      "POST", "/Users", #"{"userName":"ana","\#(enterprise)":{"employeeNumber":"7"}}"#)
    #expect(answer.status == 400 && answer("scimType") == "invalidValue")
    #expect(answer("detail") == "\(workspaceFields):must is missing: the workspace requires it of everybody")
    let other = try client.send("POST", "/Users", #"{"userName":"ana","\#(workspaceFields)":{"must":"x"}}"#)
    #expect(other("detail") == "\(enterprise):employeeNumber is missing: the workspace requires it of everybody")
    let made = try client.send(
      "POST", "/Users",
      #"{"userName":"ana","\#(workspaceFields)":{"must":"x"},"\#(enterprise)":{"employeeNumber":"7"}}"#)
    let id = try #require(made("id"))
    #expect(
      try client.patch("/Users/\(id)", #"{"op":"remove","path":"\#(workspaceFields):must"}"#)("detail")
        == "\(workspaceFields):must is missing: the workspace requires it of everybody")
  }

  @Test("what is too long is named as the client names it") func lengths() throws {
    let id = try client.made("ana")
    for (path, name, size) in [
      ("title", "title", 4097), ("name.givenName", "name.givenName", 257), ("\(enterprise):division", "division", 257),
      ("userName", "userName", 257),
    ] {
      let text = String(repeating: "x", count: size)
      let answer = try client.patch("/Users/\(id)", #"{"op":"replace","path":"\#(path)","value":"\#(text)"}"#)
      #expect(answer.status == 400 && answer("detail") == "\(name) is longer than \(size - 1) bytes; shorten it")
    }
  }

  @Test("a list with very many values is refused, in one operation or in many") func manyValues() throws {
    let id = try client.made("ana")
    let many = (0..<20_000).map { #"{"value":"p\#($0)"}"# }.joined(separator: ",")
    let start = ContinuousClock.now
    for operations in [
      #"{"op":"add","path":"photos","value":[\#(many)]}"#,
      (0..<900).map { #"{"op":"add","path":"photos","value":[{"value":"p\#($0)"},{"value":"q\#($0)"}]}"# }.joined(
        separator: ","),
    ] {
      #expect(try client.patch("/Users/\(id)", operations)("scimType") == "tooMany")
    }
    #expect(ContinuousClock.now - start < .seconds(10) * Patience.factor)
  }

  @Test("Entra clears a manager by an empty text, and the rest of the PATCH takes effect") func clearedManager() throws
  {
    let boss = try client.made("boss"), ana = try client.made("ana")
    #expect(
      try client.patch("/Users/\(ana)", #"{"op":"add","path":"\#(enterprise):manager","value":"\#(boss)"}"#)(
        in: enterprise, "manager") == boss)
    for value in [#""""#, #"{"value":""}"#] {
      let cleared = try client.patch(
        "/Users/\(ana)",
        #"{"op":"replace","path":"\#(enterprise):manager","value":\#(value)},{"op":"add","path":"title","value":"T"}"#)
      #expect(cleared.status == 200 && cleared("title") == "T")
      #expect(cleared(in: enterprise, "manager") == nil)
    }
  }

  @Test("attributes that name a part of nothing, or a whole schema") func oddProjections() throws {
    let ana = try client.made("ana", #","title":"T","\#(enterprise)":{"department":"D"}"#)
    func keys(_ query: String) throws -> [String] {
      (try client.get("/Users/\(ana)?\(query)").json?.members ?? []).map(\.name).sorted()
    }
    let part = try client.get("/Users/\(ana)?attributes=id.value,schemas.x,title.y")
    #expect(part("id") == ana && part("schemas.0") == "urn:ietf:params:scim:schemas:core:2.0:User")
    #expect(try keys("attributes=id.value,schemas.x,title.y") == ["id", "schemas"])
    let core = try keys("attributes=urn:ietf:params:scim:schemas:core:2.0:User")
    #expect(core.contains("title") && core.contains("userName") && !core.contains(enterprise))
    #expect(try keys("attributes=\(enterprise)") == ["id", "schemas", enterprise])
  }
}
