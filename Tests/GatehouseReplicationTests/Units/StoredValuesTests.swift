import GatehouseStorage
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
    #expect(try again(StoredHandover(node: "b", epoch: 4)) == StoredHandover(node: "b", epoch: 4))
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
      try StoredEpoch.read(KeyValue(value: Array("x".utf8)))
    }
  }

  @Test func keysAreInTheOrderOfTheFrames() {
    let keys = LogKeys(Hash128(high: 0, low: 255))
    #expect(
      String(decoding: keys.frame(4096), as: UTF8.self)
        == "/gatehouse/000000000000000000000000000000ff/log/0000000000001000")
    let range = keys.frames(from: 255)
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
