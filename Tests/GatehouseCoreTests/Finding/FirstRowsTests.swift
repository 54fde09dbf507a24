import GatehouseTestSupport
import Testing

@testable import GatehouseCore

/// The first rows of a list, in whatever order they are found.
@Suite struct FirstRowsTests {
  @Test("they are what sorting all of them gives", arguments: [1, 2, 101, 1000], [false, true])
  func first(most: Int, isDescending: Bool) {
    var dice = SeededRandom(seed: UInt64(most))
    var first = FirstRows(most: most, isDescending: isDescending)
    var all: [(key: ContiguousArray<UInt8>, id: UInt64)] = []
    for id in 1...3000 as ClosedRange<UInt64> {
      // Short and long keys, many of them the same, and some that are the beginning of others.
      let length = Int.random(in: 0...12, using: &dice)
      let key = ContiguousArray((0..<length).map { _ in UInt8.random(in: 0x61...0x62, using: &dice) })
      all.append((key, id))
      if let worst = first.worst {
        // Nothing is kept that cannot be among them; whoever finds rows asks for this.
        #expect(worst.key.count <= 12)
      }
      first.add(key, id)
    }
    all.sort { one, other in
      let (one, other) = isDescending ? (other, one) : (one, other)
      return one.key == other.key ? one.id < other.id : one.key.lexicographicallyPrecedes(other.key)
    }
    let settled = first.settled()
    #expect(settled.map(\.id) == all.prefix(most).map(\.id))
    #expect(settled.map(\.key) == all.prefix(most).map(\.key))
    #expect(first.worst?.id == all[most - 1].id)
  }

  @Test func fewerThanAsked() {
    var first = FirstRows(most: 10, isDescending: false)
    for id in [3, 1, 2] as [UInt64] { first.add([UInt8(id)], id) }
    #expect(first.settled().map(\.id) == [1, 2, 3] && first.worst == nil)
  }
}
