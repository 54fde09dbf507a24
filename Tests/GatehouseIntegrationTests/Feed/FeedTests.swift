import Foundation
import GatehouseTestSupport
import GatehouseWire
import Synchronization
import Testing

/// `FEED.READ` over TCP: all durable changes, in order, for good.
@Suite("Feed", .blocking)
struct FeedTests {
  /// A page: where to go on, and the items.
  private struct Page {
    let last: String
    let items: [Fields]

    var lsns: [Int64] { items.compactMap { Int64($0["lsn"] ?? "") } }

    init(_ value: RESPValue) throws {
      guard let parts = value.elements, parts.count == 2, let last = parts[0].string, let items = parts[1].elements
      else {
        throw TestFailure("no page: \(value.formatted())")
      }
      self.last = last
      self.items = items.compactMap { Fields($0) }
    }
  }

  private static func read(_ client: Client, _ command: String) throws -> Page { try Page(client.ok(command)) }

  /// Reads from a record to the end.
  private static func readAll(_ client: Client, after start: String = "0", _ options: String = "") throws -> [Int64] {
    var position = start
    var lsns: [Int64] = []
    while true {
      let page = try read(client, "FEED.READ \(position) COUNT 100 \(options)")
      lsns += page.lsns
      if page.items.isEmpty, page.last == position { return lsns }
      position = page.last
    }
  }

  @Test(
    "B5: a reader goes on by LSN across a snapshot, an archiving and a restart, and misses nothing", arguments: [1, 2])
  func resume(lanes: Int) throws {
    let server = try TestServer(.init(lanes: lanes, arguments: ["--segment-bytes", "1mb"]))
    var gate = try server.client()
    try gate.ok("PRODUCT.CREATE payroll")
    var position = "0"
    var seen: [Int64] = []
    for round in 0..<6 {
      _ = try gate.pipeline((0..<300).map { ["USER.CREATE", "u\(round)-\($0)", "PRODUCT", "payroll", "NOINVITE"] })
      let half = try Self.read(gate, "FEED.READ \(position) COUNT 120")
      seen += half.lsns
      position = half.last
      switch round {
      case 1: try gate.ok("SAVE")
      case 2, 4: try gate.ok("COMPACT")
      case 3:
        server.kill()
        try server.start()
        gate = try server.client()
      default: break
      }
    }
    let first = try #require(seen.first)
    seen += try Self.readAll(gate, after: position)
    let last = try #require(Int64(gate.fields("AUDIT.HEAD")["lsn"] ?? ""))
    #expect(first == 1 && seen == Array(1...last), "each record once, in order")
    #expect(try Self.readAll(gate) == seen, "from the beginning, out of the archive")
    let users = try Self.readAll(gate, "TYPE user-created")
    #expect(users.count == 1800)
  }

  @Test("B5: 50 blocked readers are all answered with a change once it is durable, and each once", arguments: [1, 2])
  func manyReaders(lanes: Int) throws {
    let server = try TestServer(.init(lanes: lanes))
    let gate = try server.client()
    try gate.ok("PRODUCT.CREATE payroll")
    let start = try #require(gate.fields("AUDIT.HEAD")["lsn"])
    let answers = Mutex<[Page]>([])
    let writer = Thread {
      guard let gate = try? server.client() else { return }
      try? eventually("all wait", within: .seconds(20)) {
        try gate.text("INFO clients")?.contains("blocked_clients:50\r\n") == true
      }
      _ = try? gate.ok("USER.CREATE ana PRODUCT payroll NOINVITE")
    }
    writer.start()
    try inParallel(50) { _ in
      let page = try Self.read(try server.client(), "FEED.READ \(start) BLOCK 60s")
      answers.withLock { $0.append(page) }
    }
    let pages = answers.withLock { $0 }
    #expect(pages.count == 50)
    #expect(pages.allSatisfy { $0.items.count == 1 && $0.items[0]["command"] == "USER.CREATE" })
    #expect(pages.allSatisfy { $0.items[0]["type"] == "contact-created" })
    #expect(try gate.text("INFO log")?.contains("feed_waiting_readers:0\r\n") == true)
  }

  @Test("B5: who waits in vain is answered when the time is over, and others are served meanwhile")
  func timeout() throws {
    let server = try TestServer(.init(lanes: 1))
    let gate = try server.client()
    try gate.ok("PRODUCT.CREATE payroll")
    try gate.ok("CONFIG SET slowlog-log-slower-than 300000")
    let reader = try server.rawConnection()
    try reader.send("FEED.READ $ BLOCK 600\r\nPING\r\n")
    let start = ContinuousClock.now
    #expect(try gate.text("PING") == "PONG")
    let line = try reader.receiveLine()
    #expect(ContinuousClock.now - start > .milliseconds(500) && line == "*2")
    #expect(try String(decoding: reader.receive(18), as: UTF8.self) == "$1\r\n1\r\n*0\r\n+PONG\r\n")
    let slow = try gate.shown("SLOWLOG GET")
    #expect(!slow.contains("FEED.READ"), "waiting is no slow command")
  }

  @Test("clients that close or are killed while they wait leave nothing behind, and a stop does not wait for readers")
  func closing() throws {
    let server = try TestServer(.init(lanes: 2))
    let gate = try server.client()
    func waiting(_ count: Int) throws -> Bool {
      try gate.text("INFO log")?.contains("feed_waiting_readers:\(count)\r\n") == true
    }
    do {
      let readers = try (0..<20).map { _ in try server.rawConnection() }
      for reader in readers { try reader.send("CLIENT SETNAME reader\r\nFEED.READ $ BLOCK 10m\r\n") }
      try eventually("they wait") { try waiting(20) }
    }
    try eventually("those that have closed wait no longer") { try waiting(0) }
    let killed = try server.rawConnection()
    try killed.send("CLIENT ID\r\n")
    let id = try killed.receiveLine().dropFirst()
    try killed.send("FEED.READ $ BLOCK 10m\r\n")
    try eventually("it waits") { try waiting(1) }
    try gate.ok("CLIENT KILL ID \(id)")
    try eventually("it is gone") { try waiting(0) }
    let last = try server.rawConnection()
    try last.send("FEED.READ $ BLOCK 10m\r\n")
    try eventually("it waits") { try waiting(1) }
    let start = ContinuousClock.now
    #expect(try server.terminate() == .exited(0))
    #expect(ContinuousClock.now - start < .seconds(10))
    #expect(try last.receiveLine() == "*2", "it is answered with what there is")
  }

  @Test("inside EXEC it does not wait")
  func exec() throws {
    let server = try TestServer(.init(lanes: 1))
    let gate = try server.client()
    try gate.ok("MULTI")
    try gate.ok("FEED.READ $ BLOCK 10m")
    let start = ContinuousClock.now
    #expect(try gate.ok("EXEC").elements?.count == 1)
    #expect(ContinuousClock.now - start < .seconds(5))
  }

  @Test("B5: a record that is not there yet, and one that was deleted, are refused, saying how to go on")
  func refused() throws {
    let server = try TestServer(.init(lanes: 1, arguments: ["--segment-bytes", "1mb"]))
    var gate = try server.client()
    try gate.ok("PRODUCT.CREATE payroll")
    try gate.refused("FEED.READ 99", with: "REFUSED feed: there is no record 99 yet; the newest is 1;")
    for number in 0..<200 { try gate.ok("USER.CREATE u\(number) PRODUCT payroll NOINVITE") }
    try gate.ok("COMPACT")
    try gate.ok("USER.CREATE last PRODUCT payroll NOINVITE")
    #expect(try server.terminate() == .exited(0))
    let words = ["compact", "--quiet", "--data", server.dataPath, "--retention", "1"]
    let compaction = try runProgram(try GatehouseProgram.path() + "ctl", words)
    #expect(compaction.succeeded, "\(compaction.errors)")
    try server.start()
    gate = try server.client()
    try gate.refused("FEED.READ 0", with: "REFUSED feed: the records up to ")
    guard let text = try gate.reply("FEED.READ 0").errorText,
      let next = text.split(separator: " ").compactMap({ Int($0) }).last
    else { throw TestFailure("no number to go on with") }
    #expect(try Self.readAll(gate, after: "\(next)").first == Int64(next) + 1)
  }

  @Test("B5, W4: readers of two tenants each see their own and get on, while both write")
  func twoTenants() throws {
    let server = try TestServer(.init(lanes: 2))
    let gate = try server.client()
    for workspace in ["acme", "beta"] { try gate.ok("WORKSPACE.CREATE \(workspace)") }
    let admin = try gate.fields("SERVICE.CREATE ops ADMIN")["secret"] ?? ""
    let secrets = try ["acme", "beta"].map { workspace in
      try gate.fields("SERVICE.CREATE \(workspace)-feed ADMIN WORKSPACE \(workspace)")["secret"] ?? ""
    }
    let start = try #require(gate.fields("AUDIT.HEAD")["lsn"])
    let done = Mutex(false)
    let found = Mutex<[Int: [String]]>([:])
    try inParallel(3) { worker in
      let client = try server.client(.resp2)
      guard worker < 2 else {
        try client.ok("AUTH \(admin)")
        for number in 0..<100 {
          try client.ok("USER.CREATE a\(number) WORKSPACE acme NOINVITE")
          try client.ok("USER.CREATE b\(number) WORKSPACE beta NOINVITE")
        }
        done.withLock { $0 = true }
        return
      }
      try client.ok("AUTH \(secrets[worker])")
      var position = start
      while true {
        let wasDone = done.withLock { $0 }
        let value = try client.ok("FEED.READ \(position) BLOCK 200 TYPE user-created")
        let page = try Page(value)
        position = page.last
        found.withLock { $0[worker, default: []] += page.items.map { _ in "x" } }
        let other = worker == 0 ? "beta" : "acme"
        #expect(!value.formatted().contains(other))
        if wasDone, page.items.isEmpty { break }
      }
    }
    #expect(found.withLock { $0.mapValues(\.count) } == [0: 100, 1: 100])
  }

  @Test("a slow reader is answered no more than it reads, and the server and other readers go on")
  func slowReader() throws {
    let server = try TestServer(.init(lanes: 1))
    let gate = try server.client()
    try gate.ok("PRODUCT.CREATE payroll")
    _ = try gate.pipeline(
      (0..<2000).map {
        ["USER.CREATE", "u\($0)", "PRODUCT", "payroll", "NOINVITE", "REASON", String(repeating: "r", count: 500)]
      })
    let slow = try server.rawConnection(receiveBuffer: 4096)
    try slow.send(String(repeating: "FEED.READ 0 COUNT 1000\r\n", count: 200))
    pause(.milliseconds(500))
    #expect(try Self.readAll(gate).count == 2001)
    let waiting = try gate.text("INFO clients")?.split(separator: "\r\n")
      .first { $0.hasPrefix("clients_waiting_bytes:") }?.split(separator: ":").last.flatMap { Int($0) }
    #expect(try #require(waiting) < 8 << 20, "replies are made as they are read")
  }
}
