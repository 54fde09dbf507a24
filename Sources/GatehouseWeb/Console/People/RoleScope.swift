/// The scope of a role as `ROLE.LIST` shows it, such as `workspace academy`, and as commands take it.
enum RoleScope {
  static let kinds = ["everywhere", "workspace", "product", "account", "group"]

  /// The workspace that a scope is in: `academy` of `workspace academy`, `account academy/Acme` and `product crm`, which is
  /// one of `main`; nil for all of them.
  static func workspace(_ scope: String) -> String? {
    let parts = scope.parts(separatedBy: " ", most: 2)
    guard parts.count == 2, kinds.contains(parts[0]) else { return nil }
    if parts[0] == "workspace" { return parts[1] }
    let names = parts[1].parts(separatedBy: "/", most: 2)
    return names.count == 2 ? names[0] : "main"
  }

  static func words(_ scope: String) -> [String] {
    let parts = scope.split(separator: " ", maxSplits: 1).map(String.init)
    guard parts.count == 2, kinds.contains(parts[0]) else { return [] }
    return [parts[0].uppercased(), parts[1]]
  }
}
