/// The scope of a role as `ROLE.LIST` shows it, such as `workspace academy`, and as commands take it.
enum RoleScope {
  static let kinds = ["everywhere", "workspace", "product", "account", "group"]

  static func words(_ scope: String) -> [String] {
    let parts = scope.split(separator: " ", maxSplits: 1).map(String.init)
    guard parts.count == 2, kinds.contains(parts[0]) else { return [] }
    return [parts[0].uppercased(), parts[1]]
  }
}
