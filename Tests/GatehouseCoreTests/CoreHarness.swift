import GatehouseTestSupport
import Testing

@testable import GatehouseCore

/// The core without a server: partitions, a directory, one turn, and a log in memory.
///
/// Every command runs as the server runs it: over its home partition first, and again over all that it asks
/// for. Every record is encoded, decoded, compared and replayed into a second state, the replica.
final class CoreHarness {
  let partitioning: Partitioning
  private(set) var cells: [PartitionCell]
  private var looksAhead = false
  private(set) var directory: DirectoryCell
  /// What the log alone makes.
  private(set) var replica: [PartitionCell]
  private(set) var replicaDirectory: DirectoryCell
  /// The encoded records; the first has LSN 1.
  private(set) var log: [ContiguousArray<UInt8>] = []
  /// The records that were written, as they were decoded.
  private(set) var records: [Record] = []
  var lsn: LSN { LSN(log.count) }
  var now: Milliseconds
  /// The connection that commands come on: the service `local` with all rights.
  var connection = ConnectionFacts(id: 1, service: 0, rights: .all)
  /// The horizon of the last command: what its reply would wait for.
  private(set) var horizon: LSN = 0
  /// How often the last command was decided.
  private(set) var decisions = 0
  private(set) var changes: [AnyChange] = []
  /// What the last command needed done off its thread.
  private(set) var neededWork: [any Work] = []
  private let turn: Turn
  /// The refused logins, oldest first.
  private let refusals = KeptRefusals()
  /// The counters, which no owner has.
  private let gate = HarnessGate()
  /// Has something happen between a decision's look at the directory and its look at the counters.
  func whileCounting(_ act: @escaping () -> Void) { gate.meanwhile = act }
  /// Whether every decision is made once more, over all owners, and compared.
  var decidesTwice = false
  /// The command that runs, for what goes wrong in it.
  private var words: [String] = []

  /// 2026-03-01T09:00:00Z.
  static let start: Milliseconds = 1_772_355_600_000

  init(partitions: Int = 4, now: Milliseconds = start, seed: UInt64 = 1) {
    partitioning = Partitioning(count: partitions, key: HashKey(low: seed, high: 2))
    let partitioning = partitioning
    self.now = now
    let fresh = { (0..<partitions).map { PartitionCell(PartitionState(index: $0, partitioning: partitioning)) } }
    cells = fresh()
    replica = fresh()
    directory = DirectoryCell(DirectoryState(created: now))
    directory.state.use(TestZones.table)
    // The replica knows no zones: what a record means does not depend on them.
    replicaDirectory = DirectoryCell(DirectoryState(created: now))
    var random = SeededRandom(seed: seed)
    let entropy = Entropy(
      fill: { buffer in for index in buffer.indices { buffer[index] = UInt8.random(in: 0...255, using: &random) } },
      digest: Self.digest)
    turn = Turn(
      partitioning: partitioning, directory: directory.state.view, counters: gate, refusals: refusals,
      folderSecret: Digest(7, 7, 7, 7), entropy: entropy, digest: Self.digest)
  }

  /// Stands in for SHA-256, which the core does not have: four SipHashes of different keys.
  static func digest(_ bytes: UnsafeRawBufferPointer) -> Digest {
    func part(_ number: UInt64) -> UInt64 { sipHash(bytes, key: HashKey(low: number, high: ~number)) }
    return Digest(part(1), part(2), part(3), part(4))
  }

  // MARK: Commands

  /// Runs a line of words; a word with spaces stands in double quotes.
  @discardableResult
  func run(_ line: String) -> Answer { run(Self.words(line)) }

  @discardableResult
  func run(_ words: [String]) -> Answer { Answer(reply(to: words)) }

  /// Runs a line on the authority of a session.
  @discardableResult
  func run(_ line: String, as token: String) -> Answer { run(["AS", token] + Self.words(line)) }

  static func words(_ line: String) -> [String] {
    var words: [String] = []
    for (index, part) in line.split(separator: "\"", omittingEmptySubsequences: false).enumerated() {
      if index % 2 == 1 { words.append(String(part)) } else { words += part.split(separator: " ").map(String.init) }
    }
    return words
  }

  func reply(to words: [String]) -> Reply { reply(to: OwnedArguments(words), shown: words) }

  /// Runs words that need not be texts.
  func reply(toBytes words: [[UInt8]]) -> Reply {
    let bytes = words.flatMap { $0 }
    var ranges: [ArgumentRange] = []
    for word in words {
      ranges.append(ArgumentRange(offset: ranges.reduce(0) { $0 + Int($1.count) }, count: word.count))
    }
    return bytes.withUnsafeBytes { bytes in
      ranges.withUnsafeBufferPointer { ranges in
        let base = bytes.baseAddress ?? UnsafeRawPointer(ranges.baseAddress!)
        let owned = OwnedArguments(copying: Arguments(base: base, ranges: ranges))
        return reply(to: owned, shown: words.map { String(decoding: $0, as: UTF8.self) })
      }
    }
  }

  private func reply(to arguments: OwnedArguments, shown words: [String]) -> Reply {
    arguments.withView { view in
      changes = []
      self.words = words
      decisions = 0
      horizon = 0
      turn.directory = directory.state.view
      neededWork = []
      var finished: (any Sendable)?
      repeat {
        carryOut(view, finished)
        finished = turn.neededWork.map { work in
          precondition(neededWork.count < 10, "a decision that never has enough done")
          neededWork.append(work)
          return perform(work)
        }
      } while finished != nil
      turn.letGo()
      // Some clients make `true` of a simple string: whatever is a decision or data is none.
      for node in turn.reply.nodes where node.kind == .simple {
        #expect(turn.reply.text(of: node) == "OK", "\(words)")
      }
      return turn.reply
    }
  }

  private func carryOut(_ view: Arguments, _ finished: (any Sendable)?) {
    var place: Int?
    let start = turn.begin(view, on: connection, now: now, place: &place, foresight(of: view))
    if let finished { turn.resume(with: finished) }
    switch start {
    case .refused: break
    case .server: preconditionFailure("\(words[0]) is the server's business")
    case .partition(let home): settle { turn.decide(home: cells[home].held) }
    case .anywhere: settle { turn.decide(home: nil) }
    case .everywhere: gather()
    }
  }

  /// Does what a decision needs, as the server does it: the trail is read out of the records.
  private func perform(_ work: any Work) -> any Sendable {
    switch work {
    case let work as ReadTrail:
      var page = TrailPage()
      for (index, record) in records.enumerated().reversed().prefix(work.count) {
        page.events += record.parts.reversed().map { TrailEvent(lsn: LSN(index + 1), part: $0) }
      }
      return FinishedWork(work, .success(page))
    case let work as ReadRefusals:
      return FinishedWork(work, .success(refusals.kept.reversed().filter { $0.time >= work.since }))
    case let work as ReadHead:
      return FinishedWork(work, .success(TrailHead(lsn: lsn, hash: String(repeating: "0", count: 32))))
    case let work as VerifyTrail:
      return FinishedWork(
        work, .success(TrailReport(from: work.from, through: lsn, frames: lsn, records: lsn, problem: nil)))
    default: preconditionFailure("nobody knows how to do \(work)")
    }
  }

  /// What the gates say to a command of a service with these rights; nil where they let it pass.
  func refusalAtGate(_ words: [String], rights: ServiceRights) -> String? {
    OwnedArguments(words).withView { view in
      var place: Int?
      let connection = ConnectionFacts(id: 1, service: 1, rights: rights)
      guard case .refused = turn.begin(view, on: connection, now: now, place: &place) else { return nil }
      return Answer(turn.reply).text
    }
  }

  /// Every second command is looked at beforehand, which must make no difference.
  private func foresight(of request: Arguments) -> Foresight {
    looksAhead.toggle()
    guard looksAhead else { return .none }
    var foresight = turn.foresee(request)
    for _ in 0..<Foresight.steps where foresight.partition >= 0 { foresight.advance(cells[foresight.partition].held) }
    #expect(foresight.partition < 0, "a look-ahead that does not come to its end")
    return foresight
  }

  /// Decides until nothing more is asked for, then commits.
  private func settle(_ first: () -> Outcome) {
    settle(first) { turn.decide(holding: $0, directory: $1) }
  }

  private func settle(_ first: () -> Outcome, _ again: ([HeldPartition], DirectoryCell?) -> Outcome) {
    var outcome = first()
    decisions = 1
    while case .needs(let owners) = outcome {
      decisions += 1
      precondition(decisions < 200, "a decision that never holds enough")
      turn.directory = directory.state.view
      outcome = again(owners.partitions.map { cells[$0].held }, owners.directory ? directory : nil)
    }
    if case .needsWork = outcome { return }
    if decidesTwice, !turn.reply.isEmpty { decideAgain(again) }
    commit()
    horizon = turn.horizon
  }

  /// A body is a pure function: whatever else is held, it decides the same.
  private func decideAgain(_ again: ([HeldPartition], DirectoryCell?) -> Outcome) {
    let before = (reply: Answer(turn.reply, showingSecrets: false), changes: turn.changes, horizon: turn.horizon)
    guard case .decided = again(cells.map(\.held), directory) else {
      preconditionFailure("\(words) asks for more than all")
    }
    #expect(Answer(turn.reply, showingSecrets: false) == before.reply, "\(words) answers another time otherwise")
    #expect(turn.horizon == before.horizon, "\(words) waits for something else another time")
    let kinds = before.changes.map { ChangeText($0).description }
    #expect(turn.changes.map { ChangeText($0).description } == kinds, "\(words) changes something else another time")
  }

  private func gather() {
    if let home = turn.authorityPartition {
      settle {
        turn.decideAuthority(holding: [cells[home].held])
      } _: { cells, _ in
        turn.decideAuthority(holding: cells)
      }
      let principal = turn.principal
      if turn.reply.isError {
        horizon = turn.horizon
        return
      }
      turn.letGo()
      turn.adopt(principal)
    } else {
      turn.adopt(turn.principal)
    }
    var gathered = Gathered()
    for cell in cells where !gathered.isComplete {
      repeat {
        guard turn.collect(cell.held, into: &gathered) else {
          precondition(turn.reply.isError, "a gathering body asked for another owner")
          return
        }
      } while !gathered.isAtStart && !gathered.isComplete
    }
    turn.finish(&gathered)
    horizon = turn.horizon
    guard !gathered.lapsed.isEmpty else { return }
    // The list is answered once what it found to have lost its right has ended.
    let (reply, before, home) = (turn.reply, horizon, partitioning.partition(of: gathered.lapsed[0]))
    turn.letGo()
    end(gathered.lapsed, home: home)
    horizon = max(before, turn.horizon)
    turn.reply = reply
  }

  /// Ends sessions as the server does by itself.
  private func end(_ sessions: [SessionID], home: Int) {
    changes = []
    turn.directory = directory.state.view
    turn.beginExpiry(now: now)
    settle {
      turn.decideExpiry(sessions, home: cells[home].held, holding: [])
    } _: { cells, _ in
      turn.decideExpiry(sessions, home: nil, holding: cells)
    }
    turn.letGo()
  }

  // MARK: Groups

  /// Runs lines as the server runs the commands of an `EXEC`: over all owners, as one record.
  func runTogether(_ lines: [String]) -> [Answer] {
    turn.directory = directory.state.view
    let group = CommandGroup(cells.map(\.held), directory, directory.state.view) { self.gate.counters }
    turn.use(group.counters)
    var answers: [Answer] = []
    for line in lines { answers.append(decide(line, in: group)) }
    turn.use(gate)
    turn.letGo()
    turn.directory = directory.state.view
    if group.parts.isEmpty {
      group.commit(nil, now: now, partitioning)
    } else {
      for part in group.parts {
        #expect(gate.move(by: part, lsn: lsn + 1) == nil, "a bound that held no longer does")
      }
      append(group.record(at: now))
      group.commit(lsn, now: now, partitioning)
    }
    return answers
  }

  /// Decides lines as a group that the log then does not take.
  func decideAndDrop(_ lines: [String]) {
    turn.directory = directory.state.view
    let group = CommandGroup(cells.map(\.held), directory, directory.state.view) { self.gate.counters }
    turn.use(group.counters)
    for line in lines { #expect(!decide(line, in: group).isError, "\(line)") }
    turn.use(gate)
    turn.letGo()
    turn.directory = directory.state.view
    #expect(group.parts.count == lines.count)
  }

  private func decide(_ line: String, in group: CommandGroup) -> Answer {
    OwnedArguments(Self.words(line)).withView { view in
      var place: Int?
      guard case .refused = turn.begin(view, on: connection, now: now, place: &place) else {
        switch turn.decide(in: group) {
        case .decided: break
        case .needs: preconditionFailure("\(line) needs more than all owners")
        case .needsWork: preconditionFailure("\(line) needs work, and is none of a group's commands")
        case .refused(let violation): turn.answer(violation, holders: [])
        }
        return Answer(turn.reply, showingSecrets: false)
      }
      return Answer(turn.reply)
    }
  }

  // MARK: The log

  private func commit() {
    if !turn.changes.isEmpty {
      changes = turn.changes
      let header = turn.recordHeader
      requireHeld()
      if let violation = gate.move(by: turn, lsn: lsn + 1) {
        changes = []
        turn.answer(violation, holders: violation.fullPool.map(holders(of:)) ?? [])
        return
      }
      append(header, turn.changes)
      turn.commit(lsn, header)
    }
    turn.noteInMemory()
  }

  /// Some who hold a seat of a pool.
  private func holders(of pool: SeatKey) -> [String] {
    var names: [String] = []
    for cell in cells {
      var next: Int? = 1
      while let first = next {
        next = cell.state.people.addHolders(of: pool, from: first, rows: 3, most: 5, to: &names)
      }
    }
    return names
  }

  /// The directory's state with the counters, as a replay has it.
  var wholeDirectory: DirectoryState { directory.state.with(gate.counters) }

  /// Whoever changes an owner must have asked for it.
  private func requireHeld() {
    let held = Set(turn.others.map(\.index) + [turn.home?.index].compactMap { $0 })
    for change in changes {
      change.forEachOwner(partitioning) { partition in
        if !held.contains(partition) { print("\(words) changes partition \(partition) without holding it: \(change)") }
      } directory: {
        if turn.directoryCell == nil { print("\(words) changes the directory without holding it: \(change)") }
      }
    }
  }

  private func append(_ header: RecordHeader, _ changes: [AnyChange]) {
    append(Record(header: header, changes: changes))
  }

  private func append(_ whole: Record) {
    var writer = ByteWriter()
    whole.encode(into: &writer)
    log.append(writer.bytes)
    let record = Self.record(writer.bytes)
    #expect(record == whole, "a record that is decoded is another")
    records.append(record)
    Self.apply(record, lsn, to: replica, replicaDirectory)
  }

  static func record(_ bytes: ContiguousArray<UInt8>) -> Record {
    bytes.withUnsafeBytes { raw in
      var reader = ByteReader(raw)
      guard let record = try? Record(from: &reader), reader.isAtEnd else {
        preconditionFailure("a record that cannot be decoded")
      }
      return record
    }
  }

  /// Applies a record as replay does: each owner takes its part, unless it has it already.
  static func apply(_ record: Record, _ lsn: LSN, to cells: [PartitionCell], _ directory: DirectoryCell) {
    let known = Set(cells.filter { $0.state.lsn >= lsn }.map(\.index))
    let isKnown = directory.state.lsn >= lsn
    record.forEachPart { part in
      for change in part.changes {
        change.forEachOwner(cells[0].state.partitioning) { partition in
          if !known.contains(partition) { cells[partition].state.apply(change, lsn: lsn, header: part.header) }
        } directory: {
          if !isKnown { directory.state.apply(change, lsn: lsn, header: part.header) }
        }
        if change.movesCounters, !isKnown { directory.state.count(change, lsn: lsn) }
      }
    }
  }

  /// Applies changes that no command made, as one record of the service `local`.
  func apply(_ changes: any Change...) {
    let changes = changes.map(\.carried)
    let header = RecordHeader(
      time: now, service: 0, actor: nil, subject: nil, connection: 1, command: "TEST", reason: "")
    append(header, changes)
    Self.apply(Record(header: header, changes: changes), lsn, to: cells, directory)
    gate.count(changes, lsn: lsn)
  }

  /// Goes on with other cells, as after a restart, and where they are of an earlier time with the replica of that time.
  func take(_ cells: [PartitionCell], _ directory: DirectoryCell, replica: [PartitionCell]? = nil) {
    self.cells = cells
    if let replica { self.replica = replica }
    self.directory = directory
    gate.take(directory.state.counters)
    directory.state.use(TestZones.table)
  }

  // MARK: Time

  func advance(_ span: Milliseconds) { now += span }

  /// Ends the sessions whose time is up, as the server's timer does; returns how many records that took.
  @discardableResult
  func expire() -> Int {
    let before = log.count
    for cell in cells {
      while true {
        let due = cell.state.dueSessions(at: now, limit: 16)
        if due.isEmpty { break }
        end(due, home: cell.index)
      }
    }
    return log.count - before
  }

  // MARK: Looking in

  /// The sessions that have lost their right for good and have not ended, found without ending them. Those that lack a
  /// licence may get one as long as nobody has looked.
  func lapsedSessions() throws -> Set<SessionID> {
    turn.beginExpiry(now: now)
    turn.directory = directory.state.view
    turn.others = cells.map(\.held)
    defer { turn.letGo() }
    var found = Set<SessionID>()
    for cell in cells {
      for slot in 1..<(cell.state.sessions.rows.last + 1) where cell.state.sessions[slot].isLive(at: now) {
        guard let cause = try turn.lapse(cell.held, slot), cause != .licenceRemoved else { continue }
        found.insert(cell.state.sessionID(ofSlot: slot))
      }
    }
    return found
  }

  func isInForce(_ id: SessionID) -> Bool {
    let cell = cells[partitioning.partition(of: id)]
    return cell.state.slot(of: id).map { cell.state.sessions[$0].isLive(at: now) } ?? false
  }

  func user(_ name: String) -> UserReference? {
    let key = NameKey(name, partitioning)
    var folded = FoldedName(name).text
    let holders = folded.withUTF8 { cells[key.partition].state.holders(folded: .init($0), hash: key.hash) }
    guard let id = holders.first?.user else { return nil }
    let cell = cells[partitioning.partition(of: id)]
    return cell.state.serial(of: id).map { UserReference(id: id, cell: cell.held, serial: $0) }
  }
}

/// The refused logins of a core without a server.
private final class KeptRefusals: RefusalKeeper, @unchecked Sendable {
  private(set) var kept: [RefusedLogin] = []

  func keep(_ refusal: RefusedLogin) { kept.append(refusal) }
}

/// The gate of a core without a server: what a record does to the counters.
private final class HarnessGate: CounterReader, @unchecked Sendable {
  private(set) var counters = Counters()

  /// What another thread does after the decision has read the directory and before it reads the counters, once.
  var meanwhile: (() -> Void)?

  func used(_ pools: [SeatKey], directory: LSN) -> (seats: [Int], lsn: LSN)? {
    guard let act = meanwhile else { return (pools.map { counters.used($0) }, counters.lsn) }
    meanwhile = nil
    act()
    return nil
  }

  func move(by turn: Turn, lsn: LSN) -> CounterViolation? {
    counters.move(by: turn.changes, bounds: turn.bounds, lsn: lsn)
  }

  func move(by part: CommandGroup.Part, lsn: LSN) -> CounterViolation? {
    counters.move(by: part.record.changes, bounds: part.bounds, lsn: lsn)
  }

  func count(_ changes: [AnyChange], lsn: LSN) {
    for change in changes where change.movesCounters { counters.apply(change, lsn: lsn) }
  }

  func take(_ counters: Counters) { self.counters = counters }
}
