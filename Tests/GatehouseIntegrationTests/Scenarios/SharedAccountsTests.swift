import GatehouseTestSupport
import Testing

/// System T: one set of user accounts for a time tracker and a leave planner (actiTIME and actiPLANS).
@Suite("T: shared accounts across products", .blocking)
struct SharedAccountsTests {
  let server: TestServer
  let gate: Client

  init() throws {
    server = try TestServer()
    gate = try server.client()
    try gate.ok("WORKSPACE.CREATE acme PROFILE actitime")
    for product in ["time", "leave"] {
      try gate.ok("PRODUCT.CREATE acme/\(product)")
      try gate.ok("POOL.SET acme/\(product) * 3")
    }
    try gate.ok("USER.CREATE boss WORKSPACE acme PRODUCT acme/time ROLE training-administrator WITHIN NOINVITE")
  }

  @Test("T1: a user made through one product exists at once in the other, and the other way round")
  func madeThroughOne() throws {
    try gate.ok("PRODUCT.ENABLE boss acme/leave")
    let (inTime, inLeave) = (try gate.loggedIn("boss", to: "acme/time"), try gate.loggedIn("boss", to: "acme/leave"))
    try inTime.ok("USER.CREATE ana@acme.test WORKSPACE acme FIRST Ana LAST Lima PRODUCT acme/time")
    try inLeave.ok("USER.CREATE bo@acme.test WORKSPACE acme FIRST Bo LAST Berg PRODUCT acme/leave")
    for boss in [inTime, inLeave] {
      #expect(
        try boss.pages("USER.LIST SORT username FIELDS 1 username").map { $0["username"] } == [
          "ana@acme.test", "bo@acme.test", "boss",
        ])
    }
    #expect(try gate.text("LOGIN.CHECK nobody@acme.test acme/leave") == "DENY unknown-user")
    #expect(try gate.text("LOGIN.CHECK ana@acme.test acme/payroll") == "DENY unknown-product")
  }

  @Test("T2: username, names, department, time zone, dates, schedule and leave are shared by all products")
  func sharedSettings() throws {
    try gate.ok("PRODUCT.ENABLE boss acme/leave")
    try gate.ok("USER.CREATE ana@acme.test WORKSPACE acme FIRST Ana PRODUCT acme/time PRODUCT acme/leave")
    let inTime = try gate.loggedIn("boss", to: "acme/time")
    let values = [
      ("first", "Anna"), ("middle", "M"), ("last", "Lima"), ("department", "Finance"), ("timezone", "Europe/Lisbon"),
      ("hired", "2024-02-01"), ("released", "2999-01-31"), ("schedule", "five days of eight hours"),
      ("leave", "25 days, 10 sick days"),
    ]
    let words = values.flatMap { [$0.0, "'\($0.1)'"] }.joined(separator: " ")
    #expect(try inTime.integer("USER.SET ana@acme.test \(words)") == Int64(values.count))

    let seen = try gate.loggedIn("boss", to: "acme/leave").fields("USER.GET ana@acme.test")
    for (field, value) in values { #expect(seen[field] == value) }

    try inTime.ok("USER.RENAME ana@acme.test anna@acme.test")
    for product in ["time", "leave"] {
      #expect(try gate.text("LOGIN.CHECK anna@acme.test acme/\(product)") == "ALLOW")
      #expect(try gate.text("LOGIN.CHECK ana@acme.test acme/\(product)") == "DENY unknown-user")
    }
  }

  @Test("T3: access enabled in one product and disabled in the other decides the login to each alone")
  func accessPerProduct() throws {
    try gate.ok("USER.CREATE bo WORKSPACE acme PRODUCT acme/time PRODUCT acme/leave")
    let (inLeave, inTime) = (try gate.token(of: "bo", to: "acme/leave"), try gate.token(of: "bo", to: "acme/time"))
    try gate.ok("PRODUCT.DISABLE bo acme/leave")
    #expect(try gate.text("LOGIN.CHECK bo acme/leave") == "DENY product-disabled")
    #expect(try gate.text("LOGIN.CHECK bo acme/time") == "ALLOW")
    // The session in the disabled product ends at once, the other continues.
    #expect(try gate.isNull("SESSION.CHECK \(inLeave)"))
    #expect(try gate.fields("SESSION.CHECK \(inTime)")["product"] == "acme/time")
    try gate.ok("PRODUCT.ENABLE bo acme/leave")
    #expect(try gate.text("LOGIN.CHECK bo acme/leave") == "ALLOW")
    #expect(try gate.isNull("SESSION.CHECK \(inLeave)"), "an ended session does not come back with the access")
  }

  @Test("T4: the list of users shows and filters by access to another product")
  func listByProduct() throws {
    try gate.ok("USER.CREATE ana WORKSPACE acme PRODUCT acme/time")
    try gate.ok("USER.CREATE bo WORKSPACE acme PRODUCT acme/time PRODUCT acme/leave")
    try gate.ok("USER.CREATE cy WORKSPACE acme PRODUCT acme/leave")
    let boss = try gate.loggedIn("boss", to: "acme/time")
    let shown = try boss.pages("USER.LIST WHERE product = acme/time SORT username FIELDS 2 username product")
    #expect(shown.map { $0["username"] } == ["ana", "bo", "boss"])
    #expect(shown.map { $0.shown("product").contains("acme/leave") } == [false, true, false])
    #expect(
      try boss.pages("USER.LIST WHERE product = acme/leave SORT username").map { $0["username"] } == ["bo", "cy"])
    #expect(try boss.integer("USER.COUNT WHERE product = acme/time WHERE product = acme/leave") == 1)
    #expect(try boss.integer("USER.COUNT WHERE product != acme/time") == 1)
  }

  @Test("T5: who is made for one product appears in the other with access disabled")
  func madeForOne() throws {
    try gate.ok("USER.CREATE ana WORKSPACE acme PRODUCT acme/time")
    #expect(try gate.text("LOGIN.CHECK ana acme/leave") == "DENY product-disabled")
    #expect(try products(of: "ana", "enabled") == ["acme/time": "1", "acme/leave": "0"])
  }

  @Test("T6: seats count enabled access only")
  func seatsOfEnabled() throws {
    try gate.ok("USER.CREATE ana WORKSPACE acme PRODUCT acme/time")
    try gate.ok("USER.CREATE bo WORKSPACE acme PRODUCT acme/time")
    #expect(try used("time") == 3 && used("leave") == 0)
    let full = try gate.refused("USER.CREATE cy WORKSPACE acme PRODUCT acme/time", with: "NOSEATS")
    #expect(full.hasPrefix("NOSEATS * bought 3, used 3 by ") && full.contains("ana") && full.contains("bo"))
    #expect(full.hasSuffix("; raise it with POOL.SET acme/time *, or disable somebody's access first"))
    #expect(try gate.text("LOGIN.CHECK cy acme/time") == "DENY unknown-user", "a refused command leaves nothing behind")
    try gate.ok("USER.CREATE cy WORKSPACE acme PRODUCT acme/leave")
    #expect(try gate.refused("PRODUCT.ENABLE cy acme/time", with: "NOSEATS") == full)

    // Both remedies that the refusal names.
    try gate.ok("PRODUCT.DISABLE ana acme/time")
    #expect(try used("time") == 2)
    try gate.ok("PRODUCT.ENABLE cy acme/time")
    try gate.ok("POOL.SET acme/time * 4")
    try gate.ok("PRODUCT.ENABLE ana acme/time")
    #expect(try used("time") == 4)
    try gate.ok("USER.DELETE cy")
    #expect(try used("time") == 3, "deleting gives the seat back")
    #expect(
      try gate.refused("POOL.SET acme/time * 0", with: "REFUSED pool:")
        == "REFUSED pool: * has 3 seats in use; disable accesses first")
  }

  @Test("T7: administrator in one product, regular user in the other")
  func permissionPerProduct() throws {
    try gate.ok("USER.CREATE ana WORKSPACE acme")
    try gate.ok("USER.CREATE bo WORKSPACE acme")
    try gate.ok("PRODUCT.ENABLE ana acme/time ADMIN")
    try gate.ok("PRODUCT.ENABLE ana acme/leave REGULAR")
    #expect(try products(of: "ana", "admin") == ["acme/time": "1", "acme/leave": "0"])
    let ana = try gate.loggedIn("ana", to: "acme/leave")
    try ana.ok("PRODUCT.ENABLE bo acme/time")
    #expect(
      try ana.refused("PRODUCT.ENABLE bo acme/leave", with: "NOPERM")
        == "NOPERM the permission product.access for the product acme/leave")
  }

  @Test("T8: an edit of shared data takes effect everywhere, and its record names the products it touched")
  func editTouchesAll() throws {
    try gate.ok("USER.CREATE editor WORKSPACE acme")
    try gate.ok("PRODUCT.ENABLE editor acme/time ADMIN")
    try gate.ok("PRODUCT.ENABLE editor acme/leave REGULAR")
    try gate.ok("USER.CREATE ana WORKSPACE acme FIRST Ana PRODUCT acme/time PRODUCT acme/leave")
    try gate.loggedIn("editor", to: "acme/time").ok("USER.SET ana last Lima")
    #expect(try gate.loggedIn("ana", to: "acme/leave").fields("USER.GET ana")["last"] == "Lima")
    let edit = try gate.record(of: "ana", by: "USER.SET")
    #expect(edit["actor"] == "editor")
    #expect(edit.changes == ["contact-set last: Lima", "noted products-touched: acme/time acme/leave"])
  }

  @Test("T9: deleting a user deletes in every product")
  func deleteEverywhere() throws {
    try gate.ok("USER.CREATE ana WORKSPACE acme PRODUCT acme/time PRODUCT acme/leave")
    let token = try gate.token(of: "ana", to: "acme/time")
    try gate.ok("USER.DELETE ana")
    for product in ["time", "leave"] {
      #expect(try gate.text("LOGIN.CHECK ana acme/\(product)") == "DENY status-deleted")
    }
    #expect(try gate.isNull("SESSION.CHECK \(token)"))
  }

  @Test("T10: disabling a product removes a user from that product and changes nothing else")
  func removedFromOne() throws {
    try gate.ok("USER.CREATE ana WORKSPACE acme FIRST Ana PRODUCT acme/time PRODUCT acme/leave ROLE manager WITHIN")
    try gate.ok("TIMER.START ana WORKSPACE acme NOTE 'year end'")
    try gate.ok("PRODUCT.DISABLE ana acme/leave")
    let ana = try gate.fields("USER.GET ana")
    #expect(ana["status"] == "active" && ana["first"] == "Ana" && ana["main-role"] == "manager")
    #expect(try gate.fields("TIMER.CURRENT ana WORKSPACE acme")["note"] == "year end")
    #expect(try gate.text("LOGIN.CHECK ana acme/time") == "ALLOW")
  }

  @Test("T11: a user with tracked time is not deleted, and the refusal says what to do instead")
  func keepTracked() throws {
    try gate.ok("USER.CREATE ana WORKSPACE acme PRODUCT acme/time PRODUCT acme/leave")
    try gate.ok("TIMER.START ana WORKSPACE acme NOTE 'year end'")
    let refusal =
      "REFUSED delete.keep-tracked: time is recorded for ana; disable the products instead with PRODUCT.DISABLE user"
      + " product"
    #expect(try gate.refused("USER.DELETE ana", with: "REFUSED") == refusal, "a running timer counts")
    try gate.ok("TIMER.STOP ana WORKSPACE acme")
    #expect(try gate.refused("USER.DELETE ana", with: "REFUSED") == refusal)

    // The remedy: disable the access to both.
    for product in ["time", "leave"] {
      try gate.ok("PRODUCT.DISABLE ana acme/\(product)")
      #expect(try gate.text("LOGIN.CHECK ana acme/\(product)") == "DENY product-disabled")
    }
    try gate.ok("WORKSPACE.SET acme policy.delete.keep-tracked off")
    try gate.ok("USER.DELETE ana")
    #expect(try gate.text("LOGIN.CHECK ana acme/time") == "DENY status-deleted")
  }

  // MARK: -

  private func used(_ product: String) throws -> Int64? {
    try gate.list("POOL.LIST acme/\(product)").first?.integer("used")
  }

  /// A field of the user's access to each product.
  private func products(of user: String, _ field: String) throws -> [String: String] {
    let products = try #require(try gate.fields("USER.GET \(user)").value("products"))
    var result: [String: String] = [:]
    for item in products.items {
      if let product = Fields(item), let name = product["product"] { result[name] = product[field] }
    }
    return result
  }
}
