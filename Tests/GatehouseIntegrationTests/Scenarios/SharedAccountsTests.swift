import GatehouseTestSupport
import Testing

/// System T: one set of user accounts for a time tracker and a leave planner (actiTIME and actiPLANS).
@Suite("T: shared accounts across products")
struct SharedAccountsTests {
  let server: TestServer
  let gate: Client

  init() throws {
    server = try TestServer()
    gate = try server.client()
    try gate.ok("PRODUCT.CREATE time")
    try gate.ok("PRODUCT.CREATE leave")
  }

  @Test("T1, T5: a user created through one product exists in the other at once, without access to it")
  func madeThroughOne() throws {
    let ana = try gate.fields("USER.CREATE ana@acme.test FIRST Ana LAST Lima PRODUCT time")
    #expect(ana["username"] == "ana@acme.test")
    #expect(ana["status"] == "active")

    #expect(try gate.text("LOGIN.CHECK ana@acme.test time") == "ALLOW")
    #expect(try gate.text("LOGIN.CHECK ana@acme.test leave") == "DENY product-disabled")
    #expect(try gate.text("LOGIN.CHECK nobody@acme.test leave") == "DENY unknown-user")
    #expect(try gate.text("LOGIN.CHECK ana@acme.test payroll") == "DENY unknown-product")
  }

  @Test("T2: names, department, time zone, hire and release dates are shared by all products")
  func sharedSettings() throws {
    try gate.ok("USER.CREATE ana@acme.test FIRST Ana LAST Lima PRODUCT time PRODUCT leave")
    let inTime = try gate.fields("SESSION.CREATE ana@acme.test time")
    let own = gate.acting(as: try #require(inTime["session"]))

    let changed = try gate.integer(
      "USER.SET ana@acme.test first Anna middle M department Finance timezone Europe/Lisbon hired 2024-02-01")
    #expect(changed == 5)

    let seen = try own.fields("USER.GET ana@acme.test")
    #expect(seen["first"] == "Anna")
    #expect(seen["middle"] == "M")
    #expect(seen["last"] == "Lima")
    #expect(seen["department"] == "Finance")
    #expect(seen["timezone"] == "Europe/Lisbon")
    #expect(seen["hired"] == "2024-02-01")

    try gate.ok("USER.RENAME ana@acme.test anna@acme.test")
    for product in ["time", "leave"] {
      #expect(try gate.text("LOGIN.CHECK anna@acme.test \(product)") == "ALLOW")
      #expect(try gate.text("LOGIN.CHECK ana@acme.test \(product)") == "DENY unknown-user")
    }
  }

  @Test("T3, T10: access is enabled and disabled for one product alone")
  func accessPerProduct() throws {
    try gate.ok("USER.CREATE bo PRODUCT time PRODUCT leave")
    let inLeave = try #require(try gate.fields("SESSION.CREATE bo leave")["session"])
    let inTime = try #require(try gate.fields("SESSION.CREATE bo time")["session"])

    try gate.ok("PRODUCT.DISABLE bo leave")
    #expect(try gate.text("LOGIN.CHECK bo leave") == "DENY product-disabled")
    #expect(try gate.text("LOGIN.CHECK bo time") == "ALLOW")
    // The session in the disabled product ends at once, the other continues.
    #expect(try gate.isNull("SESSION.CHECK \(inLeave)"))
    #expect(try gate.fields("SESSION.CHECK \(inTime)")["product"] == "time")
    #expect(try gate.fields("USER.GET bo")["status"] == "active")

    try gate.ok("PRODUCT.ENABLE bo leave")
    #expect(try gate.text("LOGIN.CHECK bo leave") == "ALLOW")
    // An ended session does not come back with the access.
    #expect(try gate.isNull("SESSION.CHECK \(inLeave)"))
  }

  @Test("T4: the list of users shows and filters by access to another product")
  func listByProduct() throws {
    try gate.ok("USER.CREATE ana PRODUCT time")
    try gate.ok("USER.CREATE bo PRODUCT time PRODUCT leave")
    try gate.ok("USER.CREATE cy PRODUCT leave")

    let inLeave = try gate.pages("USER.LIST WHERE product = leave SORT username")
    #expect(inLeave.map { $0["username"] } == ["bo", "cy"])
    #expect(try gate.integer("USER.COUNT WHERE product = time") == 2)
    #expect(try gate.integer("USER.COUNT WHERE product = time WHERE product = leave") == 1)
    #expect(try gate.integer("USER.COUNT") == 3)
  }

  @Test("T6: seats count enabled access only")
  func seatsOfEnabled() throws {
    try gate.ok("POOL.SET time * 2")
    try gate.ok("USER.CREATE ana PRODUCT time")
    try gate.ok("USER.CREATE bo PRODUCT time")
    #expect(try used("time") == 2)

    try gate.refused("USER.CREATE cy PRODUCT time", with: "NOSEATS")
    #expect(try gate.text("LOGIN.CHECK cy time") == "DENY unknown-user", "a refused command leaves nothing behind")
    try gate.ok("USER.CREATE cy PRODUCT leave")
    let refusal = try gate.refused("PRODUCT.ENABLE cy time", with: "NOSEATS")
    #expect(refusal.contains("bought 2") && refusal.contains("used 2"))

    try gate.ok("PRODUCT.DISABLE ana time")
    #expect(try used("time") == 1)
    try gate.ok("PRODUCT.ENABLE cy time")
    try gate.refused("PRODUCT.ENABLE ana time", with: "NOSEATS")
    #expect(try used("time") == 2)

    try gate.ok("USER.DELETE cy REASON 'left the company'")
    #expect(try used("time") == 1, "deleting gives the seat back")
    try gate.refused("POOL.SET time * 0", with: "REFUSED pool:")
  }

  @Test("T7: administrator in one product, regular user in the other")
  func permissionPerProduct() throws {
    try gate.ok("USER.CREATE ana")
    try gate.ok("PRODUCT.ENABLE ana time ADMIN")
    try gate.ok("PRODUCT.ENABLE ana leave REGULAR")
    let products = try access(of: "ana")
    #expect(products["time"] == "1")
    #expect(products["leave"] == "0")
  }

  @Test("T8: an edit of shared data names the products it touched")
  func editTouchesAll() throws {
    try gate.ok("USER.CREATE boss")
    try gate.ok("PRODUCT.ENABLE boss time ADMIN")
    try gate.ok("PRODUCT.ENABLE boss leave REGULAR")
    try gate.ok("USER.CREATE ana FIRST Ana PRODUCT time PRODUCT leave")
    let boss = gate.acting(as: try #require(try gate.fields("SESSION.CREATE boss time")["session"]))

    try boss.ok("USER.SET ana last Lima")
    #expect(try gate.fields("USER.GET ana")["last"] == "Lima")

    let events = try gate.pages("AUDIT.LIST USER ana")
    let edit = try #require(events.first { $0["command"] == "USER.SET" })
    #expect(edit["actor"] == "boss")
    let changes = edit.shown("changes")
    #expect(changes.contains("time") && changes.contains("leave"))
  }

  @Test("T9: deleting a user deletes in every product")
  func deleteEverywhere() throws {
    try gate.ok("USER.CREATE ana PRODUCT time PRODUCT leave")
    let token = try #require(try gate.fields("SESSION.CREATE ana time")["session"])
    try gate.ok("USER.DELETE ana REASON 'left the company'")
    for product in ["time", "leave"] {
      #expect(try gate.text("LOGIN.CHECK ana \(product)") == "DENY status-deleted")
    }
    #expect(try gate.isNull("SESSION.CHECK \(token)"))
  }

  @Test("T11: a user with tracked time is not deleted, and the refusal says what to do instead")
  func keepTracked() throws {
    try gate.ok("USER.CREATE ana PRODUCT time PRODUCT leave")
    try gate.ok("TIMER.START ana NOTE 'year end'")
    let running = try gate.refused("USER.DELETE ana REASON left", with: "REFUSED delete.keep-tracked:")
    #expect(running.contains(";"), "a refusal names its remedy after the why")

    try gate.ok("TIMER.STOP ana")
    try gate.refused("USER.DELETE ana REASON left", with: "REFUSED delete.keep-tracked:")

    // The remedy: disable the access.
    try gate.ok("PRODUCT.DISABLE ana time")
    try gate.ok("PRODUCT.DISABLE ana leave")
    #expect(try gate.text("LOGIN.CHECK ana time") == "DENY product-disabled")

    try gate.ok("WORKSPACE.SET main policy.delete.keep-tracked off")
    try gate.ok("USER.DELETE ana REASON left")
    #expect(try gate.text("LOGIN.CHECK ana time") == "DENY status-deleted")
  }

  // MARK: -

  private func used(_ product: String) throws -> Int64? {
    try gate.list("POOL.LIST \(product)").first?.integer("used")
  }

  /// Product names, and whether the user administers them.
  private func access(of user: String) throws -> [String: String] {
    let products = try #require(try gate.fields("USER.GET \(user)").value("products"))
    var result: [String: String] = [:]
    for item in products.items {
      guard let product = Fields(item), let name = product["product"] else { continue }
      result[name] = product["admin"]
    }
    return result
  }
}
