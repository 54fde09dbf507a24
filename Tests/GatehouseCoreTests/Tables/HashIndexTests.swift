import GatehouseTestSupport
import Testing

@testable import GatehouseCore

@Suite struct HashIndexTests {
  /// Behaves like a dictionary, with few hashes so that many collide.
  @Test(arguments: [1, 7, 1_000_000])
  func behavesLikeADictionary(hashes: Int) {
    check(NameIndex(), hashes: hashes)
    check(SharedIndex(), hashes: hashes)
  }

  private func check<Slots>(_ empty: HashIndex<Slots>, hashes: Int) {
    var random = SeededRandom(seed: UInt64(hashes))
    var index = empty
    var expected: [Int: UInt32] = [:]
    func hash(_ serial: Int) -> UInt32 { UInt32(truncatingIfNeeded: serial &* 2_654_435_761 % hashes) }
    for _ in 0..<6000 {
      let serial = Int.random(in: 1...400, using: &random)
      if expected[serial] == nil {
        expected[serial] = hash(serial)
        index.insert(serial, hash: hash(serial))
      } else {
        expected[serial] = nil
        index.remove(serial, hash: hash(serial))
      }
      #expect(index.count == expected.count)
    }
    for serial in 1...400 {
      let found = index.find(hash(serial)) { $0 == serial }
      #expect((found != nil) == (expected[serial] != nil))
    }
    var listed: [Int] = []
    index.forEach { listed.append($0) }
    #expect(listed.sorted() == expected.keys.sorted())
  }

  /// A copy is independent, although it shares pages.
  @Test func aCopyStaysAsItWas() {
    var index = SharedIndex()
    for serial in 1...500 { index.insert(serial, hash: UInt32(serial % 97)) }
    let before = index
    for serial in 1...250 { index.remove(serial, hash: UInt32(serial % 97)) }
    for serial in 501...600 { index.insert(serial, hash: UInt32(serial % 97)) }
    #expect(before.count == 500)
    for serial in 1...600 {
      #expect((before.find(UInt32(serial % 97)) { $0 == serial } != nil) == (serial <= 500))
      #expect((index.find(UInt32(serial % 97)) { $0 == serial } != nil) == (serial > 250))
    }
  }

  @Test func anEmptyIndexFindsNothing() {
    var index = NameIndex()
    #expect(index.find(3) { _ in true } == nil)
    index.remove(1, hash: 3)
    #expect(index.count == 0)
    index.reserve(100)
    #expect(index.find(3) { _ in true } == nil)
    for serial in 1...200 { index.insert(serial, hash: UInt32(serial)) }
    #expect(index.find(77) { $0 == 77 } == 77)
  }
}
