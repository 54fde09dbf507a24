/// What the scenarios of the systems have in common.
extension Client {
  /// A client that acts for a new session of a user.
  package func loggedIn(
    _ user: String, to product: String, file: StaticString = #fileID, line: UInt = #line
  ) throws -> Client {
    acting(as: try token(of: user, to: product, file: file, line: line))
  }

  /// The token of a new session of a user.
  package func token(
    of user: String, to product: String, file: StaticString = #fileID, line: UInt = #line
  ) throws -> String {
    let session = try fields("SESSION.CREATE", user, product, file: file, line: line)
    guard let token = session["session"] else {
      throw TestFailure("a session of \(user) without a token: \(session)", file: file, line: line)
    }
    return token
  }

  /// The newest record of a user's trail that a command made.
  package func record(
    of user: String, by command: String, file: StaticString = #fileID, line: UInt = #line
  ) throws -> Fields {
    let records = try pages("AUDIT.LIST", "USER", user, file: file, line: line)
    guard let record = records.first(where: { $0["command"] == command }) else {
      throw TestFailure("the trail of \(user) has no \(command)", file: file, line: line)
    }
    return record
  }
}
