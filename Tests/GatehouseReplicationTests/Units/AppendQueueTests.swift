import GatehouseStorage
import Testing

@testable import GatehouseReplication

struct AppendQueueTests {
  private static let keys = LogKeys(Hash128(high: 1, low: 2))
  private static let before = StoredTail(
    tail: SharedTail(index: 4, lsn: 40, hash: Hash128(high: 0, low: 4), epoch: 6), writer: 6, bytes: 400)

  private static func queue(longestValue: Int = AppendQueue.longestValue) -> AppendQueue {
    AppendQueue(keys, epoch: 7, continuing: before, at: 50, longestValue: longestValue)
  }

  private static func add(_ queue: inout AppendQueue, _ number: UInt64, bytes: Int = 10) {
    let frame = [UInt8](repeating: UInt8(number), count: bytes)
    _ = queue.add(frame, lsn: 40 + number, hash: Hash128(high: 0, low: 4 + number), epoch: 7)
  }

  private static func request(_ queue: inout AppendQueue) -> TransactionRequest {
    guard case .send(let request) = queue.next() else {
      Issue.record("nothing is to be sent")
      return TransactionRequest()
    }
    return request
  }

  private static func put(_ operation: Operation?) -> (key: String, value: [UInt8]) {
    guard case .put(let key, let value, _) = operation else { return ("", []) }
    return (String(decoding: key, as: UTF8.self), value)
  }

  private static func pair(_ key: [UInt8], _ value: [UInt8], at revision: Int64) -> KeyValue {
    KeyValue(key: key, modRevision: revision, value: value)
  }

  private static func refused(epoch: UInt64, tail: StoredTail, at revision: Int64) -> TransactionResponse {
    TransactionResponse(
      succeeded: false,
      results: [
        .init(pairs: [pair(keys.epoch, StoredEpoch.stored(epoch), at: 1)]),
        .init(pairs: [pair(keys.tail, tail.stored, at: revision)]),
      ])
  }

  private static func done(at revision: Int64) -> TransactionResponse {
    TransactionResponse(header: ResponseHeader(revision: revision), succeeded: true)
  }

  @Test func framesThatWaitGoTogetherAndAreFenced() throws {
    var queue = Self.queue()
    #expect(queue.next() == .wait)
    Self.add(&queue, 1)
    Self.add(&queue, 2)
    let request = Self.request(&queue)
    #expect(
      request.comparisons == [
        Comparison(key: Self.keys.epoch, target: .value(Array("7".utf8))),
        Comparison(key: Self.keys.tail, target: .modRevision(50)),
        Comparison(key: Self.keys.frame(5), target: .version(0)),
      ])
    #expect(request.success.count == 3)
    let second = Self.put(request.success[1])
    #expect(second.key.hasSuffix("/log/0000000000000006"))
    let value = try #require(try StoredFrame(KeyValue(value: second.value), as: "x"))
    #expect(value == StoredFrame(offset: 410, frame: [UInt8](repeating: 2, count: 10)))
    let tail = try #require(try StoredTail(KeyValue(value: Self.put(request.success[2]).value), as: "x"))
    #expect(tail.tail == SharedTail(index: 6, lsn: 42, hash: Hash128(high: 0, low: 6), epoch: 7))
    #expect(tail.writer == 7)
    #expect(tail.bytes == 420)

    // One at a time: what comes meanwhile waits.
    Self.add(&queue, 3)
    #expect(queue.next() == .send(request))
    #expect(queue.waitingBytes == 30)
    try queue.answered(Self.done(at: 60))
    #expect(queue.stored == tail)
    #expect(Self.request(&queue).comparisons[1].target == .modRevision(60))
  }

  @Test func aTransactionHasAtMostAHundredFramesAndAboutAMegabyte() {
    var queue = Self.queue()
    for number in 1...150 { Self.add(&queue, UInt64(number)) }
    #expect(Self.request(&queue).success.count == 101)
    queue = Self.queue()
    for number in 1...4 { Self.add(&queue, UInt64(number), bytes: 600_000) }
    #expect(Self.request(&queue).success.count == 3)
  }

  @Test func aLostAnswerIsResolvedByTheTail() throws {
    var queue = Self.queue()
    Self.add(&queue, 1)
    let request = Self.request(&queue)
    queue.lost()
    #expect(queue.next() == .resolve)
    // It was not done: the same again.
    let epoch = Self.pair(Self.keys.epoch, StoredEpoch.stored(7), at: 1)
    try queue.resolved(epoch: epoch, tail: Self.pair(Self.keys.tail, Self.before.stored, at: 50))
    #expect(queue.next() == .send(request))
    queue.lost()
    // It was done.
    let tail = Self.put(request.success[1]).value
    try queue.resolved(epoch: epoch, tail: Self.pair(Self.keys.tail, tail, at: 61))
    #expect(queue.stored.tail.index == 5)
    #expect(queue.next() == .wait)
    Self.add(&queue, 2)
    #expect(Self.request(&queue).comparisons[1].target == .modRevision(61))
  }

  @Test func anAttemptThatWasLostAndComesLateIsFoundBySendingItAgain() throws {
    var queue = Self.queue()
    Self.add(&queue, 1)
    let request = Self.request(&queue)
    let tail = try #require(try StoredTail(KeyValue(value: Self.put(request.success[1]).value), as: "x"))
    try queue.answered(Self.refused(epoch: 7, tail: tail, at: 70))
    #expect(queue.end == nil)
    #expect(queue.stored.tail.index == 5)
  }

  @Test func anotherEpochEndsIt() throws {
    var queue = Self.queue()
    Self.add(&queue, 1)
    _ = queue.next()
    try queue.answered(Self.refused(epoch: 8, tail: Self.before, at: 50))
    #expect(queue.end == .fenced(epoch: 8))
    #expect(queue.next() == .over)
  }

  @Test func whatNobodyElseCanHaveWrittenEndsIt() throws {
    var tail = Self.before
    tail.tail.index = 9
    let cases = [
      (Self.refused(epoch: 7, tail: tail, at: 70), "its tail is frame 9, though only this node may write frame 5"),
      (Self.refused(epoch: 7, tail: Self.before, at: 50), "there is a frame 5 already, though its tail is 4"),
      (Self.refused(epoch: 6, tail: Self.before, at: 50), "its epoch went back to 6"),
    ]
    for (response, text) in cases {
      var queue = Self.queue()
      Self.add(&queue, 1)
      _ = queue.next()
      try queue.answered(response)
      #expect(queue.end == .damaged(text))
    }
  }

  @Test func aLongFrameGoesInPartsAndAppearsAtOnce() throws {
    var queue = Self.queue(longestValue: 100)
    Self.add(&queue, 1, bytes: 250)
    Self.add(&queue, 2, bytes: 20)
    for part in 0..<3 {
      let request = Self.request(&queue)
      #expect(request.comparisons.count == 3)
      #expect(request.success.count == 1)
      let put = Self.put(request.success[0])
      #expect(put.key.hasSuffix("/body/0000000000000005/0000000000000007/000000000000000\(part)"))
      #expect(put.value.count == (part < 2 ? 100 : 50))
      // A part may be sent twice.
      if part == 1 {
        queue.lost()
        try queue.resolved(
          epoch: Self.pair(Self.keys.epoch, StoredEpoch.stored(7), at: 1),
          tail: Self.pair(Self.keys.tail, Self.before.stored, at: 50))
        #expect(Self.request(&queue) == request)
      }
      try queue.answered(Self.done(at: 60 + Int64(part)))
      #expect(queue.stored.tail.index == 4)
    }
    let request = Self.request(&queue)
    let value = try #require(try StoredFrame(KeyValue(value: Self.put(request.success[0]).value), as: "x"))
    #expect(value == StoredFrame(offset: 400, parts: 3, partsEpoch: 7, length: 250))
    try queue.answered(Self.done(at: 70))
    #expect(queue.stored.tail.index == 5)
    #expect(queue.stored.bytes == 650)
    #expect(Self.request(&queue).success.count == 2)
  }

  @Test func whatEtcdHasNoSpaceForIsGivenAgain() throws {
    var queue = Self.queue()
    Self.add(&queue, 1)
    _ = queue.next()
    Self.add(&queue, 2)
    let isDropped = queue.drop()
    #expect(isDropped)
    #expect(queue.next() == .wait)
    #expect(queue.accepted == 4)
    Self.add(&queue, 1)
    #expect(Self.request(&queue).comparisons[2].key == Self.keys.frame(5))
  }

  /// etcd refuses for lack of space also what it has stored.
  @Test func whatIsStoredAllTheSameIsNotDropped() throws {
    var queue = Self.queue()
    Self.add(&queue, 1)
    let request = Self.request(&queue)
    queue.lost()
    try queue.resolved(
      epoch: Self.pair(Self.keys.epoch, StoredEpoch.stored(7), at: 1),
      tail: Self.pair(Self.keys.tail, Self.put(request.success[1]).value, at: 61))
    let isDropped = queue.drop()
    #expect(!isDropped)
    #expect(queue.stored.tail.index == 5)
  }
}
