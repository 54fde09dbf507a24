import GatehouseWire

/// A command that takes away why a login is refused.
struct Remedy {
  /// What the form sends.
  enum Kind: String {
    case activate, unlock, enable, assign
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
    case .assign:
      guard !type.isEmpty else { return nil }
      command = ["LICENCE.ASSIGN", user, product, type]
    }
  }

  /// What was done.
  var done: String {
    switch kind {
    case .activate: "The status is active."
    case .unlock: "The login is unlocked."
    case .enable: "The product is enabled."
    case .assign: "The licence is assigned."
    }
  }

  // MARK: Buttons

  /// What can be done about a rule that refuses, as far as the person who looks may do it.
  static func buttons(against rule: String, _ visit: Visit, _ user: String, _ product: String) async -> [Button] {
    switch rule {
    case "unknown-user":
      return await NewPersonPages.verdict(visit).isAllowed
        ? [.link("Add this person", Address("people", "new").adding("username", user))] : []
    case "status-inactive", "status-pending": return await [button(.activate, "Activate", visit, user, product)].kept
    case "status-locked":
      return await [
        button(.unlock, "Unlock", visit, user, product), button(.activate, "Activate", visit, user, product),
      ].kept
    case "product-disabled": return await [button(.enable, "Enable the product", visit, user, product)].kept
    case "no-licence": return await licences(visit, user, product)
    case "status-deleted", "outside-employment":
      return [.link("Open the person", Address("search").adding("q", user))]
    case "unknown-product": return await visit.holds("product.create") ? [.link("Products", Address("products"))] : []
    default: return []
    }
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

  private static func button(
    _ kind: Kind, _ text: String, _ visit: Visit, _ user: String, _ product: String, type: String = ""
  ) async -> Button? {
    guard let remedy = Remedy(kind.rawValue, for: user, product, type: type) else { return nil }
    let hidden = [("remedy", kind.rawValue), ("user", user), ("product", product), ("type", type)]
    return .asked(
      await visit.verdict(remedy.command),
      .post(text, Address("why", "mend"), hidden.map { (name: $0.0, value: $0.1) }, .primary), text)
  }
}

extension [Button?] {
  fileprivate var kept: [Button] { compactMap { $0 } }
}
