import GatehouseWire

/// A command that takes away why a login is refused.
struct Remedy {
  /// What the form sends.
  enum Kind: String {
    case activate, unlock, enable, open, assign
  }

  let kind: Kind
  let command: [String]

  /// - Parameter type: of the licence to assign.
  /// - Returns: nil if the kind is not known, or lacks what it needs.
  init?(_ kind: String, for user: String, _ product: String, type: String) {
    guard let kind = Kind(rawValue: kind), !user.isEmpty, !product.isEmpty else { return nil }
    self.kind = kind
    switch kind {
    case .activate: command = ["USER.STATUS", user, "active"]
    case .unlock: command = ["LOGIN.UNLOCK", user]
    case .enable: command = ["PRODUCT.ENABLE", user, product]
    // Without its times, access that begins later would begin no sooner.
    case .open: command = ["PRODUCT.ENABLE", user, product, "FROM", "none"]
    case .assign:
      guard !type.isEmpty else { return nil }
      command = ["LICENCE.ASSIGN", user, product, type]
    }
  }

  /// What was done.
  var done: String {
    switch kind {
    case .activate: "The status is active."
    case .unlock: "The login is unlocked, and wrong passwords are forgotten."
    case .enable: "The product is enabled."
    case .open: "Access has begun."
    case .assign: "The licence is assigned."
    }
  }

  // MARK: Buttons

  /// What can be done about a rule that refuses, as far as the person who looks may do it.
  ///
  /// - Parameter found: what the server says about the rule.
  static func buttons(
    against rule: String, _ found: String, _ visit: Visit, _ user: String, _ product: String
  ) async -> [Button] {
    switch rule {
    case "unknown-user":
      return await NewPersonPages.verdict(visit).isAllowed
        ? [.link("Add this person", Address("people", "new").adding("username", user))] : []
    case "status-inactive", "status-pending": return await [button(.activate, "Activate", visit, user, product)].kept
    case "status-locked":
      return await [
        button(.unlock, "Unlock", visit, user, product), button(.activate, "Activate", visit, user, product),
      ].kept
    case "product-disabled":
      // It is enabled, and the membership in the workspace is not one of now.
      if found.hasPrefix("enabled") { return await person(user, visit) }
      return await found.hasPrefix("not yet open")
        ? [button(.open, "Let in from now on", visit, user, product)].kept
        : [button(.enable, "Enable the product", visit, user, product)].kept
    case "no-licence": return await licences(visit, user, product)
    case "status-deleted", "outside-employment": return await person(user, visit)
    case "unknown-product": return await visit.holds("product.create") ? [.link("Products", Address("products"))] : []
    default: return []
    }
  }

  /// The person's page, where the rest is mended.
  private static func person(_ user: String, _ visit: Visit) async -> [Button] {
    guard let id = try? await visit.readQuietly(["USER.GET", user])["id"]?.integer else { return [] }
    return [.link("Open the person", Address("people", String(id)))]
  }

  /// One button for each type of which a seat is left.
  private static func licences(_ visit: Visit, _ user: String, _ product: String) async -> [Button] {
    guard let pools = try? await visit.readIfAllowed("POOL.LIST", product)?.elements else { return [] }
    var buttons: [Button?] = []
    for pool in pools {
      guard let type = pool["type"]?.string, type != "*" else { continue }
      let free = (pool["bought"]?.integer ?? 0) - (pool["used"]?.integer ?? 0)
      buttons.append(
        await button(.assign, "Assign \(type) (\(max(0, free)) left)", visit, user, product, type: type))
    }
    return buttons.compactMap { $0 }
  }

  static func button(
    _ kind: Kind, _ text: String, _ visit: Visit, _ user: String, _ product: String, type: String = ""
  ) async -> Button? {
    guard let remedy = Remedy(kind.rawValue, for: user, product, type: type) else { return nil }
    let hidden = [
      ("remedy", kind.rawValue), ("user", user), ("product", product), ("type", type), ("at", visit.query["at"]),
    ]
    return .asked(
      await visit.verdict(remedy.command),
      .post(text, Address("why", "mend"), hidden.map { (name: $0.0, value: $0.1) }, .primary), text)
  }
}

extension [Button?] {
  fileprivate var kept: [Button] { compactMap { $0 } }
}
