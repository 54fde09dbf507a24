import GatehouseTestSupport
import GatehouseWire
import Testing

@Suite("gatehousectl import: employments, roles with scopes, and whom somebody looks after")
struct ImportTiesTests {
  private static let mixed = """
    username,manages,employments
    boss,"ana;user:bo;account:Widgets",Widgets@2024-01-01..
    ana,nobody,
    bo,,Nowhere
    self,user:SELF,
    cy,,Widgets@soon
    dee,,Widgets;main/widgets@..2025-01-01

    """

  private static let refusals = [
    "line 4, column employments: NOTFOUND account Nowhere", "line 5, column manages: nobody looks after themselves",
    "line 6, column employments: '@soon' behind Widgets is not from..to, such as @2026-03-01..2026-12-31, or @main",
    "line 7, column employments: main/widgets is named twice",
  ]

  @Test("L8, L9, P5: a manager may come before those looked after; what is refused names line and column, and all is")
  func allOrNone() throws {
    let world = try PeopleServer()
    try world.gate.ok("ACCOUNT.CREATE Widgets CUSTOMER")
    for options in [["--dry-run"], []] {
      let result = try world.load(bytes: Array(Self.mixed.utf8), options)
      #expect(result.code == 1)
      #expect(
        PeopleServer.lines(result) == Self.refusals + [
          "line 3, column manages: NOTFOUND user nobody, and nobody of that name is in the file",
          "6 rows: 1 user to create, 5 rows refused; nothing was written",
        ], "\(result.output)\(result.errors)")
      #expect(try world.gate.integer("USER.COUNT") == 0)
    }

    // With --keep-going a user comes with all but the links to those who did not.
    let going = try world.load(Self.mixed, "--keep-going")
    #expect(
      PeopleServer.lines(going) == Self.refusals + [
        "line 2, column manages: NOTFOUND user bo", "line 3, column manages: NOTFOUND user nobody",
        "6 rows: 2 users created, 1 management link made, 2 management links refused, 4 rows refused",
      ], "\(going.output)\(going.errors)")
    #expect(going.code == 1)
    let links = { try world.gate.list("MANAGE.LIST boss").map { "\($0["kind"] ?? "") \($0["name"] ?? "")" } }
    #expect(try links() == ["account Widgets", "user ana"])
    #expect(try world.gate.list("EMPLOY.LIST boss").map { $0["from"] } == ["2024-01-01"])

    // Run again with what was missing: it goes on, and a third time nothing is left to do.
    let mended = "username,manages\nboss,ana bo\nboss2,user:boss\nbo,\n"
    let wrong = try world.load(mended)
    #expect(wrong.output.hasPrefix("line 2, column manages: NOTFOUND user ana bo"), "\(wrong.output)")
    let file = mended.replacing("ana bo", with: "ana;bo")
    #expect(
      try world.load(file).output
        == "3 rows: 2 users created, 1 already there, 2 management links made, 0 rows refused\n")
    #expect(try world.load(file).output == "3 rows: 0 users created, 3 already there, 0 rows refused\n")
    #expect(try links() == ["account Widgets", "user ana", "user bo"])
  }

  @Test("L11, T7, B7: roles with scopes of their own in one row, the first is the main one; JSON lines say the same")
  func roles() throws {
    let world = try PeopleServer()
    try world.gate.ok("PRODUCT.CREATE time")
    try world.gate.ok("ACCOUNT.CREATE 'Smith & Sons' CUSTOMER")
    let file = #"""
      {"username": "ana", "roles": ["manager@account:\"Smith & Sons\"", "individual@everywhere@..2090-01-01"], "products": ["time@admin"], "employments": ["Smith & Sons@..2090-01-01"]}

      """#
    let result = try world.load(file, name: "people.jsonl")
    #expect(result.output == "1 row: 1 user created, 0 rows refused\n", "\(result.output)\(result.errors)")
    #expect(
      try world.gate.list("ROLE.LIST ana").map { "\($0["role"] ?? "") \($0["scope"] ?? "") \($0["main"] ?? "")" }
        == ["manager account Smith & Sons 1", "individual everywhere 0"])
    let products = try world.gate.fields("USER.GET ana").value("products")?.elements ?? []
    #expect(products.map { $0["admin"]?.integer } == [1])
    #expect(try world.gate.list("EMPLOY.LIST ana").map { $0["to"] } == ["2090-01-01"])
    #expect(
      try world.load(file, name: "people.jsonl").output == "1 row: 0 users created, 1 already there, 0 rows refused\n")
  }

  @Test(
    "what provisioning systems keep comes with the user; two rows with one identifier are told before any is written")
  func provisioned() throws {
    let world = try PeopleServer()
    let file = "username,provisioned\nana,externalId@7;title@Boss\nbo,title@x;externalId@7\ncy,externalId\n"
    let refused = try world.load(file)
    #expect(
      PeopleServer.lines(refused) == [
        "line 3, column provisioned: line 2 has the same externalId",
        "line 4, column provisioned: 'externalId' is an attribute without a value; write attribute@value, the value in"
          + " quotes",
        "3 rows: 1 user to create, 2 rows refused; nothing was written",
      ], "\(refused.output)\(refused.errors)")
    let mended = "username,provisioned\nana,externalId@7;title@Boss\nbo,title@x\n"
    #expect(try world.load(mended).output == "2 rows: 2 users created, 0 rows refused\n")
    #expect(try world.load(mended).output == "2 rows: 0 users created, 2 already there, 0 rows refused\n")
    #expect(try world.gate.fields("USER.EXTERNAL 7")["username"] == "ana")
    // Somebody else has it by now.
    let taken = try world.load("username,provisioned\ndee,externalId@7\n")
    #expect(
      PeopleServer.lines(taken).first?.hasPrefix(
        "line 2, column provisioned: CONFLICT externalId: 7 belongs to another user of main") == true, "\(taken.output)"
    )
  }
}
