internal import GatehouseStorage
internal import Synchronization

/// What one `follow` has handed out, and how it goes on.
///
/// Frames come from a watch. How new they are, the watch does not say: the progress that etcd 3.4 reports on demand is not
/// in step with the events (etcd-io/etcd#15220). So several times a second the tail is read, which a majority confirms;
/// once every frame up to it was handed out, nothing is missing that was acknowledged before the read.
final class Following: Sendable {
  private let log: EtcdLog
  private let handle: @Sendable (SharedNews) async throws -> Void
  private let state: Mutex<State>

  private struct State {
    /// The next frame; nil if none are wanted.
    var next: UInt64?
    /// The reads of the tail that frames are still missing for, oldest first: whoever is always a little behind reaches
    /// older ones, and never the newest.
    var asked: [(at: UInt64, through: UInt64)] = []
    /// News that the next turn hands out.
    var news: [SharedNews] = []
    var leader: LeaderEntry??
    var handoverRevision: Int64?
    /// Since when, in `LeaseClock`'s time, frames are missing without one coming.
    var behindSince: UInt64?
    var isHandling = false

    private static let mostAsked = 16

    mutating func note(asked at: UInt64, through: UInt64) {
      if asked.count == Self.mostAsked { asked.removeLast() }
      asked.append((at, through))
    }

    /// The newest read of the tail that no frame is missing for any more.
    mutating func takeReached() -> UInt64? {
      let count = next.map { next in asked.prefix { $0.through < next }.count } ?? asked.count
      defer { asked.removeFirst(count) }
      return asked.prefix(count).last?.at
    }
  }

  /// What the handler threw, which ends everything.
  private struct HandlerError: Error {
    var error: any Error
  }

  private static let interval: UInt64 = 250_000_000
  private static let pause: UInt64 = 200_000_000
  /// How long a watch may hand out nothing although there are frames. Its member has lost touch with the others.
  private static let patience: UInt64 = 2_000_000_000

  init(_ log: EtcdLog, after index: UInt64, _ handle: @escaping @Sendable (SharedNews) async throws -> Void) {
    self.log = log
    self.handle = handle
    state = Mutex(State(next: index == .max ? nil : index + 1))
  }

  /// Goes on until the task is cancelled, the handler throws, or frames are not to be had any more.
  func run() async throws {
    while true {
      do {
        try await runOnce()
      } catch let error as HandlerError {
        throw error.error
      } catch let error as SharedLogError {
        switch error {
        case .truncated, .damaged: throw error
        case .unreachable, .refused, .full, .exists, .missing, .nameTaken: break
        }
      } catch is EtcdError {
        // The watch has ended.
      }
      try Task.checkCancellation()
      await log.surroundings.sleep(Self.pause)
      try Task.checkCancellation()
    }
  }

  private func runOnce() async throws {
    try await look()
    try await deliver()
    guard state.withLock({ $0.next }) != nil else { return try await runWithoutFrames() }
    let revision = try await catchUp()
    try await watch(from: revision + 1)
  }

  private func runWithoutFrames() async throws {
    while true {
      await log.surroundings.sleep(Self.interval)
      try Task.checkCancellation()
      try await look()
      try await deliver()
    }
  }

  /// Hands out what is there already. Returns the revision that this was as of.
  private func catchUp() async throws -> Int64 {
    var limit = FrameReading.firstLimit
    while true {
      let asked = log.surroundings.now()
      guard let next = state.withLock({ $0.next }) else { return 0 }
      let page = try await log.reading.page(from: next, limit: &limit)
      state.withLock { $0.note(asked: asked, through: page.tail.tail.index) }
      try await take(page.frames)
      try await deliver()
      guard page.hasMore else { return page.revision }
      // Leadership and handovers are not to wait for a long catching up.
      try await look()
    }
  }

  private func watch(from revision: Int64) async throws {
    state.withLock { $0.behindSince = nil }
    try await log.store.calls.watch(
      requests: { [self] send in
        try await send(.create(log.keys.frames(from: 0), startRevision: revision))
        while true {
          await log.surroundings.sleep(Self.interval)
          try Task.checkCancellation()
          try await look()
          try checkWatch()
          // Its answer gives the other side a turn to hand out what this one has found.
          try await send(.progress)
        }
      }, handle: { [self] response in try await received(response) })
  }

  /// Gives up a watch that hands out nothing although there are frames.
  private func checkWatch() throws {
    let now = log.surroundings.now()
    let isStuck = state.withLock { state in
      guard let asked = state.asked.last, let next = state.next, asked.through >= next, !state.isHandling else {
        state.behindSince = nil
        return false
      }
      let since = state.behindSince ?? now
      state.behindSince = since
      return now > since + Self.patience
    }
    if isStuck {
      throw EtcdError(kind: .unreachable, endpoint: "the watch", message: "frames are there and it hands out none")
    }
  }

  private func received(_ response: WatchResponse) async throws {
    if response.isCanceled {
      throw EtcdError(
        kind: response.compactRevision > 0 ? .compacted : .unreachable, endpoint: "the watch",
        message: response.cancelReason)
    }
    var frames: [SharedFrame] = []
    for event in response.events where !event.isDeletion && log.keys.index(of: event.pair.key) != nil {
      let next = state.withLock { $0.next ?? 0 } + UInt64(frames.count)
      guard event.pair.key != log.keys.frame(next) else {
        frames.append(try await log.reading.frame(next, event.pair))
        continue
      }
      // What was handed out already comes again at the seam of reading and watching; anything else would be a gap.
      guard event.pair.key.lexicographicallyPrecedes(log.keys.frame(next)) else {
        throw EtcdError(kind: .unreachable, endpoint: "the watch", message: "it left out frame \(next)")
      }
    }
    try await take(frames)
    try await deliver()
  }

  // MARK: News

  /// Looks at the small keys, and notes what is new.
  private func look() async throws(SharedLogError) {
    let asked = log.surroundings.now()
    let view = try await log.look()
    guard let tail = view.tail else { throw .missing }
    let leader = log.leader(in: view)
    state.withLock { state in
      state.note(asked: asked, through: tail.tail.index)
      // Whatever was missed meanwhile: a request stays until it is answered, or its epoch has ended. Before the news that
      // nobody leads, so that others leave the lead to the node that was asked for.
      if state.handoverRevision != view.handoverRevision, let request = view.handover?.request,
        request.epoch == view.epoch, request.isOpen
      {
        state.news.append(.handover(request))
      }
      state.handoverRevision = view.handoverRevision
      if state.leader != .some(leader) {
        state.leader = .some(leader)
        state.news.append(.leader(leader))
      }
    }
  }

  private func take(_ frames: [SharedFrame]) async throws {
    guard let last = frames.last else { return }
    try await hand(.frames(frames))
    state.withLock { state in
      state.next = last.index + 1
      state.behindSince = nil
    }
  }

  private func deliver() async throws {
    let news = state.withLock { state in
      defer { state.news = [] }
      var news = state.news
      if let reached = state.takeReached() { news.append(.current(asked: reached)) }
      return news
    }
    for piece in news { try await hand(piece) }
  }

  private func hand(_ news: SharedNews) async throws {
    state.withLock { $0.isHandling = true }
    defer { state.withLock { $0.isHandling = false } }
    do {
      try await handle(news)
    } catch {
      throw HandlerError(error: error)
    }
  }
}
