import GatehouseCore
import GatehouseStorage
import Synchronization

/// The wrong guesses of the whole server, by source. All lanes share it, because an attacker has many connections.
final class SharedGuesses: GuessKeeper {
  private struct State {
    var table: GuessTable
    var slowed: UInt64 = 0
  }

  private let state: Mutex<State>

  init(_ configuration: ServerConfiguration) {
    var bits: (UInt64, UInt64) = (0, 0)
    withUnsafeMutableBytes(of: &bits) { fillRandom($0) }
    state = Mutex(
      State(
        table: GuessTable(
          capacity: configuration.guessSources, key: HashKey(low: bits.0, high: bits.1),
          limits: configuration.guessLimits)))
  }

  func wait(_ sources: [GuessSource], after pending: [GuessSource], at now: Milliseconds) -> Milliseconds {
    state.withLock { state in
      let wait =
        sources.map { source in
          state.table.wait(source, after: pending.count { $0 == source }, at: now)
        }.max() ?? 0
      if wait > 0 { state.slowed += 1 }
      return wait
    }
  }

  func count(_ sources: [GuessSource], at now: Milliseconds) {
    state.withLock { state in
      for source in sources { state.table.count(source, at: now) }
    }
  }

  /// Takes changed settings over.
  func adopt(_ configuration: ServerConfiguration) {
    state.withLock { $0.table.limits = configuration.guessLimits }
  }

  var figures: (sources: Int, capacity: Int, slowed: UInt64) {
    state.withLock { ($0.table.count, $0.table.capacity, $0.slowed) }
  }
}

extension ServerConfiguration {
  fileprivate var guessLimits: GuessLimits {
    GuessLimits(
      address: GuessLimit(perMinute: guessesPerAddress), service: GuessLimit(perMinute: guessesPerService))
  }
}
