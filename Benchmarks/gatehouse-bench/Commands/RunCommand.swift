import ArgumentParser
import FoundationEssentials

/// Measures a loaded server.
struct RunCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run",
    abstract: "Sends requests to a loaded server and prints throughput and latencies.",
    discussion: """
      Without --rate each connection sends --depth requests together and waits for all answers (a closed loop). With
      --rate requests are due at fixed moments whatever the server does, and latency counts from the moment a request
      was due, so a pause of the server is seen by every request it delays.

      Works: login, session, create, timer, user-create. Named mixes: \(Mix.named.keys.sorted().joined(separator: ", ")).
      The exit status is not zero when any answer was not the one expected.

      EXAMPLES
        gatehouse-bench run --port 7600 --connections 50 --depth 16 --duration 10s
        gatehouse-bench run --port 7600 --mix login:90,session:9,timer:1 --rate 20000 --duration 30s --json
      """)

  @OptionGroup var server: ServerOptions

  @Option(help: "Which server is measured, and for Redis with which command.")
  var target = Target.gatehouse

  @Option(help: "Kinds of requests with their weights (work:weight,…), a single kind, or a named mix.")
  var mix: Mix = Mix(only: .single(.loginCheck))

  @Option(help: "Connections.")
  var connections = 50

  @Option(help: "Requests a connection has in flight; with --rate at most.")
  var depth = 1

  @Option(help: "How long to measure: 500ms, 10s, 2m.")
  var duration: Span?

  @Option(help: "How many requests to measure, in place of a duration.")
  var requests: Int?

  @Option(help: "Requests a second of all connections together (an open loop).")
  var rate: Double?

  @Option(help: "How long to run before measuring.")
  var warmup: Span = Span(argument: "1s")!

  @Option(help: "How many sessions the session checks choose from.")
  var sessions: Int?

  @Option(help: "A file of session tokens, one a line, in place of making sessions first.")
  var tokens: String?

  @Option(help: "The number of the first user that user-create makes; by default one that follows from the clock.")
  var newUsersFrom: Int?

  @Option(help: "The licence type that user-create assigns.")
  var licence: String?

  @Option(help: "The server's process ID on this machine, to print its processor time per reply too.")
  var serverPid: Int32?

  @Flag(help: "Print JSON.")
  var json = false

  @Flag(help: "Print comma-separated values.")
  var csv = false

  func validate() throws {
    guard connections > 0, depth > 0 else { throw ValidationError("--connections and --depth must be at least 1.") }
    guard duration == nil || requests == nil else { throw ValidationError("Give --duration or --requests, not both.") }
    guard (requests ?? 1) > 0 else { throw ValidationError("--requests must be at least 1.") }
    guard (rate ?? 1) >= 1, (rate ?? 1) <= 100_000_000 else { throw ValidationError("--rate must be at least 1.") }
    guard connections <= server.users else { throw ValidationError("There must be a user for each connection.") }
    guard !(json && csv) else { throw ValidationError("Give --json or --csv, not both.") }
  }

  func run() throws {
    let settings = try sourceSettings()
    let sources = (0..<connections).map {
      MixSource(settings, connection: $0, of: connections, seed: server.seed)
    }
    let result = try Fleet(server: plan, threads: server.threads).run(sources)
    let report = Report(result.measurement, settings: reportSettings)
    print(try report.rendered(json ? .json : csv ? .csv : .text))
    if report.errors.count > 0 { throw ExitCode.failure }
  }

  private var plan: WorkerPlan {
    get throws {
      var plan = WorkerPlan(
        address: try server.address(), depth: depth,
        end: requests.map { .afterRequests($0) } ?? .after(nanoseconds: duration?.nanoseconds ?? 10_000_000_000))
      plan.warmup = warmup.nanoseconds
      plan.serverPID = serverPid
      if let rate { plan.pace = .openLoop(interval: UInt64((1_000_000_000 / rate).rounded())) }
      return plan
    }
  }

  private func sourceSettings() throws -> MixSource.Settings {
    let mix = target.fixedMix ?? mix
    var settings = MixSource.Settings(
      mix: mix, users: server.users,
      firstNewUser: newUsersFrom ?? Int(Date().timeIntervalSince1970) % 1_000_000 * 1_000_000,
      licence: licence)
    let sessionCount = sessions ?? min(server.users, 100_000)
    if mix.contains(.single(.redisHGetAll)) {
      settings.tokens = TokenRequests(numbered: sessionCount)
    } else if mix.contains(.single(.sessionCheck)) {
      settings.tokens = TokenRequests(tokens: try sessionTokens(sessionCount))
    }
    if target == .redisFunction { try setUp.loadFunction() }
    return settings
  }

  private var setUp: SetUp { get throws { SetUp(address: try server.address()) } }

  private func sessionTokens(_ count: Int) throws -> [String] {
    if let tokens {
      let text = String(decoding: try Data(contentsOf: URL(filePath: tokens)), as: UTF8.self)
      let lines = text.split(whereSeparator: \.isNewline).map(String.init)
      guard !lines.isEmpty else { throw BenchError("\(tokens): no tokens") }
      return sessions.map { Array(lines.prefix($0)) } ?? lines
    }
    let plan = WorkerPlan(address: try server.address(), depth: 64, end: .sourcesEmpty)
    let fleet = Fleet(server: plan, threads: 1)
    return try setUp.makeSessions(count, users: server.users, fleet: fleet, connections: 8)
  }

  private var reportSettings: Report.Settings {
    Report.Settings(
      target: target.rawValue, mix: (target.fixedMix ?? mix).description, connections: connections, depth: depth,
      threads: min(server.threads, connections), rate: rate, users: server.users, seed: server.seed)
  }
}
