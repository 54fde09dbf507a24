/// A password is set, or its hash is made anew with other parameters.
public struct PasswordSet: PartitionChange {
  public static var code: UInt8 { 100 }
  public static var name: String { "password-set" }

  public var user = UserID.none
  /// In the PHC string format.
  public var hash = ""
  public var isTemporary = false
  public var means = PasswordMeans.administrator
  /// Whether the failures that stay do not count any more for locking. Earlier versions counted them.
  public var forgivesFailures = false

  public init() {}

  init(_ user: UserID, hash: String, isTemporary: Bool, _ means: PasswordMeans) {
    self.user = user
    self.hash = hash
    self.isTemporary = isTemporary
    self.means = means
    forgivesFailures = means == .reset
  }

  public mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try visitor.subject(&user, as: UserForm.self)
    try visitor.secret(&hash, as: TextForm.self)
    try visitor.field("temporary", &isTemporary, as: FlagForm.self)
    try visitor.field("means", &means, as: ChoiceForm<PasswordMeans>.self)
    try visitor.later()
    try visitor.value(&forgivesFailures, as: FlagForm.self)
  }

  public var sealing: SealedUnder? { .one(.user(user)) }

  public var concern: Concern { .nobody }

  public func apply(to state: inout PartitionState, lsn: LSN, header: RecordHeader) {
    let serial = state.partitioning.serial(of: user)
    // Whoever reads the mails of somebody must not guess codes without waits by resetting the password again and again.
    let keepsWaiting = means == .reset && state.secondFactors.isEnrolled(serial)
    state.credentials.update(serial, lsn) { row in
      // The password is the same as before, and whoever gave it may still lack the second factor.
      if means == .rehashed { return }
      if !keepsWaiting {
        row.forgetFailures()
      } else if forgivesFailures {
        row.forgiven = row.failures
      }
      row.setAt = header.time
      row.isTemporary = isTemporary
      row.isMailed = means == .generated
      row.resetAsked = 0
      row.resetEnds = 0
    }
    if means != .rehashed {
      state.credentials.setResetToken(of: serial, nil)
      state.secondFactors.dropChallenges(of: serial)
    }
    state.credentials.setHash(of: serial, hash)
  }
}

/// How a password came to be set.
public enum PasswordMeans: UInt8, Sendable, CaseIterable, NamedChoice {
  /// An administrator or a service has set it.
  case administrator = 1
  /// The user has changed it, knowing the old one.
  case user
  /// It was made at random and mailed.
  case generated
  /// The user has redeemed a reset mail.
  case reset
  /// The same password under other parameters, at a login.
  case rehashed
  /// It is the one that the user has in another system, whose hash was imported.
  case imported

  public var name: String {
    switch self {
    case .administrator: "administrator"
    case .user: "user"
    case .generated: "generated"
    case .reset: "reset"
    case .rehashed: "rehashed"
    case .imported: "imported"
    }
  }
}

/// A wrong password was given for a user.
public struct LoginFailed: PartitionChange {
  public static var code: UInt8 { 101 }
  public static var name: String { "login-failed" }

  public var user = UserID.none
  public var failures: UInt32 = 0
  public var waitsUntil: Milliseconds = 0

  public init() {}

  init(_ user: UserID, failures: UInt32, waitsUntil: Milliseconds) {
    self.user = user
    self.failures = failures
    self.waitsUntil = waitsUntil
  }

  public mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try visitor.subject(&user, as: UserForm.self)
    try visitor.field("failures", &failures, as: NumberForm<UInt32>.self)
    try visitor.field("waits-until", &waitsUntil, as: FilledTimeForm.self)
  }

  public var concern: Concern { .nobody }

  public func apply(to state: inout PartitionState, lsn: LSN, header: RecordHeader) {
    state.credentials.update(state.partitioning.serial(of: user), lsn) {
      $0.failures = failures
      $0.waitsUntil = waitsUntil
    }
  }
}

/// The failures of a user are forgotten: the right password was given, or an administrator says so.
public struct LoginCleared: PartitionChange {
  public static var code: UInt8 { 102 }
  public static var name: String { "login-cleared" }

  public var user = UserID.none
  /// How many there were.
  public var failures: UInt32 = 0

  public init() {}

  init(_ user: UserID, failures: UInt32) {
    self.user = user
    self.failures = failures
  }

  public mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try visitor.subject(&user, as: UserForm.self)
    try visitor.removed("failures", &failures, as: NumberForm<UInt32>.self)
  }

  public var concern: Concern { .nobody }

  public func apply(to state: inout PartitionState, lsn: LSN, header: RecordHeader) {
    state.credentials.update(state.partitioning.serial(of: user), lsn) { $0.forgetFailures() }
  }
}

/// A wrong password was given for a name that no user has, or only had until it was merged into another; or, with 0
/// failures, the right one was given for the latter.
public struct StrangerFailed: PartitionChange {
  public static var code: UInt8 { 103 }
  public static var name: String { "stranger-failed" }

  public var partition = 0
  /// The digest of the folded name: what somebody has typed there may be a password.
  public var typed = Digest.zero
  public var failures: UInt32 = 0
  public var waitsUntil: Milliseconds = 0

  public init() {}

  init(_ partition: Int, _ typed: Digest, failures: UInt32, waitsUntil: Milliseconds) {
    self.partition = partition
    self.typed = typed
    self.failures = failures
    self.waitsUntil = waitsUntil
  }

  public mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    visitor.about("name that no user has")
    try visitor.secret(&partition, as: PartitionForm.self)
    try visitor.secret(&typed, as: DigestForm.self)
    try visitor.field("failures", &failures, as: NumberForm<UInt32>.self)
    try visitor.field("waits-until", &waitsUntil, as: FilledTimeForm.self)
  }

  public var concern: Concern { .nobody }

  public func apply(to state: inout PartitionState, lsn: LSN, header: RecordHeader) {
    if failures == 0 { return state.credentials.forget(stranger: typed) }
    let row = StrangerRow(failures: failures, waitsUntil: waitsUntil, last: header.time)
    state.credentials.note(row, typed)
  }
}

/// A mail with which a user can set another password is on its way.
public struct ResetAsked: PartitionChange {
  public static var code: UInt8 { 104 }
  public static var name: String { "reset-asked" }

  public var user = UserID.none
  public var token = Digest.zero
  public var ends: Milliseconds = 0

  public init() {}

  init(_ user: UserID, token: Digest, ends: Milliseconds) {
    self.user = user
    self.token = token
    self.ends = ends
  }

  public mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try visitor.subject(&user, as: UserForm.self)
    try visitor.secret(&token, as: DigestForm.self)
    try visitor.field("expires", &ends, as: TimeForm.self)
  }

  public var concern: Concern { .nobody }

  public func apply(to state: inout PartitionState, lsn: LSN, header: RecordHeader) {
    let serial = state.partitioning.serial(of: user)
    state.credentials.update(serial, lsn) {
      $0.resetAsked = header.time
      $0.resetEnds = ends
    }
    state.credentials.setResetToken(of: serial, token)
  }
}

/// What was mailed to a user ends unused: the address was another, or the user may not log in any more.
public struct MailedSecretEnded: PartitionChange {
  public static var code: UInt8 { 107 }
  public static var name: String { "mailed-secret-ended" }

  public var user = UserID.none
  /// Whether the token of a reset has ended, and whether the password that was mailed.
  public var endsReset = false
  public var endsPassword = false

  public init() {}

  init(_ user: UserID, endsReset: Bool, endsPassword: Bool) {
    self.user = user
    self.endsReset = endsReset
    self.endsPassword = endsPassword
  }

  public mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try visitor.subject(&user, as: UserForm.self)
    try visitor.field("reset", &endsReset, as: FlagForm.self)
    try visitor.field("password", &endsPassword, as: FlagForm.self)
  }

  public var concern: Concern { .nobody }

  public func apply(to state: inout PartitionState, lsn: LSN, header: RecordHeader) {
    let serial = state.partitioning.serial(of: user)
    state.credentials.update(serial, lsn) { row in
      if endsReset { (row.resetAsked, row.resetEnds) = (0, 0) }
      if endsPassword { (row.setAt, row.isTemporary, row.isMailed) = (0, false, false) }
    }
    if endsReset { state.credentials.setResetToken(of: serial, nil) }
    if endsPassword { state.credentials.removeHash(of: serial) }
  }
}

/// A reset was asked for, and nothing was mailed: nobody has the name, or the user may not log in, has no address or was
/// mailed a moment ago.
///
/// It changes nothing. It is written so that asking takes as long as where a mail is queued, and tells nobody who exists.
public struct ResetUnanswered: FolderChange {
  public static var code: UInt8 { 108 }
  public static var name: String { "reset-unanswered" }

  /// nil where nobody has the name.
  public var user: UserID?

  public init() {}

  init(_ user: UserID?) { self.user = user }

  public mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    visitor.about("password reset")
    try visitor.field("user", &user, as: OptionalForm<UserForm>.self)
  }
}
