/// L23: sets fields of many users at once, all or none, in one record.
extension CommandTable {
  static let bulkCommands: [CommandSpec] = [
    CommandSpec(
      "USER.BULK", .people, "Set fields of many users, given by name or id or by conditions, all or none",
      [
        .word("SET"), .word("field"), .word("value"), .pairs("field", "value"),
        .counted("IDS", "user"), .option("WHERE", parts: ["field", "op", "value"], repeats: true),
      ],
      reply:
        "a map `users, changed`: how many were meant, and how many of them are other than before. The fields are those"
        + " of USER.SET, and `status`. The refusal of one names that user, and then nothing is changed",
      effect: .write, rights: .admin,
      needs: .permissions([.contactSet, .userSet, .authoritySet, .memberManage, .userStatus], over: .anything),
      route: .directory, body: .decide(bulkSet))
  ]

  @Sendable private static func bulkSet(_ turn: Turn) throws(Halt) {
    guard try turn.text(1, "SET", limit: Limits.nameBytes).uppercased() == "SET" else {
      throw .refused(.syntax("USER.BULK begins with SET field value"))
    }
    let status = try turn.bulkStatus()
    let users = try turn.bulkUsers()
    var changed = 0
    for user in users {
      do throws(Halt) {
        if try turn.setFields(of: user, status, isAlone: users.count == 1) { changed += 1 }
      } catch {
        guard case .refused(let refusal) = error else { throw error }
        throw .refused(Refusal(refusal.code, "\(refusal.message) (user \(user.username); nobody was changed)"))
      }
    }
    turn.reply.map(2)
    turn.reply.text("users")
    turn.reply.integer(users.count)
    turn.reply.text("changed")
    turn.reply.integer(changed)
  }
}

extension Turn {
  /// The new status, if it is among the fields.
  fileprivate func bulkStatus() throws(Halt) -> Status? {
    var found: Status?
    // Also refuses an odd number of words, which would be no user's fault.
    for pair in try pairs(of: "field") {
      guard try text(pair.name, "field", limit: Limits.nameBytes).folded == "status" else { continue }
      guard found == nil else { throw .refused(.syntax("field status is given twice")) }
      found = try status(try text(pair.value, "status"))
    }
    return found
  }

  /// The users who are meant, each once.
  fileprivate func bulkUsers() throws(Halt) -> [UserReference] {
    let words = optionWords("IDS")
    guard words.isEmpty == has("WHERE") else {
      throw .refused(.syntax("say who is meant: IDS n user…, or WHERE field op value"))
    }
    var users: [UserReference] = []
    if !words.isEmpty {
      guard words.count <= Limits.usersOfBulk else { throw .refused(Self.tooMany) }
      // All at once, so that the decision starts over once and not for each user.
      try hold(words.map(partition(ofUser:)))
      for index in words {
        guard let user = try userIfAny(index) else {
          throw .refused(.notFound("user \(try text(index, "user", limit: Limits.usernameBytes))"))
        }
        users.append(user)
      }
    } else {
      for id in try findUsers() {
        guard let user = try user(id), shows(user) else { continue }
        // The conditions may name them, whether they are changed or not.
        noteNamed(user)
        users.append(user)
      }
    }
    var seen: Set<UserID> = []
    users = users.filter { seen.insert($0.id).inserted }
    try hold(users.map(\.cell.index))
    return users
  }

  /// Where the user that a word names is looked up.
  private func partition(ofUser index: Int) -> Int {
    guard word(index).first == 0x23, let raw = Self.identifier(word(index)) else { return nameKey(index).partition }
    return partitioning.partition(of: UserID(raw: raw))
  }

  /// The users who meet the conditions of `WHERE`, found while nothing is held. Each is looked at again when the decision
  /// holds them: who does not meet them any more is left out.
  private func findUsers() throws(Halt) -> [UserID] {
    var request = authority.map { ["AS", String(decoding: $0, as: UTF8.self)] } ?? []
    request += ["USER.LIST", "COUNT", "\(Limits.usersOfBulk + 1)", "FIELDS", "1", "id"]
    for words in try options("WHERE") { request += ["WHERE"] + words }
    let ids: [UserID]
    switch try outcome(of: FindUsers(request: request, connection: connection)) {
    case .success(let found): ids = found
    case .failure(let refusal): throw .refused(refusal)
    }
    guard ids.count <= Limits.usersOfBulk else { throw .refused(Self.tooMany) }
    try hold(ids.map { partitioning.partition(of: $0) })
    // L13: a name of somebody who was merged is that of the user who was kept.
    try findPeople()
    let filter = try ListFilter<ListedUser>(self)
    var still: [UserID] = []
    for id in ids {
      guard let user = try user(id) else { continue }
      if filter.passes(ListedUser(user.cell, user.serial, filter.viewer)) { still.append(id) }
    }
    return still
  }

  private static var tooMany: Refusal {
    .limit("users: one command changes at most \(Limits.usersOfBulk); narrow WHERE, or go by parts with IDS")
  }

  /// Sets the fields of one user. Whether anything is other than before.
  fileprivate func setFields(of user: UserReference, _ status: Status?, isAlone: Bool) throws(Halt) -> Bool {
    try requireNotDeleted(user)
    let pairs = try settledPairs(of: user, isBulk: true, isShared: !isAlone)
    var count = try emit(pairs, of: user)
    if let status {
      try require([.userStatus], over: Target(user))
      if try setStatus(of: user, status) { count += 1 }
    }
    return count > 0
  }
}

/// Finds the users who meet conditions, a few hundred rows at a time, so that nobody waits for the search.
public struct FindUsers: Work {
  public typealias Outcome = Result<[UserID], Refusal>

  /// `[AS token] USER.LIST … FIELDS 1 id`.
  public let request: [String]
  /// Whose connection it is asked on.
  public let connection: ConnectionFacts

  public static func == (one: FindUsers, other: FindUsers) -> Bool { one.request == other.request }

  /// The ids in the reply of the list.
  public static func ids(in reply: Reply) -> Outcome {
    if let error = reply.nodes.first, error.kind == .error {
      let text = reply.text(of: error)
      let code = Refusal.Code.allCases.first { text.hasPrefix("\($0.rawValue) ") } ?? .syntax
      return .failure(Refusal(code, String(text.dropFirst(code.rawValue.count + 1))))
    }
    return .success(reply.nodes.filter { $0.kind == .integer }.map { UserID(raw: UInt64($0.value)) })
  }
}
