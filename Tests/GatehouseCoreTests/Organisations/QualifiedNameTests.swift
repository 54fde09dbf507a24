import GatehouseTestSupport
import Testing

@testable import GatehouseCore

/// L7, W4: names of accounts and groups with a workspace in front mean one thing.
@Suite struct QualifiedNameTests {
  let core = CoreHarness(partitions: 4)

  init() {
    core.run("WORKSPACE.CREATE acme")
    core.run("PRODUCT.CREATE acme/app")
  }

  @Test("in main no new name reads as one of another workspace, be there such a one or not")
  func refused() {
    core.run("ACCOUNT.CREATE Widgets CUSTOMER")
    core.run("GROUP.CREATE North")
    for name in ["acme/X", "ACME/x", "nobody/X", "a/S Norden", "x/y/z"] {
      for line in [
        "ACCOUNT.CREATE \"\(name)\" CUSTOMER", "ACCOUNT.SET Widgets name \"\(name)\"", "GROUP.CREATE \"\(name)\"",
        "GROUP.RENAME North \"\(name)\"", "ACCOUNT.SET \"Guest Account\" name \"\(name)\"",
      ] {
        #expect(
          core.run(line).text
            == "ERR name reads as one of a workspace \(name.prefix { $0 != "/" }), which would stand in front of the slash;"
            + " leave a blank before the slash, or write another sign", "\(line)")
      }
    }
    for name in ["Novo Nordisk A/S", "a /S Norden", "/x", "Ł/x", "_a/x"] {
      #expect(!core.run("ACCOUNT.CREATE \"\(name)\" CUSTOMER").isError, "\(name)")
      #expect(core.run("ACCOUNT.GET \"\(name)\"")["name"].text == name)
    }
    // In another workspace its own name stands in front in any case.
    #expect(!core.run("ACCOUNT.CREATE other/X CUSTOMER WORKSPACE acme").isError)
    #expect(core.run("ACCOUNT.GET acme/other/X")["name"].text == "other/X")
  }

  @Test("names that earlier versions took are shown with main in front, found, and can be changed")
  func former() throws {
    core.apply(
      AccountCreated(1, mainWorkspace, name: "acme/X", .customer), GroupCreated(1, mainWorkspace, name: "acme/G"))
    #expect(core.run("ACCOUNT.GET acme/X")["workspace"].text == "main", "as long as nothing else is meant by it")
    #expect(core.run("ACCOUNT.GET main/acme/X")["id"].integer == 1)
    #expect(core.run("GROUP.GET main/acme/G")["id"].integer == 1 && !core.run("GROUP.GET acme/G").isError)
    core.run("USER.CREATE ana WORKSPACE main ACCOUNT acme/X NOINVITE")
    #expect(core.run("USER.GET ana")["account"].text == "main/acme/X")
    core.run("ROLE.GRANT ana manager ACCOUNT main/acme/X")
    #expect(core.run("ROLE.LIST ana")[0]["scope"].text == "account main/acme/X")
    // What is shown of another workspace leads there, and not here.
    core.run("ACCOUNT.CREATE X CUSTOMER WORKSPACE acme")
    #expect(core.run("ACCOUNT.GET acme/X")["workspace"].text == "acme")
    #expect(core.run("ACCOUNT.GET main/acme/X")["id"].integer == 1)
    #expect(core.run("ACCOUNT.GET acme/X WORKSPACE main")["id"].integer == 1)
    // Whoever does not know that workspace has their own account by its name, and learns nothing of the other (W4).
    core.run("SERVICE.CREATE all ADMIN")
    let service = core.run("SERVICE.CREATE web ADMIN WORKSPACE main")["id"].integer ?? 0
    let free = core.connection
    core.connection = ConnectionFacts(id: 2, service: ServiceID(service), rights: .all, isBound: true)
    #expect(core.run("ACCOUNT.GET acme/X")["id"].integer == 1)
    core.connection = free
    #expect(core.run("ACCOUNT.SET #1 name acme/X type provider").integer == 1, "the name that it has is no new one")
    #expect(core.run("ACCOUNT.SET main/acme/X name \"X of acme\"").integer == 1)
    #expect(core.run("GROUP.RENAME #1 \"G of acme\"").text == "OK")
    #expect(core.run("USER.GET ana")["account"].text == "X of acme")
    try core.restart()
    #expect(core.run("ACCOUNT.GET \"X of acme\"")["id"].integer == 1)
  }
}
