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

  /// Counts a wrong secret of a service. It waits like a wrong password from that address, and is answered afterwards. A
  /// right secret never waits: a service has no weak one, and must not be locked out by whoever shares its address.
  ///
  /// - Returns: in how many milliseconds it is answered; nil if that is too long to wait.
  func waitOfWrongSecret(from address: AddressKey?, at now: Milliseconds) -> Milliseconds? {
    guard let address else { return 0 }
    let source = GuessSource.address(address.network, of: nil)
    // In one go, so that many connections at once do not all find that nobody waits.
    let wait = state.withLock { state in
      let wait = state.table.wait(source, after: 0, at: now)
      if wait > 0 { state.slowed += 1 }
      state.table.count(source, at: now)
      return wait
    }
    return wait > Self.longestDelay ? nil : wait
  }

  /// Who would have to wait for longer is disconnected instead.
  static let longestDelay: Milliseconds = 10_000

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
