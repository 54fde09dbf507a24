/// A user that a name leads to, and the name as the user spells it.
public struct NameHolder: Sendable, Equatable {
  public let user: UserID
  public let name: String

  public init(user: UserID, name: String) {
    self.user = user
    self.name = name
  }
}

extension [NameHolder] {
  /// The one whom a spelling means.
  ///
  /// One name has several holders only where they got it before names were folded as they are now, or where those of
  /// before are deleted. Each is then meant by the exact spelling, and by one that differs in simple case, as it was
  /// then. A spelling that could mean two of them means nobody: whoever is let in must be the right one.
  public func meant<Failure: Error>(
    by spelling: String, isLive: (UserID) throws(Failure) -> Bool
  ) throws(Failure) -> UserID? {
    if count == 1 { return first?.user }
    var live: [NameHolder] = []
    for holder in self where try isLive(holder.user) { live.append(holder) }
    // Of those who are gone, the last one to have it.
    guard live.count > 1 else { return (live.first ?? last)?.user }
    if let exact = live.first(where: { $0.name.utf8.elementsEqual(spelling.utf8) }) { return exact.user }
    let lower = spelling.lowercased()
    let alike = live.filter { $0.name.lowercased() == lower }
    return alike.count == 1 ? alike.first?.user : nil
  }

  /// The holders once a user has got the name, in whose partition the others of it are deleted or not.
  ///
  /// Who spells it in the same way had it before and is deleted, else it would not have been given again.
  mutating func add(_ holder: NameHolder, isDeleted: (UserID) -> Bool) {
    removeAll { $0.user == holder.user || Self.isSpelledAlike($0.name, holder.name) || isDeleted($0.user) }
    append(holder)
  }

  /// Whether two names are the same but for the case of ASCII letters. This decides what a log comes to, so that it
  /// must not depend on tables that change.
  private static func isSpelledAlike(_ a: String, _ b: String) -> Bool {
    func lower(_ byte: UInt8) -> UInt8 { byte &- 0x41 < 26 ? byte | 0x20 : byte }
    return a.utf8.count == b.utf8.count && zip(a.utf8, b.utf8).allSatisfy { lower($0) == lower($1) }
  }
}
