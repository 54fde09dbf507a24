import Foundation
import GatehouseWire

/// Sends the commands of a sample company to a server.
struct SampleLoader {
  /// A command of the company was refused.
  struct Failure: Error, CustomStringConvertible {
    let command: String
    let reply: String

    var description: String { "\(command) was answered with: \(reply)" }

    /// Whether the server decided so, rather than that it could not.
    var isRefusal: Bool { ["REFUSED", "NOTFOUND", "ERR"].contains { reply.hasPrefix($0) } }
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
  /// that exists already is not a failure, and nor is any refusal of what the story has told before.
  func load(_ company: SampleCompany) throws {
    let isAgain = try sendAll(company.commands).contains { $0.errorText != nil }
    try startTimers(company.timers)
    for step in SampleStory.chapters.flatMap(\.steps) {
      do {
        try take(step)
      } catch let failure as Failure where isAgain && failure.isRefusal {
        continue
      }
    }
    try send([SampleCompany.lastCommand])
  }

  /// Gives the super administrator a password at random, which must be changed at the first sign-in.
  func setPassword() throws -> String {
    let letters = Array("abcdefghjkmnpqrstuvwxyz23456789")
    var generator = SystemRandomNumberGenerator()
    let password = (0..<4).map { _ in
      String((0..<5).map { _ in letters.randomElement(using: &generator)! })
    }.joined(separator: "-")
    try send([["PASSWORD.SET", SampleCompany.Cast.superAdministrator, password, "TEMPORARY"]])
    return password
  }

  // MARK: The story

  private func take(_ step: SampleStory.Step) throws {
    switch step {
    case .operate(let line):
      try send(line)
    case .act(let user, let product, let line):
      try send(line, as: try token(["SESSION.CREATE", user, product]))
    case .impersonate(let actor, let subject, let workspace, let reason, let lines):
      let product = workspace == SampleStory.academy ? SampleStory.courses : SampleCompany.payroll
      let own = try token(["SESSION.CREATE", actor, product])
      let other = try token(["IMPERSONATE.START", own, subject, "WORKSPACE", workspace, "REASON", reason])
      for line in lines { try send(line, as: other) }
      try send([["IMPERSONATE.END", other]])
    case .takeBack(let command, let user):
      let trail = try send([["AUDIT.LIST", "USER", user]])[0]
      guard let record = trail.elements?.last?.elements?.first(where: { $0["command"]?.string == command }),
        let lsn = record["lsn"]?.integer
      else { throw Failure(command: "UNDO", reply: "NOTFOUND \(command) in the trail of \(user)") }
      try send("UNDO \(lsn)")
    }
  }

  private func send(_ line: String, as token: String? = nil) throws {
    let now = Int(Date().timeIntervalSince1970 * 1000)
    let filled = line.replacing("{soon}", with: "\(now + 1000)")
      .replacing("{two days ago}", with: "\(now - 2 * 86_400_000)")
    guard let words = RequestLine.words(of: filled) else { throw Failure(command: line, reply: "a quote is left open") }
    try send([(token.map { ["AS", $0] } ?? []) + words.map { String(decoding: $0, as: UTF8.self) }])
  }

  private func token(_ command: [String]) throws -> String {
    guard let token = try send([command])[0]["session"]?.string else {
      throw Failure(command: command[0], reply: "no field session")
    }
    return token
  }

  // MARK: -

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
