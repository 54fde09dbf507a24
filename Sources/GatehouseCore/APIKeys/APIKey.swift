/// A key with which a program acts as a user, without a login.
///
/// It depends on nothing but the user: it outlives sessions and a change of the password. While the user may not log in,
/// it is refused, and works again when they may. It ends for good when it is deactivated, when its time is up, and with
/// the login itself (S12).
public struct APIKeyRow: ReusableRow {
  /// SHA-256 of the key; the key itself is not stored.
  public var digest: Digest = .zero
  public var lsn: LSN = 0
  public var created: Milliseconds = 0
  /// 0 if it has no limit.
  public var expires: Milliseconds = 0
  /// 0 if it was never used.
  public var lastUsed: Milliseconds = 0
  /// The value of `lastUsed` in the log.
  public var loggedUse: Milliseconds = 0
  /// When it was deactivated; 0 if it was not.
  public var ended: Milliseconds = 0
  /// Serial number of the user; 0 if the row is vacant.
  public var user: UInt32 = 0
  /// The user's key made before this one.
  public var next: UInt32 = 0
  public var details = DetailRange()

  public init() {}

  public static var vacant: APIKeyRow { APIKeyRow() }

  public var isUsed: Bool { user != 0 }

  // Serial numbers are not given out again, so a vacant row keeps nothing.
  public var vacancy: UInt64 { 0 }
  public init(vacancy: UInt64) {}

  /// Whether it is neither deactivated nor too old.
  @inline(__always)
  public func isActive(at now: Milliseconds) -> Bool { isUsed && ended == 0 && (expires == 0 || now < expires) }

  /// Whether a use is to be logged: a read must not become a write each time.
  @inline(__always)
  func isUseWorthLogging(at now: Milliseconds) -> Bool { now - loggedUse > Limits.useOfKey }
}

/// The tags of the details of a key.
enum APIKeyTag {
  static let name: UInt8 = 1
  static let maker: UInt8 = 2
  /// Who deactivated it.
  static let ender: UInt8 = 3
  /// Until when it was to live before another replaced it; 0 if without a limit.
  static let planned: UInt8 = 4
}

/// Why a key was deactivated.
public enum APIKeyEnd: UInt8, Sendable, CaseIterable, NamedChoice {
  case deactivated = 1
  case userDeleted
  case anonymised

  public var name: String {
    switch self {
    case .deactivated: "deactivated"
    case .userDeleted: "user-deleted"
    case .anonymised: "anonymised"
    }
  }
}

public enum APIKeyEntity {}

extension APIKeyEntity: IdentifiedEntity {
  public static var word: String { "key" }
}

public typealias APIKeyID = Identifier<APIKeyEntity>
public typealias APIKeyForm = IdentifierForm<APIKeyEntity>

extension APIKeyRow: StoredValue {
  mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try visitor.value(&user, as: NumberForm<UInt32>.self)
    guard isUsed else { return }
    try visitor.value(&next, as: NumberForm<UInt32>.self)
    try visitor.value(&digest, as: DigestForm.self)
    try visitor.value(&lsn, as: NumberForm<LSN>.self)
    try visitor.value(&created, as: TimeForm.self)
    try visitor.value(&expires, as: TimeForm.self)
    try visitor.value(&loggedUse, as: TimeForm.self)
    try visitor.distance(of: &lastUsed, from: loggedUse)
    try visitor.value(&ended, as: TimeForm.self)
  }
}
