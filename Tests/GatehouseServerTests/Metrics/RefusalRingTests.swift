import GatehouseCore
import Testing

@testable import GatehouseServer

@Suite struct RefusalRingTests {
  private func refusal(_ number: Int) -> RefusedLogin {
    RefusedLogin(
      time: Milliseconds(number), user: UserID(raw: UInt64(number)), product: ProductID(number), denial: .noLicence)
  }

  @Test("the oldest are overwritten, and the newest come first")
  func ring() {
    let ring = RefusalRing(size: 3)
    #expect(ring.refusals(since: 0).isEmpty)
    for number in 1...2 { ring.keep(refusal(number)) }
    #expect(ring.refusals(since: 0).map(\.time) == [2, 1])
    for number in 3...7 { ring.keep(refusal(number)) }
    #expect(ring.refusals(since: 0).map(\.time) == [7, 6, 5])
    #expect(ring.refusals(since: 6).map(\.time) == [7, 6])
    #expect(ring.kept == 3 && ring.counts.total == 7)
    ring.resetCounts()
    #expect(ring.kept == 3 && ring.counts.total == 0)
  }

  @Test("without room they are only counted")
  func noRoom() {
    let ring = RefusalRing(size: 0)
    ring.keep(refusal(1))
    #expect(ring.refusals(since: 0).isEmpty && ring.counts.reasons == [.noLicence: 1])
  }

  @Test("a thousand products have their own counts, over all rings together")
  func products() {
    let rings = [RefusalRing(size: 1), RefusalRing(size: 1)]
    for number in 1...1250 { rings[number % 2].keep(refusal(number)) }
    rings[0].keep(refusal(0))
    var sum = RefusalCounts()
    for ring in rings { sum.add(ring.counts) }
    #expect(sum.products.count == 1000)
    #expect(sum.others == [.noLicence: 250])
    #expect(sum.reasons == [.noLicence: 1251])
  }
}
