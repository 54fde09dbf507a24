import GatehouseStorage
import GatehouseTestSupport
import Glibc
import Testing
@testable import GatehouseServer

/// What a server does that has skipped something of a newer version.
struct NewerRecordsTests {
  private static func save(_ context: ServerContext) async -> String? {
    do {
      try await context.persistence.save(context)
      return nil
    } catch {
      return "\(error)"
    }
  }

  @Test(
    arguments: [
      ("0.1.0", "0.1.0", false), ("0.1.1", "0.1.0", true), ("0.1.0", "0.1.1", false), ("0.10.0", "0.9.3", true),
      ("1", "0.99", true), ("1.0", "1", false), ("1.0.1", "1", true), ("", "0.1.0", false),
    ])
  func versionsAreComparedByNumbers(_ other: String, _ own: String, _ isNewer: Bool) {
    #expect(Version.isNewer(other, than: own) == isNewer)
  }

  @Test func aNodeTakesNoSnapshotThatWouldLoseIt() async throws {
    let test = try await TestContext()
    let context = test.context
    #expect(await test.execute("USER.CREATE ana").hasPrefix("REFUSED") == false)
    #expect(context.newerRecords.firstLSN == 0)
    context.note(newer: .record(7))
    context.note(newer: .snapshot(9))
    #expect(context.newerRecords.first == .record(7) && context.newerRecords.firstLSN == 7)
    // Alone, it goes on without what it does not know.
    #expect(await Self.save(context) == nil)
    context.facts.node.follow()
    let refusal = await Self.save(context)
    #expect(
      refusal
        == """
        a newer version than this one (\(Version.current)) has written record 7, and this one skips a part of it, which it \
        would lose: upgrade this node
        """)
    #expect(!context.persistence.isDue(context))
    await test.stop()
  }

  @Test func aSnapshotOfNoRecordCountsToo() {
    let newer = NewerRecords()
    let isFirst = newer.note(.snapshot(0))
    #expect(isFirst && newer.firstLSN == 1)
    #expect(
      newer.loss
        == """
        a newer version than this one (\(Version.current)) has written the snapshot of record 0, and this one skips a part \
        of it, which it would lose: upgrade this node
        """)
  }

  /// A follower applies such a record while the partitions are copied.
  @Test func aSnapshotThatWouldLoseItIsGivenUp() async throws {
    let test = try await TestContext()
    let context = test.context
    context.facts.node.follow()
    let (isHeld, mayLeave) = (Mutexed(false), Mutexed(false))
    let holder = Task {
      try await onOwnThread {
        var waited: UInt64 = 0
        let hold = context.partitions[0].handle.enter(addingWaitTo: &waited)
        isHeld.withLock { $0 = true }
        while !mayLeave.withLock({ $0 }) { usleep(1_000) }
        hold.leave()
      }
    }
    while !isHeld.withLock({ $0 }) { try await Task.sleep(for: .milliseconds(1)) }
    let saving = Task { await Self.save(context) }
    while !context.persistence.status.isSaving { try await Task.sleep(for: .milliseconds(1)) }
    context.note(newer: .record(7))
    mayLeave.withLock { $0 = true }
    try await holder.value
    #expect(await saving.value?.contains("has written record 7, and this one skips a part of it") == true)
    #expect(context.persistence.status.savesTaken == 0)
    await test.stop()
  }
}
