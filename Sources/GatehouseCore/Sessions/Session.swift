/// A login in force, or an impersonation: a login in force as somebody else.
public struct SessionRow: ReusableRow {
  /// SHA-256 of the token's text; the token itself is nowhere.
  public var token: Digest = .zero
  public var lsn: LSN = 0
  public var created: Milliseconds = 0
  /// The absolute limit.
  public var expires: Milliseconds = 0
  public var lastSeen: Milliseconds = 0
  /// The value of `lastSeen` that the log has.
  public var loggedSeen: Milliseconds = 0
  /// The idle limit in seconds; 0 for none.
  public var idleSeconds: UInt32 = 0
  /// How often the slot was used before; it stands in the id, so that an old id finds nothing.
  public var generation: UInt32 = 0
  /// Serial number of the user it acts as; 0 where the slot is free.
  public var user: UInt32 = 0
  /// Neighbours in the user's list of sessions, newest first; `next` also links the free slots.
  public var next: UInt32 = 0
  public var previous: UInt32 = 0
  /// The deadline, in seconds, under which the session is watched. What is watched under another is of the past.
  var watched: UInt32 = 0
  public var workspace: WorkspaceID = 0
  /// The product in the upper 24 bits, then `isBound` and the kind: with a field for each a row would take 8 bytes more.
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

  /// Of a free slot its generation is known, and the free slot after it.
  public var vacancy: UInt64 { UInt64(generation) << 32 | UInt64(next) }

  public init(vacancy: UInt64) {
    generation = UInt32(vacancy >> 32)
    next = UInt32(truncatingIfNeeded: vacancy)
  }

  /// When the session ends by itself if it is not used any more.
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

/// What an impersonation carries beside a session; in the details of its row.
public struct Impersonation: Sendable, Equatable {
  public static let tag: UInt8 = 1

  public let actor: UserID
  /// The actor's username when it began. A list of impersonations shows it where the actor's partition was read
  /// before it began: partitions are read one at a time.
  public let actorName: String
  /// The actor's own login, with which the impersonation ends.
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

/// Why a session ended; stands in the audit trail.
public enum SessionEnd: UInt8, Sendable, CaseIterable, NamedChoice {
  case revoked = 1
  case expired
  case statusChanged
  case accessRemoved
  case licenceRemoved
  case userDeleted
  /// The impersonation's actor logged out, or may no longer log in.
  case actorEnded
  /// The person is no longer employed, or not yet, where a policy asks for it.
  case employmentEnded
  /// What an impersonation rested on is gone: a role, a membership, the ownership of a workspace, its plan; or its
  /// target has become too powerful.
  case rightLost

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
    }
  }

  /// The end of a session whose user may not log in any more.
  init(_ denial: LoginDenial) {
    switch denial {
    case .unknownUser, .deleted: self = .userDeleted
    case .inactive, .pending, .locked: self = .statusChanged
    case .unknownProduct, .productDisabled: self = .accessRemoved
    case .noLicence: self = .licenceRemoved
    case .outsideEmployment: self = .employmentEnded
    }
  }

  /// The end of an impersonation that its actor could not begin any more.
  init(_ denial: ImpersonationDenial) {
    switch denial {
    case .actorEnded, .actorStatus: self = .actorEnded
    case .targetStatus: self = .statusChanged
    case .oneself, .superAdministrator, .needsOwner, .needsEnterprise, .notMember, .role, .chain, .unbound:
      self = .rightLost
    }
  }
}

/// The id of a session: slot and generation. Slots are used again; ids are not.
///
/// An id is a number of 63 bits, for clients read it as a signed one: what the slot and the partition leave of them counts
/// the uses of a slot. A slot whose uses have run out is not used again.
public enum SessionNumber {
  public static let slotBits = 26

  /// The last generation that a slot may have. The one after it, which no session has, can still be written down.
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
    // Times that lie near each other are written as distances.
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
  }
}

/// A product as a session's row has room for it.
enum SessionProductForm: FieldForm {
  static func write(_ value: ProductID, to writer: inout ByteWriter) { writer.varint(value) }

  static func read(from reader: inout ByteReader) throws(CodingError) -> ProductID {
    let product: ProductID = try reader.number()
    guard product <= Limits.products else { throw reader.failure("a session of a product that cannot be") }
    return product
  }
}

extension FieldVisitor where Self: ~Copyable {
  /// Shows a time as its distance from another.
  mutating func distance(of time: inout Milliseconds, from other: Milliseconds) throws(Failure) {
    var distance = time &- other
    try value(&distance, as: SignedForm.self)
    time = other &+ distance
  }
}
