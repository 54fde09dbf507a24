import GatehouseCore
import GatehouseWire
import Synchronization

/// `SUBSCRIBE` and its kin. The only messages are those of Redis Sentinel about who leads (`LeaderSwitch`): its clients
/// wait for them. As there, any name may be subscribed to; nothing is ever told of others.
extension Connection {
  /// Whether the connection takes nothing but commands about its subscriptions. In RESP2 a message cannot be told from a
  /// reply, so there must be no others.
  var isConfined: Bool { !subscriptions.isEmpty && client.version == .resp2 }

  // MARK: Commands

  /// All of it takes effect, or nothing. Each name has a reply of its own.
  func subscribe(to kind: ServerCommand.Subscribed, _ request: Arguments) {
    var wanted = subscriptions
    var reply = Reply()
    for index in 1..<request.count {
      guard wanted.add(Array(request[index]), to: kind) else { return refuse(Self.tooManySubscriptions) }
      reply.subscription(kind == .channels ? "subscribe" : "psubscribe", request[index], wanted.count)
    }
    setSubscriptions(wanted)
    add(reply, horizon: 0)
  }

  private static let tooManySubscriptions = Refusal.limit(
    "subscriptions: at most \(Subscriptions.most) a connection, each of \(Limits.patternBytes) bytes")

  /// Without names it ends all of the kind.
  func unsubscribe(from kind: ServerCommand.Subscribed, _ request: Arguments) {
    var rest = subscriptions
    var reply = Reply()
    let word = kind == .channels ? "unsubscribe" : "punsubscribe"
    let names = request.count > 1 ? (1..<request.count).map { Array(request[$0]) } : rest.names(of: kind)
    for name in names {
      rest.remove(name, from: kind)
      name.withUnsafeBytes { reply.subscription(word, $0, rest.count) }
    }
    if names.isEmpty { reply.subscription(word, nil, rest.count) }
    setSubscriptions(rest)
    add(reply, horizon: 0)
  }

  func setSubscriptions(_ changed: Subscriptions) {
    switch (subscriptions.isEmpty, changed.isEmpty) {
    case (true, false): lane.services.subscribers.join()
    case (false, true): lane.services.subscribers.leave()
    case (true, true), (false, false): break
    }
    subscriptions = changed
    noteRates()
  }

  func endSubscriptions() {
    if !subscriptions.isEmpty { setSubscriptions(Subscriptions()) }
  }

  /// Refuses a request that a subscriber may not send, in Redis' words.
  ///
  /// - Returns: whether it was refused.
  func refusesBesideSubscriptions(_ request: Arguments) -> Bool {
    // What is no command is refused as such.
    guard isConfined, let index = CommandTable.index.find(request[0]) else { return false }
    let spec = CommandTable.entries[index]
    switch spec.body {
    case .server(.subscribe), .server(.unsubscribe), .server(.ping), .server(.quit), .server(.reset): return false
    case .server, .decide, .gather, .prefix, .minimum: break
    }
    let refusal = Refusal.syntax(
      "Can't execute '\(spec.fullName)': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in "
        + "this context")
    lane.metrics.reject(index, refusal.code.rawValue)
    answer { $0.error(refusal.text) }
    return true
  }

  // MARK: Messages

  /// Sends a message to a subscriber. It must not make others wait, so a subscriber that reads too slowly is disconnected.
  func tell(_ message: LeaderSwitch) {
    if flow.isEnding { return }
    if transaction.isRunning { return subscriptions.hold(message) }
    add(message)
    settle()
    if waitingBytes >= serverFacts.clientOutputLimit.load(ordering: .relaxed) { disconnectOverLimit() }
  }

  /// Sends what came while `EXEC` answered.
  func addHeldMessage() {
    if let message = subscriptions.takeHeld() { add(message) }
  }

  private func add(_ message: LeaderSwitch) {
    let channel = Array(LeaderSwitch.channel.utf8)
    // No request is answered with it: refusals replace the replies of a slot one by one, and must not count messages.
    queue.endRead()
    for delivery in subscriptions.deliveries(on: channel) {
      answer { reply in
        switch delivery {
        case .toChannel:
          reply.push(3)
          reply.text("message")
        case .toPattern(let pattern):
          reply.push(4)
          reply.text("pmessage")
          pattern.withUnsafeBytes { reply.text($0) }
        }
        reply.text(LeaderSwitch.channel)
        reply.text(message.text)
      }
    }
    queue.endRead()
  }
}

extension ServerContext {
  /// Tells all subscribers, on every lane.
  func tell(_ message: LeaderSwitch) {
    guard subscribers.isWatched else { return }
    for lane in lanes {
      lane.loop.execute {
        for connection in lane.connections.values where !connection.subscriptions.isEmpty { connection.tell(message) }
      }
    }
  }
}

extension Reply {
  /// The reply about one name.
  fileprivate mutating func subscription(_ word: String, _ name: UnsafeRawBufferPointer?, _ count: Int) {
    push(3)
    text(word)
    if let name { text(name) } else { null() }
    integer(count)
  }
}
