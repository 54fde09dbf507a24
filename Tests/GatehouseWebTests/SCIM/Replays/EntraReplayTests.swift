import GatehouseTestSupport
import Testing

/// The calls that Entra ID documents and that its tickets show, with the flag aadOptscim062020 and without it.
@Suite(.blocking) struct EntraReplayTests {
  let client: SCIMClient

  init() throws { client = try SCIMClient() }

  private static let patchSchema = #""schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"]"#

  private func patch(_ path: String, _ operations: String) throws -> SCIMClient.Answer {
    try client.send("PATCH", path, #"{\#(Self.patchSchema),"Operations":[\#(operations)]}"#)
  }

  private func created() throws -> String {
    let answer = try client.send(
      "POST", "/Users",
      #"""
      {"schemas":["urn:ietf:params:scim:schemas:core:2.0:User",
      "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],"externalId":"0a21f0f2-8d2a-4f8e-bf98-7363c4aed4ef",
      "userName":"Test_User_ab6490ee","active":true,"emails":[{"primary":true,"type":"work",
      "value":"Test_User@testuser.com"}],"meta":{"resourceType":"User"},"name":{"formatted":"givenName familyName",
      "familyName":"familyName","givenName":"givenName"},"roles":[]}
      """#)
    #expect(answer.status == 201 && answer("meta.resourceType") == "User")
    #expect(answer("userName") == "Test_User_ab6490ee" && answer("name.formatted") == "givenName familyName")
    return try #require(answer("id"))
  }

  @Test("the connection test looks for somebody who is not there") func connection() throws {
    let answer = try client.find(#"userName eq "f81d4fae-7dec-11d0-a765-00a0c91e6bf6""#)
    #expect(
      answer.status == 200 && answer("totalResults") == "0" && answer("schemas.0")?.hasSuffix("ListResponse") == true)
    #expect(
      try client.get("/Groups?excludedAttributes=members&filter=displayName%20eq%20%22x%22")("totalResults") == "0")
    #expect(try client.get("/Schemas")("schemas.0")?.hasSuffix("ListResponse") == true)
  }

  @Test(
    "people are found by each of the attributes that are matched",
    arguments: [
      #"userName eq "test_user_AB6490EE""#, #"externalId eq "0a21f0f2-8d2a-4f8e-bf98-7363c4aed4ef""#,
      #"emails[type eq "work"].value eq "test_user@testuser.com""#,
      #"(userName eq "Test_User_ab6490ee") and (active eq true)"#,
    ]) func matching(_ filter: String) throws
  {
    let id = try created()
    #expect(try client.find(filter)("Resources.0.id") == id)
    // Soft-deleted people are found all the same.
    #expect(try patch("/Users/\(id)", #"{"op":"Replace","path":"active","value":"False"}"#).status == 200)
    if !filter.contains("active") { #expect(try client.find(filter)("Resources.0.active") == "false") }
    #expect(try client.get("/Users/\(id)")("active") == "false")
  }

  @Test("changes without the flag: capitals, texts for booleans, one path each") func changes() throws {
    let id = try created()
    let boss = try client.made("boss")
    let answer = try patch(
      "/Users/\(id)",
      #"""
      {"op":"Replace","path":"emails[type eq \"work\"].value","value":"updatedEmail@microsoft.com"},
      {"op":"Replace","path":"name.familyName","value":"updatedFamilyName"},
      {"op":"Add","path":"addresses[type eq \"work\"].country","value":"CZ"},
      {"op":"Add","path":"phoneNumbers[type eq \"mobile\"].value","value":"+420"},
      {"op":"Add","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department","value":"IT"},
      {"op":"Add","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager","value":"\#(boss)"},
      {"op":"Replace","path":"active","value":"True"}
      """#)
    #expect(answer.status == 200 && answer("emails.0.value") == "updatedEmail@microsoft.com")
    #expect(answer("name.familyName") == "updatedFamilyName" && answer("name.givenName") == "givenName")
    #expect(answer("addresses.0.country") == "CZ" && answer("addresses.0.type") == "work")
    #expect(answer(in: enterprise, "department") == "IT" && answer(in: enterprise, "manager") == boss)
    let gone = try patch(
      "/Users/\(id)", #"{"op":"Remove","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager"}"#)
    #expect(gone(in: enterprise, "manager") == nil && gone(in: enterprise, "department") == "IT")
  }

  @Test("changes with the flag: one value with dotted names") func flagged() throws {
    let id = try created()
    let answer = try patch(
      "/Users/\(id)",
      #"""
      {"op":"replace","value":{"displayName":"Bjfe","name.familyName":"Crist","name.givenName":"Asa","active":false,
      "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber":"701984",
      "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"division":"D"},"userType":"T"}},
      {"op":"add","path":"emails[type eq \"work\"].value","value":"x@microsoft.com"}
      """#)
    #expect(answer("displayName") == "Bjfe" && answer("name.familyName") == "Crist" && answer("active") == "false")
    #expect(answer(in: enterprise, "employeeNumber") == "701984" && answer(in: enterprise, "division") == "D")
    #expect(answer("emails.0.value") == "x@microsoft.com")
  }

  @Test func leaverIsDeletedForGoodLater() throws {
    let id = try created()
    #expect(try client.send("DELETE", "/Users/\(id)").status == 204)
    #expect(try client.send("DELETE", "/Users/\(id)").status == 404)
    #expect(try client.find(#"userName eq "Test_User_ab6490ee""#)("totalResults") == "0")
    _ = try created()
  }

  @Test func groups() throws {
    let made = try client.send(
      "POST", "/Groups",
      #"""
      {"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group",
      "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group"],
      "externalId":"8aa1a0c0-c4c3-4bc0-b4a5-2ef676900159","displayName":"displayName","meta":{"resourceType":"Group"}}
      """#)
    #expect(made.status == 201 && made("externalId") == "8aa1a0c0-c4c3-4bc0-b4a5-2ef676900159")
    let id = try #require(made("id"))
    let ana = try client.made("ana"), bo = try client.made("bo")
    let bare = try client.get("/Groups/\(id)?excludedAttributes=members")
    #expect(bare.status == 200 && bare("displayName") == "displayName")
    #expect(
      try client.get("/Groups?excludedAttributes=members&filter=displayName%20eq%20%22displayName%22")("totalResults")
        == "1")
    #expect(try patch("/Groups/\(id)", #"{"op":"Replace","path":"displayName","value":"1879db59"}"#).status == 204)
    let add = #"{"op":"Add","path":"members","value":[{"$ref":null,"value":"\#(ana)"},{"$ref":null,"value":"\#(bo)"}]}"#
    #expect(try patch("/Groups/\(id)", add).status == 204)
    #expect(try client.get("/Groups/\(id)").values("members", "value").sorted() == [ana, bo].sorted())
    #expect(try client.get("/Groups/\(id)?excludedAttributes=members").values("members", "value").isEmpty)
    let remove = #"{"op":"Remove","path":"members","value":[{"$ref":null,"value":"\#(ana)"}]}"#
    #expect(try patch("/Groups/\(id)", remove).status == 204)
    #expect(try client.get("/Groups/\(id)").values("members", "value") == [bo])
    #expect(try client.send("DELETE", "/Groups/\(id)").status == 204)
  }
}
