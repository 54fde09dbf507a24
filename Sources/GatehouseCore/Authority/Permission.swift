/// One thing that may be done, with the name used in roles and refusals: `user.rename`.
public enum Permission: UInt8, Sendable, CaseIterable {
  // A person's identity: governed by the home workspace alone (W2).
  case contactSet, userSet, userRename, userStatus, userDelete, userPurge, userMerge, userAnonymise, userMove
  case credentialSet, authoritySet
  // A person in a workspace (W3).
  case userRead, sessionRead, sessionRevoke, impersonate, timerOwn, timeRead, timerStop, entryCorrect
  case productAccess, licenceAssign, memberManage, roleGrant, employmentManage, linkWrite
  // A workspace and its contents.
  case userCreate, productCreate, poolRead, poolSet, accountManage, roleDefine, fieldDefine
  case workspaceSet, securitySet, workspaceTransfer, auditRead, feedRead, mailHandle, dataImport, dataExport
  // The whole server: needs a grant with the scope `everywhere` (W6).
  case workspaceCreate, workspacePlan, serviceManage, serverRead, serverManage

  /// What a permission is about, which determines where it must be held.
  public enum Domain: Sendable {
    /// A person's identity: it must be held over the home workspace.
    case identity
    /// A person in a workspace: it must be held over that workspace.
    case member
    /// A workspace or one of its products.
    case workspace
    case server
  }

  public var domain: Domain {
    switch self {
    case .contactSet, .userSet, .userRename, .userStatus, .userDelete, .userPurge, .userMerge, .userAnonymise,
      .userMove, .credentialSet, .authoritySet:
      .identity
    case .userRead, .sessionRead, .sessionRevoke, .impersonate, .timerOwn, .timeRead, .timerStop, .entryCorrect,
      .productAccess, .licenceAssign, .memberManage, .roleGrant, .employmentManage, .linkWrite:
      .member
    case .userCreate, .productCreate, .poolRead, .poolSet, .accountManage, .roleDefine, .fieldDefine, .workspaceSet,
      .securitySet, .workspaceTransfer, .auditRead, .feedRead, .mailHandle, .dataImport, .dataExport:
      .workspace
    case .workspaceCreate, .workspacePlan, .serviceManage, .serverRead, .serverManage: .server
    }
  }

  /// Whether it is about single people, so that it can be held over those of an account.
  var isAboutPeople: Bool {
    switch domain {
    case .identity, .member: true
    case .workspace, .server: false
    }
  }

  /// Whether it only lets one see things, so that nothing of it could wait for a second person (B13).
  var isForSeeing: Bool {
    [.userRead, .sessionRead, .timeRead, .poolRead, .auditRead, .feedRead, .dataExport].contains(self)
  }

  public var name: StaticString { words.name }
  public var summary: StaticString { words.summary }

  private var words: (name: StaticString, summary: StaticString) {
    switch self {
    case .contactSet: ("contact.set", "set the fields of the contact, which all products share")
    case .userSet: ("user.set", "set the fields of the login: initials, reference, division, bookings")
    case .userRename: ("user.rename", "change the username, and with it the e-mail")
    case .userStatus: ("user.status", "set the status")
    case .userDelete: ("user.delete", "take the login away")
    case .userPurge: ("user.purge", "remove a deleted user for good")
    case .userMerge: ("user.merge", "make one of two users")
    case .userAnonymise: ("user.anonymise", "clear personal data")
    case .userMove: ("user.move", "hand the home over to another workspace")
    case .credentialSet: ("credential.set", "set passwords, second factors and keys")
    case .authoritySet: ("authority.set", "say who has authority over the subscription")
    case .userRead: ("user.read", "see users and what is known of them")
    case .sessionRead: ("session.read", "see sessions and impersonations")
    case .sessionRevoke: ("session.revoke", "end sessions and impersonations")
    case .impersonate: ("impersonate", "log in as somebody else")
    case .timerOwn: ("timer.own", "keep one's own time")
    case .timeRead: ("time.read", "see timers and entries of others")
    case .timerStop: ("timer.stop", "start and stop timers of others")
    case .entryCorrect: ("entry.correct", "add, correct and delete entries of others")
    case .productAccess: ("product.access", "let users into products and keep them out")
    case .licenceAssign: ("licence.assign", "give and take licences")
    case .memberManage: ("member.manage", "make users members of a workspace, or no longer")
    case .roleGrant: ("role.grant", "give and take roles, as far as one holds what they give")
    case .employmentManage: ("employment.manage", "say who is employed where")
    case .linkWrite: ("link.write", "write bookings and other linked records")
    case .userCreate: ("user.create", "add users, whose home the workspace then is")
    case .productCreate: ("product.create", "add products")
    case .poolRead: ("pool.read", "see seats bought and used")
    case .poolSet: ("pool.set", "say how many seats were bought")
    case .accountManage: ("account.manage", "manage accounts and their groups")
    case .roleDefine: ("role.define", "define roles, as far as one holds what they give")
    case .fieldDefine: ("field.define", "define fields")
    case .workspaceSet: ("workspace.set", "set policies that are not about security")
    case .securitySet: ("security.set", "set policies about security, the subdomain, a whole profile")
    case .workspaceTransfer: ("workspace.transfer", "hand a workspace on to another owner")
    case .auditRead: ("audit.read", "read the audit trail")
    case .feedRead: ("feed.read", "read the feed of changes")
    case .mailHandle: ("mail.handle", "send the mails that wait")
    case .dataImport: ("import", "bring data in")
    case .dataExport: ("export", "take data out")
    case .workspaceCreate: ("workspace.create", "add workspaces")
    case .workspacePlan: ("workspace.plan", "choose the plan of a workspace")
    case .serviceManage: ("service.manage", "let services in and shut them out")
    case .serverRead: ("server.read", "see the server's figures")
    case .serverManage: ("server.manage", "run the server")
    }
  }

  public init?(name: String) {
    let name = name.folded
    guard let found = Self.allCases.first(where: { "\($0.name)" == name }) else { return nil }
    self = found
  }
}

/// A set of permissions, as bits.
public struct PermissionSet: Sendable, Equatable, BitwiseCopyable {
  public private(set) var bits: UInt64 = 0

  public init() {}
  public init(bits: UInt64) { self.bits = bits }
  public init(_ permissions: some Sequence<Permission>) { for permission in permissions { insert(permission) } }

  public static let all = PermissionSet(Permission.allCases)
  /// The permissions that reveal a user's existence.
  static let aboutPeople = PermissionSet(Permission.allCases.filter(\.isAboutPeople))

  public mutating func insert(_ permission: Permission) { bits |= 1 << UInt64(permission.rawValue) }
  public func contains(_ permission: Permission) -> Bool { bits & 1 << UInt64(permission.rawValue) != 0 }
  public func intersects(_ other: PermissionSet) -> Bool { bits & other.bits != 0 }
  public func subtracting(_ other: PermissionSet) -> PermissionSet { PermissionSet(bits: bits & ~other.bits) }
  public var isEmpty: Bool { bits == 0 }
  public var list: [Permission] { Permission.allCases.filter(contains) }
}
