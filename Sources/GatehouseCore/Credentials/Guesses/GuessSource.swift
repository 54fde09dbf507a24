/// Where a guess at a secret comes from.
public enum GuessSource: Sendable, Equatable {
  /// Through a service, from whatever address.
  case service(ServiceID)
  /// From an address: the one that a service tells, or, without a service, that of the connection. Of IPv6 only the
  /// network counts, because a household has as many addresses in it as it likes.
  case address(NetworkAddress.Network, of: ServiceID?)

  var kind: Kind {
    switch self {
    case .service: .service
    case .address: .address
    }
  }

  enum Kind: UInt8 {
    case service = 1
    case address = 2
  }

  /// A number for the source that nobody outside can know.
  func fingerprint(_ key: HashKey) -> UInt64 {
    var words: (UInt64, UInt64, UInt64, UInt64)
    switch self {
    case .service(let id): words = (1, UInt64(id), 0, 0)
    case .address(let network, let service):
      words = (service == nil ? 2 : 3, UInt64(service ?? 0), network.isVersion4 ? 4 : 6, network.bits)
    }
    return withUnsafeBytes(of: &words) { sipHash($0, key: key) }
  }
}

/// How guesses from one kind of source are slowed.
public struct GuessLimit: Sendable, Equatable {
  /// Wrong guesses a minute, as many of which may be made at once; 0 for no limit.
  public var perMinute: Int

  public init(perMinute: Int) { self.perMinute = perMinute }
}

/// The limits on all kinds of sources.
public struct GuessLimits: Sendable, Equatable {
  public var address: GuessLimit
  public var service: GuessLimit

  public init(address: GuessLimit, service: GuessLimit) {
    self.address = address
    self.service = service
  }
}

/// Slows guessing by where it comes from. Waits of a user's own (`Throttle`) do not help against somebody who guesses one
/// password at many names.
///
/// It is kept in memory only: after a restart an attacker gets one more minute's guesses.
public protocol GuessKeeper: AnyObject, Sendable {
  /// How long guesses from these sources have to wait.
  ///
  /// - Parameter pending: wrong guesses from them that are not yet counted.
  func wait(_ sources: [GuessSource], after pending: [GuessSource], at now: Milliseconds) -> Milliseconds

  /// Counts a wrong guess.
  func count(_ sources: [GuessSource], at now: Milliseconds)
}

/// For where there is nobody who guesses.
public final class NoGuesses: GuessKeeper {
  public init() {}
  public func wait(_ sources: [GuessSource], after pending: [GuessSource], at now: Milliseconds) -> Milliseconds { 0 }
  public func count(_ sources: [GuessSource], at now: Milliseconds) {}
}

extension Turn {
  /// Where a guess of the command comes from: its service, and the address that the service has told.
  func guessSources(_ address: NetworkAddress?) -> [GuessSource] {
    let service = connection.service ?? 0
    guard let address else { return [.service(service)] }
    return [.service(service), .address(address.network, of: service)]
  }

  /// How long a guess from these sources has to wait; a right one must not be told from a wrong one meanwhile.
  func wait(_ sources: [GuessSource]) -> Milliseconds { guesses.wait(sources, after: pendingGuesses, at: now) }

  /// Notes that a guess was wrong. It is counted once the decision stands.
  func noteGuess(_ sources: [GuessSource]) { wrongGuess = sources }

  /// Counts the guess that was noted.
  func countGuess() {
    guesses.count(wrongGuess, at: now)
    wrongGuess.removeAll()
  }
}
