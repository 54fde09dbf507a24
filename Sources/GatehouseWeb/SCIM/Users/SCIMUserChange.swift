import GatehouseWire

/// The commands that make a user what a resource says.
extension SCIMUserFields {
  /// The words of `USER.CREATE`.
  func creation(in tenant: SCIMTenant, password: String?) -> [String] {
    var words = ["USER.CREATE", username, "WORKSPACE", tenant.workspace, "NOINVITE"]
    if isActive == false { words += ["STATUS", "inactive"] }
    for (field, text) in card.sorted(by: { $0.key < $1.key }) { words += [field.uppercased(), text] }
    for (name, text) in added.sorted(by: { $0.key < $1.key }) { words += ["FIELD", name, text] }
    for (name, text) in kept.sorted(by: { $0.key < $1.key }) { words += ["PROVISION", name, text] }
    if let password { words += ["PASSWORD", password] }
    return words
  }

  /// The commands that make of a user what these fields say. The first takes the version that must not have changed.
  ///
  /// - Parameter old: the fields as they are.
  func changes(
    from old: SCIMUserFields, of user: SCIMUserResource, in tenant: SCIMTenant
  ) async throws -> [[String]] {
    let id = "#\(user.id)"
    var commands: [[String]] = []
    var card = Self.differing(self.card, old.card)
    if username != old.username {
      commands.append(["USER.RENAME", id, username])
      // The address follows the name by itself (P8). It stays where it was something else, or is given.
      let email = self.card["email"] ?? ""
      if email != old.username, email != username { card["email"] = email }
      if email == old.username, old.card["email"] == email { card["email"] = nil }
    }
    if !card.isEmpty || added != old.added {
      // Beside their workspace, so that none is taken for an option of the command.
      let fields = Self.differing(added, old.added).map { name, value in
        let known = user.fieldNames[name] ?? name
        return (known.contains("/") ? known : "\(user.home ?? tenant.workspace)/\(known)", value)
      }
      let pairs = card.map { ($0.key, $0.value) } + fields
      commands.append(["USER.SET", id] + pairs.sorted { $0.0 < $1.0 }.flatMap { [$0.0, $0.1] })
    }
    let kept = Self.differing(self.kept, old.kept)
    if !kept.isEmpty {
      let pairs = kept.sorted { $0.key < $1.key }.flatMap { [$0.key, $0.value] }
      commands.append(["USER.PROVISION", id] + pairs + ["WORKSPACE", tenant.workspace])
    }
    if let isActive, isActive != old.isActive {
      commands.append(["USER.STATUS", id, isActive ? "active" : "inactive"])
    }
    if !commands.isEmpty { commands[0] += ["IFVERSION", String(user.version)] }
    return commands + (try await managing(id, from: old.kept[Self.manager], in: tenant))
  }

  /// The commands that have somebody else look after a user (L9), as the manager says. Who is no user of the workspace
  /// looks after nobody: the value is kept as it was sent all the same, or strictly refused.
  func managing(_ user: String, from old: String?, in tenant: SCIMTenant) async throws -> [[String]] {
    let new = kept[Self.manager]
    guard new != old else { return [] }
    var commands: [[String]] = []
    if let old, try await Self.isUser(old, of: tenant) {
      commands.append(["MANAGE.REMOVE", "#\(old)", "USER", user, "WORKSPACE", tenant.workspace])
    }
    if let new {
      if try await Self.isUser(new, of: tenant) {
        commands.append(["MANAGE.ADD", "#\(new)", "USER", user, "WORKSPACE", tenant.workspace])
      } else if tenant.isStrict {
        throw SCIMError.invalid(.invalidValue, "manager: there is no user \(new)")
      }
    }
    return commands
  }

  private static func isUser(_ id: String, of tenant: SCIMTenant) async throws -> Bool {
    guard SCIMUsers.isID(id), let user = try await tenant.find("USER.GET", "#\(id)") else { return false }
    return user["status"]?.string != "deleted" && user["id"]?.integer.map(String.init) == id
  }

  /// What is other in `new`; what it lacks is emptied.
  private static func differing(_ new: [String: String], _ old: [String: String]) -> [String: String] {
    var result = new.filter { old[$0.key] != $0.value }
    for name in old.keys where new[name] == nil { result[name] = "" }
    return result
  }
}
