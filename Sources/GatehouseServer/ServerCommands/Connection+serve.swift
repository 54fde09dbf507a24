import GatehouseCore
import GatehouseStorage
import GatehouseWire
import Synchronization

/// The commands about the connection or the server.
extension Connection {
  /// Carries out a server command that has passed the gates.
  func serve(_ command: ServerCommand, _ request: Arguments) {
    if let executor = lane.executor, executor.turn.needsAuthorising, !authorise(executor) { return }
    switch command {
    case .ping: ping(request)
    case .echo: answer { $0.text(request[1]) }
    case .hello: hello(request)
    case .auth: authenticate(request)
    case .quit: quit()
    case .reset: reset()
    case .select: select(request)
    case .time: time()
    case .multi: multi()
    case .exec: exec()
    case .discard: discard()
    case .watch: watch()
    // `WATCH` is not supported, so there is nothing to undo.
    case .unwatch: answer { $0.ok() }
    case .client(let command): clientCommand(command, request)
    case .command(let command): commandCommand(command, request)
    case .help: help(request)
    case .info: info(request)
    case .config(let command): config(command, request)
    case .dbsize: databaseSize()
    case .bgsave: backgroundSave()
    case .save: save()
    case .lastsave: answer { $0.integer(self.lane.services.persistence.status.lastSave) }
    case .compact: compact()
    case .encryption(let command): encryption(command, request)
    case .shutdown: shutDown(request)
    case .slowlog(let command): slowLog(command, request)
    case .latency(let command): latency(command, request)
    case .monitor: monitor()
    case .subscribe(let kind): subscribe(to: kind, request)
    case .unsubscribe(let kind): unsubscribe(from: kind, request)
    case .memory(let command): memory(command, request)
    case .role: role()
    case .moduleList: answer { $0.array(0) }
    case .waitaof: waitForLog(request)
    case .node(let command): nodeCommand(command, request)
    case .sentinel(let command): sentinel(command, request)
    case .subcommands: subcommands(request)
    case .none: preconditionFailure("a command of nothing but subcommands passed the gates by itself")
    }
  }

  /// Whether the command's principal may run it. If not, the refusal is answered.
  private func authorise(_ executor: CommandExecutor) -> Bool {
    let turn = executor.turn
    defer { turn.letGo() }
    if executor.authorise() { return true }
    lane.failed(lane.singleCommandIndex, turn.reply.errorCode)
    add(turn.reply, horizon: turn.horizon)
    return false
  }

  // MARK: Answering

  func answer(_ build: (inout Reply) -> Void) {
    var reply = Reply()
    build(&reply)
    add(reply, horizon: 0)
  }

  func refuse(_ refusal: Refusal) {
    lane.failed(lane.singleCommandIndex, refusal.code.rawValue)
    answer { $0.error(refusal.text) }
  }

  func refuse(_ halt: Halt) {
    guard case .refused(let refusal) = halt else { preconditionFailure("a server command asked for an owner") }
    refuse(refusal)
  }

  /// Answers later, from a task. The connection's further requests wait.
  func later(_ work: @escaping @Sendable (ServerContext) async -> (reply: Reply, horizon: LSN)) {
    let answer = answerLater()
    let context = lane.services!
    let version = client.version
    context.start {
      let result = await work(context)
      answer.give(EncodedReply(result.reply, horizon: result.horizon, version: version))
    }
  }

  // MARK: While the server is not ready

  /// While data is loaded or the server stops, only commands about the connection itself are answered.
  func handleEarly(_ request: Arguments) {
    let command = CommandTable.index.find(request[0])
    let commandIndex =
      command.flatMap { request.count > 1 ? CommandTable.index.find(request[1], of: $0) : nil } ?? command
    switch commandIndex.map({ CommandTable.entries[$0].body }) {
    case .server(.quit): quit()
    case .server(.hello) where request.count <= 2: hello(request)
    case .server(.client(.setInfo)): answer { $0.ok() }
    // As in Redis: if a command was refused because data was loading, the transaction is aborted, so that `EXEC` does
    // not carry out a part of it once the data is loaded.
    case .server(.multi): multi()
    case .server(.exec) where transaction.isOpen:
      if transaction.count != 0 { transaction.abort() }
      exec()
    case .server(.discard): discard()
    default:
      transaction.abort()
      let isStopping = serverFacts.phase.load(ordering: .relaxed) == .stopping
      let refusal = Refusal.notServing(isStopping: isStopping)
      lane.metrics.reject(commandIndex, refusal.code.rawValue)
      answer { $0.error(refusal.text) }
    }
  }

  // MARK: The connection

  private func ping(_ request: Arguments) {
    guard isConfined else { return answer { request.count > 1 ? $0.text(request[1]) : $0.status(.pong) } }
    // In the form of a message, so that the client can tell it from one.
    answer {
      $0.array(2)
      $0.text("pong")
      if request.count > 1 { $0.text(request[1]) } else { $0.text("") }
    }
  }

  private func quit() {
    answer { $0.ok() }
    finish()
  }

  private func select(_ request: Arguments) {
    guard let index = Int(request.string(1)) else { return refuse(.syntax("value is not an integer or out of range")) }
    if index == 0 { answer { $0.ok() } } else { refuse(.syntax("DB index is out of range")) }
  }

  private func time() {
    let now = lane.clock.microseconds
    answer {
      $0.array(2)
      $0.text(String(now / 1_000_000))
      $0.text(String(now % 1_000_000))
    }
  }

  private func monitor() {
    if !isMonitor {
      isMonitor = true
      lane.services.monitors.join()
    }
    answer { $0.ok() }
  }

  /// `WAITAOF numlocal numreplicas timeout`. There are no replicas, and replies wait for the log anyway, except with
  /// interval durability. Then this has the log synced without waiting for the interval.
  private func waitForLog(_ request: Arguments) {
    guard let local = Int(request.string(1)), let replicas = Int(request.string(2)),
      let timeout = UInt64(request.string(3)),
      local >= 0, local <= 1, replicas >= 0, timeout <= UInt64(Int64.max)
    else { return refuse(.syntax("value is out of range: WAITAOF takes 0 or 1, a number, and milliseconds")) }
    let lsn = lastWrite
    // Inside EXEC it does not wait, as in Redis, so that it does not hold up the commands after it.
    let deadline = transaction.isRunning ? 0 : timeout == 0 ? .max : Clock.deadline(milliseconds: timeout)
    let (id, lane) = (client.id, lane)
    later { context in
      context.facts.blockedClients.add(1, ordering: .relaxed)
      defer { context.facts.blockedClients.subtract(1, ordering: .relaxed) }
      let isSynced = await context.sync(through: lsn) {
        guard Clock.nanoseconds() < deadline, !context.isStopping else { return false }
        // Stop waiting if the connection was closed.
        return await lane.loop.submit { lane.connections[id] != nil }
      }
      var reply = Reply()
      reply.array(2)
      reply.flag(isSynced)
      reply.integer(0)
      return (reply, 0)
    }
  }
}
