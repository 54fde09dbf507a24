internal import DequeModule
internal import GatehouseStorage

/// The frames of a leader on their way into the shared log: a state machine without I/O.
///
/// Frames that wait go into one transaction, and one transaction is under way: etcd orders two that are under way as it
/// likes. A transaction compares the epoch and the tail, so it does nothing once another leader has begun, and nothing
/// the second time. That makes an unknown outcome simple: read the tail; it is either the one before the transaction or
/// the one after.
struct AppendQueue {
  struct Frame: Sendable, Equatable {
    var index: UInt64
    var bytes: [UInt8]
    var lsn: UInt64
    var hash: Hash128
    /// The epoch in the frame's header.
    var epoch: UInt64
  }

  /// What is to be done next.
  enum Step: Equatable {
    case wait
    case send(TransactionRequest)
    /// Read `epoch` and `tail`.
    case resolve
    case over
  }

  /// Why it is over.
  enum End: Equatable {
    /// Another leader has begun.
    case fenced(epoch: UInt64)
    /// What is stored contradicts that nobody else writes.
    case damaged(String)
    case ended
  }

  private struct Batch {
    var frames: [Frame]
    /// A long frame takes several. The last writes the tail.
    var transactions: Deque<TransactionRequest>
    var tail: StoredTail
  }

  private enum Phase {
    case idle
    case sending(Batch)
    case resolving(Batch)
    case over(End)
  }

  /// The longest value, and the most bytes of frames in a transaction: with keys and comparisons a request stays under
  /// etcd's 1.5 MiB.
  static let longestValue = 1_310_720
  /// etcd's limit is 128.
  private static let mostFrames = 100
  private let keys: LogKeys
  private let epoch: UInt64
  private let longestValue: Int
  private let sabotage: ReplicationSabotage
  private var phase = Phase.idle
  private var waiting: Deque<Frame> = []
  /// The tail that etcd has, and the revision that wrote it.
  private(set) var stored: StoredTail
  private var revision: Int64
  /// The last frame that was accepted here.
  private(set) var accepted: UInt64
  /// How many bytes are not stored yet.
  private(set) var waitingBytes: UInt64 = 0

  init(
    _ keys: LogKeys, epoch: UInt64, continuing tail: StoredTail, at revision: Int64,
    longestValue: Int = AppendQueue.longestValue, _ sabotage: ReplicationSabotage = []
  ) {
    self.keys = keys
    self.epoch = epoch
    self.longestValue = longestValue
    self.sabotage = sabotage
    self.stored = tail
    self.revision = revision
    accepted = tail.tail.index
  }

  var end: End? { if case .over(let end) = phase { end } else { nil } }

  // MARK: Events

  /// Accepts a frame, and says which index it has.
  mutating func add(_ bytes: [UInt8], lsn: UInt64, hash: Hash128, epoch: UInt64) -> UInt64 {
    accepted += 1
    waitingBytes += UInt64(bytes.count)
    waiting.append(Frame(index: accepted, bytes: bytes, lsn: lsn, hash: hash, epoch: epoch))
    return accepted
  }

  mutating func next() -> Step {
    switch phase {
    case .idle:
      guard !waiting.isEmpty else { return .wait }
      let batch = takeBatch()
      phase = .sending(batch)
      return .send(batch.transactions[0])
    case .sending(let batch): return .send(batch.transactions[0])
    case .resolving: return .resolve
    case .over: return .over
    }
  }

  /// The transaction was answered.
  mutating func answered(_ response: TransactionResponse) throws(SharedLogError) {
    guard case .sending(var batch) = phase else { preconditionFailure("no transaction is under way") }
    if response.succeeded {
      batch.transactions.removeFirst()
      if batch.transactions.isEmpty {
        finish(batch, at: response.header.revision)
      } else {
        phase = .sending(batch)
      }
      return
    }
    let (epoch, tail) = (response.results[0].pairs.first, response.results[1].pairs.first)
    try judge(batch, epoch: epoch, tail: tail, wasRefused: true)
  }

  /// Nobody knows what has become of the transaction.
  mutating func lost() {
    guard case .sending(let batch) = phase else { preconditionFailure("no transaction is under way") }
    phase = .resolving(batch)
  }

  /// What was read to find out.
  mutating func resolved(epoch: KeyValue?, tail: KeyValue?) throws(SharedLogError) {
    guard case .resolving(let batch) = phase else { preconditionFailure("nothing is to be found out") }
    try judge(batch, epoch: epoch, tail: tail, wasRefused: false)
  }

  /// etcd has no space: nothing that is not stored is kept here. Whoever gave the frames gives them again.
  ///
  /// - Returns: whether there was anything.
  mutating func drop() -> Bool {
    guard end == nil, accepted > stored.tail.index else { return false }
    waiting.removeAll()
    waitingBytes = 0
    accepted = stored.tail.index
    phase = .idle
    return true
  }

  mutating func stop(_ end: End) {
    guard self.end == nil else { return }
    phase = .over(end)
    waiting.removeAll()
  }

  // MARK: Batches

  private mutating func takeBatch() -> Batch {
    let first = waiting.removeFirst()
    guard first.bytes.count <= longestValue else { return split(first) }
    var frames = [first]
    var bytes = first.bytes.count
    while frames.count < Self.mostFrames, let next = waiting.first, bytes + next.bytes.count <= longestValue {
      frames.append(waiting.removeFirst())
      bytes += next.bytes.count
    }
    var tail = stored
    var puts: [Operation] = []
    for frame in frames {
      let value = StoredFrame(offset: tail.bytes, frame: frame.bytes)
      puts.append(.put(key: keys.frame(frame.index), value: value.stored))
      advance(&tail, over: frame)
    }
    return Batch(frames: frames, transactions: [request(puts + [write(tail)], appending: first.index)], tail: tail)
  }

  /// A frame that is too long for one value. Its parts are written first, under names that only this epoch uses. Nobody
  /// looks at them before the frame itself is there, which the last transaction writes together with the tail.
  private func split(_ frame: Frame) -> Batch {
    var transactions: Deque<TransactionRequest> = []
    var part = 0
    for start in stride(from: 0, to: frame.bytes.count, by: longestValue) {
      let end = min(start + longestValue, frame.bytes.count)
      let key = keys.part(frame.index, epoch: epoch, part)
      transactions.append(request([.put(key: key, value: Array(frame.bytes[start..<end]))], appending: frame.index))
      part += 1
    }
    let value = StoredFrame(
      offset: stored.bytes, parts: UInt64(part), partsEpoch: epoch, length: UInt64(frame.bytes.count))
    var tail = stored
    advance(&tail, over: frame)
    transactions.append(
      request([.put(key: keys.frame(frame.index), value: value.stored), write(tail)], appending: frame.index))
    return Batch(frames: [frame], transactions: transactions, tail: tail)
  }

  private func advance(_ tail: inout StoredTail, over frame: Frame) {
    tail.tail = SharedTail(index: frame.index, lsn: frame.lsn, hash: frame.hash, epoch: frame.epoch)
    tail.writer = epoch
    tail.bytes += UInt64(frame.bytes.count)
  }

  private func write(_ tail: StoredTail) -> Operation { .put(key: keys.tail, value: tail.stored) }

  /// Does something only if this is the newest epoch and the tail is the one that was last seen.
  private func request(_ operations: [Operation], appending index: UInt64) -> TransactionRequest {
    let comparisons = [
      Comparison(key: keys.epoch, target: .value(StoredEpoch.stored(epoch))),
      Comparison(key: keys.tail, target: .modRevision(revision)),
      Comparison(key: keys.frame(index), target: .version(0)),
    ]
    return TransactionRequest(
      comparisons: sabotage.contains(.skipComparisons) ? [] : comparisons, success: operations,
      failure: [.get(keys.epoch), .get(keys.tail)])
  }

  // MARK: Outcomes

  private mutating func finish(_ batch: Batch, at revision: Int64) {
    waitingBytes -= batch.tail.bytes - stored.bytes
    stored = batch.tail
    self.revision = revision
    phase = .idle
  }

  /// Tells what has become of a batch from the epoch and the tail that etcd has.
  ///
  /// - Parameter wasRefused: whether they come from the transaction itself, which did nothing.
  private mutating func judge(
    _ batch: Batch, epoch: KeyValue?, tail: KeyValue?, wasRefused: Bool
  ) throws(SharedLogError) {
    let newest = try StoredEpoch.read(epoch, as: "epoch")
    guard newest == self.epoch || sabotage.contains(.skipComparisons) else {
      return stop(newest > self.epoch ? .fenced(epoch: newest) : .damaged("its epoch went back to \(newest)"))
    }
    guard let pair = tail, let found = try StoredTail(pair, as: "tail") else {
      return stop(.damaged("its tail is gone: somebody has deleted keys that begin with \(keys.prefix)"))
    }
    if found == batch.tail {
      finish(batch, at: pair.modRevision)
    } else if pair.modRevision == revision, !wasRefused {
      phase = .sending(batch)
    } else if pair.modRevision == revision {
      stop(.damaged("there is a frame \(batch.frames[0].index) already, though its tail is \(found.tail.index)"))
    } else {
      stop(.damaged("its tail is frame \(found.tail.index), though only this node may write frame \(accepted)"))
    }
  }
}

/// Bugs that a shared log could have. Only tests set any, to prove that they would find them.
struct ReplicationSabotage: OptionSet, Sendable {
  let rawValue: Int

  /// Appends whatever the epoch and the tail are.
  static let skipComparisons = ReplicationSabotage(rawValue: 1 << 0)
  static let acknowledgeEarly = ReplicationSabotage(rawValue: 1 << 1)
  /// Counts a lease from when its heartbeat was answered, and sent, whatever the answer was.
  static let trustSentHeartbeat = ReplicationSabotage(rawValue: 1 << 2)
  static let guessLostOutcome = ReplicationSabotage(rawValue: 1 << 3)
  static let skipSilence = ReplicationSabotage(rawValue: 1 << 4)
  /// Forgets the lease of a leader that was replaced, once the one that replaced it is gone.
  static let forgetReplaced = ReplicationSabotage(rawValue: 1 << 5)
}
