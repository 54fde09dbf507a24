/// A role. The first four are built in and ordered by power (L10).
public struct Role: Sendable, Hashable, BitwiseCopyable {
  public let number: UInt32

  public init(number: UInt32) { self.number = number }

  public static let individual = Role(number: 1)
  public static let manager = Role(number: 2)
  public static let trainingAdministrator = Role(number: 3)
  public static let superAdministrator = Role(number: 4)

  public static let builtIn: [(role: Role, name: String)] = [
    (.individual, "individual"),
    (.manager, "manager"),
    (.trainingAdministrator, "training-administrator"),
    (.superAdministrator, "super-administrator"),
  ]

  /// The number of the first defined role.
  public static let firstDefined: UInt32 = 16

  public init?(name: String) {
    let name = name.folded
    guard let found = Role.builtIn.first(where: { $0.name == name }) else { return nil }
    self = found.role
  }

  public var name: String {
    Role.builtIn.first { $0.role == self }?.name ?? permission.map { "\($0.name)" } ?? "role-\(number)"
  }
}

/// P6: a single permission is granted like a role, which gives that alone.
extension Role {
  /// The numbers from here on are those of single permissions; as many roles are never defined.
  private static let firstOfPermissions: UInt32 = 1 << 24

  static func only(_ permission: Permission) -> Role {
    Role(number: firstOfPermissions + UInt32(permission.rawValue))
  }

  /// What it gives, if it is a single permission.
  var permission: Permission? {
    guard number >= Self.firstOfPermissions else { return nil }
    return UInt8(exactly: number - Self.firstOfPermissions).flatMap(Permission.init(rawValue:))
  }

  /// Whether it is a role that somebody has defined.
  var isDefined: Bool { number >= Self.firstDefined && number < Self.firstOfPermissions }

  /// The order by power (L10), as far as there is one: a single permission is less than any role.
  var rank: UInt32 { permission == nil ? number : 0 }
}

/// The roles that a user has in any scope, as bits: enough for most decisions. Defined roles share bit 0.
public struct RoleSet: Sendable, Equatable, BitwiseCopyable {
  public var bits: UInt16 = 0

  public init() {}

  public init(_ grants: [Grant]) {
    for grant in grants { bits |= grant.role.number < 16 ? 1 << grant.role.number : 1 }
  }

  public func contains(_ role: Role) -> Bool { role.number < 16 && bits & (1 << role.number) != 0 }

  /// Whether the set may contain a role; if false, it certainly does not.
  func mayContain(_ role: Role) -> Bool { bits & (role.number < 16 ? 1 << role.number : 1) != 0 }

  /// Whether none of the roles gives power over others, so that scopes need not be checked.
  public var isPlain: Bool { bits & ~(1 << Role.individual.number) == 0 }
}

/// Where a grant applies.
public enum Scope: Sendable, Equatable, BitwiseCopyable {
  case everywhere
  case workspace(WorkspaceID)
  case product(ProductID)
  /// The people whom an account employs today, or those of a group; each with the workspace that it belongs to.
  case account(AccountID, of: WorkspaceID)
  case group(GroupID, of: WorkspaceID)
}

/// A role with a scope.
public struct Grant: Sendable, Equatable, BitwiseCopyable {
  public var role: Role
  public var scope: Scope
  /// L11: one of several roles is the main one.
  public var isMain: Bool
  /// B7: from when and until when it applies.
  public var limits: TimeLimits

  public init(role: Role, scope: Scope, isMain: Bool, limits: TimeLimits = .none) {
    self.role = role
    self.scope = scope
    self.isMain = isMain
    self.limits = limits
  }

  public func isSame(as other: Grant) -> Bool { role == other.role && scope == other.scope }

  /// Whether the grant applies at a given time.
  public func isInForce(at now: Milliseconds) -> Bool { limits.contains(now) }

  /// A new main grant takes over from the old one (L11). A grant that is held already changes in its place.
  public static func list(_ grants: [Grant], adding grant: Grant) -> [Grant] {
    var result = grants
    if grant.isMain { for index in result.indices { result[index].isMain = false } }
    if let index = result.firstIndex(where: { $0.isSame(as: grant) }) {
      result[index] = grant
    } else {
      result.append(grant)
    }
    return result
  }

  public static func list(_ grants: [Grant], removing grant: Grant) -> [Grant] {
    grants.filter { !$0.isSame(as: grant) }
  }
}

extension ByteWriter {
  public mutating func grant(_ grant: Grant) {
    varint(grant.role.number)
    // In grants written before they had time limits, this is a flag, now the lowest bit.
    byte((grant.isMain ? 1 : 0) | grant.limits.marks << 1)
    times(of: grant.limits)
    switch grant.scope {
    case .everywhere: byte(0)
    case .workspace(let id):
      byte(1)
      varint(id)
    case .product(let id):
      byte(2)
      varint(id)
    case .account(let id, let workspace):
      byte(3)
      varint(id)
      varint(workspace)
    case .group(let id, let workspace):
      byte(4)
      varint(id)
      varint(workspace)
    }
  }
}

extension ByteReader {
  public mutating func grant() throws(CodingError) -> Grant {
    let role = Role(number: try number())
    let marks = try byte()
    guard marks < 8 else { throw failure("an unknown mark on a role") }
    let limits = try limits(marked: marks >> 1)
    let scope: Scope
    switch try byte() {
    case 0: scope = .everywhere
    case 1: scope = .workspace(try number())
    case 2: scope = .product(try number())
    case 3: scope = .account(try number(), of: try number())
    case 4: scope = .group(try number(), of: try number())
    default: throw failure("an unknown kind of scope")
    }
    return Grant(role: role, scope: scope, isMain: marks & 1 != 0, limits: limits)
  }
}
