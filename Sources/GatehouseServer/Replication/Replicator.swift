import GatehouseCore
import GatehouseStorage
import Logging
import Synchronization

/// A node's part in a cluster: it follows the leader, leads when nobody does, and hands over when it is asked to.
///
///     follow ──nobody leads──► catch up ──► lead ──handed over, or deposed──► the server starts again
///       ▲                         │
///       └────── somebody does ────┘
///
/// A node leads at most once in the life of its `ServerContext`. Whoever has led begins anew with everything that it knows
/// (`End.restart`): what it holds in memory may be ahead of what the others have.
final class Replicator: Sendable {
  /// Why the server's life ends.
  enum End: Sendable {
    /// It begins again as a follower.
    case restart(String)
    /// It cannot go on; the text says what to do.
    case failure(String)
    /// The settings do not work among the other nodes; the text says what to do.
    case misconfigured(String)
  }

  /// What an operator has asked for.
  struct Orders: Sendable {
    /// This node is to lead even if another one does.
    var force: ForceOrder?
    /// The node that is to lead next, when this node heard of it, in `LeaseClock`'s time, and the request's number.
    var next: (name: String, at: UInt64, number: UInt64)?
    /// What this node, which leads, was asked for through the shared log, and has not taken up yet.
    var request: HandoverRequest?
    /// How many wait for a handover that this node was asked for over its own connections.
    var waiters = 0
    /// Whether a handover is being prepared, or is prepared.
    var handover = Handover.none
  }

  let shared: any SharedLog
  let node: Node
  let services: ServerContext
  let follower: Follower
  let logger: Logger
  let orders = Mutex(Orders())
  /// Whether this node has its name. Without it, it does not lead.
  let isNamed = Atomic<Bool>(false)
  /// The node's entry as of its start, until this takes over.
  let presence: StartPresence?
  /// Set once this node leads.
  let leadership = Mutex<(any Leadership)?>(nil)
  /// Which record was in which frame, so that a snapshot's record tells up to which frame it goes.
  let marks = Mutex(FrameMarks())

  /// The last frame that this node has deleted.
  let truncated = Atomic<UInt64>(0)
  /// Up to which frame a snapshot goes, as it was last searched for in the shared log.
  let found = Mutex<(snapshot: LSN, index: UInt64)?>(nil)
  /// When the shared log was compacted last, in `LeaseClock`'s time.
  let compactedAt = Atomic<UInt64>(LeaseClock.now())
  /// When this node may try to lead again, in `LeaseClock`'s time.
  private let nextAttempt = Atomic<UInt64>(0)

  /// Somebody should lead, and this node tries.
  struct Vacant: Error {}

  /// How often a node says how far it has got, and looks at the others.
  static let announcePause = Duration.milliseconds(200)
  static let lookPause: UInt64 = 1_000_000_000
  /// How long a node leaves the lead to the one that was asked for.
  static let courtesy: UInt64 = 1_500_000_000
  /// How long it waits after the shared log could not be reached.
  static let retryPause = Duration.milliseconds(200)
  /// How long it follows after it could not lead: reads are answered meanwhile.
  static let attemptPause: UInt64 = 400_000_000

  init(_ services: ServerContext, _ shared: any SharedLog, after index: UInt64, presence: StartPresence? = nil) {
    self.services = services
    self.shared = shared
    self.presence = presence
    node = services.facts.node
    logger = services.logger
    follower = Follower(services, after: index)
    marks.withLock { $0.note(index: index, lsn: services.log.appendedLSN) }
  }

  /// Takes part until the task is cancelled.
  ///
  /// - Returns: nil if it was cancelled.
  func run() async -> End? {
    await presence?.end()
    return await withTaskGroup(of: End?.self, returning: End?.self) { group in
      group.addTask { [self] in await keepAnnouncing() }
      group.addTask { [self] in await takePart() }
      let end = await group.next() ?? nil
      group.cancelAll()
      return end
    }
  }

  /// Follows, and leads when it is this node's turn.
  private func takePart() async -> End? {
    while !Task.isCancelled {
      do {
        try await follow()
        if let leadership = try await takeOver() { return await lead(leadership) }
        continue
      } catch is CancellationError {
        if services.hasLogFailed { return .failure("this node's log has failed") }
        if Task.isCancelled { return nil }
      } catch let error as SharedLogError {
        switch error {
        // The start finds the same, and fetches another node's folder.
        case .truncated where services.facts.current.mayFetchAnew: return .restart("\(error)")
        case .truncated, .damaged: return .failure("\(error)")
        // What it was refused now it had at its start, so somebody may be changing rights or users.
        case .unreachable, .full, .refused, .exists, .missing: note(problem: error)
        case .nameTaken: return .misconfigured("\(error)")
        }
      } catch {
        return .failure("\(error)")
      }
      try? await Task.sleep(for: Self.retryPause)
    }
    return nil
  }

  // MARK: Following

  /// Applies what the leader writes, until this node should lead.
  private func follow() async throws {
    let vacancy = Mutexed<UInt64?>(nil)
    do {
      try await shared.follow(after: follower.index) { [self] news in
        switch news {
        case .frames(let frames):
          let index = try await follower.take(frames)
          node.update { $0.index = index }
          marks.withLock { $0.note(index: index, lsn: services.log.appendedLSN) }
        case .current(let asked): node.note(news: asked)
        case .leader(let leader):
          note(leader)
          vacancy.withLock { $0 = leader == nil ? LeaseClock.now() : nil }
        case .handover(let request):
          // It is heard again once it is answered, and the others do not wait longer for that.
          orders.withLock {
            guard $0.next?.number != request.number || request.number == 0 else { return }
            $0.next = (request.node, LeaseClock.now(), request.number)
          }
        }
        if shouldLead(since: vacancy.withLock { $0 }) { throw Vacant() }
      }
    } catch is Vacant {}
  }

  private func note(_ leader: LeaderEntry?) {
    node.update {
      $0.leader = leader
      if let leader { $0.epoch = max($0.epoch, leader.epoch) }
    }
    if let leader {
      noteLead(at: leader.address)
      logger.info("a node leads", metadata: ["leader": "\(leader.node.name)", "epoch": "\(leader.epoch)"])
    } else {
      logger.notice("no node leads")
    }
  }

  /// Whether this node should try to lead now.
  ///
  /// - Parameter vacancy: since when nobody leads; nil if somebody does.
  private func shouldLead(since vacancy: UInt64?) -> Bool {
    guard obstacle == nil, !services.isStopping else { return false }
    guard LeaseClock.now() >= nextAttempt.load(ordering: .relaxed) else { return false }
    let orders = orders.withLock { $0 }
    if let force = orders.force, force.isDue(at: LeaseClock.now()) { return true }
    guard let vacancy else { return false }
    // The one that was asked for goes first.
    if let next = orders.next, next.name != node.known.name, vacancy < next.at + 10 * Self.courtesy {
      return LeaseClock.now() > vacancy + Self.courtesy
    }
    return true
  }

  // MARK: Taking over

  /// Becomes the leader if it can.
  ///
  /// - Returns: nil if somebody else leads.
  private func takeOver() async throws -> (any Leadership)? {
    let isForced = orders.withLock { $0.force?.attempt(at: LeaseClock.now()) ?? false }
    defer {
      // If it does not succeed, it is tried again for as long as whoever has asked waits.
      orders.withLock { $0.force?.hasEnded() }
      // Also after an error: else nothing would be heard but that nobody leads, and reads become stale.
      nextAttempt.store(LeaseClock.now() + Self.attemptPause, ordering: .relaxed)
    }
    let replaced = isForced ? node.known.leader?.epoch : nil
    guard
      let leadership = try await shared.lead(as: entry(), replacing: replaced, above: services.log.greatestEpoch)
    else { return nil }
    do {
      try await catchUp(to: leadership.tail)
      guard LeaseClock.now() < leadership.validUntil else { throw SharedLogError.unreachable("the lease has ended") }
      return leadership
    } catch {
      await leadership.resign()
      throw error
    }
  }

  /// Takes the frames that this node lacks of what is acknowledged.
  private func catchUp(to tail: SharedTail) async throws {
    while follower.index < tail.index {
      let frames = try await shared.frames(after: follower.index)
      guard !frames.isEmpty else { throw SharedLogError.unreachable("frames that are there are not handed out") }
      _ = try await follower.take(frames)
    }
    let end = services.log.end
    guard end.hash == tail.hash, end.lsn == tail.lsn else {
      throw SharedLogError.damaged(
        "it ends with record \(tail.lsn) and the hash \(tail.hash), and this node's log, which has all its frames, with "
          + "record \(end.lsn) and the hash \(end.hash)")
    }
  }

  // MARK: What goes wrong

  func note(problem: any Error) {
    let isNew = node.known.problem != "\(problem)"
    node.update {
      $0.problem = "\(problem)"
      $0.problems += 1
    }
    if isNew { logger.warning("\(problem)") }
  }
}
