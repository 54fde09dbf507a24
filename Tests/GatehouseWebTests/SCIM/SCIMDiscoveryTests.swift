import Foundation
import GatehouseTestSupport
import Testing

/// What a client finds out before it begins, and what another implementation of SCIM finds.
@Suite(.blocking) struct SCIMDiscoveryTests {
  let client: SCIMClient

  init() throws { client = try SCIMClient(["FIELD.DEFINE shoe number WORKSPACE acme"]) }

  @Test func schemasAndTypes() throws {
    let schemas = try client.get("/Schemas")
    #expect(schemas.values("Resources", "name") == ["User", "EnterpriseUser", "Fields", "Group"])
    #expect(try client.get("/Schemas/\(workspaceFields)")("attributes.0.name") == "shoe")
    #expect(try client.get("/Schemas/\(workspaceFields)")("attributes.0.type") == "integer")
    #expect(try client.get("/Schemas/none").status == 404)
    let types = try client.get("/ResourceTypes")
    #expect(types.values("Resources", "id") == ["User", "Group"])
    #expect(types("Resources.0.schemaExtensions.1.schema") == workspaceFields)
    // The other workspace has no fields, so no such schema.
    #expect(try client.get("/ResourceTypes/User", secret: client.otherSecret)("schemaExtensions.1.schema") == nil)
    #expect(try client.send("POST", "/Schemas", "{}").status == 405)
    #expect(try client.get("/Nothing").status == 404)
    #expect(try client.get("/Users/%zz").status == 400)
  }

  @Test("the strict profile says that it is, and takes what it allows") func strict() throws {
    try client.admin.ok("WORKSPACE.SET acme policy.scim.profile strict")
    #expect(try client.get("/ServiceProviderConfig")("interopProfileConformant") == "true")
    let unknown = try client.send("POST", "/Users", #"{"userName":"a","shoeSize":4}"#)
    #expect(unknown.status == 400 && unknown("scimType") == "invalidSyntax")
    let id = try client.made("ana")
    #expect(try client.patch("/Users/\(id)", #"{"op":"replace","value":{"active":false}}"#)("scimType") == "noTarget")
    #expect(try client.patch("/Users/\(id)", #"{"op":"replace","path":"active","value":false}"#)("active") == "false")
    #expect(try client.get("/Users", secret: client.otherSecret).status == 200)
    #expect(try client.get("/ServiceProviderConfig", secret: client.otherSecret)("interopProfileConformant") == nil)
  }

  private static let library = PythonLibrary.find(
    "scim2", "GATEHOUSE_SCIM2_PYTHON", "scim2-cli==0.6.0", module: "scim2_cli")

  @Test("scim2-cli finds nothing to complain of") func conformance() throws {
    guard case .ready(let python) = Self.library else {
      Issue.record("scim2-cli is not to be had: \(Self.library)")
      return
    }
    let program = python.replacing("/bin/python", with: "/bin/scim2")
    let url = "http://127.0.0.1:\(client.server.httpPort)/scim/v2"
    let run = try runProgram(
      program, ["--url", url, "-h", "Authorization: Bearer \(client.secret)", "test"], limit: .seconds(120))
    let lines = (run.output + run.errors).split(separator: "\n")
    #expect(lines.filter { $0.contains("SUCCESS") }.count > 80)
    let faults = lines.enumerated().filter { $0.element.hasPrefix("ERROR") || $0.element.hasPrefix("CRITICAL") }
      .map { "\($0.element): \(lines.dropFirst($0.offset + 1).first ?? "")" }
    // The one thing that it asks for and nobody can have: a person without a status.
    let intended = "active cannot be removed, because everybody has a status; set it to false"
    #expect(faults.count == 1 && faults[0].contains(intended), "\(faults.joined(separator: "\n"))")
  }

  private static let sanity = PythonLibrary.find(
    "scim-sanity", "GATEHOUSE_SCIM_SANITY_PYTHON", "scim-sanity==0.7.4", module: "scim_sanity")

  /// Groups are access, roles and departments, whose times are in the audit trail; a change of theirs is answered with 204, as
  /// RFC 7644 (3.5.2) allows, because a group may have a million members; and a member must be somebody.
  @Test("scim-sanity asks of groups for what they do not have, and for nothing else") func sanity() throws {
    guard case .ready(let python) = Self.sanity else {
      Issue.record("scim-sanity is not to be had: \(Self.sanity)")
      return
    }
    let run = try runProgram(
      python.replacing("/bin/python", with: "/bin/scim-sanity"),
      [
        "probe", "http://127.0.0.1:\(client.server.httpPort)/scim/v2", "--token", client.secret, "--strict",
        "--i-accept-side-effects",
      ], limit: .seconds(120))
    let lines = run.output.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }
    #expect(lines.count { $0.hasPrefix("[PASS] ") } >= 20, "\(run.output)\(run.errors)")
    let faults = lines.indices.filter { lines[$0].hasPrefix("[FAIL] ") }.map { index in
      let reasons = lines[(index + 1)...].prefix { !$0.hasPrefix("[") && !$0.hasPrefix("Phase") }
      return "\(lines[index].dropFirst("[FAIL] ".count)): \(reasons.map { $0.prefix { $0 != "(" } }.joined())"
    }
    let times =
      "meta.created must be present in server response meta.lastModified must be present in server response "
    #expect(
      faults == [
        "POST /Groups: \(times)", "GET /Groups/{id}: \(times)", "PUT /Groups/{id}: \(times)",
        "PATCH /Groups/{id}: Expected HTTP 200, got 204 Response body is empty",
        "PATCH /Groups/{id} add member: Expected 200, got 400",
        "PATCH /Groups/{id} remove members: Expected 200, got 204",
      ])
  }
}
