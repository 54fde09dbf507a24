/// A user that a name leads to, and the user's spelling of it.
public struct NameHolder: Sendable, Equatable {
  public let user: UserID
  public let name: String

  public init(user: UserID, name: String) {
    self.user = user
    self.name = name
  }
}

extension [NameHolder] {
  /// The holder that a spelling means.
  ///
  /// A name has several holders only if they got it before names were folded as they are now, or if earlier holders, who
  /// spelled it differently, are deleted. Then the exact spelling selects one, and so does a spelling that differs only in simple case, as it did
  /// at the time. An ambiguous spelling selects nobody: a wrong person must never be let in.
  public func meant<Failure: Error>(
    by spelling: String, isLive: (UserID) throws(Failure) -> Bool
  ) throws(Failure) -> UserID? {
    if count == 1 { return first?.user }
    var live: [NameHolder] = []
    for holder in self where try isLive(holder.user) { live.append(holder) }
    // If all are deleted: the last one to have the name.
    guard live.count > 1 else { return (live.first ?? last)?.user }
    if let exact = live.first(where: { $0.name.utf8.elementsEqual(spelling.utf8) }) { return exact.user }
    let lower = spelling.lowercased()
    let alike = live.filter { $0.name.lowercased() == lower }
    return alike.count == 1 ? alike.first?.user : nil
  }

  /// Adds a user who got the name.
  ///
  /// Those who had it before stay, and have it again once the user is purged or anonymised. So it does not matter for the
  /// index whether the record that gave it away can still be read, when the keys of that user are destroyed and the log
  /// is replayed.
  mutating func add(_ holder: NameHolder) {
    removeAll { $0.user == holder.user }
    append(holder)
  }

  /// Those to whom the name leads now. A holder whose spelling somebody later got is deleted, or the name could not have
  /// been given again.
  var current: [NameHolder] {
    if count < 2 { return self }
    var found: [NameHolder] = []
    for holder in reversed() where !found.contains(where: { Self.isSpelledAlike($0.name, holder.name) }) {
      found.append(holder)
    }
    return found.reversed()
  }

  /// Whether the name leads to the last one alone, because all others spelled it alike or are deleted.
  func leadToLast(whereGone isGone: (UserID) -> Bool) -> Bool {
    guard let last else { return true }
    return dropLast().allSatisfy { Self.isSpelledAlike($0.name, last.name) || isGone($0.user) }
  }

  /// Whether two names differ only in the case of ASCII letters. Replay of the log depends on this, so it must not use
  /// Unicode tables, which change.
  private static func isSpelledAlike(_ a: String, _ b: String) -> Bool {
    func lower(_ byte: UInt8) -> UInt8 { byte &- 0x41 < 26 ? byte | 0x20 : byte }
    return a.utf8.count == b.utf8.count && zip(a.utf8, b.utf8).allSatisfy { lower($0) == lower($1) }
  }
}
