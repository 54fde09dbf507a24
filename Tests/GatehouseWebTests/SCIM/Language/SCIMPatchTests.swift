import GatehouseTestSupport
import Testing

@testable import GatehouseWeb

/// What operations make of a resource.
struct SCIMPatchTests {
  private static let schemas = SCIMSchemas.users(fields: [.text("shoe", "The size")])

  private func patched(_ resource: String, _ operations: String, isStrict: Bool = false) async throws -> String {
    let normal = SCIMNormal(schemas: Self.schemas, isStrict: isStrict)
    let body = #"{"schemas":["\#(SCIMSchemas.patch)"],"Operations":[\#(operations)]}"#
    let patch = try SCIMPatch(try JSON(text: body), isStrict: isStrict)
    return try await patch.applied(to: try JSON(text: resource), normal).text
  }

  @Test(
    "what is set, by a path or without one",
    arguments: [
      (#"{"op":"replace","path":"title","value":"B"}"#, #"{"title":"B"}"#),
      (#"{"op":"Add","path":"TITLE","value":"B"}"#, #"{"title":"B"}"#),
      (#"{"op":"replace","value":{"title":"B","active":"False","unknown":1}}"#, #"{"active":false,"title":"B"}"#),
      (#"{"op":"replace","value":{"name.familyName":"L"}}"#, #"{"name":{"familyName":"L"},"title":"A"}"#),
      (#"{"op":"remove","path":"title"}"#, "{}"),
      (#"{"op":"replace","path":"title","value":null},{"op":"add","path":"nickName","value":"N"}"#, nil),
      (
        #"{"op":"add","path":"name","value":{"givenName":"G"}},{"op":"add","path":"name","value":{"familyName":"F"}}"#,
        #"{"name":{"familyName":"F","givenName":"G"},"title":"A"}"#
      ),
      (
        #"{"op":"add","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager","value":"7"}"#,
        #"{"title":"A","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"manager":{"value":"7"}}}"#
      ),
      (
        #"{"op":"add","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User.department","value":"D"}"#,
        #"{"title":"A","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":"D"}}"#
      ),
      (
        #"{"op":"add","value":{"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:costCenter":"C"}}"#,
        #"{"title":"A","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"costCenter":"C"}}"#
      ),
    ] as [(String, String?)]) func simple(_ operations: String, _ expected: String?) async throws
  {
    guard let expected else {
      await #expect(throws: SCIMError.invalid(.invalidValue, "replace title has no value")) {
        try await patched(#"{"title":"A"}"#, operations)
      }
      return
    }
    let result = try JSON(text: try await patched(#"{"title":"A"}"#, operations))
    #expect(result.isSame(as: try JSON(text: expected)), "\(result.text)")
  }

  private static let emails = #"{"emails":[{"value":"a","type":"work","primary":true},{"value":"b","type":"home"}]}"#

  @Test(
    "values of lists, by filters and by values",
    arguments: [
      (
        #"{"op":"replace","path":"emails[type eq \"work\"].value","value":"c"}"#,
        #"[{"value":"c","type":"work","primary":true},{"value":"b","type":"home"}]"#
      ),
      (
        #"{"op":"add","path":"emails[type eq \"other\"].value","value":"c"}"#,
        #"[{"value":"a","type":"work","primary":true},{"value":"b","type":"home"},{"type":"other","value":"c"}]"#
      ),
      (#"{"op":"remove","path":"emails[type eq \"work\" or value eq \"b\"]"}"#, "null"),
      (#"{"op":"remove","path":"emails","value":[{"value":"a"}]}"#, #"[{"value":"b","type":"home"}]"#),
      (
        #"{"op":"remove","path":"emails[value eq \"x\"]"}"#,
        #"[{"value":"a","type":"work","primary":true},{"value":"b","type":"home"}]"#
      ),
      (
        #"{"op":"add","path":"emails","value":{"value":"c","primary":true}}"#,
        #"[{"value":"a","type":"work","primary":false},{"value":"b","type":"home"},{"value":"c","primary":true}]"#
      ),
      (
        #"{"op":"add","path":"emails","value":[{"type":"home","value":"b"}]}"#,
        #"[{"value":"a","type":"work","primary":true},{"value":"b","type":"home"}]"#
      ),
      (#"{"op":"replace","path":"emails","value":[{"value":"c"}]}"#, #"[{"value":"c"}]"#),
      (
        #"{"op":"remove","path":"emails[type eq \"home\"].type"}"#,
        #"[{"value":"a","type":"work","primary":true},{"value":"b"}]"#
      ),
    ]) func lists(_ operation: String, _ expected: String) async throws
  {
    let result = try JSON(text: try await patched(Self.emails, operation))["emails"] ?? .null
    #expect(result.isSame(as: try JSON(text: expected)), "\(result.text)")
  }

  @Test(
    "what cannot be is refused whole",
    arguments: [
      (#"{"op":"remove"}"#, SCIMError.invalid(.noTarget, "remove needs a path")),
      (#"{"op":"move","path":"title"}"#, .invalid(.invalidSyntax, "op must be add, replace or remove, not 'move'")),
      (#"{"op":"add","path":"groups","value":[{"value":"1"}]}"#, .invalid(.mutability, "groups is read-only")),
      (
        #"{"op":"add","path":"nothing","value":1}"#,
        .invalid(.invalidPath, "there is no attribute nothing; /Schemas lists those that there are")
      ),
      (#"{"op":"replace","path":"active","value":"perhaps"}"#, .invalid(.invalidValue, "active must be true or false")),
      (#"{"op":"replace","path":"title","value":{"a":1}}"#, .invalid(.invalidValue, "title must be a text")),
      (
        #"{"op":"replace","path":"name[familyName eq \"x\"]","value":{}}"#,
        .invalid(.invalidPath, "name has one value, so no filter")
      ),
    ]) func refusals(_ operation: String, _ error: SCIMError) async
  {
    await #expect(throws: error) { try await patched(Self.emails, operation) }
  }

  @Test("the strict profile takes no word in another case, and nothing without a path") func strict() async {
    await #expect(throws: SCIMError.self) {
      try await patched("{}", #"{"op":"Add","path":"title","value":"x"}"#, isStrict: true)
    }
    await #expect(throws: SCIMError.invalid(.noTarget, "an operation without a path")) {
      try await patched("{}", #"{"op":"add","value":{"title":"x"}}"#, isStrict: true)
    }
    await #expect(throws: SCIMError.invalid(.noTarget, "no value of emails meets the filter")) {
      try await patched("{}", #"{"op":"add","path":"emails[type eq \"work\"].value","value":"x"}"#, isStrict: true)
    }
    await #expect(throws: SCIMError.invalid(.invalidValue, "active must be true or false")) {
      try await patched("{}", #"{"op":"replace","path":"active","value":"False"}"#, isStrict: true)
    }
  }
}
