import ArgumentParser

/// Which kinds of requests a connection sends, and in which proportions.
struct Mix: Sendable, ExpressibleByArgument, CustomStringConvertible {
  /// What one draw from the mix sends.
  enum Part: Sendable, Equatable {
    case single(Work)
    /// A timer is started, and stopped by the same connection the next time this part is drawn.
    case timerPair
  }

  /// Mixes with a name.
  static let named = [
    "morning": "login:70,create:20,timer:10",
    "office-hours": "login:40,session:58,timer:2",
    "read-mostly": "login:90,session:9,timer:1",
    "writes": "create:50,timer:50",
  ]

  private static let parts: [String: Part] = [
    "login": .single(.loginCheck), "login-check": .single(.loginCheck),
    "session": .single(.sessionCheck), "session-check": .single(.sessionCheck),
    "create": .single(.sessionCreate), "session-create": .single(.sessionCreate),
    "timer": .timerPair,
    "user-create": .single(.userCreate),
  ]

  /// Each part as often as its weight says, so that a draw is one look-up.
  private(set) var wheel: [Part]

  /// The mix as written on the command line.
  let description: String

  init(only part: Part) {
    wheel = [part]
    description =
      switch part {
      case .timerPair: "timer"
      case .single(let work): work.name
      }
  }

  /// Parses `login:90,session:9,timer:1`, the name of one kind of request, or the name of a mix.
  init?(argument: String) {
    description = argument
    wheel = []
    for item in (Self.named[argument] ?? argument).split(separator: ",") {
      let pair = item.split(separator: ":", maxSplits: 1)
      guard let part = Self.parts[String(pair[0])] else { return nil }
      guard let weight = pair.count == 1 ? 1 : Int(pair[1]), (1...10_000).contains(weight) else { return nil }
      wheel.append(contentsOf: repeatElement(part, count: weight))
    }
    if wheel.isEmpty { return nil }
  }

  func contains(_ part: Part) -> Bool { wheel.contains(part) }
}
