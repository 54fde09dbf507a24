/// What is found out before a command reads all partitions, one after another: on whose authority it runs, and to whom the
/// names lead that it has. In a single partition neither can be looked up.
public struct Preparation: Sendable {
  let principal: Principal
  let namedPeople: [String: NamedUser]
}

/// A user to whom a word of a command leads.
struct NamedUser: Sendable {
  let id: UserID
  /// Whether the word is the name of somebody who was merged into the user (L13).
  let isByOtherName: Bool
}

extension Turn {
  /// Whether there is something to find out (`prepare`).
  public var needsPreparing: Bool {
    if needsAuthorising { return true }
    guard case .gather = spec.body else { return false }
    return !wordsOfPeople.isEmpty
  }

  public var preparation: Preparation { Preparation(principal: principal, namedPeople: namedPeople) }

  /// Goes on with what was found out, when the command moves to another lane.
  public func adopt(_ preparation: Preparation) {
    namedPeople = preparation.namedPeople
    if case .user(let user) = preparation.principal {
      userPrincipal = user
      sides = user.sides
    } else {
      sides = serviceSides()
    }
  }

  /// Finds the users to whom the command's words lead.
  func findPeople() throws(Halt) {
    for word in wordsOfPeople {
      guard let user = try userIfAny(word) else { continue }
      let text = arguments.string(word)
      namedPeople[text] = NamedUser(
        id: user.id, isByOtherName: !isID(word) && user.username.folded != text.folded)
    }
  }

  /// The words that name users: in options and conditions, and what is searched for.
  private var wordsOfPeople: [Int] {
    if spec.isSearch {
      let words = positional
      return words.count == 1 && !isID(words[0]) ? words : []
    }
    return chosen.compactMap { given in
      let option = spec.options[given.option]
      if option.name == "user" { return given.word }
      guard option.token == "WHERE", arguments.string(given.word).folded == "username",
        ["=", "=="].contains(arguments.string(given.word + 1))
      else { return nil }
      return given.word + 2
    }
    // A name is never such a word.
    .filter { !isID($0) || Self.identifier(arguments[$0]) != nil }
  }

  /// The user whom an option names: nil if it is not given, and nobody's id if it names nobody.
  func person(ofOption token: String) throws(Halt) -> UserID? {
    try option(token).map { namedPeople[$0]?.id ?? .none }
  }
}

extension CommandSpec {
  /// Whether people are searched for by words.
  fileprivate var isSearch: Bool { arguments.contains { $0.token == nil && $0.isVariadic && $0.name == "word" } }
}
