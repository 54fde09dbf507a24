/// Where a command starts, once it has passed its gates.
public enum Start {
  case partition(Int)
  /// Anywhere: the lane's copy of the directory is enough.
  case anywhere
  /// All partitions, one after another.
  case everywhere
  case server(ServerCommand)
  /// Refused; the reply says why.
  case refused
  /// As `Turn.deferred` says, but not before the record `Turn.minimumLSN` is applied. A case of its own, so that commands
  /// without `MINLSN` do not pay for the question.
  case later
}

extension Turn {
  /// Takes a request: finds the command and checks the gates in their fixed order: look-up, arity and options,
  /// authentication, permission.
  ///
  /// - Parameters:
  ///   - request: all words; the view must stay valid until the decision is made.
  ///   - commandIndex: receives the command's index in the table, for metrics, if it was found.
  ///   - lookahead: what is already known of the request.
  public func begin(
    _ request: Arguments, on connection: ConnectionFacts, now: Milliseconds, commandIndex: inout Int?,
    _ lookahead: Lookahead = .none
  ) -> Start {
    self.connection = connection
    self.now = now
    self.lookahead = lookahead
    // A gate's refusal shows nothing that was read, least of all by the command before it.
    horizon = 0
    authority = nil
    if minimumLSN != 0 { minimumLSN = 0 }
    foldedWord = -1
    if !chosen.isEmpty { chosen.removeAll(keepingCapacity: true) }
    if userPrincipal != nil { userPrincipal = nil }
    if !namedPeople.isEmpty { namedPeople.removeAll() }
    if hasWork { forgetWork() }
    if !sides.isEmpty { sides = [] }
    do {
      return try pass(request, &commandIndex)
    } catch {
      guard case .refused(let refusal) = error else { preconditionFailure("a gate asked for an owner") }
      answer(refusal)
      return .refused
    }
  }

  private func pass(_ request: Arguments, _ commandIndex: inout Int?) throws(Halt) -> Start {
    arguments = request
    let known = lookahead.commandIndex
    guard var found = known >= 0 ? known : table.find(request[0]) else {
      throw .refused(Self.unknownCommand(request))
    }
    if table.gates[found].isChoosing { found = try chosenCommand(found) }
    commandIndex = found
    choose(found)
    let gate = gate
    // Fast path: nearly every hot command has only its positional words.
    if arguments.count - 1 != gate.required || gate.hasMandatoryOptions { try readOptions() }
    if connection.service == nil, !gate.isOpen { throw .refused(Self.unauthenticated) }
    // The weakest of service, user and actor decides: a session after `AS` never adds to the service's own rights.
    if !connection.rights.isSuperset(of: gate.rights), !gate.isOpen { throw .refused(missingRight) }
    if authority != nil, !gate.isForUsers {
      throw .refused(.noPermission("a service's own authority: \(spec.name) cannot run through AS"))
    }
    if connection.isBound, !gate.isForBound { throw .refused(beyondBinding) }
    let start = try start(gate.route)
    if minimumLSN == 0 { return start }
    deferred = start
    return .later
  }

  /// The actual command if the name alone does not tell: the one after `AS`, or a subcommand.
  private func chosenCommand(_ commandIndex: Int) throws(Halt) -> Int {
    var found = commandIndex
    if table.gates[found].isMinimum {
      guard arguments.count >= 3 else { throw .refused(Self.wrongArity(table.commands[found])) }
      guard connection.service != nil else { throw .refused(Self.unauthenticated) }
      guard let lsn = Self.identifier(arguments[1]) else {
        throw .refused(.syntax("MINLSN takes the number of a record, as CLIENT LASTLSN tells it, before a command"))
      }
      minimumLSN = lsn
      arguments = arguments.dropping(2)
      guard let inner = table.find(arguments[0]) else { throw .refused(Self.unknownCommand(arguments)) }
      found = inner
      if table.gates[found].isMinimum { throw .refused(.syntax("MINLSN cannot stand inside MINLSN")) }
    }
    if table.gates[found].isPrefix {
      guard arguments.count >= 3 else { throw .refused(Self.wrongArity(table.commands[found])) }
      guard connection.service != nil else { throw .refused(Self.unauthenticated) }
      authority = arguments[1]
      arguments = arguments.dropping(2)
      guard let inner = table.find(arguments[0]) else { throw .refused(Self.unknownCommand(arguments)) }
      found = inner
      if table.gates[found].isMinimum { throw .refused(.syntax("MINLSN stands before AS, not behind it")) }
      if table.gates[found].isPrefix { throw .refused(.syntax("AS cannot stand inside AS")) }
    }
    guard table.gates[found].isChoosing, arguments.count > 1 else { return found }
    guard let subcommand = table.find(arguments[1], of: found) else {
      throw .refused(Self.unknownSubcommand(arguments, table.commands[found]))
    }
    return subcommand
  }

  /// Makes a command of the table the turn's command.
  private func choose(_ index: Int) {
    // Fast path: usually it is the same command again, and assigning it would cost reference counting.
    if index == commandIndex { return }
    commandIndex = index
    spec = table.commands[index]
    gate = table.gates[index]
    decision = spec.decision
  }

  private var missingRight: Refusal {
    let missing = spec.rights.subtracting(connection.rights).names.joined(separator: " and ")
    return .noPermission("the service right \(missing), to run \(spec.name)")
  }

  private var beyondBinding: Refusal {
    let permission = spec.need.isOfServer.map { "\($0.name)" } ?? ""
    let bounds = connection.service.flatMap { directory.service($0) }?.products == nil ? "workspaces" : "products"
    return .noPermission("the permission \(permission) over the whole server: this service is bound to \(bounds)")
  }

  private func start(_ route: CommandSpec.Route) throws(Halt) -> Start {
    switch route {
    case .connection:
      guard case .server(let command) = spec.body else { preconditionFailure("\(spec.name) has no server body") }
      return .server(command)
    case .user(let word):
      let bytes = arguments[word]
      if bytes.count > 0, bytes[0] == 0x23, let raw = Self.identifier(bytes) {
        return .partition(partitioning.partition(of: UserID(raw: raw)))
      }
      // What begins like an id and is none is refused by whoever asks for the user, if it is.
      return .partition(nameKey(word).partition)
    case .session(let word):
      let bytes = arguments[word]
      if let id = SecretText.session(of: bytes) { return .partition(partitioning.partition(of: id)) }
      if let raw = Self.identifier(bytes) { return .partition(partitioning.partition(of: SessionID(raw: raw))) }
      return .partition(0)
    case .key(let word):
      let bytes = arguments[word]
      if let id = SecretText.apiKey(of: bytes) { return .partition(partitioning.partition(of: id)) }
      if let raw = Self.identifier(bytes) { return .partition(partitioning.partition(of: APIKeyID(raw: raw))) }
      return .partition(0)
    case .identifier(let word):
      return .partition(partitioning.partition(of: try id(word, "id") as EntryID))
    case .directory: return .anywhere
    case .everywhere: return .everywhere
    }
  }
}

// MARK: - Refusals of the gates

extension Turn {
  static var unauthenticated: Refusal { Refusal(.noAuthentication, "Authentication required.") }

  public static func wrongArity(_ spec: CommandSpec) -> Refusal {
    .syntax("wrong number of arguments for '\(spec.name.lowercased())' command")
  }

  /// For reads and server commands: these do not change accounts.
  static func nothingToTry(_ spec: CommandSpec) -> Refusal {
    .syntax("DRYRUN has no effect here, because \(spec.spokenName) changes no accounts; leave it out")
  }

  private static func unknownSubcommand(_ request: Arguments, _ command: CommandSpec) -> Refusal {
    .syntax("unknown subcommand '\(request.string(1).prefix(128))'. Try \(command.name) HELP.")
  }

  private static func unknownCommand(_ request: Arguments) -> Refusal {
    // What stands behind a name with a typing error may be a password, so nothing of it is repeated.
    let name = SecretText.isLike(request[0]) ? "(not shown)" : String(request.string(0).prefix(128))
    return .syntax("unknown command '\(name)'; COMMAND LIST names all of them")
  }
}
