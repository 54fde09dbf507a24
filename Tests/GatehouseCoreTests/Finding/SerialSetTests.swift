import GatehouseTestSupport
import Testing

@testable import GatehouseCore

/// Sets of rows, in each of their forms.
@Suite struct SerialSetTests {
  @Test(arguments: [3, 40, 5_000], 1...4 as ClosedRange<UInt64>)
  func itIsTheSetThatTheLibraryHas(largest: Int, seed: UInt64) {
    var random = SeededRandom(seed: seed)
    var (set, expected) = (SerialSet.empty, Set<Int>())
    for step in 0..<3_000 {
      let serial = Int.random(in: 1...largest, using: &random)
      // It grows, then it shrinks.
      if Int.random(in: 0..<10, using: &random) < (step < 1_500 ? 7 : 3) {
        set.insert(serial)
        expected.insert(serial)
      } else {
        set.remove(serial)
        expected.remove(serial)
      }
      #expect(set.count == expected.count)
      #expect(set.contains(serial) == expected.contains(serial))
    }
    var members: [Int] = []
    set.forEach { members.append($0) }
    #expect(members == expected.sorted())
    var other = SerialSet.empty
    for serial in expected { other.insert(serial) }
    #expect(set == other)
  }

  @Test func aLargeShareTakesABitEach() {
    var set = SerialSet.empty
    for serial in 1...1000 { set.insert(serial) }
    guard case .bits(_, 1000) = set else { return #expect(Bool(false), "\(set)") }
    var one = SerialSet.empty
    one.insert(70)
    guard case .one(70) = one else { return #expect(Bool(false), "\(one)") }
  }

  @Test func bitsFromOneOn() {
    var bits = SerialBits()
    for serial in [1, 63, 64, 65, 500] { bits.insert(serial) }
    #expect(bits.first(10, from: 1) == [1, 63, 64, 65, 500])
    #expect(bits.first(2, from: 64) == [64, 65])
    #expect(bits.first(10, from: 501) == [])
    #expect(bits.first(10, from: 10_000) == [])
    #expect(bits.count == 5)
    var others = SerialBits()
    for serial in [64, 500, 9000] { others.insert(serial) }
    var both = bits
    both.formIntersection(others)
    #expect(both.first(10, from: 1) == [64, 500])
    bits.subtract(others)
    #expect(bits.first(10, from: 1) == [1, 63, 65])
    let removed = [bits.remove(1), bits.remove(1)]
    #expect(removed == [true, false])
  }
}
