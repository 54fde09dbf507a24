import GatehouseStorage
import GatehouseTestSupport
import Testing

@testable import GatehouseReplication

struct StoredValuesTests {
  private static var node: NodeEntry {
    var node = NodeEntry(name: "a", host: "10.0.0.1", port: 7878, version: "0.9.0")
    node.index = 9
    node.lsn = 100
    node.hash = Hash128(high: 1, low: 2)
    node.snapshotLSN = 50
    node.isCandidate = false
    node.instance = .max
    return node
  }

  private func again<Value: StoredValue>(_ value: Value) throws -> Value? {
    try Value(KeyValue(value: value.stored), as: "x")
  }

  @Test func valuesAreReadAgain() throws {
    let tail = StoredTail(
      tail: SharedTail(index: 1, lsn: 2, hash: Hash128(high: 3, low: 4), epoch: 5), writer: 6, bytes: 7)
    #expect(try again(tail) == tail)
    #expect(try again(StoredStart(index: 8, bytes: 9)) == StoredStart(index: 8, bytes: 9))
    #expect(try again(StoredNode(entry: Self.node)) == StoredNode(entry: Self.node))
    let leader = StoredLeader(node: StoredNode(entry: Self.node), epoch: 3, attempt: .max, leaseMilliseconds: 5_000)
    #expect(try again(leader) == leader)
    for answer in [HandoverRequest.Answer.pending, .taken, .refused("its disk is full")] {
      let handover = StoredHandover(request: HandoverRequest(node: "b", epoch: 4, number: .max, answer: answer))
      #expect(try again(handover) == handover)
    }
    // As an earlier version writes it.
    let former = StoredHandover(request: HandoverRequest(node: "b", epoch: 4, number: 0))
    #expect(former.stored == [0x0A, 1, UInt8(ascii: "b"), 0x10, 4])
    #expect(try again(StoredTail()) == StoredTail())
  }

  @Test func whatCannotBeReadIsNamed() {
    #expect(throws: SharedLogError.damaged("the value of \"tail\" in etcd is the message ends within a number")) {
      try StoredTail(KeyValue(value: [0x08]), as: "tail")
    }
    #expect(throws: SharedLogError.damaged("the value of \"tail\" in etcd is a hash of 2 bytes")) {
      try StoredTail(KeyValue(value: [0x1A, 2, 1, 1]), as: "tail")
    }
    #expect(throws: SharedLogError.damaged("the value of \"epoch\" in etcd is no number")) {
      try StoredEpoch.read(KeyValue(value: Array("x".utf8)), as: "epoch")
    }
    #expect(throws: SharedLogError.damaged("the value of \"ended\" in etcd is a number beyond all bounds")) {
      try StoredEpoch.read(KeyValue(value: Array("18446744073709551615".utf8)), as: "ended")
    }
    #expect(throws: SharedLogError.damaged("the value of \"start\" in etcd is no index of a frame")) {
      try StoredStart(KeyValue(value: [0x10, 5]), as: "start")
    }
    #expect(throws: SharedLogError.damaged("the value of \"leader\" in etcd is a lease of more than a minute")) {
      try StoredLeader(KeyValue(value: StoredLeader(leaseMilliseconds: 1 << 63).stored), as: "leader")
    }
    let far = StoredTail(tail: SharedTail(index: .max, lsn: 0, hash: .zero, epoch: 0))
    #expect(throws: SharedLogError.damaged("the value of \"tail\" in etcd is a number beyond all bounds")) {
      try StoredTail(KeyValue(value: far.stored), as: "tail")
    }
  }

  /// Whatever bytes stand under a key: reading them and counting on from what they say does not stop the program.
  @Test func anyBytesAreReadSafely() {
    var random = SeededRandom(seed: 12)
    let samples = [
      StoredTail(tail: SharedTail(index: .max, lsn: .max, hash: .zero, epoch: .max), writer: .max, bytes: .max).stored,
      StoredStart(index: .max, bytes: .max).stored, StoredNode(entry: Self.node).stored,
      StoredFrame(offset: .max, frame: [1, 2], parts: .max, partsEpoch: .max, length: .max).stored,
      StoredLeader(node: StoredNode(entry: Self.node), epoch: .max, attempt: 1, leaseMilliseconds: .max).stored,
      StoredHandover(request: HandoverRequest(node: "b", epoch: .max, number: 7, answer: .refused("no"))).stored,
    ]
    for _ in 0..<20_000 {
      var bytes = samples[Int(random.next() % UInt64(samples.count))]
      for _ in 0...random.next() % 3 where !bytes.isEmpty {
        let at = Int(random.next() % UInt64(bytes.count))
        if random.next() % 4 == 0 { bytes.removeLast() } else { bytes[at] = UInt8(truncatingIfNeeded: random.next()) }
      }
      let pair = KeyValue(value: bytes)
      if let tail = try? StoredTail(pair, as: "x") {
        _ = tail.tail.index + tail.tail.lsn + tail.tail.epoch + tail.bytes + 1
      }
      if let start = try? StoredStart(pair, as: "x") { _ = start.index - 1 + start.bytes }
      if let frame = try? StoredFrame(pair, as: "x") { _ = frame.offset + frame.parts + frame.length }
      if let node = try? StoredNode(pair, as: "x") { _ = node.entry.index + node.entry.lsn + node.entry.snapshotLSN }
      if let leader = try? StoredLeader(pair, as: "x") { _ = leader.longestMilliseconds * 1_000_000 + leader.epoch }
      if let handover = try? StoredHandover(pair, as: "x") { _ = handover.request.epoch + 1 }
    }
  }

  @Test func keysAreInTheOrderOfTheFrames() {
    let keys = LogKeys(Hash128(high: 0, low: 255))
    #expect(
      String(decoding: keys.frame(4096), as: UTF8.self)
        == "/gatehouse/000000000000000000000000000000ff/log/0000000000001000")
    let range = keys.frames(from: 255)
    #expect(keys.index(of: keys.frame(4096)) == 4096)
    #expect(keys.index(of: Array("\(keys.prefix)log/zz".utf8)) == nil)
    #expect(keys.index(of: Array("\(keys.prefix)log/0000000000001000x".utf8)) == nil)
    #expect(keys.index(of: Array("\(keys.prefix)log/00000000000000FF".utf8)) == nil)
    #expect(range.contains(keys.frame(255)))
    #expect(range.contains(keys.frame(.max)))
    #expect(!range.contains(keys.frame(254)))
    #expect(!range.contains(keys.tail))
    let old = keys.frames(before: 256)
    #expect(old[0].contains(keys.frame(255)))
    #expect(!old[0].contains(keys.frame(256)))
    #expect(old[1].contains(keys.part(255, epoch: .max, 9)))
    #expect(!old[1].contains(keys.part(256, epoch: 0, 0)))
  }
}
