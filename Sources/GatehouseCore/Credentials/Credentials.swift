/// The credentials of a partition's users, and the failures at names of the partition that no user has.
public struct Credentials: ~Copyable, Sendable {
  public internal(set) var rows = RowTable<CredentialRow>()
  /// By the digest of the folded name.
  public internal(set) var strangers: [Digest: StrangerRow] = [:]

  public init() {}

  /// A user's credential; a vacant row if there is none.
  func row(of user: Int) -> CredentialRow { rows.contains(user) ? rows[user] : .vacant }

  /// The hash of a user's password; nil if there is none.
  func hash(of user: Int) -> String? {
    guard row(of: user).hasPassword else { return nil }
    return rows.withDetails(of: user) { Details.text(CredentialTag.hash, in: $0) }
  }

  /// The digest of the token of a reset under way; nil if there is none.
  func resetToken(of user: Int) -> Digest? {
    guard row(of: user).resetEnds != 0 else { return nil }
    let found = try? rows.details(of: user).decode(CredentialTag.reset) { (reader) throws(CodingError) in
      try reader.digest()
    }
    return found ?? nil
  }

  // MARK: Changing

  /// Changes a row, which is made where there is none.
  mutating func update(_ user: Int, _ lsn: LSN, _ change: (inout CredentialRow) -> Void) {
    if !rows.contains(user) { rows.put(.vacant, at: user) }
    rows.update(user) {
      $0.lsn = lsn
      change(&$0)
    }
  }

  mutating func setHash(of user: Int, _ hash: String) {
    var details = rows.details(of: user)
    details[text: CredentialTag.hash] = hash
    rows.setDetails(of: user, details.bytes)
  }

  mutating func removeHash(of user: Int) {
    var details = rows.details(of: user)
    details.remove(CredentialTag.hash)
    rows.setDetails(of: user, details.bytes)
  }

  mutating func setResetToken(of user: Int, _ token: Digest?) {
    var details = rows.details(of: user)
    if let token {
      details.encode(CredentialTag.reset) { $0.digest(token) }
    } else {
      details.remove(CredentialTag.reset)
    }
    rows.setDetails(of: user, details.bytes)
  }

  /// Forgets all of a user's credentials.
  mutating func forget(_ user: Int) {
    if row(of: user).isUsed { rows.put(.vacant, at: user) }
  }

  /// When there is room again for a name at which nobody has guessed; nil if there is room now.
  ///
  /// A name that waits is not forgotten to make room: then a flood of made-up names would end its wait, and tell that nobody
  /// has it.
  func roomForStrangers(at now: Milliseconds) -> Milliseconds? {
    guard strangers.count >= Limits.strangersOfPartition else { return nil }
    var first = Milliseconds.max
    for row in strangers.values {
      if row.waitsUntil <= now { return nil }
      first = min(first, row.waitsUntil)
    }
    return first
  }

  /// Notes a guess at a name that no user has. Where there are too many, one at which there were few guesses is
  /// forgotten: whoever wants a name forgotten has to guess at a thousand others as often.
  mutating func note(_ stranger: StrangerRow, _ name: Digest) {
    if strangers[name] == nil, strangers.count >= Limits.strangersOfPartition {
      let now = stranger.last
      let least = strangers.min { Self.isForgottenBefore($0, $1, at: now) }
      if let least { strangers[least.key] = nil }
    }
    strangers[name] = stranger
  }

  mutating func forget(stranger name: Digest) { strangers[name] = nil }

  private static func isForgottenBefore(
    _ one: (key: Digest, value: StrangerRow), _ other: (key: Digest, value: StrangerRow), at now: Milliseconds
  ) -> Bool {
    let isWaiting = (one.value.waitsUntil > now, other.value.waitsUntil > now)
    if isWaiting.0 != isWaiting.1 { return !isWaiting.0 }
    if one.value.failures != other.value.failures { return one.value.failures < other.value.failures }
    return one.value.last == other.value.last ? one.key.isOrdered(before: other.key) : one.value.last < other.value.last
  }
}

extension Credentials: Aggregate {
  mutating func copy() -> Credentials {
    var copy = Credentials()
    copy.rows = rows.copy()
    copy.strangers = strangers
    return copy
  }

  static let sections: [StoredSection<PartitionState>] = [
    StoredSection(23, size: { $0.credentials.rows.last * 128 }) { state, writer in
      state.credentials.rows.encode(into: &writer)
    } read: { (state, reader, layout) throws(CodingError) in
      state.credentials.rows = try RowTable.read(from: &reader, layout)
      guard state.credentials.rows.last <= state.people.users.last else {
        throw reader.failure("a credential of a user who does not exist")
      }
    },
    .list(24) { state in
      state.credentials.strangers.sorted { $0.key.isOrdered(before: $1.key) }
    } write: { writer, entry in
      writer.digest(entry.key)
      writer.stored(entry.value)
    } read: { (state, reader, layout) throws(CodingError) in
      let name = try reader.digest()
      state.credentials.strangers[name] = try reader.stored(StrangerRow(), layout)
    },
  ]

  static func check(_ state: borrowing PartitionState, _ checker: InvariantChecker) {
    for user in 1..<(state.credentials.rows.last + 1) where state.credentials.rows[user].isUsed {
      let row = state.credentials.rows[user]
      checker.expect(
        state.people.users.contains(user) && state.people.users[user].isUsed,
        "partition \(state.index) has a credential of no user")
      checker.expect(row.lsn <= state.lsn, "credential \(user) is newer than its partition")
      checker.expect(
        row.hasPassword == (state.credentials.hash(of: user)?.isEmpty == false),
        "credential \(user) of partition \(state.index) has a password without a hash, or a hash without a password")
      checker.expect(
        (row.resetEnds != 0) == (state.credentials.resetToken(of: user) != nil),
        "credential \(user) of partition \(state.index) has a reset without a token, or a token without a reset")
    }
    checker.expect(
      state.credentials.strangers.count <= Limits.strangersOfPartition,
      "partition \(state.index) keeps too many guesses")
  }
}
