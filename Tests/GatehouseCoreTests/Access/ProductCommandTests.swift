import Testing

@testable import GatehouseCore

@Suite struct ProductCommandTests {
  let core = CoreHarness(partitions: 8)

  init() {
    core.run("PRODUCT.CREATE payroll")
    core.run("PRODUCT.CREATE plans")
    for name in ["ana", "bob", "cid"] { core.run("USER.CREATE \(name) NOINVITE") }
  }

  private func pool(_ product: String, _ type: String) -> [Int64?] {
    let pool = core.run("POOL.LIST \(product)").items.first { $0["type"].text == type }
    return [pool?["bought"].integer, pool?["used"].integer]
  }

  private func check(_ user: String, _ product: String = "payroll") -> String? {
    core.run("LOGIN.CHECK \(user) \(product)").text
  }

  // MARK: Products

  @Test func productNamesAreUnique() {
    #expect(core.run("PRODUCT.CREATE payroll").text == "CONFLICT product: payroll already exists")
    #expect(core.run("PRODUCT.CREATE main/payroll").text?.hasPrefix("CONFLICT") == true)
    core.run("WORKSPACE.CREATE acme")
    #expect(core.run("PRODUCT.CREATE acme/payroll").text == "OK")
    #expect(core.run("PRODUCT.CREATE beta/payroll").text == "NOTFOUND workspace beta")
    for name in ["Pay", "a/b/c", "", "*", "pay roll"] {
      #expect(core.run(["PRODUCT.CREATE", name]).text?.hasPrefix("ERR ") == true)
    }
    let names = core.run("PRODUCT.LIST").items.compactMap { $0["product"].text }
    #expect(names == ["payroll", "plans", "acme/payroll"])
    #expect(core.run("PRODUCT.LIST WORKSPACE acme").items.count == 1)
    core.expectReplicated()
  }

  @Test func seatsBoughtAndUsedAreShownConsistently() {
    core.run("POOL.SET payroll * 1")
    core.run("PRODUCT.ENABLE ana payroll")
    let payroll = core.directory.state.view.products[0].id
    let bob = core.user("bob")!.id
    core.whileCounting { [core] in
      core.apply(PoolSet(payroll, type: "*", old: 1, new: 2))
      core.apply(AccessSet(bob, old: nil, new: ProductAccess(product: payroll, isEnabled: true)))
    }
    #expect(pool("payroll", "*") == [2, 2])
    #expect(core.decisions == 2)
  }

  // MARK: Access

  @Test func accessIsPerProduct() {
    #expect(check("ana") == "DENY product-disabled")
    #expect(core.run("PRODUCT.ENABLE ana payroll").text == "OK")
    #expect(check("ana") == "ALLOW")
    #expect(check("ana", "plans") == "DENY product-disabled")
    // A user created for one product is shown as disabled in the others.
    let products = core.run("USER.GET ana")["products"].items
    #expect(products.map { $0["enabled"].integer } == [1, 0])
    let lsn = core.lsn
    #expect(core.run("PRODUCT.ENABLE ana payroll").text == "OK")
    #expect(core.run("PRODUCT.DISABLE ana plans").text == "OK")
    #expect(core.lsn == lsn)
  }

  @Test func disablingEndsThatProductsSessions() {
    core.run("PRODUCT.ENABLE ana payroll")
    core.run("PRODUCT.ENABLE ana plans")
    let payroll = core.logIn("ana", "payroll")
    let plans = core.logIn("ana", "plans")
    #expect(core.run("PRODUCT.DISABLE ana payroll").text == "OK")
    #expect(core.run("SESSION.CHECK \(payroll)").isNull)
    #expect(!core.run("SESSION.CHECK \(plans)").isNull)
    #expect(core.run("SESSION.CHECK \(plans) PRODUCT payroll").isNull)
    #expect(core.run("USER.GET ana")["sessions"].integer == 1)
    core.expectReplicated()
  }

  @Test func enablingAgainRestoresTheOldAccess() {
    core.run("POOL.SET payroll office 1")
    core.run("PRODUCT.ENABLE ana payroll ADMIN LICENCE office")
    core.run("PRODUCT.DISABLE ana payroll")
    #expect(pool("payroll", "office") == [1, 0])
    core.run("PRODUCT.ENABLE ana payroll")
    #expect(
      "\(core.run("USER.GET ana")["products"][0])"
        == "{product: payroll, enabled: 1, admin: 1, licence: office, from: nil, until: nil}")
    core.run("PRODUCT.ENABLE ana payroll REGULAR")
    #expect(core.run("USER.GET ana")["products"][0]["admin"].integer == 0)
    #expect(core.run("PRODUCT.ENABLE ana payroll REGULAR ADMIN").isError)
    core.expectReplicated()
  }

  @Test func accessAddsAMembership() {
    core.run("WORKSPACE.CREATE acme")
    core.run("PRODUCT.CREATE acme/crm")
    core.run("PRODUCT.ENABLE ana acme/crm")
    #expect("\(core.run("USER.GET ana")["workspaces"])" == "[main, acme]")
  }

  @Test func manyProductsOfOneUser() throws {
    for number in 0..<10 {
      core.run("PRODUCT.CREATE p\(number)")
      #expect(core.run("PRODUCT.ENABLE ana p\(number)").text == "OK")
    }
    for number in 0..<9 { #expect(core.run("PRODUCT.DISABLE ana p\(number)").text == "OK") }
    #expect(check("ana", "p0") == "DENY product-disabled")
    #expect(check("ana", "p9") == "ALLOW")
    core.expectReplicated()
    try core.restart()
    #expect(check("ana", "p9") == "ALLOW")
  }

  @Test func deletedUsersGetNothing() {
    core.run("USER.DELETE ana REASON x")
    for line in ["PRODUCT.ENABLE ana payroll", "PRODUCT.DISABLE ana payroll", "ROLE.GRANT ana manager"] {
      #expect(core.run(line).text?.hasPrefix("REFUSED status: ") == true)
    }
  }

  // MARK: Seats

  @Test func enabledAccessIsCounted() {
    core.run("PRODUCT.ENABLE ana payroll")
    core.run("PRODUCT.ENABLE bob payroll")
    // A pool created later counts the users who have access already.
    #expect(core.run("POOL.SET payroll * 1").text?.hasPrefix("REFUSED pool: * has 2 seats in use") == true)
    #expect(core.run("POOL.SET payroll * 2").text == "OK")
    #expect(pool("payroll", "*") == [2, 2])
    #expect(core.run("PRODUCT.ENABLE cid payroll").text?.hasPrefix("NOSEATS * bought 2, used 2 by ") == true)
    #expect(core.run("USER.CREATE dan PRODUCT payroll").text?.hasPrefix("NOSEATS * bought 2, used 2 by ") == true)
    core.run("PRODUCT.DISABLE ana payroll")
    #expect(core.run("PRODUCT.ENABLE cid payroll").text == "OK")
    #expect(core.run("PRODUCT.ENABLE ana payroll").text?.hasPrefix("NOSEATS ") == true)
    // The pool of every access is not a licence.
    #expect(check("cid") == "ALLOW")
    core.expectReplicated()
  }

  @Test func licencesAreAssignedUpToWhatWasBought() {
    core.run("POOL.SET payroll office 1")
    core.run("POOL.SET payroll guest 1")
    for name in ["ana", "bob"] { core.run("PRODUCT.ENABLE \(name) payroll") }
    #expect(check("ana") == "DENY no-licence")
    #expect(core.run("LICENCE.ASSIGN ana payroll office").text == "OK")
    #expect(check("ana") == "ALLOW")
    #expect(
      core.run("LICENCE.ASSIGN bob payroll office").text?.hasPrefix("NOSEATS office bought 1, used 1 by ana; ") == true)
    // Another type frees the seat of the first.
    #expect(core.run("LICENCE.ASSIGN ana payroll guest").text == "OK")
    #expect(pool("payroll", "office") == [1, 0])
    #expect(pool("payroll", "guest") == [1, 1])
    #expect(core.run("LICENCE.ASSIGN bob payroll office").text == "OK")
    #expect(core.run("LICENCE.ASSIGN ana payroll any").text?.hasPrefix("NOTFOUND licence type any") == true)
    #expect(core.run("LICENCE.ASSIGN ana payroll *").isError)
    #expect(core.run("POOL.SET payroll office 0").text?.hasPrefix("REFUSED pool: ") == true)
    core.expectReplicated()
  }

  @Test func removingALicenceKeepsEverythingElse() {
    core.run("POOL.SET payroll office 5")
    core.run("PRODUCT.ENABLE ana payroll LICENCE office")
    core.run("PRODUCT.ENABLE ana plans")
    let payroll = core.logIn("ana", "payroll")
    let plans = core.logIn("ana", "plans")
    #expect(core.run("LICENCE.REMOVE ana payroll").text == "OK")
    #expect(check("ana") == "DENY no-licence")
    #expect(core.run("SESSION.CHECK \(payroll)").isNull)
    #expect(!core.run("SESSION.CHECK \(plans)").isNull)
    #expect(pool("payroll", "office") == [5, 0])
    #expect(core.run("USER.GET ana")["products"][0]["enabled"].integer == 1)
    let lsn = core.lsn
    #expect(core.run("LICENCE.REMOVE ana payroll").text == "OK")
    #expect(core.lsn == lsn)
  }

  @Test func aLicenceWithoutAccessTakesItsSeatWithIt() {
    core.run("POOL.SET payroll office 1")
    #expect(core.run("LICENCE.ASSIGN ana payroll office").text == "OK")
    #expect(pool("payroll", "office") == [1, 0])
    #expect(core.run("PRODUCT.ENABLE bob payroll LICENCE office").text == "OK")
    #expect(core.run("PRODUCT.ENABLE ana payroll").text?.hasPrefix("NOSEATS office") == true)
    core.run("LICENCE.REMOVE bob payroll")
    #expect(core.run("PRODUCT.ENABLE ana payroll").text == "OK")
    #expect(check("ana") == "ALLOW")
  }

  @Test func onlyAFewHoldersAreNamed() {
    core.run("POOL.SET payroll office 7")
    for number in 0..<7 { core.run("USER.CREATE u\(number) LICENCE payroll office NOINVITE") }
    let text = core.run("LICENCE.ASSIGN ana payroll office").text
    #expect(text == nil || core.run("PRODUCT.ENABLE ana payroll").text?.contains(" and 2 more;") == true)
    for words in ["payroll office -1", "payroll office many", "payroll Office 1", "wages office 1"] {
      #expect(core.run("POOL.SET \(words)").isError)
    }
  }

  // MARK: Authority

  @Test func productsHaveTheirOwnAdministrators() {
    core.run("PRODUCT.ENABLE ana payroll ADMIN")
    core.run("PRODUCT.ENABLE ana plans")
    let token = core.logIn("ana", "payroll")
    #expect(core.run("PRODUCT.ENABLE bob payroll", as: token).text == "OK")
    #expect(
      core.run("PRODUCT.ENABLE bob plans", as: token).text
        == "NOPERM the permission product.access for the product plans")
    // Only administrators of the workspace add people.
    for product in ["payroll", "plans"] {
      #expect(core.run("USER.CREATE dan PRODUCT \(product)", as: token).text == "NOPERM the permission user.create")
    }
    // Shared data is for every product's administrators, though this one administers no other product.
    #expect(core.run("USER.SET bob department HR", as: token).integer == 1)
    for line in ["PRODUCT.CREATE x", "POOL.SET payroll * 5", "USER.CREATE eva ROLE manager"] {
      #expect(core.run(line, as: token).text?.hasPrefix("NOPERM ") == true)
    }
    core.run("USER.CREATE root ROLE super-administrator")
    for line in ["USER.SET root first R", "PRODUCT.ENABLE root payroll", "USER.DELETE root REASON x"] {
      #expect(core.run(line, as: token).text?.hasPrefix("NOPERM ") == true)
    }
    core.run("PRODUCT.ENABLE ana payroll REGULAR")
    #expect(core.run("PRODUCT.ENABLE cid payroll", as: token).text?.hasPrefix("NOPERM ") == true)
  }
}
