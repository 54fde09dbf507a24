import Testing

@testable import GatehouseWeb

/// In which order the operations of a bulk request come.
struct SCIMBulkOrderTests {
  private func order(_ operations: [(String?, Set<String>)], failing: Set<Int> = []) -> [Int] {
    var order = SCIMBulkOrder(operations.map { (bulkID: $0.0, references: $0.1) })
    var done: [Int] = []
    while let next = order.next {
      done.append(next)
      order.finish(next, hasMade: !failing.contains(next))
    }
    return done
  }

  @Test("each comes after those that it names, otherwise as they stand") func order() {
    #expect(order([("a", []), ("b", []), (nil, ["a"])]) == [0, 1, 2])
    #expect(order([("a", ["b"]), ("b", ["c"]), ("c", [])]) == [2, 1, 0])
    #expect(order([("g", ["u", "v"]), ("u", []), ("x", []), ("v", [])]) == [1, 2, 3, 0])
    // What is named and not there is not waited for.
    #expect(order([("a", ["elsewhere"]), ("b", [])]) == [0, 1])
  }

  @Test("circles, and what failed, come all the same") func circles() {
    #expect(order([("a", ["b"]), ("b", ["a"]), ("c", [])]) == [2, 0, 1])
    #expect(order([("a", ["a"]), ("b", [])]) == [1, 0])
    #expect(order([("a", ["b"]), ("b", []), ("c", [])], failing: [1]) == [1, 2, 0])
  }
}
