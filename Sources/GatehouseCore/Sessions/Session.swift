/// A login in force, or an impersonation: a login in force as another user.
public struct SessionRow: ReusableRow {
  /// SHA-256 of the token; the token itself is not stored.
  public var token: Digest = .zero
  public var lsn: LSN = 0
  public var created: Milliseconds = 0
  /// The absolute limit.
  public var expires: Milliseconds = 0
  public var lastSeen: Milliseconds = 0
  /// The value of `lastSeen` in the log.
  public var loggedSeen: Milliseconds = 0
  /// The idle limit in seconds; 0 means none.
  public var idleSeconds: UInt32 = 0
  /// How often the slot was used before. It is part of the id, so that an old id finds nothing.
  public var generation: UInt32 = 0
  /// Serial number of the user as whom the session acts; 0 if the slot is free.
  public var user: UInt32 = 0
  /// Links of the user's list of sessions, newest first; `next` also links the free list.
  public var next: UInt32 = 0
  public var previous: UInt32 = 0
  /// The deadline in seconds of the session's current heap key; keys with another deadline are stale.
  var watched: UInt32 = 0
  public var workspace: WorkspaceID = 0
  public var opener = SessionOpener.unknown
  /// The product in the upper 24 bits, then `isBound` and the kind: separate fields would make a row 8 bytes larger.
  private var facts = UInt32(SessionKind.login.rawValue)
  public var details = DetailRange()

  public init() {}

  public static var vacant: SessionRow { SessionRow() }

  public var product: ProductID {
    get { facts >> 8 }
    set {
      precondition(newValue >> 24 == 0)
      facts = newValue << 8 | facts & 0xff
    }
  }

  public var kind: SessionKind {
    get { facts & Self.kindBits == SessionKind.login.rawValue ? .login : .impersonation }
    set { facts = facts & ~Self.kindBits | UInt32(newValue.rawValue) }
  }

  /// An impersonation bound to its workspace (K4).
  public var isBound: Bool {
    get { facts & Self.boundBit != 0 }
    set { facts = facts & ~Self.boundBit | (newValue ? Self.boundBit : 0) }
  }

  private static let kindBits: UInt32 = 0x7f
  private static let boundBit: UInt32 = 0x80

  public var isUsed: Bool { user != 0 }

  /// What a free slot keeps: its generation, and the next free slot.
  public var vacancy: UInt64 { UInt64(generation) << 32 | UInt64(next) }

  public init(vacancy: UInt64) {
    generation = UInt32(vacancy >> 32)
    next = UInt32(truncatingIfNeeded: vacancy)
  }

  /// When the session ends if it is not used again.
  public var deadline: Milliseconds {
    idleSeconds == 0 ? expires : min(expires, lastSeen + Milliseconds(idleSeconds) * 1000)
  }

  public func isLive(at now: Milliseconds) -> Bool { isUsed && now < deadline }
}

public enum SessionKind: UInt8, Sendable, BitwiseCopyable, NamedChoice {
  case login = 1
  case impersonation

  public var name: StaticString { self == .login ? "login" : "impersonation" }
}

/// What an impersonation has in addition to a session; stored in the details of its row.
public struct Impersonation: Sendable, Equatable {
  public static let tag: UInt8 = 1

  public let actor: UserID
  /// The actor's username when the impersonation began. A list shows it if the actor's partition was read before it
  /// began, because a list reads one partition at a time.
  public let actorName: String
  /// The actor's own login; the impersonation ends with it.
  public let actorSession: SessionID
  public let reason: String

  public init(actor: UserID, actorName: String, actorSession: SessionID, reason: String) {
    self.actor = actor
    self.actorName = actorName
    self.actorSession = actorSession
    self.reason = reason
  }

  public func encode(_ writer: inout ByteWriter) {
    writer.varint(actor.raw)
    writer.text(actorName)
    writer.varint(actorSession.raw)
    writer.text(reason)
  }

  public init(from reader: inout ByteReader) throws(CodingError) {
    actor = UserID(raw: try reader.varint())
    actorName = try reader.text()
    actorSession = SessionID(raw: try reader.varint())
    reason = try reader.text()
  }
}

/// Why a session ended; recorded in the audit trail.
public enum SessionEnd: UInt8, Sendable, CaseIterable, NamedChoice {
  case revoked = 1
  case expired
  case statusChanged
  case accessRemoved
  case licenceRemoved
  case userDeleted
  /// The impersonation's actor logged out, or may no longer log in.
  case actorEnded
  /// The person is not employed any more or yet, and a policy requires it.
  case employmentEnded
  /// The right to impersonate is gone: a role, a membership, the ownership of a workspace or its plan; or the target
  /// has become too powerful.
  case rightLost
  /// The same user logged in once more, and the policy `session.max` allows no more.
  case displaced
  /// The user's password was changed.
  case passwordChanged
  /// The user's second factor was confirmed or taken away.
  case secondFactorChanged

  public var name: String {
    switch self {
    case .revoked: "revoked"
    case .expired: "expired"
    case .statusChanged: "status-changed"
    case .accessRemoved: "access-removed"
    case .licenceRemoved: "licence-removed"
    case .userDeleted: "user-deleted"
    case .actorEnded: "actor-ended"
    case .employmentEnded: "employment-ended"
    case .rightLost: "right-lost"
    case .displaced: "displaced"
    case .passwordChanged: "password-changed"
    case .secondFactorChanged: "second-factor-changed"
    }
  }

  /// The end of a session whose user may no longer log in.
  init(_ denial: LoginDenial) {
    switch denial {
    case .unknownUser, .deleted: self = .userDeleted
    case .inactive, .pending, .locked: self = .statusChanged
    case .unknownProduct, .productDisabled: self = .accessRemoved
    case .noLicence: self = .licenceRemoved
    case .outsideEmployment: self = .employmentEnded
    case .credentials, .waiting: preconditionFailure("a session does not depend on a password")
    }
  }

  /// The end of an impersonation that its actor could no longer begin.
  init(_ denial: ImpersonationDenial) {
    switch denial {
    case .actorEnded, .actorStatus: self = .actorEnded
    case .targetStatus: self = .statusChanged
    case .targetEmployment: self = .employmentEnded
    case .oneself, .superAdministrator, .needsOwner, .needsEnterprise, .notMember, .role, .chain, .approval,
      .unbound:
      self = .rightLost
    }
  }
}

/// The id of a session: slot and generation. Slots are reused; ids are not.
///
/// An id has 63 bits, because clients read it as a signed number. The bits left over by slot and partition count how
/// often the slot was used. A slot that has used them up is retired.
public enum SessionNumber {
  public static let slotBits = 26

  /// The last generation of a slot. The next value, which no session has, can still be stored.
  static func lastGeneration(_ partitioning: Partitioning) -> UInt32 {
    UInt32(min(UInt64(UInt32.max) - 1, 1 << UInt64(63 - slotBits - Int(partitioning.bits)) - 1))
  }

  public static func id(slot: Int, generation: UInt32, partition: Int, _ partitioning: Partitioning) -> SessionID {
    partitioning.id(serial: Int(generation) << slotBits | slot, partition: partition)
  }

  public static func slot(_ serial: Int) -> Int { serial & (1 << slotBits - 1) }
  public static func generation(_ serial: Int) -> UInt32 { UInt32(truncatingIfNeeded: serial >> slotBits) }
}

extension SessionRow: StoredValue {
  mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try visitor.value(&user, as: NumberForm<UInt32>.self)
    try visitor.value(&generation, as: NumberForm<UInt32>.self)
    try visitor.value(&next, as: NumberForm<UInt32>.self)
    guard isUsed else { return }
    try visitor.value(&token, as: DigestForm.self)
    try visitor.value(&lsn, as: NumberForm<LSN>.self)
    try visitor.value(&created, as: TimeForm.self)
    // Times close to each other are stored as deltas.
    try visitor.distance(of: &expires, from: created)
    try visitor.distance(of: &loggedSeen, from: created)
    try visitor.distance(of: &lastSeen, from: loggedSeen)
    try visitor.value(&idleSeconds, as: SecondsForm.self)
    var product = product
    try visitor.value(&product, as: SessionProductForm.self)
    self.product = product
    try visitor.value(&workspace, as: WorkspaceForm.self)
    var kind = kind
    try visitor.value(&kind, as: ChoiceForm<SessionKind>.self)
    self.kind = kind
    var isBound = isBound
    try visitor.value(&isBound, as: FlagForm.self)
    self.isBound = isBound
    try visitor.later()
    try visitor.value(&opener, as: SessionOpenerForm.self)
  }
}

/// A product number that fits a session's row.
enum SessionProductForm: FieldForm {
  static func write(_ value: ProductID, to writer: inout ByteWriter) { writer.varint(value) }

  static func read(from reader: inout ByteReader) throws(CodingError) -> ProductID {
    let product: ProductID = try reader.number()
    guard product <= Limits.products else { throw reader.failure("a session with an impossible product number") }
    return product
  }
}

extension FieldVisitor where Self: ~Copyable {
  /// Codes a time as its delta from another.
  mutating func distance(of time: inout Milliseconds, from other: Milliseconds) throws(Failure) {
    var distance = time &- other
    try value(&distance, as: SignedForm.self)
    time = other &+ distance
  }
}
