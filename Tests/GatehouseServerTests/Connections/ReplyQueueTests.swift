import GatehouseCore
import GatehouseTestSupport
import NIOCore
import Testing

@testable import GatehouseServer

@Suite("The queue of replies")
struct ReplyQueueTests {
  private func add(
    _ text: String, _ horizon: LSN, durable: LSN = 0, _ queue: inout ReplyQueue, _ ready: inout RawBuffer
  ) {
    if queue.isEmpty, horizon <= durable {
      ready.append(ByteBuffer(string: text))
    } else {
      queue.add(horizon: horizon) { $0.writeString(text) }
    }
  }

  private func string(_ bytes: borrowing RawBuffer) -> String { String(decoding: bytes.bytes, as: UTF8.self) }

  @Test("replies leave in command order, each once it is durable")
  func order() {
    var queue = ReplyQueue()
    var ready = RawBuffer(capacity: 64, alignment: 8)
    add("a", 7, &queue, &ready)
    add("b", 0, &queue, &ready)
    let first = queue.reserve()
    add("d", 0, &queue, &ready)
    let second = queue.reserve()
    queue.endRead()
    add("f", 9, &queue, &ready)
    #expect(queue.awaited == 2 && queue.nextHorizon == 7 && queue.pendingBytes == 4)
    queue.fill(second, ByteBuffer(string: "e"), horizon: 8)
    queue.release(durable: 6, into: &ready)
    #expect(ready.count == 0)
    queue.release(durable: 7, into: &ready)
    #expect(string(ready) == "ab" && queue.nextHorizon == nil && !queue.isEmpty)
    queue.fill(first, ByteBuffer(string: "c"), horizon: 0)
    queue.release(durable: 7, into: &ready)
    #expect(string(ready) == "abcd" && queue.nextHorizon == 8)
    queue.release(durable: 9, into: &ready)
    #expect(string(ready) == "abcdef" && queue.isEmpty && queue.pendingBytes == 0 && queue.awaited == 0)
  }

  /// After the log has failed: as many refusals as there were replies, in the same order.
  @Test("replies that can never become durable are refused one by one")
  func refused() {
    var queue = ReplyQueue()
    var ready = RawBuffer(capacity: 64, alignment: 8)
    add("a", 3, durable: 3, &queue, &ready)
    add("b", 4, durable: 3, &queue, &ready)
    add("c", 2, durable: 3, &queue, &ready)
    queue.endRead()
    let first = queue.reserve()
    add("d", 2, durable: 3, &queue, &ready)
    queue.endRead()
    let second = queue.reserve()
    queue.fill(second, ByteBuffer(string: "e"), horizon: 9)
    queue.refuse(beyond: 3, with: ByteBuffer(string: "-"))
    // Replies from here on are new, even within the same read.
    add("f", 1, durable: 3, &queue, &ready)
    queue.release(durable: 3, into: &ready)
    #expect(string(ready) == "a--" && queue.awaited == 1)
    queue.fill(first, ByteBuffer(string: "g"), horizon: 3)
    queue.release(durable: 3, into: &ready)
    #expect(string(ready) == "a--gd-f" && queue.isEmpty && queue.pendingBytes == 0)
  }

  /// Compared with a plain list, through thousands of replies that never all leave at once.
  @Test("behaves like a list", arguments: 1...5 as ClosedRange<UInt64>)
  func asAList(seed: UInt64) {
    var random = SeededRandom(seed: seed)
    var queue = ReplyQueue()
    var ready = RawBuffer(capacity: 64, alignment: 8)
    var expected = ""
    var open: [(ticket: UInt64, text: String)] = []
    var durable: LSN = 0
    for step in 0..<20_000 {
      let text = "\(step),"
      switch Int.random(in: 0..<10, using: &random) {
      case 0..<5:
        add(text, durable + LSN.random(in: 0...3, using: &random), durable: durable, &queue, &ready)
        expected += text
      case 5..<7:
        open.append((queue.reserve(), text))
        expected += text
      case 7..<9 where !open.isEmpty:
        let answer = open.remove(at: Int.random(in: 0..<open.count, using: &random))
        queue.fill(answer.ticket, ByteBuffer(string: answer.text), horizon: durable)
      case 9:
        durable += 1
        queue.release(durable: durable, into: &ready)
      default: queue.endRead()
      }
    }
    #expect(queue.awaited == open.count)
    for answer in open { queue.fill(answer.ticket, ByteBuffer(string: answer.text), horizon: 0) }
    queue.release(durable: durable + 3, into: &ready)
    #expect(string(ready) == expected)
    #expect(queue.isEmpty && queue.pendingBytes == 0)
  }
}
