/// What the roles give that are there without being defined.
extension PermissionSet {
  /// Everybody, over themselves alone. Of the contact only the fields that are one's own to say (L10).
  public static let individual = PermissionSet([
    .userRead, .contactSet, .credentialSet, .sessionRead, .sessionRevoke, .timerOwn, .timeRead,
  ])

  /// T7: over the members of the product's workspace. The fields of the contact are identity, and so only of those whose
  /// home the workspace is.
  public static let productAdministrator = PermissionSet([
    .productAccess, .licenceAssign, .userRead, .contactSet, .poolRead,
  ])

  /// All that is about users, and what goes with it; but not what decides how safe the workspace is.
  public static let trainingAdministrator = PermissionSet(
    Permission.allCases.filter { permission in
      switch permission {
      case .authoritySet, .productCreate, .poolSet, .roleDefine, .fieldDefine, .securitySet, .workspaceTransfer: false
      default: permission.domain != .server
      }
    })

  /// Super administrators, and the owner of a workspace: everything in the scope.
  public static let everything = PermissionSet.all
}

extension Role {
  /// What a built-in role gives over others; nil where the role is not built in.
  var builtInPermissions: PermissionSet? {
    switch self {
    // A manager's power is over whom accounts and groups employ, of which there are none yet.
    case .individual, .manager: PermissionSet()
    case .trainingAdministrator: .trainingAdministrator
    case .superAdministrator: .everything
    default: nil
    }
  }
}
