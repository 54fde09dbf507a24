import GatehouseTestSupport
import Testing

@testable import GatehouseCore

@Suite struct PagedArrayTests {
  /// Any mixture of appending, changing and copying behaves like an array, and no copy sees later changes.
  @Test(arguments: 1...20)
  func behavesLikeAnArray(seed: UInt64) {
    var random = SeededRandom(seed: seed)
    var paged = PagedArray<Int>()
    var model: [Int] = []
    var copies: [(PagedArray<Int>, [Int])] = []
    for step in 0..<1500 {
      switch Int.random(in: 0..<10, using: &random) {
      case 0..<6:
        paged.append(step)
        model.append(step)
      case 6..<9:
        guard let place = model.indices.randomElement(using: &random) else { continue }
        paged[place] = -step
        model[place] = -step
      default: copies.append((paged, model))
      }
    }
    #expect(Array(paged) == model)
    #expect(paged.count == model.count)
    for (copy, expected) in copies { #expect(Array(copy) == expected) }
    #expect(Array(PagedArray(model)) == model)
  }

  @Test(arguments: [0, 1, 63, 64, 65, 128, 1000])
  func repeatsAnElement(count: Int) {
    var paged = PagedArray(repeating: 7, count: count)
    #expect(Array(paged) == Array(repeating: 7, count: count))
    paged.append(8)
    #expect(paged.count == count + 1)
    #expect(paged.last == 8)
  }

  /// A change of a copy leaves all other pages shared.
  @Test func sharesWhatIsNotChanged() {
    let texts = (0..<1000).map { ContiguousArray("text \($0)".utf8) }
    let before = PagedArray(texts)
    var after = before
    after[500] = []
    let shared = texts.indices.filter {
      let (a, b) = (before.bytes(at: $0), after.bytes(at: $0))
      return a.baseAddress == b.baseAddress && a.count == b.count
    }
    #expect(shared == texts.indices.filter { $0 != 500 })
  }
}
