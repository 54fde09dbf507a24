/// A secret for an authenticator app was handed out. It counts once a code has confirmed it.
public struct SecondFactorBegun: PartitionChange {
  public static var code: UInt8 { 114 }
  public static var name: String { "second-factor-begun" }

  public var user = UserID.none
  public var secret = TimeSecret()

  public init() {}

  init(_ user: UserID, _ secret: TimeSecret) {
    self.user = user
    self.secret = secret
  }

  public mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try visitor.subject(&user, as: UserForm.self)
    try visitor.secret(&secret, as: TimeSecretForm.self)
  }

  public var sealing: SealedUnder? { .one(.user(user)) }
  public var concern: Concern { .nobody }

  public func apply(to state: inout PartitionState, lsn: LSN, header: RecordHeader) {
    state.secondFactors.update(state.partitioning.serial(of: user), lsn) {
      $0.pending = secret
      $0.begun = header.time
    }
  }
}

/// A code has confirmed the secret that was handed out last: from now on logins take one.
public struct SecondFactorConfirmed: PartitionChange {
  public static var code: UInt8 { 115 }
  public static var name: String { "second-factor-confirmed" }

  public var user = UserID.none
  public var step: Int64 = 0
  /// The digests of the recovery codes.
  public var recovery: [Digest] = []

  public init() {}

  init(_ user: UserID, step: Int64, recovery: [Digest]) {
    self.user = user
    self.step = step
    self.recovery = recovery
  }

  public mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try visitor.subject(&user, as: UserForm.self)
    try visitor.secret(&step, as: SignedForm.self)
    try visitor.secret(&recovery, as: ListForm<DigestForm>.self)
  }

  public var concern: Concern { .nobody }

  public func apply(to state: inout PartitionState, lsn: LSN, header: RecordHeader) {
    let serial = state.partitioning.serial(of: user)
    state.secondFactors.update(serial, lsn) {
      $0.secret = $0.pending
      $0.pending = nil
      $0.confirmed = header.time
      $0.lastStep = step
      $0.recovery = recovery
    }
    state.secondFactors.dropChallenges(of: serial)
  }
}

/// A code was accepted; it and those of earlier steps are not accepted again, also after a restart.
public struct SecondFactorUsed: PartitionChange {
  public static var code: UInt8 { 116 }
  public static var name: String { "second-factor-used" }

  public var user = UserID.none
  /// 0 for a recovery code.
  public var step: Int64 = 0
  /// The digest of the recovery code that was used up.
  public var recovery: Digest?
  /// How many recovery codes are left after one was used.
  public var left: UInt32?

  public init() {}

  init(_ user: UserID, step: Int64) {
    self.user = user
    self.step = step
  }

  init(_ user: UserID, recovery: Digest, left: Int) {
    self.user = user
    self.recovery = recovery
    self.left = UInt32(left)
  }

  public mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try visitor.subject(&user, as: UserForm.self)
    try visitor.secret(&step, as: SignedForm.self)
    try visitor.secret(&recovery, as: OptionalForm<DigestForm>.self)
    try visitor.field("recovery-codes", &left, as: OptionalForm<NumberForm<UInt32>>.self)
  }

  public var concern: Concern { .nobody }

  public func apply(to state: inout PartitionState, lsn: LSN, header: RecordHeader) {
    state.secondFactors.update(state.partitioning.serial(of: user), lsn) {
      $0.lastStep = max($0.lastStep, step)
      if let recovery { $0.recovery.removeAll { $0 == recovery } }
    }
  }
}

/// A user has no second factor any more.
public struct SecondFactorDisabled: PartitionChange {
  public static var code: UInt8 { 117 }
  public static var name: String { "second-factor-disabled" }

  public var user = UserID.none

  public init() {}

  init(_ user: UserID) { self.user = user }

  public mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try visitor.subject(&user, as: UserForm.self)
  }

  public var concern: Concern { .nobody }

  public func apply(to state: inout PartitionState, lsn: LSN, header: RecordHeader) {
    state.secondFactors.forget(state.partitioning.serial(of: user))
  }
}

/// A login has shown the right password, and waits for the second factor.
public struct ChallengeIssued: PartitionChange {
  public static var code: UInt8 { 118 }
  public static var name: String { "challenge-issued" }

  public var user = UserID.none
  var challenge = LoginChallenge()

  public init() {}

  init(_ user: UserID, _ challenge: LoginChallenge) {
    self.user = user
    self.challenge = challenge
  }

  public mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try visitor.subject(&user, as: UserForm.self)
    try visitor.secret(&challenge.digest, as: DigestForm.self)
    try visitor.field("product", &challenge.product, as: ProductForm.self)
    try visitor.secret(&challenge.service, as: NumberForm<ServiceID>.self)
    try visitor.field("expires", &challenge.expires, as: TimeForm.self)
    try visitor.field("enrols", &challenge.enrols, as: FlagForm.self)
    try visitor.field("wish", &challenge.wish, as: SessionWishForm.self)
  }

  public var person: PersonSubject? { .user(user) }
  public var concern: Concern { .nobody }

  public func apply(to state: inout PartitionState, lsn: LSN, header: RecordHeader) {
    var issued = challenge
    issued.user = UInt32(state.partitioning.serial(of: user))
    issued.lsn = lsn
    state.secondFactors.issue(issued, at: header.time)
  }
}

/// A login that waited for the second factor waits no longer.
public protocol ChallengeOver: PartitionChange {
  var user: UserID { get set }
  var digest: Digest { get set }
}

extension ChallengeOver {
  init(_ user: UserID, _ digest: Digest) {
    self.init()
    self.user = user
    self.digest = digest
  }

  public mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try visitor.subject(&user, as: UserForm.self)
    try visitor.secret(&digest, as: DigestForm.self)
  }

  public var concern: Concern { .nobody }

  public func apply(to state: inout PartitionState, lsn: LSN, header: RecordHeader) {
    state.secondFactors.drop(digest)
  }
}

/// A challenge was answered rightly, and cannot be answered again.
public struct ChallengeAnswered: ChallengeOver {
  public static var code: UInt8 { 119 }
  public static var name: String { "challenge-answered" }

  public var user = UserID.none
  public var digest = Digest.zero

  public init() {}
}

/// A login that waited for the second factor ends: what its password has proved does not count any more.
public struct ChallengeEnded: ChallengeOver {
  public static var code: UInt8 { 160 }
  public static var name: String { "challenge-ended" }

  public var user = UserID.none
  public var digest = Digest.zero

  public init() {}
}
