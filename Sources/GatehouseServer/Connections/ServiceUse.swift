import GatehouseCore
import Synchronization

/// What all connections of one service use together, on all lanes.
final class ServiceUse: Sendable {
  private let connections = Atomic<Int>(0)
  private let rate = Mutex(RequestRate())

  init() {}

  /// Counts one more connection.
  ///
  /// - Returns: false, and counts nothing, if there are as many as may be.
  func join(most: Int) -> Bool {
    let count = connections.add(1, ordering: .relaxed).newValue
    guard most > 0, count > most else { return true }
    leave()
    return false
  }

  func leave() { connections.subtract(1, ordering: .relaxed) }

  func take(_ size: Int, of most: RequestRate.Most, at now: Milliseconds) -> RequestRate.Excess? {
    rate.withLock { $0.take(size, of: most, at: now) }
  }
}

/// The use of each service. As many entries as services have ever connected.
final class ServiceUses: Sendable {
  private let uses = Mutex<[ServiceID: ServiceUse]>([:])

  init() {}

  subscript(service: ServiceID) -> ServiceUse {
    uses.withLock { uses in
      if let use = uses[service] { return use }
      let use = ServiceUse()
      uses[service] = use
      return use
    }
  }
}
