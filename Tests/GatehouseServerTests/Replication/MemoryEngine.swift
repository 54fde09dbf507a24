import GatehouseStorage
import Glibc
import Synchronization

/// An engine that keeps shared logs in memory, for several nodes in one process. Each node has a line to it that a test can
/// cut.
final class MemoryEngine: Sendable {
  struct State {
    var epoch: UInt64 = 0
    var tail: SharedTail?
    var frames: [SharedFrame] = []
    var firstIndex: UInt64 = 1
    var leader: LeaderEntry?
    /// Until when the leader is believed to be there, in `LeaseClock`'s time.
    var leaseEnds: UInt64 = 0
    var nodes: [String: NodeEntry] = [:]
    /// How often each entry was written, and when it ends, in `LeaseClock`'s time.
    var renewals: [String: (count: Int, ends: UInt64)] = [:]
    var handover: HandoverRequest?
    /// How often a handover was asked for, and how often the log was compacted.
    var handovers: UInt64 = 0
    var compactions = 0
    /// Whether it takes nothing for want of space.
    var isFull = false
    /// Whether it keeps as much as it may, and how much it says that it keeps; nil for what it does.
    var isAtLimit = false
    var keptBytes: UInt64?
    /// Whose log it is, once there is one.
    var folderID: Hash128?
    /// Bugs that a test plants.
    var comparesEpoch = true
  }

  let state = Mutex(State())
  let lease: UInt64

  init(leaseMilliseconds: UInt64 = 1_000) { lease = leaseMilliseconds * 1_000_000 }

  /// Ends the leader's lease if its time has come.
  func withState<Result>(_ body: (inout sending State) -> sending Result) -> sending Result {
    state.withLock { state in
      let now = LeaseClock.now()
      if state.leader != nil, now >= state.leaseEnds { state.leader = nil }
      for (name, renewal) in state.renewals where now >= renewal.ends {
        state.nodes[name] = nil
        state.renewals[name] = nil
      }
      return body(&state)
    }
  }

  /// Appends frames of a writer.
  ///
  /// - Returns: false if another epoch has come.
  func append(_ frames: [SharedFrame], tail: SharedTail, epoch: UInt64) -> Bool {
    withState { state in
      guard state.epoch == epoch || !state.comparesEpoch else { return false }
      precondition(frames.first.map { $0.index == (state.tail?.index ?? 0) + 1 } ?? true || !state.comparesEpoch)
      state.frames += frames
      state.tail = tail
      return true
    }
  }

  var tail: SharedTail? { withState { $0.tail } }
  var leaderName: String? { withState { $0.leader?.node.name } }
}

/// A node's line to the engine.
final class MemoryLine: Sendable {
  let isCut = Atomic<Bool>(false)

  init() {}

  func check() throws(SharedLogError) {
    if isCut.load(ordering: .acquiring) { throw .unreachable("the line is cut") }
  }
}

struct MemoryProvider: SharedLogProvider {
  let engine: MemoryEngine
  let line: MemoryLine

  func open(_ settings: ReplicationSettings, folderID: Hash128) async throws(SharedLogError) -> any SharedLog {
    try line.check()
    engine.withState { if $0.tail == nil { $0.folderID = folderID } }
    return MemorySharedLog(engine, line)
  }

  func folders(_ settings: ReplicationSettings) async throws(SharedLogError) -> [Hash128] {
    try line.check()
    return engine.withState { $0.tail == nil ? [] : [$0.folderID].compactMap { $0 } }
  }
}

final class MemorySharedLog: SharedLog {
  private let engine: MemoryEngine
  private let line: MemoryLine
  private let name = Mutex("")
  /// How often another process's entry under this name was written when it was seen first.
  private let seen = Mutex<Int?>(nil)

  init(_ engine: MemoryEngine, _ line: MemoryLine) {
    self.engine = engine
    self.line = line
  }

  func status() async throws(SharedLogError) -> SharedLogStatus {
    try line.check()
    return engine.withState { state in
      SharedLogStatus(
        epoch: state.epoch, tail: state.tail, leader: state.leader,
        nodes: state.nodes.values.sorted { $0.name < $1.name }, firstIndex: state.firstIndex,
        keptBytes: state.keptBytes ?? UInt64(state.frames.reduce(0) { $0 + $1.bytes.count }),
        handover: state.handover)
    }
  }

  func begin(at tail: SharedTail) async throws(SharedLogError) {
    try line.check()
    let isBegun = engine.withState { state in
      if state.tail != nil { return false }
      state.tail = tail
      state.epoch = tail.epoch
      return true
    }
    if !isBegun { throw .exists }
  }

  /// How long an entry stays without being written.
  static let nodeLease: UInt64 = 10_000_000_000

  func announce(_ node: NodeEntry) async throws(SharedLogError) -> Bool {
    try line.check()
    let other = engine.withState { state -> (entry: NodeEntry, count: Int)? in
      let count = state.renewals[node.name]?.count ?? 0
      if let other = state.nodes[node.name], other.instance != node.instance { return (other, count) }
      if state.isFull { return nil }
      state.nodes[node.name] = node
      state.renewals[node.name] = (count + 1, LeaseClock.now() + Self.nodeLease)
      return nil
    }
    guard let other else {
      if engine.withState({ $0.isFull }) { throw .full("no room") }
      name.withLock { $0 = node.name }
      return true
    }
    let first = seen.withLock { seen in
      if seen == nil { seen = other.count }
      return seen
    }
    guard let first, other.count < first + 2 else {
      throw .nameTaken(name: node.name, by: "\(other.entry.host):\(other.entry.port)")
    }
    return false
  }

  func frames(after index: UInt64) async throws(SharedLogError) -> [SharedFrame] {
    try line.check()
    return try taken(after: index, most: 16)
  }

  private func taken(after index: UInt64, most: Int) throws(SharedLogError) -> [SharedFrame] {
    let (frames, first) = engine.withState { state -> ([SharedFrame], UInt64) in
      guard index + 1 >= state.firstIndex else { return ([], state.firstIndex) }
      return (Array(state.frames.dropFirst(Int(index + 1 - state.firstIndex)).prefix(most)), 0)
    }
    if first > 0 { throw .truncated(wanted: index + 1, first: first) }
    return frames
  }

  func follow(
    after index: UInt64, _ handle: @escaping @Sendable (SharedNews) async throws -> Void
  ) async throws {
    var next = index
    var told: LeaderEntry??
    var handover: HandoverRequest?
    var currentAt: UInt64 = 0
    while true {
      try await Task.sleep(for: .milliseconds(2))
      if line.isCut.load(ordering: .acquiring) { continue }
      let asked = LeaseClock.now()
      if index != .max {
        while case let frames = try taken(after: next, most: 64), let last = frames.last {
          next = last.index
          try await handle(.frames(frames))
        }
      }
      let (leader, asking, epoch) = engine.withState { ($0.leader, $0.handover, $0.epoch) }
      if asking != handover {
        handover = asking
        if let asking, asking.epoch == epoch, asking.isOpen { try await handle(.handover(asking)) }
      }
      if told == nil || told! != leader {
        told = .some(leader)
        try await handle(.leader(leader))
      }
      if asked - currentAt > 20_000_000 {
        currentAt = asked
        try await handle(.current(asked: asked))
      }
    }
  }

  func lead(
    as node: NodeEntry, replacing epoch: UInt64?, above least: UInt64
  ) async throws(SharedLogError) -> (any Leadership)? {
    try line.check()
    if engine.withState({ $0.isFull }) { throw .full("no room") }
    let found = engine.withState { state -> (epoch: UInt64, tail: SharedTail)? in
      guard let tail = state.tail else { return nil }
      if let leader = state.leader, leader.epoch != epoch { return nil }
      state.epoch = max(state.epoch, least) + 1
      state.leader = LeaderEntry(node: node, epoch: state.epoch)
      state.leaseEnds = LeaseClock.now() + engine.lease
      return (state.epoch, tail)
    }
    return found.map { MemoryLeadership(engine, line, epoch: $0.epoch, tail: $0.tail) }
  }

  func requestHandover(to node: String) async throws(SharedLogError) -> HandoverRequest {
    try line.check()
    let request = engine.withState { state -> HandoverRequest? in
      if let seen = state.handover, seen.epoch == state.epoch, seen.answer == .taken { return nil }
      state.handovers += 1
      let request = HandoverRequest(node: node, epoch: state.epoch, number: state.handovers)
      state.handover = request
      return request
    }
    guard let request else { throw .refused("a handover is under way") }
    return request
  }

  func settle(_ request: HandoverRequest, _ answer: HandoverRequest.Answer?) async throws(SharedLogError) -> Bool {
    try line.check()
    return engine.withState { state in
      guard state.handover == request else { return false }
      if let answer { state.handover?.answer = answer } else { state.handover = nil }
      return true
    }
  }

  func truncate(through index: UInt64) async throws(SharedLogError) {
    try line.check()
    engine.withState { state in
      state.frames.removeAll { $0.index <= index }
      state.firstIndex = max(state.firstIndex, index + 1)
    }
  }

  func compact() async throws(SharedLogError) {
    try line.check()
    engine.withState { $0.compactions += 1 }
  }

  func leave() async {
    let name = name.withLock { $0 }
    guard (try? line.check()) != nil else { return }
    engine.withState { state in
      state.nodes[name] = nil
      state.renewals[name] = nil
    }
  }
}

final class MemoryLeadership: Leadership {
  let epoch: UInt64
  let tail: SharedTail
  private let engine: MemoryEngine
  private let line: MemoryLine
  private let until: Atomic<UInt64>
  private let over = Atomic<Bool>(false)

  init(_ engine: MemoryEngine, _ line: MemoryLine, epoch: UInt64, tail: SharedTail) {
    self.engine = engine
    self.line = line
    self.epoch = epoch
    self.tail = tail
    until = Atomic(LeaseClock.now() + engine.lease - engine.lease / 10)
    Task { [weak self, pause = engine.lease / 10] in
      while let self, !self.isOver {
        self.renew()
        try? await Task.sleep(for: .nanoseconds(Int64(pause)))
      }
    }
  }

  /// Whether the leadership is over for good.
  var isOver: Bool {
    over.load(ordering: .acquiring) || engine.withState { $0.epoch } != epoch
      || LeaseClock.now() > until.load(ordering: .acquiring) + engine.lease
  }

  private func renew() {
    let asked = LeaseClock.now()
    if line.isCut.load(ordering: .acquiring) { return }
    let isMine = engine.withState { state in
      guard state.epoch == epoch, state.leader != nil else { return false }
      state.leaseEnds = asked + engine.lease
      return true
    }
    if isMine { until.store(asked + engine.lease - engine.lease / 10, ordering: .releasing) }
  }

  var validUntil: UInt64 { over.load(ordering: .acquiring) ? 0 : until.load(ordering: .acquiring) }

  func makeSink() -> sending any LogSink { MemorySink(self, engine, line) }

  var room: (kept: UInt64, limit: UInt64) { (0, 1 << 30) }

  func end() async -> String {
    while !isOver { try? await Task.sleep(for: .milliseconds(5)) }
    over.store(true, ordering: .releasing)
    return "another node may lead"
  }

  func resign() async {
    over.store(true, ordering: .releasing)
    engine.withState { state in
      if state.epoch == epoch { state.leader = nil }
    }
  }
}

/// A sink that appends to the engine, and waits while the line is cut.
private final class MemorySink: LogSink {
  private let leadership: MemoryLeadership
  private let engine: MemoryEngine
  private let line: MemoryLine
  private var pending: [SharedFrame] = []
  private var end: SharedTail
  private(set) var appended: UInt64

  init(_ leadership: MemoryLeadership, _ engine: MemoryEngine, _ line: MemoryLine) {
    self.leadership = leadership
    self.engine = engine
    self.line = line
    end = leadership.tail
    appended = leadership.tail.lsn
  }

  func write(_ frame: SealedFrame) throws(LogFault) {
    let header = frame.header
    precondition(header.previousHash == end.hash && header.epoch == leadership.epoch, "a frame that does not follow")
    end = SharedTail(
      index: end.index + 1, lsn: header.nextLSN - 1, hash: header.hash, epoch: header.epoch)
    pending.append(SharedFrame(index: end.index, bytes: Array(frame.bytes)))
    appended += UInt64(header.recordCount)
  }

  func sync() throws(LogFault) {
    while line.isCut.load(ordering: .acquiring), !leadership.isOver { usleep(1000) }
    guard !leadership.isOver || !engine.withState({ $0.comparesEpoch }),
      engine.append(pending, tail: end, epoch: leadership.epoch)
    else { throw .fenced(reason: "another node leads", remedy: "the node starts again") }
    pending = []
  }

  var shortage: DiskError? { engine.withState { $0.isAtLimit } ? .sharedLogFull : nil }

  func rotate() throws(LogFault) {}
  func close() throws(DiskError) {}
}
