extension CommandTable {
  static let productCommands: [CommandSpec] = [
    CommandSpec(
      "PRODUCT.CREATE", .organisation, "Add a product to a workspace", [.word("product")],
      reply: "`OK`; `name` is a product of `main`, `workspace/name` of another workspace", effect: .write,
      rights: .admin, needs: .permission(.productCreate, over: .newProduct(1)), route: .directory,
      body: .decide(productCreate)),
    CommandSpec(
      "PRODUCT.LIST", .organisation, "The products, by workspace and in the order they were made",
      [.option("WORKSPACE", "workspace")],
      reply: "an array of maps `product, workspace, needs-licence, pools, created`", needs: .nothing, route: .directory,
      body: .decide(productList)),
    CommandSpec(
      "PRODUCT.ENABLE", .organisation, "Let a user into a product, or change what the user is there",
      [
        .word("user"), .word("product"), .flag("ADMIN"), .flag("REGULAR"), .option("LICENCE", "type"),
        .option("FROM", "time", .time), .option("UNTIL", "time", .time),
      ],
      reply: "`OK`, or `NOSEATS` where none is left; what access was before the product was disabled comes back. With"
        + " `FROM` the seat is kept from now on, with `UNTIL` access ends by itself and gives it back; of access that is"
        + " enabled what is not given stays, and `none` lifts it",
      effect: .write, isVersioned: true, rights: .admin,
      needs: .permission(.productAccess, over: .access(user: 1, product: 2)),
      route: .user(1), body: .decide(productEnable)),
    CommandSpec(
      "PRODUCT.DISABLE", .organisation, "Keep a user out of a product and give the seats back",
      [.word("user"), .word("product")],
      reply: "`OK`; the user's sessions of the product end", effect: .write, isVersioned: true, rights: .admin,
      needs: .permission(.productAccess, over: .access(user: 1, product: 2)), route: .user(1),
      body: .decide(productDisable)),
    CommandSpec(
      "POOL.SET", .organisation, "Say how many seats of a licence type were bought",
      [.word("product"), .word("type"), .word("seats", .integer)],
      reply:
        "`OK`; the type `*` is taken by every enabled access, any other by those it is assigned to. The first type of that"
        + " kind ends the sessions of the product: from then on it takes a licence",
      effect: .write, rights: .admin, needs: .permission(.poolSet, over: .product(1)), route: .directory,
      body: .decide(poolSet)),
    CommandSpec(
      "POOL.LIST", .organisation, "The seats bought and used", [.optionalWord("product")],
      reply: "an array of maps `product, type, bought, used`", needs: .permission(.poolRead, over: .anything),
      route: .directory,
      body: .decide(poolList)),
    CommandSpec(
      "LICENCE.ASSIGN", .organisation, "Give a user a licence of a product, instead of the one held",
      [.word("user"), .word("product"), .word("type")],
      reply: "`OK`, or `NOSEATS`; the seat is taken while access is enabled", effect: .write, isVersioned: true,
      rights: .admin,
      needs: .permission(.licenceAssign, over: .access(user: 1, product: 2)), route: .user(1),
      body: .decide(licenceAssign)),
    CommandSpec(
      "LICENCE.REMOVE", .organisation, "Take a user's licence of a product away", [.word("user"), .word("product")],
      reply: "`OK`; login to the product is refused from then on, and its sessions end", effect: .write,
      isVersioned: true,
      rights: .admin, needs: .permission(.licenceAssign, over: .access(user: 1, product: 2)), route: .user(1),
      body: .decide(licenceRemove)),
  ]

  @Sendable private static func productCreate(_ turn: Turn) throws(Halt) {
    let text = try turn.text(1, "product", limit: 2 * Limits.nameBytes + 1)
    let name = try Turn.name(
      text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false).last.map(String.init) ?? "", "product")
    let directory = try turn.directoryState().state.view
    let workspace = try turn.workspace(ofProductNamed: 1)
    turn.read(directory.lsn)
    let products = directory.products(of: workspace.id)
    guard !products.contains(where: { directory.product($0)?.name == name }) else {
      throw .refused(.conflict("product: \(text) already exists", of: "product"))
    }
    try Limits.productShare.check("products", ofWorkspace: products.count, ofAll: directory.products.count)
    guard directory.products.count < Limits.products else {
      throw .refused(.limit("products: at most \(Limits.products) of all workspaces together"))
    }
    turn.emit(ProductCreated(ProductID(directory.products.count + 1), workspace.id, name: name))
    turn.reply.ok()
  }

  @Sendable private static func productList(_ turn: Turn) throws(Halt) {
    turn.read(turn.directory.lsn)
    let only = turn.has("WORKSPACE") ? try turn.workspace().id : nil
    let known = turn.knownWorkspaces
    let products = turn.directory.products
      .filter { (only == nil || $0.workspace == only) && known.contains($0) }
      .sorted { ($0.workspace, $0.id) < ($1.workspace, $1.id) }
    turn.reply.array(products.count)
    for product in products {
      turn.reply.map(5)
      turn.reply.text("product")
      turn.reply.text(turn.directory.productName(product))
      turn.reply.text("workspace")
      turn.reply.text(turn.directory.workspace(product.workspace).name)
      turn.reply.text("needs-licence")
      turn.reply.flag(product.needsLicence)
      turn.reply.text("pools")
      turn.reply.array(product.pools.count)
      for pool in product.pools { turn.reply.text(pool.type) }
      turn.reply.text("created")
      turn.reply.integer(product.created)
    }
  }

  // MARK: Access

  /// The user and the product in words 1 and 2.
  private static func accessToChange(_ turn: Turn) throws(Halt) -> (UserReference, Product) {
    let user = try turn.user(1)
    let product = try turn.product(2)
    try turn.requireNotDeleted(user)
    try turn.checkVersion(turn.version(of: user))
    return (user, product)
  }

  private static func licence(_ type: String, of product: Product, _ turn: Turn) throws(Halt) -> UInt8 {
    guard type != Product.everyAccess else {
      throw .refused(.syntax("the seats of * are taken by enabling the product; name another licence type"))
    }
    guard let licence = product.licence(type) else {
      throw .refused(.notFound("licence type \(type) of the product \(turn.directory.productName(product))"))
    }
    return licence
  }

  @Sendable private static func productEnable(_ turn: Turn) throws(Halt) {
    let (user, product) = try accessToChange(turn)
    if turn.has("ADMIN"), turn.has("REGULAR") { throw .refused(.syntax("give ADMIN or REGULAR, not both")) }
    let old = user.cell.state.people.access(of: user.serial, to: product.id)
    var new = old ?? ProductAccess(product: product.id, isEnabled: true)
    let isOpen = old.map { $0.isEnabled && !$0.limits.hasEnded(at: turn.now) } ?? false
    new.limits = try turn.timeLimits(of: user, in: product.workspace, insteadOf: isOpen ? new.limits : .none)
    new.isEnabled = true
    if turn.has("ADMIN") { new.isAdministrator = true }
    if turn.has("REGULAR") { new.isAdministrator = false }
    if new.isAdministrator != (old?.isAdministrator ?? false) { try turn.requireOwnLogin(toChange: .administration) }
    if new.isAdministrator || old?.isAdministrator ?? false, old != new {
      try turn.requireGiving(
        .productAdministrator, over: turn.site(of: product), until: new.isAdministrator ? new.limits.end : turn.now,
        to: "say who administers it")
    }
    if let type = try turn.option("LICENCE") {
      try turn.require(.licenceAssign, over: turn.site(of: product), of: user)
      new.licence = try licence(type, of: product, turn)
    }
    try setAccess(of: user, to: product, from: old, to: new, turn)
    turn.reply.ok()
  }

  /// Changes an access, and makes the user a member of the product's workspace.
  private static func setAccess(
    of user: UserReference, to product: Product, from old: ProductAccess?, to new: ProductAccess, _ turn: Turn
  ) throws(Halt) {
    if old == nil { try turn.requireRoom(forProducts: user.cell.state.people.allAccess(of: user.serial).count + 1) }
    turn.setAccess(of: user.id, to: product, from: old, to: new)
    try turn.join(user, product.workspace)
  }

  @Sendable private static func productDisable(_ turn: Turn) throws(Halt) {
    let (user, product) = try accessToChange(turn)
    turn.reply.ok()
    guard let old = user.cell.state.people.access(of: user.serial, to: product.id), old.isEnabled else { return }
    var new = old
    new.isEnabled = false
    new.limits = .none
    // Who administers a product is taken away only by who could give it, now (here) or later (PRODUCT.ENABLE … UNTIL).
    if old.isAdministrator {
      try turn.requireGiving(
        .productAdministrator, over: turn.site(of: product), until: turn.now, to: "say who administers it")
    }
    turn.setAccess(of: user.id, to: product, from: old, to: new)
  }

  // MARK: Seats

  @Sendable private static func poolSet(_ turn: Turn) throws(Halt) {
    _ = try turn.directoryState()
    let product = try turn.product(1)
    let type = try turn.text(2, "type", limit: Limits.nameBytes)
    if type != Product.everyAccess { _ = try Turn.name(type, "type") }
    let seats = try Turn.integer(try turn.text(3, "seats"), "seats", in: 0...Limits.seatsMost)
    let old = product.pools.first { $0.type == type }
    if old == nil, product.pools.count >= Limits.poolsOfProduct {
      throw .refused(.limit("pools: a product has at most \(Limits.poolsOfProduct)"))
    }
    // A new type has no holders yet.
    if old != nil || type == Product.everyAccess {
      turn.require(.seats(product.seatKey(type), bought: seats, isForTaking: false))
    }
    turn.reply.ok()
    guard old?.bought != UInt32(seats) else { return }
    turn.emit(PoolSet(product.id, type: type, old: old?.bought, new: UInt32(seats)))
  }

  @Sendable private static func poolList(_ turn: Turn) throws(Halt) {
    turn.read(turn.directory.lsn)
    let asked = turn.positional.isEmpty ? Array(turn.directory.products) : [try turn.product(1)]
    let products = asked.filter { turn.allows(.poolRead, over: turn.site(of: $0)) }
    if products.isEmpty, let product = asked.first, !turn.positional.isEmpty {
      try turn.require(.poolRead, over: turn.site(of: product))
    }
    turn.reply.array(products.reduce(0) { $0 + $1.pools.count })
    for product in products {
      let used = try turn.used(product.pools.map { product.seatKey($0.type) })
      for (pool, used) in zip(product.pools, used) {
        turn.reply.map(4)
        turn.reply.text("product")
        turn.reply.text(turn.directory.productName(product))
        turn.reply.text("type")
        turn.reply.text(pool.type)
        turn.reply.text("bought")
        turn.reply.integer(pool.bought)
        turn.reply.text("used")
        turn.reply.integer(used)
      }
    }
  }

  @Sendable private static func licenceAssign(_ turn: Turn) throws(Halt) {
    let (user, product) = try accessToChange(turn)
    let old = user.cell.state.people.access(of: user.serial, to: product.id)
    var new = old ?? ProductAccess(product: product.id, isEnabled: false)
    new.licence = try licence(try turn.text(3, "type"), of: product, turn)
    try setAccess(of: user, to: product, from: old, to: new, turn)
    turn.reply.ok()
  }

  @Sendable private static func licenceRemove(_ turn: Turn) throws(Halt) {
    let (user, product) = try accessToChange(turn)
    turn.reply.ok()
    guard let old = user.cell.state.people.access(of: user.serial, to: product.id), old.licence != 0 else { return }
    var new = old
    new.licence = 0
    turn.setAccess(of: user.id, to: product, from: old, to: new)
  }
}

extension Turn {
  public func requireRoom(forProducts count: Int) throws(Halt) {
    guard count <= Limits.productsOfUser else {
      throw .refused(.limit("products: a user has at most \(Limits.productsOfUser)"))
    }
  }

  /// The workspace of the product named by a word: `name` is in `main`, `workspace/name` in another.
  func workspace(ofProductNamed word: Int) throws(Halt) -> Workspace {
    let text = try text(word, "product", limit: 2 * Limits.nameBytes + 1)
    let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
    return try workspace(named: parts.count == 2 ? String(parts[0]) : "main")
  }
}
