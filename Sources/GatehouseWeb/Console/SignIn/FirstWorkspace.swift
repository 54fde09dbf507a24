import GatehouseWire

/// The workspace that the console shows first.
enum FirstWorkspace {
  private static let mostAsked = 20

  /// `main` to those who may do something everywhere, else the first one in which they may, else their home.
  static func of(_ token: String, _ visitor: Visitor) async -> String? {
    let check = await visitor.run(["SESSION.CHECK", token])
    guard let user = check["user"]?.integer else { return nil }
    let scopes = (await visitor.run(["PERMISSION.LIST", "#\(user)"]).elements ?? []).compactMap { $0["scope"]?.string }
    if scopes.contains("everywhere") { return "main" }
    var asked: Set<String> = []
    for workspace in scopes.compactMap(RoleScope.workspace)
    where asked.count < mostAsked && asked.insert(workspace).inserted {
      // An account may have a slash in its name.
      if await visitor.run(["WORKSPACE.GET", workspace]).errorText == nil { return workspace }
    }
    return await visitor.run(["USER.GET", "#\(user)"])["home"]?.string
  }
}
