import GatehouseCore
import GatehouseStorage
import GatehouseTestSupport
import Synchronization
import Testing

/// The recovered state is the same with any number of threads.
@Suite("Replay", .blocking)
struct ReplayTests {
  @Test("several threads recover the same state as one, with and without a snapshot")
  func sameState() throws {
    let server = try TestServer(.init(lanes: 2, arguments: ["--segment-bytes", "1mb"]))
    let gate = try server.client()
    try gate.ok("PRODUCT.CREATE payroll")
    try fill(gate, "a")
    server.kill()
    try compare(server, expectsSnapshot: false)
    try server.start()
    let again = try server.client()
    try fill(again, "b")
    try again.ok("SAVE")
    try fill(again, "c")
    server.kill()
    try compare(server, expectsSnapshot: true)
  }

  /// Changes for every kind of owner: names that move between partitions, seats, roles, sessions, time.
  private func fill(_ gate: Client, _ prefix: String) throws {
    try gate.ok("POOL.SET payroll * \(prefix == "a" ? 900 : 1000)")
    for number in 0..<40 {
      let name = "\(prefix)\(number)"
      try gate.ok("USER.CREATE \(name) FIRST \(name) PRODUCT payroll ROLE manager")
      let token = try #require(try gate.fields("SESSION.CREATE \(name) payroll")["session"])
      try gate.ok("TIMER.START \(name) NOTE \(name)")
      if number.isMultiple(of: 2) { try gate.ok("TIMER.STOP \(name)") }
      if number.isMultiple(of: 3) { try gate.ok("SESSION.REVOKE \(token)") }
      if number.isMultiple(of: 4) { try gate.ok("USER.RENAME \(name) moved-\(name)") }
      if number % 4 == 1 { try gate.ok("ROLE.GRANT \(name) super-administrator") }
    }
  }

  private func compare(_ server: TestServer, expectsSnapshot: Bool) throws {
    let folder = try DataFolder.open(server.dataPath)
    defer { folder.close() }
    var states: [(state: ContiguousArray<UInt8>, end: LogEnd, records: Int)] = []
    for threads in [0, 1, 3, 64] {
      var recovery = try Recovery.open(folder)
      defer { recovery.snapshot?.close() }
      #expect((recovery.snapshot != nil) == expectsSnapshot)
      var restored = Restoration(folder)
      if let snapshot = recovery.snapshot { try restored.load(snapshot) }
      let end = try restored.replay(&recovery, threads: threads)
      var writer = ByteWriter()
      restored.directory.encode(into: &writer)
      for cell in restored.partitions { cell.state.encode(into: &writer) }
      states.append((writer.bytes, end, restored.records))
    }
    for other in states.dropFirst() {
      #expect(other.state == states[0].state && other.end == states[0].end && other.records == states[0].records)
    }
    #expect(states[0].records > 100)
  }
}

/// A follower of a folder that a live server writes.
@Suite("Following", .blocking)
struct FollowingTests {
  /// A follower on a thread of its own.
  private final class Follower: Sendable {
    struct Progress {
      var seen: LSN = 0
      var looks = 0
      var goal = LSN.max
      var result: Result<Restoration, any Error>?
    }

    private let progress = Mutex(Progress())

    init(_ folder: DataFolder) {
      PosixThread { [self] in
        let result = Result {
          var (state, source) = try Restoration.following(folder)
          try state.follow(&source, every: 2_000_000) { last in
            progress.withLock { progress in
              progress.seen = last
              progress.looks += 1
              return last < progress.goal
            }
          }
          return state
        }
        progress.withLock { $0.result = result }
      }.detach()
    }

    var looks: Int { progress.withLock { $0.looks } }

    /// The state when record `last` was applied.
    func state(through last: LSN) throws -> Restoration {
      progress.withLock { $0.goal = last }
      try eventually("the follower is there") { progress.withLock { $0.result != nil } }
      return try progress.withLock { try $0.result!.get() }
    }
  }

  @Test("a follower reaches the server's state at every record, across segments, snapshots and compactions")
  func liveServer() throws {
    let server = try TestServer(.init(lanes: 2, arguments: ["--segment-bytes", "1mb"]))
    let gate = try server.client()
    let folder = try DataFolder.look(at: server.dataPath)
    let follower = Follower(folder)
    try eventually("the follower looks") { follower.looks > 0 }
    try gate.ok("PRODUCT.CREATE payroll")
    try gate.ok("POOL.SET payroll * 10000")
    let filler = String(repeating: "x", count: 200)
    for number in 0..<600 {
      try gate.ok("USER.CREATE u\(number) FIRST \(filler)\(number) PRODUCT payroll")
      try gate.ok("TIMER.START u\(number) NOTE \(number)-\(filler)")
      if number.isMultiple(of: 2) { try gate.ok("TIMER.STOP u\(number)") }
      if number.isMultiple(of: 3) { try gate.ok("USER.RENAME u\(number) moved-\(number)") }
      // Ends the segment and moves it to the archive, partly before the follower has read it.
      if number % 150 == 149 { try gate.ok("COMPACT") }
    }
    try server.terminate()
    let last = try History(folder, keys: RecordIndex.keys(of: folder)).lastLSN()
    let followed = try follower.state(through: last)
    #expect(followed.records == Int(last), "every record was applied once")
    #expect(Self.hash(followed) == Self.hash(try Restoration.look(at: folder)))
    #expect(try #require(try ArchiveCatalog(folder).lastLSN()) > 1000, "most of it has gone to the archive meanwhile")
  }

  private static func hash(_ state: Restoration) -> Hash128 {
    var writer = ByteWriter()
    state.directory.encode(into: &writer)
    for cell in state.partitions { cell.state.encode(into: &writer) }
    return writer.bytes.withUnsafeBytes { Hash128(of: $0) }
  }
}
