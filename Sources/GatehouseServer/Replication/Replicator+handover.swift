import GatehouseCore
import GatehouseStorage
import Logging
import Synchronization

/// Handing over, and being asked to: it happens, or whoever has asked learns that it does not, and why.
extension Replicator {
  // MARK: The leader

  /// Gives up the lead once a handover was asked for and prepared.
  func untilHandedOver(_ leadership: any Leadership) async -> End? {
    while !Task.isCancelled {
      try? await Task.sleep(for: .milliseconds(20))
      let next: String?
      switch orders.withLock({ $0.handover }) {
      case .none:
        await takeUpRequest()
        continue
      // A further request would only be refused, or answered as if it happened.
      case .preparing: continue
      case .ready(let name, let at):
        guard LeaseClock.now() >= at else { continue }
        next = name
      }
      // Nothing may follow, not even the mark of a clean end.
      stopLeading("the lead was handed over")
      await leadership.resign()
      logger.notice("the lead was handed over", metadata: ["to": "\(next ?? "any node")"])
      return .restart("the lead was handed over")
    }
    return nil
  }

  /// Takes up what was asked for through the shared log. It stays there until then, also while the shared log cannot be
  /// reached.
  private func takeUpRequest() async {
    guard let request = orders.withLock({ $0.request }) else { return }
    let isTaken: Bool
    do throws(SharedLogError) {
      isTaken = try await shared.settle(request, .taken)
    } catch {
      note(problem: error)
      try? await Task.sleep(for: Self.retryPause)
      return
    }
    orders.withLock { if $0.request == request { $0.request = nil } }
    // Whoever has asked has perhaps given up.
    let isAnswered = orders.withLock { $0.waiters > 0 }
    guard isTaken, let why = await prepareHandover(to: request.node, isAnswered: isAnswered) else { return }
    var taken = request
    taken.answer = .taken
    // Until this is told, whoever has asked waits, and nobody else can ask. Unless the lead is given up meanwhile, which this
    // must not hold up: a request means nothing to the next leader.
    while !Task.isCancelled, !orders.withLock({ $0.handover.isReady }) {
      do throws(SharedLogError) {
        _ = try await shared.settle(taken, .refused(why))
        return
      } catch {
        note(problem: error)
        try? await Task.sleep(for: Self.retryPause)
      }
    }
  }

  /// Writes what was accepted, and accepts nothing more: the lead is given up then.
  ///
  /// - Parameters:
  ///   - name: the node that is to lead; nil for any.
  ///   - isAnswered: whether an answer is to leave this node before, whose connections close.
  /// - Returns: why the lead is not handed over; nil if it is.
  func prepareHandover(to name: String?, isAnswered: Bool = false) async -> String? {
    let isFree = orders.withLock { orders -> Bool in
      guard orders.handover == .none else { return false }
      orders.handover = .preparing
      return true
    }
    guard isFree else { return "another handover is under way" }
    if let why = await obstacle(toHandoverTo: name) {
      orders.withLock { $0.handover = .none }
      logger.error("the lead was not handed over", metadata: ["reason": "\(why)"])
      return why
    }
    let at = LeaseClock.now() + (isAnswered ? Self.answerPause : 0)
    orders.withLock { $0.handover = .ready(to: name, at: at) }
    return nil
  }

  /// How long a prepared handover leaves for the answer to whoever has asked.
  private static let answerPause: UInt64 = 200_000_000

  private func obstacle(toHandoverTo name: String?) async -> String? {
    guard node.role == .leading else { return "this node leads no more" }
    let known = node.known
    let status: SharedLogStatus
    do throws(SharedLogError) {
      status = try await shared.status()
    } catch {
      return "\(error)"
    }
    let others = known.heard.candidates(in: status, besides: known.name)
    if let name, known.heard.isSilent(name, in: status) {
      return "\(name) was not heard of lately; if it has just started, ask again in a few seconds"
    }
    if others.isEmpty { return "there is no other node that can lead" }
    if let name, !others.contains(where: { $0.name == name }) {
      return status.nodes.contains { $0.name == name } ? "\(name) cannot lead now" : "\(name) was not heard of lately"
    }
    services.log.pause()
    guard await isAllWritten() else {
      services.log.resume()
      return "not everything that was accepted could be written within \(Self.handoverMilliseconds / 1_000) s"
    }
    return nil
  }

  private func isAllWritten() async -> Bool {
    let deadline = Clock.deadline(milliseconds: Self.handoverMilliseconds)
    services.log.requestSync()
    while services.log.syncedLSN < services.log.appendedLSN {
      guard Clock.nanoseconds() < deadline, !services.hasLogFailed else { return false }
      try? await Task.sleep(for: .milliseconds(1))
    }
    return true
  }

  /// How long what was accepted may take to be written before a handover is given up.
  private static let handoverMilliseconds: UInt64 = 2_000

  // MARK: Whoever is asked

  /// Has the leader hand over to a node, and waits for what becomes of it. The leader asks itself like the others, who learn
  /// so which of them is to lead.
  ///
  /// - Returns: why it does not happen; nil once that node leads, or this one is about to hand over to it.
  func requestHandover(to name: String) async -> String? {
    orders.withLock { $0.waiters += 1 }
    defer { orders.withLock { $0.waiters -= 1 } }
    var request: HandoverRequest
    do throws(SharedLogError) {
      request = try await shared.requestHandover(to: name)
    } catch {
      return "\(error)"
    }
    let began = LeaseClock.now()
    while !services.isStopping {
      try? await Task.sleep(for: Self.outcomePause)
      if case .ready(name, _) = orders.withLock({ $0.handover }) { return nil }
      if let status = try? await shared.status() {
        switch HandoverOutcome(request, status) {
        case .happened: return nil
        case .failed(let why): return why
        case .open(let seen): request = seen
        }
      }
      let age = LeaseClock.now() - began
      if age > Self.patience, request.answer == .pending, (try? await shared.settle(request, nil)) ?? false {
        return "the leader has not taken it up within \(Self.patience / 1_000_000_000) s, so it was withdrawn and does "
          + "not happen; if the leader does not come back, ask \(name) itself with FORCE"
      }
      if age > 3 * Self.patience {
        return "what became of it is not known, and it may still happen: see NODE.LIST"
      }
    }
    return "this node stops, and the handover may still happen: see NODE.LIST"
  }

  private static let outcomePause = Duration.milliseconds(50)
  /// How long a leader may take to take up a request. It looks several times a second, unless it connects anew.
  private static let patience: UInt64 = 10_000_000_000

  /// Has this node lead even if another one does.
  ///
  /// - Returns: why it does not; nil once it leads, or only waits for the old leader's lease to end.
  func force() async -> String? {
    if let obstacle { return obstacle }
    let order = ForceOrder(until: LeaseClock.now() + Self.patience)
    orders.withLock { $0.force = order }
    while !services.isStopping {
      try? await Task.sleep(for: .milliseconds(20))
      if node.role == .leading { return nil }
      let obstacle = obstacle
      let now = LeaseClock.now()
      let isAttempted = orders.withLock { orders -> Bool in
        if orders.force?.isAttempted ?? false { return true }
        if obstacle != nil || now >= order.until { orders.force = nil }
        return false
      }
      if isAttempted {
        if now >= order.until { return nil }
      } else if let obstacle {
        return obstacle
      } else if now >= order.until {
        return "this node could not come to lead within \(Self.patience / 1_000_000_000) s, and tries no more: "
          + (node.known.problem.isEmpty ? "another one was first" : node.known.problem)
      }
    }
    return "this node stops"
  }
}
