/// The permissions of the built-in roles.
extension PermissionSet {
  /// Everybody, over themselves only; of the contact only the fields that people set themselves, and of linked records
  /// only the bookings that they make (L10).
  public static let individual = PermissionSet([
    .userRead, .contactSet, .credentialSet, .sessionRead, .sessionRevoke, .timerOwn, .timeRead, .linkWrite,
  ])

  /// L10: over those employed today by the accounts and groups managed. What an individual may of their own, and bookings;
  /// but not the credentials, by which a manager could act as somebody with more power.
  public static let manager = PermissionSet([
    .userRead, .contactSet, .sessionRead, .sessionRevoke, .timeRead, .timerStop, .entryCorrect, .linkWrite,
  ])

  /// T7: over the members of the product's workspace. The contact's fields belong to the identity, so only of members
  /// whose home this workspace is.
  public static let productAdministrator = PermissionSet([
    .productAccess, .licenceAssign, .userRead, .contactSet, .poolRead,
  ])

  /// A service that is bound to products, over these: what a product administrator has without the contacts, which belong
  /// to the identity; and the sessions that it opens for them, which an application must be able to end.
  static let productService = PermissionSet(
    productAdministrator.subtracting(PermissionSet([.contactSet])).list + [.sessionRead, .sessionRevoke])

  /// Everything about users and what belongs to it, but nothing that affects the workspace's security.
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
  /// The permissions of a built-in role over others; nil if the role is not built in.
  var builtInPermissions: PermissionSet? {
    switch self {
    case .individual: PermissionSet()
    case .manager: .manager
    case .trainingAdministrator: .trainingAdministrator
    case .superAdministrator: .everything
    default: permission.map { PermissionSet([$0]) }
    }
  }
}
