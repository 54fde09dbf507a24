@testable import GatehouseReplication

/// A node's calls to the simulated etcd, over a network that delays and loses what it carries.
final class SimulatedClient: EtcdCalls, @unchecked Sendable {
  private let etcd: SimulatedEtcd
  private let world: SimulatedWorld
  private let network: Network

  /// What goes wrong between a node and etcd. It belongs to the thread of the simulated world.
  final class Network: @unchecked Sendable {
    /// Of how many calls one is lost; 0 for none.
    var lossOneIn: UInt64 = 0
    var isCut = false
    /// One direction only: nothing reaches etcd, or none of its answers reaches the node.
    var losesRequests = false
    var losesAnswers = false
    /// No watch hands anything out: its member has lost touch with the others.
    var hasStuckWatches = false
  }

  private static let patience: UInt64 = 1_600_000_000

  init(_ etcd: SimulatedEtcd, _ world: SimulatedWorld, _ network: Network) {
    self.etcd = etcd
    self.world = world
    self.network = network
  }

  /// A call: the way there, what etcd does, the way back. It goes on while the node is stopped. What is lost on the way
  /// there may still arrive, later.
  private func call<Answer: Sendable>(
    changes: Bool, _ body: @escaping () throws(SimulatedEtcd.Failure) -> Answer
  ) async throws(EtcdError) -> Answer {
    let result: Result<Answer, EtcdError> = await withUnsafeContinuation { continuation in
      world.after(delay()) { [self] in
        if network.isCut || network.losesRequests || isLost() {
          if changes, world.happens(oneIn: 3) { world.after(world.pick(4_000_000_000)) { _ = try? body() } }
          return fail { continuation.resume(returning: .failure($0)) }
        }
        let result = answer(body)
        world.after(delay()) { [self] in
          if network.isCut || network.losesAnswers || isLost() {
            return fail { continuation.resume(returning: .failure($0)) }
          }
          continuation.resume(returning: result)
        }
      }
    }
    return try result.get()
  }

  private func answer<Answer>(
    _ body: () throws(SimulatedEtcd.Failure) -> Answer
  ) -> Result<Answer, EtcdError> {
    if network.lossOneIn > 0, world.happens(oneIn: 50) {
      return .failure(EtcdError(code: 8, message: "etcdserver: too many requests", endpoint: "simulated"))
    }
    do throws(SimulatedEtcd.Failure) {
      return .success(try body())
    } catch {
      return .failure(EtcdError(code: error.code, message: error.message, endpoint: "simulated"))
    }
  }

  private func isLost() -> Bool { network.lossOneIn > 0 && world.happens(oneIn: network.lossOneIn) }

  private func delay() -> UInt64 {
    network.lossOneIn > 0 && world.happens(oneIn: 30) ? world.pick(800_000_000) : 100_000 + world.pick(2_000_000)
  }

  /// Some calls are refused at once; of most, nothing is heard.
  private func fail(_ done: @escaping (EtcdError) -> Void) {
    world.after(world.happens(oneIn: 4) ? 1_000_000 : Self.patience) {
      done(EtcdError(kind: .unreachable, endpoint: "simulated", message: "no answer"))
    }
  }

  func read(_ operations: [Operation]) async throws(EtcdError) -> TransactionResponse {
    let etcd = etcd
    return try await call(changes: false) { () throws(SimulatedEtcd.Failure) in
      try etcd.transact(TransactionRequest(success: operations))
    }
  }

  func transact(_ request: TransactionRequest) async throws(EtcdError) -> TransactionResponse {
    let etcd = etcd
    return try await call(changes: true) { () throws(SimulatedEtcd.Failure) in try etcd.transact(request) }
  }

  func compact(_ request: CompactionRequest) async throws(EtcdError) {
    let etcd = etcd
    try await call(changes: false) { () throws(SimulatedEtcd.Failure) in try etcd.compact(request.revision) }
  }

  func grantLease(_ request: LeaseGrantRequest) async throws(EtcdError) -> LeaseResponse {
    let etcd = etcd
    return try await call(changes: false) { () throws(SimulatedEtcd.Failure) in try etcd.grant(request.seconds) }
  }

  func keepAlive(_ request: LeaseRequest) async throws(EtcdError) -> LeaseResponse {
    let etcd = etcd
    return try await call(changes: false) { () throws(SimulatedEtcd.Failure) in etcd.keepAlive(request.lease) }
  }

  func revokeLease(_ request: LeaseRequest) async throws(EtcdError) {
    let etcd = etcd
    try await call(changes: true) { () throws(SimulatedEtcd.Failure) in etcd.revoke(request.lease) }
  }

  func close() async {}

  // MARK: Watching

  /// What a watch has been asked, and how far it has got.
  private final class Stream: @unchecked Sendable {
    var range: KeyRange?
    var next: Int64 = 0
    var progress = 0
  }

  func watch(
    requests: @escaping @Sendable (@escaping @Sendable (WatchRequest) async throws -> Void) async throws -> Void,
    handle: @escaping @Sendable (WatchResponse) async throws -> Void
  ) async throws {
    let stream = Stream()
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        try await requests { request in
          switch request {
          case .create(let range, let startRevision):
            stream.next = startRevision
            stream.range = range
          case .progress: stream.progress += 1
          }
        }
      }
      group.addTask { [self] in try await handOut(stream, handle) }
      defer { group.cancelAll() }
      try await group.next()
    }
  }

  private func handOut(_ stream: Stream, _ handle: @Sendable (WatchResponse) async throws -> Void) async throws {
    while !Task.isCancelled {
      await world.sleep(5_000_000 + world.pick(30_000_000))
      if network.isCut || (isLost() && world.happens(oneIn: 8)) {
        await world.sleep(Self.patience)
        throw EtcdError(kind: .unreachable, endpoint: "simulated", message: "the stream is closed")
      }
      guard let range = stream.range, !network.hasStuckWatches, !network.losesAnswers else { continue }
      guard let events = etcd.changes(from: stream.next, in: range) else {
        try await handle(
          WatchResponse(header: etcd.header, isCanceled: true, compactRevision: etcd.compacted))
        throw EtcdError(kind: .unreachable, endpoint: "simulated", message: "the stream is closed")
      }
      stream.next = etcd.revision + 1
      if !events.isEmpty {
        try await handle(WatchResponse(header: etcd.header, events: events))
      } else if stream.progress > 0 {
        stream.progress = 0
        try await handle(WatchResponse(header: etcd.header))
      }
    }
  }
}
