import GatehouseCore
import GatehouseWire

/// A group of the workspace, without its members.
struct SCIMGroupName: Sendable {
  let id: String
  /// By what `USER.GET` names it.
  let key: String
  let displayName: String
  var externalID: String?

  /// All groups of the workspace, in the order in which they were made.
  static func all(in tenant: SCIMTenant) async throws -> [SCIMGroupName] {
    tenant.hasAccountGroups ? try await accountGroups(in: tenant) : try await roles(in: tenant)
  }

  private static func roles(in tenant: SCIMTenant) async throws -> [SCIMGroupName] {
    let scope = "workspace \(tenant.workspace)"
    return (try await tenant.ask("ROLE.LIST").elements ?? []).compactMap { role in
      guard role["scope"]?.string == scope, let name = role["role"]?.string else { return nil }
      return SCIMGroupName(
        id: name, key: name, displayName: role["label"]?.string ?? name,
        externalID: role["external-id"]?.string)
    }
  }

  private static func accountGroups(in tenant: SCIMTenant) async throws -> [SCIMGroupName] {
    var groups: [SCIMGroupName] = []
    var cursor = "0"
    repeat {
      let page =
        try await tenant.ask(
          "GROUP.LIST", "WORKSPACE", tenant.workspace, "CURSOR", cursor, "COUNT", "1000"
        ).elements ?? []
      cursor = page.first?.string ?? "0"
      for group in page.dropFirst().first?.elements ?? [] {
        guard let id = group["id"]?.integer, let name = group["name"]?.string else { continue }
        let key = QualifiedName.shown(name, in: tenant.workspace)
        groups.append(
          SCIMGroupName(id: String(id), key: key, displayName: name, externalID: group["external-id"]?.string))
      }
    } while cursor != "0"
    return groups
  }
}
