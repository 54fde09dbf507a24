import GatehouseCore
import GatehouseStorage
import Logging
import Synchronization

extension Replicator {
  /// Takes changes until the leadership is over.
  ///
  /// - Returns: why it is; nil if the task was cancelled, and the log is still to be closed.
  func lead(_ leadership: any Leadership) async -> End? {
    do {
      services.clock.advance(to: await follower.newestTime)
      try services.folder.lead(services.log, leadership)
    } catch {
      await leadership.resign()
      return .failure("this node cannot lead: \(error)")
    }
    // What was asked of leaders before.
    orders.withLock { orders in
      let waiters = orders.waiters
      orders = Orders()
      orders.waiters = waiters
    }
    node.lead(leadership)
    self.leadership.withLock { $0 = leadership }
    node.update { $0.tail = leadership.tail }
    noteLead(at: node.known.address)
    logger.notice(
      "this node leads", metadata: ["epoch": "\(leadership.epoch)", "lsn": "\(services.log.appendedLSN)"])
    // Webhooks are served from now on.
    services.facts.directoryWatch.notify()
    await services.recordEarlierKeyChange()
    let end = await withTaskGroup(of: End?.self, returning: End?.self) { group in
      group.addTask { [self] in await listen() }
      group.addTask { [self] in await untilOver(leadership) }
      group.addTask { [self] in await untilHandedOver(leadership) }
      group.addTask { [self] in await untilLogFails(leadership) }
      group.addTask { [self] in await untilDiskIsFull(leadership) }
      for await end in group where end != nil {
        group.cancelAll()
        return end
      }
      return nil
    }
    guard let end else { return nil }
    if case .restart(let reason) = end { stopLeading(reason) }
    return end
  }

  /// Answers nothing and writes nothing from now on.
  func stopLeading(_ reason: String) {
    if node.role == .deposed { return }
    node.depose()
    node.update { $0.depositions += 1 }
    services.log.abandon(reason)
  }

  /// The server has closed its log, and everything is written: another node may lead at once.
  func finish() async {
    if let leadership = leadership.withLock({ $0 }), node.role == .leading { await leadership.resign() }
    await shared.leave()
  }

  /// Hears what is asked of the leader, until the task is cancelled.
  private func listen() async -> End? {
    while !Task.isCancelled {
      do {
        try await shared.follow(after: .max) { [self] news in
          switch news {
          case .handover(let request): if request.answer == .pending { orders.withLock { $0.request = request } }
          case .current(let asked): node.note(news: asked)
          case .leader(let leader):
            node.update {
              // What nobody leads means for this node, its leadership says.
              if let leader { $0.leader = leader }
            }
            if let leader { noteLead(at: leader.address) }
          case .frames: break
          }
        }
      } catch {
        if !Task.isCancelled { note(problem: error) }
      }
      try? await Task.sleep(for: Self.retryPause)
    }
    return nil
  }

  private func untilOver(_ leadership: any Leadership) async -> End? {
    // Whoever waits for the end cannot be cancelled; nobody waits for the result then.
    let ending = Task { await leadership.end() }
    let why = Mutexed<String?>(nil)
    let waiting = Task {
      let reason = await ending.value
      why.withLock { $0 = reason }
    }
    while !Task.isCancelled {
      if let reason = why.withLock({ $0 }) {
        logger.error("this node leads no more, and starts again", metadata: ["reason": "\(reason)"])
        return .restart(reason)
      }
      try? await Task.sleep(for: .milliseconds(20))
    }
    waiting.cancel()
    return nil
  }

  /// A leader whose log has failed takes no changes any more, so another node should.
  private func untilLogFails(_ leadership: any Leadership) async -> End? {
    while !Task.isCancelled {
      try? await Task.sleep(for: .milliseconds(50))
      guard services.hasLogFailed else { continue }
      // If it has failed because another node leads, that is told in a moment.
      try? await Task.sleep(for: Self.patienceWithEnd)
      if Task.isCancelled { return nil }
      self.leadership.withLock { $0 = nil }
      await leadership.resign()
      return .failure("this node's log has failed")
    }
    return nil
  }

  private static let patienceWithEnd = Duration.seconds(2)

  /// A leader whose disk stays full takes no changes, so another node should, if one can. What it could not write was not
  /// acknowledged.
  private func untilDiskIsFull(_ leadership: any Leadership) async -> End? {
    var since: UInt64?
    while !Task.isCancelled {
      try? await Task.sleep(for: Self.diskPause)
      guard let shortage = services.log.ownShortage else {
        since = nil
        continue
      }
      let now = LeaseClock.now()
      let began = since ?? now
      since = began
      guard now >= began + Self.patienceWithDisk, await hasOtherCandidate() else { continue }
      let reason = "this node's log is full, and another node can lead"
      logger.error("\(reason)", metadata: ["error": "\(shortage)"])
      stopLeading(reason)
      await leadership.resign()
      return .restart(reason)
    }
    return nil
  }

  private func hasOtherCandidate() async -> Bool {
    let known = node.known
    guard let status = try? await shared.status() else { return false }
    return !known.heard.candidates(in: status, besides: known.name).isEmpty
  }

  private static let diskPause = Duration.milliseconds(200)
  private static let patienceWithDisk: UInt64 = 2_000_000_000
}
