import GatehouseCore
import Synchronization

/// Slows the guessing of secrets: wrong ones of one address are answered at a fixed rate, each in its turn.
///
/// Nobody is locked out by it: a right secret is always answered at once, also from an address that guesses.
final class AuthenticationThrottle: Sendable {
  /// How many wrong secrets are answered at once before the rate holds.
  private static let burst: Milliseconds = 5
  /// Who would have to wait for longer is disconnected instead.
  static let longestWait: Milliseconds = 10_000
  /// Addresses whose turns are remembered. Above it those that need not wait are forgotten, and if that is not enough,
  /// all.
  private static let most = 10_000

  /// When the next wrong secret of an address is answered, in milliseconds of the monotonic clock.
  private let turns = Mutex<[AddressKey: Milliseconds]>([:])

  init() {}

  /// Addresses that are remembered.
  var count: Int { turns.withLock { $0.count } }

  /// Takes a turn for a wrong secret.
  ///
  /// - Parameter rate: how many are answered a second; 0 for no limit.
  /// - Returns: in how many milliseconds it is answered; nil if that is too long to wait.
  func wait(_ address: AddressKey?, rate: Int, at now: Milliseconds) -> Milliseconds? {
    guard rate > 0, let address else { return 0 }
    let interval = max(1, 1000 / Milliseconds(rate))
    return turns.withLock { turns in
      let free = max(turns[address] ?? 0, now - Self.burst * interval)
      if free - now > Self.longestWait { return nil }
      if turns[address] == nil, turns.count >= Self.most {
        turns = turns.filter { $0.value > now }
        if turns.count >= Self.most { turns.removeAll(keepingCapacity: true) }
      }
      turns[address] = free + interval
      return max(0, free - now)
    }
  }
}
