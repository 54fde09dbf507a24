import GatehouseWire

/// Sends the commands of a sample company to a server.
struct SampleLoader {
  /// A command of the company was refused.
  struct Failure: Error, CustomStringConvertible {
    let command: String
    let reply: String

    var description: String { "\(command) was answered with: \(reply)" }
  }

  /// How many commands are in flight at once.
  private static let batch = 200

  let session: ServerSession

  /// The super administrator's role is created last, so if it exists, everything else does.
  func isThere() throws -> Bool {
    let roles = try session.command(["ROLE.LIST", SampleCompany.Cast.superAdministrator])
    guard let error = roles.errorText else { return Self.mentions("super-administrator", in: roles) }
    guard error.hasPrefix("NOTFOUND") else { throw Failure(command: "ROLE.LIST", reply: error) }
    return false
  }

  /// Creates what does not exist yet. After an interrupted load it can simply be run again: `CONFLICT` for something
  /// that exists already is not a failure.
  func load(_ company: SampleCompany) throws {
    try sendAll(company.commands)
    try startTimers(company.timers)
    try send([SampleCompany.lastCommand])
  }

  /// People start their own timers, so each needs a session; the sessions stay open, as they would in reality.
  private func startTimers(_ timers: [SampleCompany.Timer]) throws {
    let logins = timers.map { ["SESSION.CREATE", $0.user, SampleCompany.payroll] }
    let starts = try zip(timers, try sendAll(logins)).map { timer, reply in
      guard let token = reply["session"]?.string else {
        throw Failure(command: "SESSION.CREATE", reply: "no field session")
      }
      return ["AS", token] + timer.command
    }
    try sendAll(starts)
  }

  @discardableResult
  private func sendAll(_ commands: [[String]]) throws -> [RESPValue] {
    var replies: [RESPValue] = []
    var rest = commands[...]
    while !rest.isEmpty {
      replies += try send(rest.prefix(Self.batch))
      rest = rest.dropFirst(Self.batch)
    }
    return replies
  }

  @discardableResult
  private func send(_ commands: ArraySlice<[String]>) throws -> [RESPValue] {
    let replies = try session.pipeline(commands.map { $0.map { Array($0.utf8) } })
    for (command, reply) in zip(commands, replies) {
      guard let error = reply.errorText, !error.hasPrefix("CONFLICT") else { continue }
      // Leave out the token, which must not be shown.
      let shown = command[0] == "AS" ? command.dropFirst(2) : command[...]
      throw Failure(command: shown.joined(separator: " "), reply: error)
    }
    return replies
  }

  private static func mentions(_ text: String, in reply: RESPValue) -> Bool {
    if let pairs = reply.pairs, pairs.contains(where: { mentions(text, in: $0.key) || mentions(text, in: $0.value) }) {
      return true
    }
    return reply.string == text || (reply.elements ?? []).contains { mentions(text, in: $0) }
  }
}
