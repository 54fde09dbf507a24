/// The second factors of a partition's users, and the logins that wait for one.
public struct SecondFactors: ~Copyable, Sendable {
  /// By the user's serial number.
  public private(set) var factors: [UInt32: SecondFactor] = [:]
  /// In the order in which they were issued. They all live equally long, so those that are over come first.
  public private(set) var challenges: [LoginChallenge] = []

  public init() {}

  func factor(of user: Int) -> SecondFactor? { factors[UInt32(user)] }

  /// Whether a login of the user takes a code.
  func isEnrolled(_ user: Int) -> Bool { factors[UInt32(user)]?.secret != nil }

  /// A user's challenge with a digest.
  func challenge(_ digest: Digest, of user: Int) -> LoginChallenge? {
    challenges.first { $0.user == UInt32(user) && $0.digest.matches(digest) }
  }

  /// A user's challenges.
  func challenges(of user: Int) -> [LoginChallenge] {
    if challenges.isEmpty { return [] }
    return challenges.filter { $0.user == UInt32(user) }
  }

  // MARK: Changing

  /// Changes a user's second factor, which is made where there is none.
  mutating func update(_ user: Int, _ lsn: LSN, _ change: (inout SecondFactor) -> Void) {
    factors[UInt32(user), default: SecondFactor()].lsn = lsn
    change(&factors[UInt32(user), default: SecondFactor()])
  }

  /// Keeps a challenge. Those that are over, and the oldest of a user or a partition that has too many, make room.
  mutating func issue(_ challenge: LoginChallenge, at now: Milliseconds) {
    challenges.removeAll { $0.expires <= now }
    let own = challenges.indices.filter { challenges[$0].user == challenge.user }
    if own.count >= Limits.challengesOfUser {
      challenges.remove(at: own[0])
    } else if challenges.count >= Limits.challengesOfPartition {
      challenges.removeFirst()
    }
    challenges.append(challenge)
  }

  mutating func drop(_ digest: Digest) { challenges.removeAll { $0.digest == digest } }

  /// Ends the logins of a user that wait: the password or the second factor has changed.
  mutating func dropChallenges(of user: Int) { challenges.removeAll { $0.user == UInt32(user) } }

  /// Forgets all of a user's.
  mutating func forget(_ user: Int) {
    factors[UInt32(user)] = nil
    dropChallenges(of: user)
  }

  /// Time has gone back, because it came from a clock that was wrong. A step that was accepted ahead of it must not keep
  /// users out until it comes again.
  mutating func setBack(to time: Milliseconds) {
    let latest = TimeCode.step(at: time) + TimeCode.tolerance
    for (user, factor) in factors where factor.lastStep > latest { factors[user]?.lastStep = latest }
    challenges = []
  }
}

extension SecondFactors: Aggregate {
  mutating func copy() -> SecondFactors {
    var copy = SecondFactors()
    copy.factors = factors
    copy.challenges = challenges
    return copy
  }

  static let sections: [StoredSection<PartitionState>] = [
    .list(26) { state in
      state.secondFactors.factors.sorted { $0.key < $1.key }.map { entry in
        (serial: entry.key, user: state.id(Int(entry.key)) as UserID, factor: entry.value)
      }
    } write: { writer, entry in
      writer.varint(entry.serial)
      writer.sealed(entry.factor, under: .user(entry.user))
    } read: { (state, reader, layout) throws(CodingError) in
      let user: UInt32 = try reader.number()
      guard state.people.users.contains(Int(user)) else {
        throw reader.failure("a second factor of a user who does not exist")
      }
      state.secondFactors.factors[user] = try reader.sealed(
        SecondFactor(), under: .user(state.id(Int(user))), layout)
    },
    .list(27) { state in
      state.secondFactors.challenges
    } write: { writer, challenge in
      writer.stored(challenge)
    } read: { (state, reader, layout) throws(CodingError) in
      let challenge = try reader.stored(LoginChallenge(), layout)
      guard state.people.users.contains(Int(challenge.user)) else {
        throw reader.failure("a login of a user who does not exist")
      }
      state.secondFactors.challenges.append(challenge)
    },
  ]

  static func check(_ state: borrowing PartitionState, _ checker: InvariantChecker) {
    for (user, factor) in state.secondFactors.factors {
      checker.expect(
        state.people.users.contains(Int(user)) && state.people.users[Int(user)].isUsed,
        "partition \(state.index) has a second factor of no user")
      checker.expect(factor.lsn <= state.lsn, "the second factor of user \(user) is newer than its partition")
      checker.expect(
        (factor.secret != nil) == (factor.confirmed != 0) && (factor.secret != nil || factor.recovery.isEmpty),
        "the second factor of user \(user) is confirmed without a secret, or has one that is not")
    }
    checker.expect(
      state.secondFactors.challenges.count <= Limits.challengesOfPartition,
      "partition \(state.index) keeps too many logins that wait for a second factor")
  }
}
