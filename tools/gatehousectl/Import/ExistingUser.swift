import GatehouseCore
import GatehouseWire

/// How a user who is there compares with a row that would create one: what decides whether an import that was
/// interrupted can be run again.
struct ExistingUser {
  /// What differs in fields that `USER.SET` sets, and whether the status does.
  private(set) var fields: [String] = []
  /// What differs besides, and the command that changes it.
  private(set) var others: [(what: String, command: String)] = []
  /// Why the server would not set the fields.
  private(set) var refusal: String?

  /// Whether the user has everything that the row says, and perhaps more.
  var isSame: Bool { fields.isEmpty && others.isEmpty && refusal == nil }

  /// - Parameters:
  ///   - shown: the answer to `USER.GET`.
  ///   - trial: that of `USER.SET` or `USER.BULK … DRYRUN` with what the row says; nil if it says nothing. The server compares, because
  ///     it knows the form in which values are stored.
  init(_ row: PersonRow, _ requests: PersonRequests, shown: RESPValue, trial: RESPValue?) throws(RowFault) {
    if let error = shown.errorText ?? trial?.errorText {
      refusal = error
      return
    }
    fields = Self.changed(trial)
    let workspace = requests.settings.workspace
    if shown["home"]?.string != workspace.caseFolded { others.append(("home", "USER.MOVEHOME")) }
    let accesses = shown["products"]?.elements ?? []
    func access(_ product: String) -> RESPValue? {
      let product = product.caseFolded
      let names = ["\(workspace.caseFolded)/\(product)", product].map {
        $0.hasPrefix("main/") ? String($0.dropFirst(5)) : $0
      }
      for name in names {
        if let found = accesses.first(where: { $0["product"]?.string == name }) { return found }
      }
      return nil
    }
    let products = requests.products(row)
    if products.contains(where: { access($0)?["enabled"]?.integer != 1 }) {
      others.append(("products", "PRODUCT.ENABLE"))
    }
    let licences = try requests.licences(row, products)
    if licences.contains(where: { access($0.product)?["licence"]?.string != $0.type.caseFolded }) {
      others.append(("licences", "LICENCE.ASSIGN"))
    }
    let grants = shown["roles"]?.elements ?? []
    func holds(_ role: PersonRequests.Role) -> Bool {
      let scope = role.isWide ? "everywhere" : "workspace \(workspace.caseFolded)"
      return grants.contains { $0["role"]?.string == role.name.caseFolded && $0["scope"]?.string == scope }
    }
    if !requests.roles(row).allSatisfy(holds) { others.append(("roles", "ROLE.GRANT")) }
  }

  /// The names of the fields that a dry run would change.
  private static func changed(_ trial: RESPValue?) -> [String] {
    (trial?["changes"]?.elements ?? []).flatMap { change -> [String] in
      let parts = change["fields"]?.elements ?? []
      if let field = parts.first(where: { $0["name"]?.string == "field" }) { return [field["new"]?.string ?? ""] }
      return change["change"]?.string?.hasSuffix("-set") == true ? parts.compactMap { $0["name"]?.string } : []
    }
  }
}
