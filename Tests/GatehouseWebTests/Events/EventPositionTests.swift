import Testing

@testable import GatehouseWeb

/// Where a reader goes on after the id of an event.
struct EventPositionTests {
  @Test func afterARecordAndInTheMiddleOfOne() throws {
    let whole = try #require(EventPosition("17"))
    #expect(whole.after == 17 && whole.skipped == 0)
    let part = try #require(EventPosition("17.2"))
    #expect(part.after == 16 && part.skipped == 2)
    #expect(EventPosition("0")?.after == 0)
  }

  @Test(arguments: ["", "x", "-1", "+1", "1.", ".1", "1.2.3", "1.0", "0.1", "1.x", " 1", "99999999999999999999", "1e3"])
  func noIds(_ text: String) { #expect(EventPosition(text) == nil) }
}
