@testable import GatehouseCore

/// The refused logins of a core without a server.
final class KeptRefusals: RefusalKeeper, @unchecked Sendable {
  private(set) var kept: [RefusedLogin] = []

  func keep(_ refusal: RefusedLogin) { kept.append(refusal) }
}

/// The guesses of a core without a server, as slowed as nobody notices who does not look.
final class HarnessGuesses: GuessKeeper, @unchecked Sendable {
  var table = GuessTable(
    capacity: 64, key: HashKey(low: 3, high: 4),
    limits: GuessLimits(address: GuessLimit(perMinute: 0), service: GuessLimit(perMinute: 0)))

  func wait(_ sources: [GuessSource], after pending: [GuessSource], at now: Milliseconds) -> Milliseconds {
    sources.map { source in table.wait(source, after: pending.count { $0 == source }, at: now) }.max() ?? 0
  }

  func count(_ sources: [GuessSource], at now: Milliseconds) {
    for source in sources { table.count(source, at: now) }
  }
}

/// The gate of a core without a server: applies records to the counters.
final class HarnessGate: CounterReader, @unchecked Sendable {
  private(set) var counters = Counters()

  /// What another thread does, once, after the decision has read the directory and before it reads the counters.
  var meanwhile: (() -> Void)?

  func used(_ pools: [SeatKey], directory: LSN) -> (seats: [Int], lsn: LSN)? {
    guard let act = meanwhile else { return (pools.map { counters.used($0) }, counters.lsn) }
    meanwhile = nil
    act()
    return nil
  }

  func counters(beside directory: LSN) -> Counters? { counters }

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
