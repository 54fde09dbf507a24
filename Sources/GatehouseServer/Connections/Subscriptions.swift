import GatehouseCore

/// The channels and patterns of which a connection is told (`SUBSCRIBE`, `PSUBSCRIBE`). Names are bytes, as in Redis.
struct Subscriptions {
  /// How many a connection may have. Clients of Redis Sentinel have less than ten, so looking one up is a walk.
  static let most = 64

  private(set) var channels: [[UInt8]] = []
  private(set) var patterns: [[UInt8]] = []
  /// What is to be told once `EXEC` has answered: a message may not stand inside a reply. One at most, in an array because
  /// that takes less of each connection than an optional.
  private var held: [LeaderSwitch] = []

  init() {}

  var isEmpty: Bool { channels.isEmpty && patterns.isEmpty }
  var count: Int { channels.count + patterns.count }

  func names(of kind: ServerCommand.Subscribed) -> [[UInt8]] {
    switch kind {
    case .channels: channels
    case .patterns: patterns
    }
  }

  /// - Returns: false if the name is too long, or there are too many.
  mutating func add(_ name: [UInt8], to kind: ServerCommand.Subscribed) -> Bool {
    if names(of: kind).contains(name) { return true }
    guard name.count <= Limits.patternBytes, count < Self.most else { return false }
    switch kind {
    case .channels: channels.append(name)
    case .patterns: patterns.append(name)
    }
    return true
  }

  mutating func remove(_ name: [UInt8], from kind: ServerCommand.Subscribed) {
    switch kind {
    case .channels: channels.removeAll { $0 == name }
    case .patterns: patterns.removeAll { $0 == name }
    }
  }

  /// As what a message on a channel is told.
  func deliveries(on channel: [UInt8]) -> [Delivery] {
    (channels.contains(channel) ? [.toChannel] : [])
      + patterns.filter { Glob.matches($0[...], channel[...]) }.map(Delivery.toPattern)
  }

  /// Keeps a message for later. If one is kept already, the two become one.
  mutating func hold(_ message: LeaderSwitch) {
    held = [LeaderSwitch(cluster: message.cluster, from: held.first?.from ?? message.from, to: message.to)]
  }

  mutating func takeHeld() -> LeaderSwitch? { held.popLast() }

  enum Delivery: Equatable {
    case toChannel
    case toPattern([UInt8])
  }
}
