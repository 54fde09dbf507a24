import ArgumentParser
import FoundationEssentials
import Glibc

/// Fills a server with people and sessions.
struct LoadCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "load",
    abstract: "Fills a server with the people of the test.",
    discussion: """
      Gatehouse gets two products, and users who have the first or both. Redis gets the same people as hashes, and the
      Lua function that decides a login.

      EXAMPLES
        gatehouse-bench load --port 7600 --users 100000
        gatehouse-bench load --port 7600 --users 100000 --sessions 100000 --tokens tokens.txt
        gatehouse-bench load --into redis --port 6379 --users 100000 --sessions 100000 --strings
      """)

  enum Store: String, CaseIterable, ExpressibleByArgument {
    case gatehouse
    case redis
  }

  @OptionGroup var server: ServerOptions

  @Option(help: "What is filled.")
  var into = Store.gatehouse

  @Option(help: "The number of the first user to make; those below it are there already.")
  var from = 0

  @Option(help: "How many sessions to make.")
  var sessions = 0

  @Option(help: "A file for the tokens of the sessions made in Gatehouse, one a line.")
  var tokens: String?

  @Flag(help: "Also make a string a user in Redis, with the decision, for GET.")
  var strings = false

  @Option(help: "Connections to load over.")
  var connections = 8

  @Option(help: "Requests in flight on a connection.")
  var depth = 64

  func validate() throws {
    guard connections > 0, depth > 0 else { throw ValidationError("--connections and --depth must be at least 1.") }
    guard from >= 0, from <= server.users else { throw ValidationError("--from must lie from 0 to --users.") }
  }

  func run() throws {
    if from == 0 { try prepare() }
    try loadUsers()
    if sessions > 0 { try loadSessions() }
  }

  private var setUp: SetUp { get throws { SetUp(address: try server.address()) } }

  private var fleet: Fleet {
    get throws {
      let plan = WorkerPlan(address: try server.address(), depth: depth, end: .sourcesEmpty)
      return Fleet(server: plan, threads: server.threads)
    }
  }

  private func prepare() throws {
    switch into {
    case .gatehouse: try setUp.makeProducts()
    case .redis: try setUp.loadFunction()
    }
  }

  private func loadUsers() throws {
    let form: UserSource.Form = into == .gatehouse ? .gatehouse : .redis(strings: strings)
    let sources = (0..<connections).map {
      UserSource(
        form, population: Population(seed: server.seed), range: from..<server.users, connection: $0, of: connections)
    }
    try finish("users", try fleet.run(sources).measurement)
  }

  private func loadSessions() throws {
    switch into {
    case .gatehouse:
      let made = try setUp.makeSessions(sessions, users: server.users, fleet: fleet, connections: connections)
      if let tokens {
        try Data(made.map { $0 + "\n" }.joined().utf8).write(to: URL(filePath: tokens))
      }
      report("\(made.count) sessions")
    case .redis:
      let sources = (0..<connections).map {
        RedisSessionSource(sessions: sessions, users: server.users, connection: $0, of: connections)
      }
      try finish("sessions", try fleet.run(sources).measurement)
    }
  }

  private func finish(_ what: String, _ measurement: Measurement) throws {
    if measurement.errors > 0 {
      report("\(measurement.errors) errors, the first: \(measurement.firstError ?? "")")
      throw ExitCode.failure
    }
    let rate = measurement.seconds > 0 ? Double(measurement.replies) / measurement.seconds : 0
    report("\(what): \(measurement.replies) requests in \(fixed(measurement.seconds, 2)) s, \(fixed(rate, 0)) a second")
  }
}

/// Writes a message, which is not data, to standard error.
func report(_ line: String) {
  var line = line + "\n"
  line.withUTF8 { _ = write(STDERR_FILENO, $0.baseAddress, $0.count) }
}
