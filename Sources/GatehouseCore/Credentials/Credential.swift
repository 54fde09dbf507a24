/// What a user proves a login with: the hash of a password, the failures since the last success, a reset under way.
///
/// It is kept under the user's serial number. A row is vacant until the user gets a password or somebody guesses one.
public struct CredentialRow: TableRow {
  public var lsn: LSN = 0
  /// When the password was set; 0 if there is none.
  public var setAt: Milliseconds = 0
  /// No password is looked at before then.
  public var waitsUntil: Milliseconds = 0
  /// When the reset that was asked for last was asked for, and when it ends; 0 if there is none.
  public var resetAsked: Milliseconds = 0
  public var resetEnds: Milliseconds = 0
  /// Wrong passwords since the last success.
  public var failures: UInt32 = 0
  /// … of which these do not count any more for locking: the user has unlocked the login since.
  public var forgiven: UInt32 = 0
  /// Whether the password must be changed at the next login (P13).
  public var isTemporary = false
  /// Whether it is one that was made at random and mailed. Until the user has changed it, whoever has the mailbox has it.
  public var isMailed = false
  public var details = DetailRange()

  public init() {}

  public static var vacant: CredentialRow { CredentialRow() }

  public var isUsed: Bool { lsn != 0 }
  public var hasPassword: Bool { setAt != 0 }

  /// Whether so many failures lock the login.
  func locks(after failures: UInt32, limit: Int64) -> Bool { Int64(failures) - Int64(forgiven) >= limit }

  mutating func forgetFailures() { (failures, forgiven, waitsUntil) = (0, 0, 0) }
}

/// The tags of the details of a credential.
enum CredentialTag {
  /// A password hash in the PHC string format, which names the algorithm and its parameters.
  static let hash: UInt8 = 1
  /// SHA-256 of the token of a reset.
  static let reset: UInt8 = 2
}

extension CredentialRow: StoredValue {
  mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try visitor.value(&lsn, as: NumberForm<LSN>.self)
    guard isUsed else { return }
    try visitor.value(&setAt, as: TimeForm.self)
    try visitor.value(&waitsUntil, as: TimeForm.self)
    try visitor.value(&resetAsked, as: TimeForm.self)
    try visitor.value(&resetEnds, as: TimeForm.self)
    try visitor.value(&failures, as: NumberForm<UInt32>.self)
    try visitor.value(&isTemporary, as: FlagForm.self)
    try visitor.later()
    try visitor.value(&isMailed, as: FlagForm.self)
    try visitor.value(&forgiven, as: NumberForm<UInt32>.self)
  }
}

/// Guesses at a name that no user has. It waits as a user's name does, so that waiting tells nobody which names exist. The
/// names of somebody who has several wait like that, too (`Guesses`).
///
/// A partition keeps `Limits.strangersOfPartition` of them. Where all of these wait, every name at which nobody has guessed
/// waits too, until the first of them is through, whether or not somebody has it.
public struct StrangerRow: Sendable, Equatable {
  public internal(set) var failures: UInt32 = 0
  public internal(set) var waitsUntil: Milliseconds = 0
  public internal(set) var last: Milliseconds = 0
}

extension StrangerRow: StoredValue {
  mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try visitor.value(&failures, as: NumberForm<UInt32>.self)
    try visitor.value(&waitsUntil, as: TimeForm.self)
    try visitor.value(&last, as: TimeForm.self)
  }
}

/// How guessing is slowed: by the name that is guessed at, not by the address that guesses, because an attacker has many
/// addresses. From the fifth failure on each doubles the wait.
enum Throttle {
  static let freeFailures: UInt32 = 4
  static let firstWait: Milliseconds = 30_000
  static let longestWait: Milliseconds = 3_600_000

  /// How long to wait after so many failures.
  static func wait(after failures: UInt32) -> Milliseconds {
    guard failures > freeFailures else { return 0 }
    // 30 s doubled seven times is more than an hour.
    let doublings = min(failures - freeFailures - 1, 7)
    return min(firstWait << Milliseconds(doublings), longestWait)
  }
}
