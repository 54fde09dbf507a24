import GatehouseTestSupport
import Testing

/// System L: accounts, groups, employments and managers (accessplanit), over TCP and through a crash.
@Suite("L: accounts and employments", .blocking)
struct AccountsTests {
  private static let company = [
    "PRODUCT.CREATE training", "ACCOUNT.CREATE Academy PROVIDER", "ACCOUNT.CREATE Widgets CUSTOMER",
    "ACCOUNT.CREATE Gadgets CUSTOMER", "GROUP.CREATE Europe", "GROUP.ADD Europe Widgets Gadgets",
    "USER.CREATE mia FIRST Mia LAST Moss EMAIL mia@w.test PRODUCT training ACCOUNT Widgets ROLE manager",
    "USER.CREATE eva PRODUCT training", "ROLE.GRANT eva manager", "MANAGE.ADD eva GROUP Europe",
    "MANAGE.ADD eva USER mia", "USER.CREATE ana PRODUCT training", "USER.CREATE bob PRODUCT training",
    "USER.CREATE guest PRODUCT training", "EMPLOY.ADD ana Widgets FROM 2020-01-01", "EMPLOY.ADD ana Gadgets",
    "EMPLOY.ADD bob Gadgets FROM 2020-01-01 TO 2021-12-31", "EMPLOY.ADD bob Academy FROM 2022-01-01 MAIN",
  ]

  @Test(
    "L7, L8, L9, L10, L20, L22: what was said of accounts and people holds, and holds again after a kill",
    arguments: [1, 3])
  func accounts(lanes: Int) throws {
    let server = try TestServer(.init(lanes: lanes))
    let gate = try server.client()
    for line in Self.company { _ = try gate.reply(line) }
    try check(gate)
    server.kill()
    try server.start()
    let later = try server.client()
    try check(later)
    // What is taken away is gone at once, and for good.
    let mia = later.acting(as: try #require(try later.fields("SESSION.CREATE mia training")["session"]))
    #expect(try mia.fields("USER.GET ana")["username"] == "ana")
    try later.ok("EMPLOY.END ana Widgets")
    try mia.refused("USER.GET ana", with: "NOTFOUND user ana")
    server.kill()
    try server.start()
    let last = try server.client()
    #expect(try last.fields("USER.GET ana")["account"] == "Gadgets")
    let again = last.acting(as: try #require(try last.fields("SESSION.CREATE mia training")["session"]))
    try again.refused("USER.GET ana", with: "NOTFOUND user ana")
    try last.refused("ACCOUNT.DELETE Gadgets", with: "REFUSED account: 1 (ana) is employed at Gadgets")
  }

  private func check(_ gate: Client) throws {
    func names(_ client: Client, _ line: String) throws -> [String] {
      try client.pages(line).compactMap { $0.has("username") ? $0["username"] : $0["name"] }
    }
    #expect(try names(gate, "ACCOUNT.LIST") == ["Academy", "Widgets", "Gadgets", "Guest Account"])
    #expect(try names(gate, "ACCOUNT.LIST GROUP Europe") == ["Widgets", "Gadgets"])
    #expect(try names(gate, "USER.LIST WHERE account = Widgets SORT username") == ["ana", "mia"])
    #expect(try names(gate, "USER.LIST WHERE account = Academy") == ["bob"])
    #expect(try names(gate, "USER.LIST WHERE group = Europe SORT username") == ["ana", "mia"])
    #expect(try names(gate, "USER.LIST WHERE account = 'Guest Account' SORT username") == ["eva", "guest"])
    #expect(try gate.list("EMPLOY.LIST bob").map { $0["current"] } == ["0", "1"])
    let mia = gate.acting(as: try #require(try gate.fields("SESSION.CREATE mia training")["session"]))
    #expect(try names(mia, "USER.LIST SORT username") == ["ana", "mia"])
    let eva = gate.acting(as: try #require(try gate.fields("SESSION.CREATE eva training")["session"]))
    #expect(try names(eva, "USER.LIST SORT username") == ["ana", "eva", "mia"])
    try eva.refused("USER.GET bob", with: "NOTFOUND user bob")
    #expect(try gate.list("MANAGE.LIST eva").map { $0["name"] } == ["Europe", "mia"])
  }
}
