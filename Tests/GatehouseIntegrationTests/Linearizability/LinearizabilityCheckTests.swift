import GatehouseTestSupport
import Testing

/// Tests the checker itself: what it must detect, and what it must accept.
@Suite("Linearizability: the checker", .blocking)
struct LinearizabilityCheckTests {
  /// A register that is written and read.
  struct Register: SequentialObject {
    enum Call: Sendable {
      case write(Int)
      case read
    }

    var initial: Int { 0 }

    func next(_ state: Int, _ call: Call, _ answer: Int) -> Int? {
      switch call {
      case .write(let value): value
      case .read: answer == state ? state : nil
      }
    }
  }

  typealias Entry = HistoryEntry<Register.Call, Int>

  private static func write(_ value: Int, _ began: UInt64, _ ended: UInt64) -> Entry {
    Entry(.write(value), 0, began: began, ended: ended)
  }

  private static func read(_ value: Int, _ began: UInt64, _ ended: UInt64) -> Entry {
    Entry(.read, value, began: began, ended: ended)
  }

  private static func isLinearizable(_ history: [Entry]) -> Bool {
    var check = Linearizability(of: history, object: Register())
    if case .linearizable = check.check() { return true }
    return false
  }

  @Test("linearizable histories")
  func possible() {
    for history in [
      [],
      [Self.write(1, 0, 1), Self.read(1, 2, 3)],
      // During a write readers may see it or not.
      [Self.write(1, 0, 10), Self.read(0, 1, 2), Self.read(1, 3, 4)],
      // Two concurrent writes, in the order in which readers saw them.
      [Self.write(1, 0, 10), Self.write(2, 0, 10), Self.read(2, 1, 2), Self.read(1, 3, 4)],
      [Self.read(1, 0, 5), Self.write(1, 5, 6)],
    ] { #expect(Self.isLinearizable(history), "\(history)") }
  }

  @Test("histories that are not linearizable")
  func impossible() {
    for history in [
      [Self.read(1, 0, 1)],
      // A stale read.
      [Self.write(1, 0, 1), Self.read(0, 2, 3)],
      // The second reader misses what the first saw.
      [Self.write(1, 0, 10), Self.read(1, 1, 2), Self.read(0, 3, 4)],
      // Two readers disagree about the order of two writes.
      [Self.write(1, 0, 1), Self.write(2, 0, 1), Self.read(1, 2, 3), Self.read(2, 4, 5)],
      [Self.read(1, 0, 4), Self.write(1, 5, 6)],
    ] { #expect(!Self.isLinearizable(history), "\(history)") }
  }

  @Test("an impossible answer is shown with the calls before it")
  func explanation() throws {
    var check = Linearizability(of: [Self.write(1, 0, 1), Self.read(0, 2, 3)], object: Register())
    guard case .impossible(let text) = check.check() else {
      Issue.record("a stale read was not found")
      return
    }
    #expect(
      text == """
        after 1 of 2 calls, at last
          0–1 write(1) → 0
        in 1 none fits of
          2–3 read → 0
        """)
  }

  @Test("the checker agrees with trying all orders")
  func allOrders() {
    var random = SeededRandom(seed: 7)
    var possible = 0
    for _ in 0..<2000 {
      let history = (0..<Int.random(in: 2...6, using: &random)).map { _ -> Entry in
        let began = UInt64.random(in: 0..<8, using: &random)
        let ended = began + UInt64.random(in: 0..<5, using: &random)
        let value = Int.random(in: 0...2, using: &random)
        return Bool.random(using: &random) ? Self.write(value, began, ended) : Self.read(value, began, ended)
      }
      let expected = Self.hasOrder(history, from: 0)
      possible += expected ? 1 : 0
      #expect(Self.isLinearizable(history) == expected, "\(history)")
    }
    #expect((200...1800).contains(possible), "both kinds were tried")
  }

  private static func hasOrder(_ rest: [Entry], from state: Int) -> Bool {
    if rest.isEmpty { return true }
    return rest.indices.contains { index in
      // No call that had ended before this one started may be left for later.
      guard rest.allSatisfy({ $0.ended >= rest[index].began }),
        let after = Register().next(state, rest[index].call, rest[index].answer)
      else { return false }
      var others = rest
      others.remove(at: index)
      return hasOrder(others, from: after)
    }
  }
}
