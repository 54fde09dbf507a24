import GatehouseCore
import Testing

@testable import GatehouseServer

/// When what a lane has for another leaves.
@Suite struct LanePostTests {
  @Test("parcels wait for one call, and leave at once when they are worth it")
  func whenParcelsLeave() {
    var post = LanePost(lanes: 3)
    #expect(post.add(for: 1, weight: 10) { _ in } == .call)
    #expect(post.add(for: 2, weight: 10) { _ in } == .wait)
    #expect(post.add(for: 1, weight: 300) { _ in } == .leave)
    #expect(post.take(for: 1) != nil)
    #expect(post.take(for: 1) == nil)
    // The call is still to come, and takes what came meanwhile.
    #expect(post.add(for: 1, weight: 1) { _ in } == .wait)
    post.noteCall()
    #expect(post.take(for: 0) == nil)
    #expect(post.take(for: 1) != nil && post.take(for: 2) != nil)
    #expect(post.add(for: 0, weight: 1) { _ in } == .call)
  }

  @Test("what is worth a wake by itself needs no call")
  func atOnce() {
    var post = LanePost(lanes: 1)
    #expect(post.add(for: 0, weight: 1000) { _ in } == .leave)
    #expect(post.take(for: 0) != nil)
    #expect(post.add(for: 0, weight: 1) { _ in } == .call)
  }
}
