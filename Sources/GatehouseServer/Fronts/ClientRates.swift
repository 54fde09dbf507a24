import GatehouseCore
import Synchronization

/// How many requests and bytes each client behind a proxy has sent in the second at hand. There are as many entries as
/// requests in a second at most: with each second it begins anew.
final class ClientRates: Sendable {
  private struct Second {
    var number: Milliseconds = 0
    var clients: [AddressKey: RequestRate] = [:]
  }

  private let second = Mutex(Second())

  init() {}

  /// Counts a request, unless it would exceed the limits.
  ///
  /// - Parameter now: milliseconds of the monotonic clock.
  func take(_ size: Int, from client: AddressKey, of most: RequestRate.Most, at now: Milliseconds) -> RequestRate
    .Excess?
  {
    if most == .none { return nil }
    return second.withLock { second in
      if second.number != now / 1000 {
        second.number = now / 1000
        second.clients.removeAll(keepingCapacity: second.clients.count < Self.mostKept)
      }
      return second.clients[client, default: RequestRate()].take(size, of: most, at: now)
    }
  }

  /// Room for more clients is given back.
  private static let mostKept = 4096
}
