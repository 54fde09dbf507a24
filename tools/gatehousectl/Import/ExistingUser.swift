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
    if let account = row.text(.account), !Self.isAccount(account, shown["account"]?.string ?? "", workspace) {
      others.append(("account", "EMPLOY.ADD"))
    }
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
      // The framework of a manager is the main account, if the row has one (L22).
      let isOfAccount = row.cell(.account) != nil && role.name.caseFolded == Role.manager.name
      return grants.contains { grant in
        grant["role"]?.string == role.name.caseFolded
          && (isOfAccount
            ? grant["scope"]?.string == "account \(shown["account"]?.string ?? "")" : grant["scope"]?.string == scope)
      }
    }
    if !requests.roles(row).allSatisfy(holds) { others.append(("roles", "ROLE.GRANT")) }
  }

  /// Whether a name means the account that is shown, which has its workspace in front unless that is `main`.
  private static func isAccount(_ name: String, _ shown: String, _ workspace: String) -> Bool {
    [name, "\(workspace)/\(name)"].contains { $0.caseFolded == shown.caseFolded }
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
