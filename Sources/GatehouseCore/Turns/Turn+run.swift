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
}

public enum Outcome {
  /// The reply is complete; `changes` must be logged and committed before it leaves.
  case decided
  /// Hold these owners and decide again.
  case needs(OwnerSet)
  /// Do the turn's `neededWork` without holding owners, and decide again.
  case needsWork
  /// A bound would not hold after a dry run. The caller answers, once nothing is held.
  case refused(CounterViolation)
}

extension Turn {
  /// Takes a request: finds the command and checks the gates in their fixed order: look-up, arity and options,
  /// authentication, permission.
  ///
  /// - Parameters:
  ///   - request: all words; the view must stay valid until the decision is made.
  ///   - place: receives the command's index in the table, for metrics, if it was found.
  ///   - foresight: what is already known of the request.
  public func begin(
    _ request: Arguments, on connection: ConnectionFacts, now: Milliseconds, place: inout Int?,
    _ foresight: Foresight = .none
  ) -> Start {
    self.connection = connection
    self.now = now
    self.foresight = foresight
    authority = nil
    foldedWord = -1
    if !chosen.isEmpty { chosen.removeAll(keepingCapacity: true) }
    if userPrincipal != nil { userPrincipal = nil }
    if hasWork { forgetWork() }
    if !sides.isEmpty { sides = [] }
    do {
      return try pass(request, &place)
    } catch {
      guard case .refused(let refusal) = error else { preconditionFailure("a gate asked for an owner") }
      answer(refusal)
      return .refused
    }
  }

  private func pass(_ request: Arguments, _ place: inout Int?) throws(Halt) -> Start {
    arguments = request
    let known = foresight.place
    guard var found = known >= 0 ? known : table.find(request[0]) else {
      throw .refused(Self.unknownCommand(request))
    }
    if table.gates[found].isChoosing { found = try chosenCommand(found) }
    place = found
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
    return try start(gate.route)
  }

  /// The actual command if the name alone does not tell: the one after `AS`, or a subcommand.
  private func chosenCommand(_ place: Int) throws(Halt) -> Int {
    var found = place
    if table.gates[found].isPrefix {
      guard arguments.count >= 3 else { throw .refused(Self.wrongArity(table.commands[found])) }
      guard connection.service != nil else { throw .refused(Self.unauthenticated) }
      authority = arguments[1]
      arguments = arguments.dropping(2)
      guard let inner = table.find(arguments[0]) else { throw .refused(Self.unknownCommand(arguments)) }
      found = inner
      if table.gates[found].isPrefix { throw .refused(.syntax("AS cannot stand inside AS")) }
    }
    guard table.gates[found].isChoosing, arguments.count > 1 else { return found }
    guard let subcommand = table.find(arguments[1], of: found) else {
      throw .refused(Self.unknownSubcommand(arguments, table.commands[found]))
    }
    return subcommand
  }

  /// Makes a command of the table the turn's command.
  private func choose(_ place: Int) {
    // Fast path: usually it is the same command again, and assigning it would cost reference counting.
    if place == specPlace { return }
    specPlace = place
    spec = table.commands[place]
    gate = table.gates[place]
    decision = spec.decision
  }

  private var missingRight: Refusal {
    let missing = spec.rights.subtracting(connection.rights).names.joined(separator: " and ")
    return .noPermission("the service right \(missing), to run \(spec.name)")
  }

  private var beyondBinding: Refusal {
    let permission = spec.need.isOfServer.map { "\($0.name)" } ?? ""
    return .noPermission("the permission \(permission) over the whole server: this service is bound to workspaces")
  }

  private func start(_ route: CommandSpec.Route) throws(Halt) -> Start {
    switch route {
    case .connection:
      guard case .server(let command) = spec.body else { preconditionFailure("\(spec.name) has no server body") }
      return .server(command)
    case .user(let word):
      let bytes = arguments[word]
      if bytes.count > 0, bytes[0] == 0x23 {
        return .partition(partitioning.partition(of: try id(word, "user") as UserID))
      }
      return .partition(nameKey(word).partition)
    case .session(let word):
      let bytes = arguments[word]
      if let id = SecretText.session(of: bytes) { return .partition(partitioning.partition(of: id)) }
      if let raw = Self.identifier(bytes) { return .partition(partitioning.partition(of: SessionID(raw: raw))) }
      return .partition(0)
    case .identifier(let word):
      return .partition(partitioning.partition(of: try id(word, "id") as EntryID))
    case .directory: return .anywhere
    case .everywhere: return .everywhere
    }
  }

  static var unauthenticated: Refusal { Refusal(.noAuthentication, "Authentication required.") }

  public static func wrongArity(_ spec: CommandSpec) -> Refusal {
    .syntax("wrong number of arguments for '\(spec.name.lowercased())' command")
  }

  /// For reads and server commands: these do not change accounts.
  private static func nothingToTry(_ spec: CommandSpec) -> Refusal {
    .syntax("DRYRUN has no effect here, because \(spec.spokenName) changes no accounts; leave it out")
  }

  private static func unknownSubcommand(_ request: Arguments, _ command: CommandSpec) -> Refusal {
    .syntax("unknown subcommand '\(request.string(1).prefix(128))'. Try \(command.name) HELP.")
  }

  private static func unknownCommand(_ request: Arguments) -> Refusal {
    func shown(_ index: Int) -> String { String(request.string(index).prefix(128)) }
    var text = "unknown command '\(shown(0))', with args beginning with: "
    var room = 128
    for index in 1..<max(1, request.count) where room > 0 {
      let word = String(shown(index).prefix(room))
      text += "'\(word)' "
      room -= word.utf8.count
    }
    return .syntax(text)
  }

  // MARK: Options

  private func readOptions() throws(Halt) {
    // Server commands with free words, such as values of settings, must not swallow it.
    if spec.group == .server, Self.isToken("DRYRUN", arguments[arguments.count - 1]) {
      throw .refused(Self.nothingToTry(spec))
    }
    let given = arguments.count - 1
    guard given >= spec.required else { throw .refused(Self.wrongArity(spec)) }
    var word = 1 + spec.required
    var positional = spec.required
    while word < arguments.count {
      if let option = spec.options.firstIndex(where: { Self.isToken($0.token, arguments[word]) }) {
        word = try readOption(option, at: word)
      } else if positional < spec.positionalMost {
        guard chosen.isEmpty else {
          throw .refused(.syntax("'\(arguments.string(word))' must stand before the options"))
        }
        positional += 1
        word += 1
      } else {
        throw .refused(unknownOption(word))
      }
    }
    for option in spec.mandatory where !chosen.contains(where: { $0.option == option }) {
      throw .refused(.syntax("\(spec.options[option].token ?? "") is missing; usage: \(spec.usage)"))
    }
  }

  private func unknownOption(_ word: Int) -> Refusal {
    if Self.isToken("DRYRUN", arguments[word]) { return Self.nothingToTry(spec) }
    if spec.options.isEmpty { return Self.wrongArity(spec) }
    let shown = String(arguments.string(word).prefix(64))
    return .syntax("unknown option '\(shown)' for '\(spec.name.lowercased())'; usage: \(spec.usage)")
  }

  private func readOption(_ option: Int, at word: Int) throws(Halt) -> Int {
    let definition = spec.options[option]
    let token = definition.token ?? ""
    if !definition.repeats, chosen.contains(where: { $0.option == option }) {
      throw .refused(.syntax("\(token) is given twice"))
    }
    var first = word + 1
    var count = definition.valueCount
    if definition.isCounted {
      guard first < arguments.count else { throw .refused(.syntax("\(token) needs a number and that many values")) }
      count = try Self.integer(arguments.string(first), token, in: 1...1_000_000)
      first += 1
    }
    guard first + count <= arguments.count else {
      throw .refused(.syntax("\(token) needs a value: \(definition.usage)"))
    }
    chosen.append(ChosenOption(option: option, word: first, count: count))
    return first + count
  }

  private static func isToken(_ token: String?, _ word: UnsafeRawBufferPointer) -> Bool {
    guard let token, token.utf8.count == word.count else { return false }
    for (index, byte) in token.utf8.enumerated() {
      let given = word[index]
      guard byte == (given &- 0x61 < 26 ? given & 0xdf : given) else { return false }
    }
    return true
  }

  // MARK: Deciding

  /// Runs the command's body over its home partition.
  public func decide(home cell: HeldPartition?) -> Outcome {
    home = cell
    if !others.isEmpty { others.removeAll(keepingCapacity: true) }
    if directoryCell != nil { directoryCell = nil }
    return decide()
  }

  /// Runs the body again over all owners that it asked for.
  public func decide(holding cells: [HeldPartition], directory cell: DirectoryCell?) -> Outcome {
    home = nil
    others = cells
    directoryCell = cell
    if let cell { directory = cell.state.view }
    return decide()
  }

  private func decide() -> Outcome {
    guard let body = decision else { preconditionFailure("\(spec.name) does not decide") }
    return attempt { () throws(Halt) in
      try self.authorise()
      if self.gate.isWrite, !self.chosen.isEmpty {
        // A repeated command gets its first answer even if the caller has lost the right since, perhaps by that very
        // command.
        try self.decideOnce { (turn) throws(Halt) in
          try turn.enforceIfLimited()
          try body(turn)
        }
      } else {
        try self.enforceIfLimited()
        try body(self)
      }
      if self.gate.isWrite {
        try self.endWhatLostItsRight()
        if self.isDryRun { try self.preview() }
      }
    }
  }

  /// Runs a step of a decision from a clean slate; a refusal becomes the reply.
  @inline(__always)
  func attempt(_ step: () throws(Halt) -> Void) -> Outcome {
    wipeSlate()
    do throws(Halt) {
      try step()
    } catch {
      return abandon(error)
    }
    return lapsed.isEmpty ? .decided : endingLapsed()
  }

  private func wipeSlate() {
    reply.reset()
    if !changes.isEmpty { dropChanges() }
    if !bounds.isEmpty { bounds.removeAll(keepingCapacity: true) }
    if !seen.isEmpty { seen.removeAll(keepingCapacity: true) }
    if !taken.isEmpty { taken.removeAll(keepingCapacity: true) }
    if !lapsed.isEmpty { lapsed.removeAll(keepingCapacity: true) }
    forgetEnded()
    if hasRefusal { hasRefusal = false }
    isVersionChecked = false
    horizon = 0
  }

  /// Ends a decision that failed.
  private func abandon(_ halt: Halt) -> Outcome {
    dropChanges()
    switch halt {
    case .needs(let owners): return .needs(owners)
    case .work(let work):
      neededWork = work
      hasWork = true
      return .needsWork
    case .bound(let violation):
      forgetDecision()
      return .refused(violation)
    case .refused(let refusal):
      forgetEnded()
      if isDryRun { forgetDecision() }
      bounds.removeAll(keepingCapacity: true)
      answer(refusal)
      return lapsed.isEmpty ? .decided : endingLapsed()
    }
  }

  private func forgetEnded() { if !endedSessions.isEmpty { endedSessions.removeAll(keepingCapacity: true) } }

  /// Sessions that lost their right end even if the command is refused.
  private func endingLapsed() -> Outcome {
    do throws(Halt) {
      for (id, cause) in lapsed { try endSession(id, cause) }
      return .decided
    } catch {
      guard case .needs(let owners) = error else { preconditionFailure("ending a session was refused") }
      dropChanges()
      return .needs(owners)
    }
  }

  /// Whether the command runs with less than a service's full authority.
  public var needsAuthorising: Bool { authority != nil || connection.isBound }

  /// Finds the principal of the command.
  @inline(__always)
  private func authorise() throws(Halt) {
    if needsAuthorising { try findSides() }
  }

  private func findSides() throws(Halt) {
    sides = serviceSides()
    guard let authority else { return }
    let user = try principal(of: authority)
    userPrincipal = user
    sides = user.sides
  }

  /// Refuses the command if the principal lacks what it needs.
  @inline(__always)
  private func enforceIfLimited() throws(Halt) {
    if isLimited { try enforce(spec.need) }
  }

  /// Finds only the principal, for commands that read many partitions. It stays for the rest of the command.
  public func decideAuthority(holding cells: [HeldPartition]) -> Outcome {
    home = nil
    others = cells
    return attempt { () throws(Halt) in
      try self.authorise()
      try self.enforceIfLimited()
    }
  }

  /// The partition where finding the principal starts; nil if the command runs for the service.
  public var authorityPartition: Int? {
    guard let authority else { return nil }
    return SecretText.session(of: authority).map { partitioning.partition(of: $0) } ?? 0
  }

  /// `IFVERSION`: refuses the command if the version has changed.
  public func checkVersion(_ version: UInt32) throws(Halt) {
    isVersionChecked = true
    guard let wanted = try integer("IFVERSION", in: 0...Int(UInt32.max)) else { return }
    guard wanted == Int(version) else {
      throw .refused(Refusal(.stale, "version \(version), not \(wanted); read it again"))
    }
  }

  // MARK: Gathering

  /// Lets one partition contribute to a command that reads all of them.
  public func collect(_ cell: HeldPartition, into gathered: inout Gathered) -> Bool {
    guard case .gather(let body, _) = spec.body else { preconditionFailure("\(spec.name) does not gather") }
    home = cell
    // Moved out, so that growing it does not copy (copy-on-write with two references).
    var result = gathered
    gathered = Gathered()
    let outcome = attempt { () throws(Halt) in try body(self, cell, &result) }
    guard case .decided = outcome, reply.isEmpty else { return false }
    result.horizon = max(result.horizon, horizon)
    gathered = result
    return true
  }

  /// Makes the reply from what was gathered.
  public func finish(_ gathered: inout Gathered) {
    guard case .gather(_, let body) = spec.body else { preconditionFailure("\(spec.name) does not gather") }
    var result = gathered
    _ = attempt { () throws(Halt) in try body(self, &result) }
    gathered = result
    horizon = max(horizon, result.horizon)
  }

  /// Sets the principal found by `decideAuthority`, when the command moves to another lane.
  public func adopt(_ principal: Principal) {
    if case .user(let user) = principal {
      userPrincipal = user
      sides = user.sides
    } else {
      sides = serviceSides()
    }
  }

  // MARK: Concluding

  /// What the server must know of a decision.
  public struct Conclusion {
    public let hasChanges: Bool
    public let isError: Bool
    /// See `Turn.horizon`.
    public let horizon: LSN
  }

  /// Whether the changes only record what the command noticed in passing. Its answer is the same if they cannot be
  /// logged.
  public var isNotedInPassing: Bool { spec.effect == .read || reply.isError }

  /// The decision in one access: each access from another module to a property of this class is checked.
  public var conclusion: Conclusion {
    Conclusion(hasChanges: !changes.isEmpty, isError: reply.isError, horizon: horizon)
  }

  /// Restores a reply that was complete before the turn was used for something else.
  public func restore(_ reply: Reply, horizon: LSN) {
    self.reply = reply
    self.horizon = horizon
  }

  /// The reply's nodes and bytes without reference counting. They are the turn's memory, valid until its reply changes.
  public var replyParts: (nodes: UnsafeBufferPointer<Reply.Node>, bytes: UnsafeRawBufferPointer) {
    reply.withParts { ($0, $1) }
  }

  /// Makes a refusal the reply, because the log does not take the changes.
  public func answer(_ refusal: Refusal) {
    dropChanges()
    reply.reset()
    reply.error(refusal.text)
  }

  // MARK: Committing

  /// Whether the changes move the gate's counters or depend on them.
  public var movesCounters: Bool { !bounds.isEmpty || traits.contains(.movesCounters) }

  /// Whether the changes modify the directory.
  public var changesDirectory: Bool { traits.contains(.changesDirectory) }

  /// The header of the changes in their record.
  public var recordHeader: RecordHeader {
    RecordHeader(
      time: now, service: connection.service ?? 0, actor: principal.actor, subject: principal.subject,
      connection: connection.id, command: spec.name, reason: reason)
  }

  /// Applies the changes, which are record `lsn` of the log, to the held owners.
  public func commit(_ lsn: LSN, _ header: RecordHeader) {
    // By address: taking a change out of the array would copy it.
    changes.withUnsafeBufferPointer { changes in
      for place in changes.indices {
        // The closures do not use the header: each that did would copy it.
        changes[place].carryOut(
          partitioning, lsn: lsn, header: header, on: { heldCell($0) ?? missesOwner("partition \($0)") },
          directory: { directoryCell ?? missesOwner("the directory") })
      }
    }
    horizon = max(horizon, lsn)
  }

  private func missesOwner<Owner>(_ owner: String) -> Owner {
    preconditionFailure("\(spec.name) changes \(owner) without holding it")
  }

  private func heldCell(_ partition: Int) -> HeldPartition? {
    if let home, home.index == partition { return home }
    return others.first { $0.index == partition }
  }

  /// Records in memory what the command noticed and the log does not store: sessions that were used, a login that was
  /// refused.
  @inline(__always)
  public func noteInMemory() {
    if hasRefusal { keepRefusal() }
    if seen.isEmpty { return }
    // By index: iterating over the array would retain it.
    for place in seen.indices { seen[place].cell.state.sessions.see(slot: seen[place].slot, at: now) }
  }

  /// Releases everything that was held.
  public func letGo() {
    home = nil
    if !others.isEmpty { others.removeAll(keepingCapacity: true) }
    if directoryCell != nil { directoryCell = nil }
    if !seen.isEmpty { seen.removeAll(keepingCapacity: true) }
  }
}
