import GatehouseCore
import GatehouseStorage
import GatehouseWire
import NIOCore
import Synchronization

/// The commands that are about the connection or the server.
extension ConnectionHandler {
  /// Carries out a server command whose gates are passed.
  func serve(_ command: ServerCommand, _ request: Arguments) {
    if let executor = lane.executor, executor.turn.authorityPartition != nil {
      guard authoriseOverEverything(executor) else { return }
    }
    switch command {
    case .ping: ping(request)
    case .echo: answer { $0.text(request[1]) }
    case .hello: hello(request)
    case .auth: authenticate(request)
    case .quit: quit()
    case .reset: reset()
    case .select: select(request)
    case .time: time()
    case .client: clientCommand(request)
    case .command: commandCommand(request)
    case .help: help(request)
    case .info: info(request)
    case .config: config(request)
    case .dbsize: databaseSize()
    case .bgsave: backgroundSave()
    case .save: save()
    case .lastsave: answer { $0.integer(self.lane.services.persistence.status.lastSave) }
    case .compact: compact()
    case .shutdown: shutDown(request)
    case .slowlog: slowLog(request)
    case .latency: latency(request)
    case .monitor: monitor()
    case .memory: memory(request)
    case .role: role()
    case .module: module(request)
    case .waitaof: waitForLog(request)
    case .auditList: auditList()
    case .auditVerify: auditVerify()
    }
  }

  /// Whether the turn's session may have a command that shows what no workspace bounds: an impersonation that is bound
  /// to one (K4) does not reach that far. Where it may not, the refusal is answered.
  private func authoriseOverEverything(_ executor: CommandExecutor) -> Bool {
    let turn = executor.turn
    defer { turn.letGo() }
    guard executor.authorise() else {
      lane.failed(lane.singlePlace, turn.reply.errorCode)
      add(turn.reply, horizon: turn.horizon)
      return false
    }
    guard case .user(let user) = turn.principal, user.boundTo != nil else { return true }
    refuse(.noPermission("an impersonation outside its workspace"))
    return false
  }

  // MARK: Answering

  func answer(_ build: (inout Reply) -> Void) {
    var reply = Reply()
    build(&reply)
    add(reply, horizon: 0)
  }

  func refuse(_ refusal: Refusal) {
    lane.failed(lane.singlePlace, refusal.code.rawValue)
    answer { $0.error(refusal.text) }
  }

  func refuse(_ halt: Halt) {
    guard case .refused(let refusal) = halt else { preconditionFailure("a server command asked for an owner") }
    refuse(refusal)
  }

  /// Answers later, from a task; requests that follow wait.
  func later(_ work: @escaping @Sendable (ServerContext) async -> (reply: Reply, horizon: LSN)) {
    let answer = Answer(ticket: queue.reserve(), connection: self, home: lane, place: lane.singlePlace)
    let context = lane.services!
    let version = client.version
    isPaused = true
    context.start {
      let result = await work(context)
      answer.give(EncodedReply(result.reply, horizon: result.horizon, version: version))
    }
  }

  /// A subcommand that there is not, in the words that clients match.
  func unknownSubcommand(_ request: Arguments) {
    let name = request.string(0).uppercased()
    refuse(.syntax("unknown subcommand '\(request.string(1).prefix(128))'. Try \(name) HELP."))
  }

  func wrongArity(_ request: Arguments) {
    let name = request.string(0).lowercased() + (request.count > 1 ? "|" + request.string(1).lowercased() : "")
    refuse(.syntax("wrong number of arguments for '\(name)' command"))
  }

  // MARK: Before the data is there

  /// While data is loaded, or the server stops: what concerns the connection alone is answered.
  func handleEarly(_ request: Arguments) -> Bool {
    let place = CommandTable.index.find(request[0])
    switch place.map({ CommandTable.all[$0].body }) {
    case .server(.quit): quit()
    case .server(.hello) where request.count <= 2: hello(request)
    case .server(.client) where request.count > 1 && request.string(1).lowercased() == "setinfo":
      answer { $0.ok() }
    default:
      let isStopping = serverFacts.phase.load(ordering: .relaxed) == .stopping
      let refusal = Refusal(.loading, isStopping ? "the server is stopping" : "Gatehouse is loading the data")
      lane.metrics.reject(place, refusal.code.rawValue)
      answer { $0.error(refusal.text) }
    }
    return true
  }

  // MARK: The connection

  private func ping(_ request: Arguments) {
    answer { request.count > 1 ? $0.text(request[1]) : $0.simple("PONG") }
  }

  private func quit() {
    answer { $0.ok() }
    finishAndClose()
  }

  private func reset() {
    forgetService()
    client.name = ""
    client.version = .resp2
    if isMonitor {
      isMonitor = false
      lane.services.monitors.leave()
    }
    answer { $0.simple("RESET") }
  }

  private func select(_ request: Arguments) {
    guard let index = Int(request.string(1)) else { return refuse(.syntax("value is not an integer or out of range")) }
    if index == 0 { answer { $0.ok() } } else { refuse(.syntax("DB index is out of range")) }
  }

  private func time() {
    let now = Clock.microseconds()
    answer {
      $0.array(2)
      $0.text(String(now / 1_000_000))
      $0.text(String(now % 1_000_000))
    }
  }

  private func authenticate(_ request: Arguments) {
    if request.count == 2 {
      return refuse(
        .syntax(
          "AUTH <password> called without any password configured for the default user. "
            + "Are you sure your configuration is correct? Name the service too: AUTH name secret."))
    }
    if identify(request.string(1), request[2]) { answer { $0.ok() } }
  }

  /// Takes the connection for a service's, or says that name and secret do not belong together.
  func identify(_ name: String, _ secret: UnsafeRawBufferPointer) -> Bool {
    let found = lane.directory.service(named: name)
    let given = sha256(secret)
    guard let found, found.secret.matches(given) else {
      serverFacts.deniedAuthentications.add(1, ordering: .relaxed)
      refuse(Refusal(.wrongPassword, "invalid username-password pair or user is disabled."))
      return false
    }
    authenticate(as: found.id, found.rights, name: found.name)
    return true
  }

  private func hello(_ request: Arguments) {
    var index = 1
    var version = client.version
    if request.count > 1 {
      guard let number = Int(request.string(1)), let asked = ProtocolVersion(rawValue: number) else {
        return refuse(Refusal(.noProtocol, "unsupported protocol version"))
      }
      version = asked
      index = 2
    }
    var name: String?
    while index < request.count {
      switch request.string(index).uppercased() {
      case "AUTH" where index + 2 < request.count:
        guard lane.isReady else { return }
        if !identify(request.string(index + 1), request[index + 2]) { return }
        index += 3
      case "SETNAME" where index + 1 < request.count:
        name = request.string(index + 1)
        guard Self.isClientName(name!) else {
          return refuse(.syntax("Client names cannot contain spaces, newlines or special characters."))
        }
        index += 2
      default:
        return refuse(.syntax("Syntax error in HELLO option '\(request.string(index).prefix(64))'"))
      }
    }
    if facts.service == nil, lane.isReady {
      return refuse(
        Refusal(
          .noAuthentication,
          "HELLO must be called with the client already authenticated, otherwise the HELLO <proto> AUTH <user> <pass> "
            + "option can be used to authenticate the client and select the RESP protocol version at the same time"))
    }
    client.version = version
    if let name { client.name = name }
    answer { reply in
      reply.map(7)
      reply.text("server")
      reply.text("gatehouse")
      reply.text("version")
      reply.text(Version.current)
      reply.text("proto")
      reply.integer(version.rawValue)
      reply.text("id")
      reply.integer(self.client.id)
      reply.text("mode")
      reply.text("standalone")
      reply.text("role")
      reply.text("master")
      reply.text("modules")
      reply.array(0)
    }
  }

  static func isClientName(_ name: String) -> Bool { name.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f } }

  private func monitor() {
    if !isMonitor {
      isMonitor = true
      lane.services.monitors.join()
    }
    answer { $0.ok() }
  }

  private func role() {
    answer {
      $0.array(3)
      $0.text("master")
      $0.integer(self.lane.services.log.durableLSN)
      $0.array(0)
    }
  }

  private func module(_ request: Arguments) {
    guard request.string(1).lowercased() == "list" else { return unknownSubcommand(request) }
    answer { $0.array(0) }
  }

  /// `WAITAOF numlocal numreplicas timeout`: there are no replicas, and replies wait for the log anyway unless
  /// durability is by interval. Then the log is asked to sync ahead of it.
  private func waitForLog(_ request: Arguments) {
    guard let local = Int(request.string(1)), let replicas = Int(request.string(2)),
      let timeout = UInt64(request.string(3)),
      local >= 0, local <= 1, replicas >= 0, timeout <= UInt64(Int64.max)
    else { return refuse(.syntax("value is out of range: WAITAOF takes 0 or 1, a number, and milliseconds")) }
    let lsn = lastWrite
    let deadline = timeout == 0 ? .max : Clock.deadline(milliseconds: timeout)
    let (id, lane) = (client.id, lane)
    later { context in
      context.facts.blockedClients.add(1, ordering: .relaxed)
      defer { context.facts.blockedClients.subtract(1, ordering: .relaxed) }
      let isSynced = await context.sync(through: lsn) {
        guard Clock.nanoseconds() < deadline, !context.isStopping else { return false }
        // Nobody waits any more for what a closed connection asked.
        return (try? await lane.loop.submit { lane.connections[id] != nil }.get()) ?? false
      }
      var reply = Reply()
      reply.array(2)
      reply.flag(isSynced)
      reply.integer(0)
      return (reply, 0)
    }
  }
}
