package import GatehouseCore

/// Runs one command on a folder that no server uses: restores the state, decides as the server would, as the service
/// `local` with all rights, and logs one record.
package struct OfflineCommand {
  /// Why a command that was decided could not be logged.
  package struct NotLogged: Error, CustomStringConvertible {
    package let description: String

    init(description: String) { self.description = description }
  }

  private let partitions: [PartitionCell]
  private let directory: DirectoryCell
  private let gate: OfflineGate
  private let turn: Turn

  /// - Parameters:
  ///   - words: the command, which must be one that decides.
  ///   - folder: owned by this process.
  ///   - clock: unix milliseconds. The record's time is never before that of the last record.
  /// - Returns: the reply. What it shows is durable; if it is an error, nothing has changed.
  /// - Throws: what `Recovery.open` throws, `CodingError`, `LogError`, `NotLogged`, `FolderError` if the log is shared.
  package static func run(_ words: [String], on folder: DataFolder, clock: Milliseconds) throws -> Reply {
    try folder.requireOwnLog()
    let recovery = try Recovery.open(folder)
    defer { recovery.snapshot?.close() }
    var state = Restoration(folder)
    if let snapshot = recovery.snapshot { try state.load(snapshot) }
    let end = try recovery.read { lsn, bytes in try state.replay(lsn, bytes) }
    _ = try state.renewKeys(at: clock)
    let command = OfflineCommand(state, folder)
    let now = max(clock, state.newestTime ?? clock)
    let first = recovery.report.firstLSN
    return try OwnedArguments(words).withView { view in
      Result {
        guard command.decide(view, now: now) else { return command.turn.reply }
        try command.log(in: folder, after: end, keptFrom: first)
        return command.turn.reply
      }
    }.get()
  }

  private init(_ state: Restoration, _ folder: DataFolder) {
    partitions = state.partitions
    directory = DirectoryCell(state.directory)
    gate = OfflineGate(state.directory.counters)
    turn = Turn(
      partitioning: state.partitioning, directory: state.directory.view, counters: gate, refusals: gate,
      folderSecret: folder.manifest.tokenSecret, entropy: Entropy(fill: fillRandom, digest: sha256), digest: sha256,
      hmacSHA1: hmacSHA1)
  }

  /// - Returns: whether there is something to log.
  private func decide(_ words: Arguments, now: Milliseconds) -> Bool {
    var commandIndex: Int?
    var outcome: Outcome
    switch turn.begin(
      words, on: ConnectionFacts(id: 0, service: 0, rights: .all), now: now, commandIndex: &commandIndex)
    {
    case .refused: return false
    case .partition(let index): outcome = turn.decide(home: partitions[index].held)
    case .anywhere: outcome = turn.decide(home: nil)
    case .everywhere, .server, .later: preconditionFailure("a command that does not decide")
    }
    while case .needs(let owners) = outcome {
      outcome = turn.decide(
        holding: owners.partitions.map { partitions[$0].held }, directory: owners.directory ? directory : nil)
    }
    if case .refused(let violation) = outcome { turn.answer(violation, holders: []) }
    if let violation = gate.violation(of: turn) { turn.answer(violation, holders: []) }
    return !turn.changes.isEmpty
  }

  private func log(in folder: DataFolder, after end: LogEnd, keptFrom first: LSN) throws {
    let log = try folder.openLog(continuing: end, keptFrom: first, isDriven: true)
    defer { log.close() }
    var header = turn.recordHeader
    let lsn: LSN
    do throws(LogRefusal) {
      lsn = try log.append(&header, turn.changes, folder.keys)
    } catch {
      throw NotLogged(description: "the log takes no record: \(error)")
    }
    folder.closeLog(log)
    guard log.durableLSN >= lsn else { throw NotLogged(description: "the record could not be written: \(log.state)") }
  }
}

/// The counters of a folder that no server uses, for one command.
private final class OfflineGate: CounterReader, RefusalKeeper, Sendable {
  private let counters: Counters

  init(_ counters: Counters) { self.counters = counters }

  func used(_ pools: [SeatKey], directory: LSN) -> (seats: [Int], lsn: LSN)? {
    (pools.map { counters.used($0) }, counters.lsn)
  }

  func counters(beside directory: LSN) -> Counters? { counters }

  /// Not kept: the caller sees the refusal, and nobody else is there.
  func keep(_ refusal: RefusedLogin) {}

  /// The bound that the decision would break, if any.
  func violation(of turn: Turn) -> CounterViolation? {
    var after = counters
    return after.move(by: turn.changes, bounds: turn.bounds, lsn: counters.lsn + 1)
  }
}
