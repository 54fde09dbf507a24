import Testing

@testable import GatehouseCore

/// `PERMISSION.CHECK`: the rules that enforce commands, asked about anybody.
@Suite struct PermissionCheckTests {
  let core = CoreHarness(partitions: 8)

  init() {
    core.run("WORKSPACE.CREATE west")
    for product in ["payroll", "west/desk"] { core.run("PRODUCT.CREATE \(product)") }
    for name in ["ana", "bob"] { core.run("USER.CREATE \(name) PRODUCT payroll NOINVITE") }
    core.run("USER.CREATE root PRODUCT payroll ROLE super-administrator NOINVITE")
    core.run("USER.CREATE wes WORKSPACE west PRODUCT west/desk NOINVITE")
    core.run("ROLE.GRANT bob training-administrator WORKSPACE west")
  }

  /// What is missing for each permission; `yes` for nothing.
  private func check(_ words: String) -> [String] {
    let reply = core.run("PERMISSION.CHECK \(words)")
    if let text = reply.text { return [text] }
    return reply.items.map { $0["allowed"].integer == 1 ? "yes" : $0["detail"].text ?? "no detail" }
  }

  @Test("a permission is held over a person, a place, or the whole server")
  func scopes() {
    #expect(check("root user.rename user.create") == ["yes", "yes"])
    #expect(check("bob user.create") == ["the permission user.create over the whole server"])
    #expect(check("bob user.create WORKSPACE west") == ["yes"])
    #expect(check("bob user.create WORKSPACE main") == ["the permission user.create in the workspace main"])
    #expect(check("bob product.access PRODUCT west/desk") == ["yes"])
    #expect(check("bob user.rename OVER wes") == ["yes"])
    #expect(
      check("bob user.rename OVER ana")
        == ["the permission user.rename in main, the home workspace of ana, which alone governs who somebody is"])
    #expect(check("ana user.rename OVER root").count == 1)
  }

  @Test("L10: nobody below a super administrator manages one")
  func superiors() {
    core.run("ROLE.GRANT wes super-administrator WORKSPACE west")
    #expect(
      check("bob user.rename OVER wes") == ["the role super-administrator, to manage a super administrator"])
  }

  @Test("one's own things need no grant, and a user who may not log in may do nothing")
  func own() {
    #expect(check("ana timer.own OVER ana") == ["yes"])
    #expect(check("ana timer.own OVER bob") != ["yes"])
    core.run("USER.CREATE boss ROLE super-administrator NOINVITE")
    #expect(core.run("USER.STATUS root inactive").text == "OK")
    #expect(check("root user.rename OVER ana") == ["the user's status is inactive"])
  }

  @Test("what the command would be refused is what the question is denied")
  func agreesWithTheCommand() {
    let bob = core.run("SESSION.CREATE bob payroll")["session"].text ?? ""
    for (target, isAllowed) in [("wes", true), ("ana", false), ("root", false)] {
      #expect((check("bob user.rename OVER \(target)") == ["yes"]) == isAllowed)
      let refusal = core.run("AS \(bob) USER.RENAME \(target) \(target)2").text ?? ""
      #expect((refusal == "OK") == isAllowed, "\(refusal)")
      if isAllowed { core.run("USER.RENAME \(target)2 \(target)") }
    }
  }

  @Test("W4: of grants in a workspace that the caller does not see, nothing is told")
  func tenancy() {
    let bob = core.run("SESSION.CREATE bob payroll")["session"].text ?? ""
    core.run("ROLE.REVOKE bob training-administrator WORKSPACE west")
    core.run("ROLE.GRANT bob training-administrator WORKSPACE main")
    core.run("ROLE.GRANT root training-administrator WORKSPACE west")
    // Bob administers main, and does not know west.
    #expect(
      core.run("AS \(bob) PERMISSION.CHECK root user.create WORKSPACE west").text
        == core.run("AS \(bob) PERMISSION.CHECK root user.create WORKSPACE nowhere").text?
        .replacing("nowhere", with: "west"))
  }

  @Test("bad words are named")
  func refusals() {
    #expect(check("ana nonsense") == ["NOTFOUND permission nonsense; PERMISSION.LIST names them"])
    #expect(check("nobody user.read") == ["NOTFOUND user nobody"])
    #expect(check("ana")[0].hasPrefix("ERR "))
  }
}
