import Testing

@testable import GatehouseServer

@Suite struct ExpiryWarningTests {
  @Test("a server that runs on warns of its certificate once a day, from two weeks before it ends")
  func daily() {
    let day: Int64 = 86_400
    let expires = 100 * day
    var warning = ExpiryWarning()
    #expect(warning.days(until: nil, at: 0) == nil)
    #expect(warning.days(until: expires, at: 86 * day) == nil)
    #expect(warning.days(until: expires, at: 86 * day + 1) == 13)
    #expect(warning.days(until: expires, at: 86 * day + 3) == nil, "it has just warned")
    #expect(warning.days(until: expires, at: 87 * day) == nil)
    #expect(warning.days(until: expires, at: 87 * day + 1) == 12)
    #expect(warning.days(until: expires, at: 86 * day + 2) == 13, "the clock was set back")
    #expect(warning.days(until: expires, at: 99 * day + 1) == 0)
    #expect(warning.days(until: expires, at: 100 * day + 1) == -1)
    #expect(warning.days(until: 200 * day, at: 102 * day) == nil, "it was renewed")
  }
}
