import GatehouseTestSupport
import Testing

/// The figures for exporters and people, and other commands for operators.
@Suite("Wire: INFO, CONFIG and the operators' commands", .blocking)
struct InfoTests {
  let server: TestServer
  let gate: Client

  init() throws {
    server = try TestServer()
    gate = try server.client()
  }

  static let fields: [(section: String, names: [String])] = [
    (
      "Server",
      [
        "redis_version", "gatehouse_version", "redis_mode", "os", "arch_bits", "process_id", "run_id", "tcp_port",
        "uptime_in_seconds", "uptime_in_days", "hz", "executable", "config_file",
      ]
    ),
    ("Clients", ["connected_clients", "maxclients", "blocked_clients", "pubsub_clients"]),
    (
      "Memory",
      [
        "used_memory", "used_memory_rss", "used_memory_peak", "maxmemory", "maxmemory_policy",
        "mem_fragmentation_ratio",
      ]
    ),
    (
      "Persistence",
      [
        "loading", "async_loading", "rdb_changes_since_last_save", "rdb_bgsave_in_progress", "rdb_last_save_time",
        "rdb_last_bgsave_status", "rdb_last_bgsave_time_sec", "aof_enabled", "aof_current_size", "aof_base_size",
        "aof_last_write_status", "aof_pending_bio_fsync", "aof_delayed_fsync",
      ]
    ),
    (
      "Stats",
      [
        "total_connections_received", "total_commands_processed", "instantaneous_ops_per_sec",
        "total_net_input_bytes", "total_net_output_bytes", "rejected_connections", "total_error_replies",
        "acl_access_denied_auth",
      ]
    ),
    ("Replication", ["role", "connected_slaves", "master_replid"]),
    ("CPU", ["used_cpu_sys", "used_cpu_user"]),
    ("Keyspace", ["db0"]),
  ]

  @Test("every section has the fields that tools read", arguments: fields.indices)
  func sections(index: Int) throws {
    let (section, names) = Self.fields[index]
    try gate.ok("USER.CREATE ana")
    let one = try Self.parse(#require(try gate.text("INFO \(section.lowercased())")))
    #expect(Set(one.keys) == [section])
    for name in names { #expect(one[section]?[name] != nil, "\(section): \(name)") }
    let all = try Self.parse(#require(try gate.text("INFO")))
    #expect(all[section] != nil)
  }

  @Test("figures follow events")
  func figures() throws {
    let before = try Self.parse(#require(try gate.text("INFO everything")))
    #expect(before["Server"]?["tcp_port"] == String(server.port))
    #expect(before["Server"]?["process_id"] == server.pid.map { String($0) })
    #expect(before["Replication"]?["role"] == "master")
    #expect(before["Persistence"]?["loading"] == "0")
    for _ in 0..<10 { try gate.ok("USER.COUNT") }
    _ = try gate.reply("NONSENSE")
    _ = try gate.reply("USER.GET nobody")

    let after = try Self.parse(#require(try gate.text("INFO everything")))
    func count(_ info: [String: [String: String]]) -> Int { Int(info["Stats"]?["total_commands_processed"] ?? "") ?? 0 }
    #expect(count(after) >= count(before) + 11)
    #expect(after["Commandstats"]?["cmdstat_user.count"]?.hasPrefix("calls=10,usec=") == true)
    let order = after["Commandstats"]?["cmdstat_user.count"]?.split(separator: ",").compactMap {
      $0.split(separator: "=").first.map(String.init)
    }
    #expect(order == ["calls", "usec", "usec_per_call", "rejected_calls", "failed_calls"])
    #expect(after["Errorstats"]?["errorstat_ERR"]?.hasPrefix("count=") == true)
    #expect(after["Errorstats"]?["errorstat_NOTFOUND"] == "count=1")

    try gate.ok("CONFIG RESETSTAT")
    let reset = try Self.parse(#require(try gate.text("INFO commandstats")))
    #expect(reset["Commandstats"]?["cmdstat_user.count"] == nil)
  }

  @Test("every error reply is counted, wherever it was created", arguments: [1, 3])
  func errors(lanes: Int) throws {
    let server = try TestServer(.init(lanes: lanes))
    let gate = try server.client()
    for number in 0..<8 { try gate.ok("USER.CREATE u\(number)") }
    // A client that waited for the start may have got LOADING.
    try gate.ok("CONFIG RESETSTAT")
    // A server command, one over several owners, one over all partitions, one without an owner, and an unknown one.
    _ = try gate.reply("AUTH nobody secret")
    for number in 0..<8 { _ = try gate.reply("USER.RENAME u\(number) u\((number + 1) % 8)") }
    _ = try gate.reply("AS nothing USER.COUNT")
    _ = try gate.reply("PRODUCT.ENABLE u1 nothing")
    let raw = try server.rawConnection()
    try raw.send("*1\r\n:4\r\n")
    _ = try raw.receiveUntilClosed()

    let info = try Self.parse(#require(try gate.text("INFO everything")))
    let counts = info["Errorstats"] ?? [:]
    #expect(
      counts == [
        "errorstat_WRONGPASS": "count=1", "errorstat_CONFLICT": "count=8", "errorstat_NOPERM": "count=1",
        "errorstat_NOTFOUND": "count=1", "errorstat_ERR": "count=1",
      ])
    #expect(info["Stats"]?["total_error_replies"] == "12")
    for (command, failed) in [("auth", 1), ("user.rename", 8), ("user.count", 1), ("product.enable", 1)] {
      #expect(info["Commandstats"]?["cmdstat_\(command)"]?.hasSuffix(",failed_calls=\(failed)") == true, "\(command)")
    }
  }

  @Test("MEMORY shows users, also those whose names have moved")
  func memory() throws {
    for number in 0..<12 {
      try gate.ok("USER.CREATE u\(number)")
      try gate.ok("USER.RENAME u\(number) moved\(number)")
    }
    #expect(try gate.fields("MEMORY STATS")["users.count"] == "12")
    for number in 0..<12 {
      let id = try #require(try gate.fields("USER.GET moved\(number)")["id"])
      #expect(try gate.integer("MEMORY USAGE Moved\(number)") == gate.integer("MEMORY USAGE #\(id)"))
      #expect(try gate.isNull("MEMORY USAGE u\(number)"))
    }
    for id in ["#0", "#9223372036854775807", "#18446744073709551615", "#x"] {
      #expect(try gate.isNull("MEMORY USAGE \(id)"))
    }
  }

  @Test("Gatehouse's own sections exist")
  func ownSections() throws {
    let info = try Self.parse(#require(try gate.text("INFO everything")))
    let names = Set(info.keys.map { $0.lowercased() })
    #expect(names.isSuperset(of: ["users", "sessions", "timers", "log", "snapshot", "lanes", "refusals"]))
  }

  @Test("CONFIG GET answers pairs, SET changes live settings at run time")
  func config() throws {
    let gate = try server.client(.resp2)
    #expect(try gate.ok("CONFIG GET save").items.count == 2)
    #expect(try gate.ok("CONFIG GET appendonly").items.count == 2)
    #expect(try gate.fields("CONFIG GET slowlog-length")["slowlog-length"] == "128")
    try gate.ok("CONFIG SET slowlog-length 64")
    #expect(try gate.fields("CONFIG GET slowlog-length")["slowlog-length"] == "64")
    #expect(try gate.fields("CONFIG GET *").names.count > 10)
    try gate.refused("CONFIG SET slowlog-length many", with: "ERR")
    try gate.refused("CONFIG SET data /elsewhere", with: "ERR")
    try gate.refused("CONFIG SET nonsense 1", with: "ERR")
    #expect(try gate.ok("CONFIG GET nonsense").items.isEmpty)
  }

  @Test("DBSIZE, TIME, ROLE, MODULE LIST, LASTSAVE, WAITAOF")
  func smallOnes() throws {
    try gate.ok("USER.CREATE ana")
    #expect(try gate.integer("DBSIZE") >= 1)
    let time = try gate.ok("TIME").items.compactMap(\.scalarText)
    #expect(time.count == 2 && abs((Int64(time[0]) ?? 0) * 1_000 - nowMilliseconds()) < 60_000)
    #expect(try gate.ok("ROLE").items.first?.scalarText == "master")
    #expect(try gate.ok("MODULE LIST").items.isEmpty)
    let before = try gate.integer("LASTSAVE")
    #expect(abs(before - nowMilliseconds() / 1_000) < 600, "before any snapshot it is the server's start")
    #expect(try gate.ok("WAITAOF 1 0 1000").items.first?.scalarText == "1")
    #expect(try gate.text("SAVE") == "OK")
    #expect(try gate.integer("LASTSAVE") >= max(before, nowMilliseconds() / 1_000 - 60))
  }

  @Test("SLOWLOG keeps slow commands, and no secrets")
  func slowlog() throws {
    try gate.ok("CONFIG SET slowlog-threshold 0")
    try gate.ok("PRODUCT.CREATE p")
    try gate.ok("USER.CREATE ana PRODUCT p")
    let token = try #require(try gate.fields("SESSION.CREATE ana p")["session"])
    try gate.ok("SESSION.CHECK \(token)")
    #expect(try gate.integer("SLOWLOG LEN") > 0)
    let entries = try gate.shown("SLOWLOG GET 100")
    #expect(entries.contains("USER.CREATE"))
    #expect(!entries.contains(token))
    #expect(try gate.text("SLOWLOG RESET") == "OK")
  }

  /// Bytes after a slow command may be read before the command is recorded.
  @Test("SLOWLOG keeps a command's own words", arguments: ["\r\n", "*0\r\n", "*3\r\n$4\r\nAUTH\r\n", "\"\r\n"])
  func slowlogBeforeOthers(rest: String) throws {
    try gate.ok("CONFIG SET slowlog-threshold 0")
    try gate.ok("SLOWLOG RESET")
    let connection = try server.rawConnection()
    try connection.send("LOGIN.CHECK ana payroll\r\n\(rest)")
    try #expect(connection.receiveLine() == "$17")
    #expect(try gate.shown("SLOWLOG GET 10").contains("LOGIN.CHECK"))
  }

  @Test("SLOWLOG and the latency figures time a command until its answer, wherever that is created")
  func slowlogOfLateCommands() throws {
    try gate.ok("USER.CREATE ana")
    // A snapshot is synced, which takes long; on the lane's own thread SAVE takes only microseconds.
    try gate.ok("CONFIG SET slowlog-threshold 1000")
    try gate.ok("SLOWLOG RESET")
    try gate.ok("SAVE")
    try #require(gate.shown("SLOWLOG GET 10").contains("SAVE"))
    let stats = try Self.parse(#require(try gate.text("INFO latencystats")))
    let figures = try #require(stats["Latencystats"]?["latency_percentiles_usec_save"])
    #expect(try #require(Double(figures.dropFirst(4).prefix { $0 != "," })) >= 1000, "\(figures)")
  }

  @Test("INFO shows how long replies waited for the log, and commands for partitions")
  func waits() throws {
    try gate.ok("USER.CREATE ana")
    let info = try Self.parse(#require(try gate.text("INFO everything")))
    #expect(try #require(Int(info["Log"]?["log_waits"] ?? "")) >= 1)
    #expect(try #require(Int(info["Log"]?["log_wait_usec_longest"] ?? "")) >= 1)
    #expect(info["Log"]?["log_wait_percentiles_usec"]?.hasPrefix("p50=") == true)
    #expect(info["Lanes"]?["hold_wait_percentiles_usec"]?.hasPrefix("p50=") == true)
    try gate.ok("CONFIG RESETSTAT")
    let after = try Self.parse(#require(try gate.text("INFO log")))
    #expect(after["Log"]?["log_waits"] == "0")
  }

  @Test("INFO shows how long the upkeep has kept a partition")
  func visits() throws {
    for number in 0..<200 { try gate.ok("USER.CREATE user\(number) FIRST First\(number) LAST Last\(number) NOINVITE") }
    try eventually("the upkeep has indexed somebody") {
      let info = try Self.parse(#require(try gate.text("INFO lanes")))
      return try #require(Int(info["Lanes"]?["longest_visit_usec"] ?? "")) >= 1
    }
  }

  @Test("MONITOR shows commands as they arrive, and no secrets")
  func monitor() throws {
    try gate.ok("PRODUCT.CREATE p")
    try gate.ok("USER.CREATE ana PRODUCT p")
    let token = try #require(try gate.fields("SESSION.CREATE ana p")["session"])
    let watcher = try server.rawConnection()
    try watcher.send("MONITOR\r\n")
    try #expect(watcher.receiveLine() == "+OK")
    try gate.ok("SESSION.CHECK \(token)")
    try gate.ok("LOGIN.CHECK ana p")
    var lines: [String] = []
    while !(lines.last ?? "").contains("LOGIN.CHECK") { lines.append(try watcher.receiveLine()) }
    #expect(lines.allSatisfy { $0.hasPrefix("+") })
    #expect(lines.contains { $0.contains("SESSION.CHECK") })
    #expect(!lines.joined().contains(token))
  }

  // MARK: -

  /// `# Section` lines and `name:value` lines.
  static func parse(_ text: String) -> [String: [String: String]] {
    var sections: [String: [String: String]] = [:]
    var current = ""
    for line in text.split(whereSeparator: \.isNewline) {
      if line.hasPrefix("# ") {
        current = String(line.dropFirst(2))
        sections[current] = [:]
      } else if let colon = line.firstIndex(of: ":") {
        sections[current, default: [:]][String(line[..<colon])] = String(line[line.index(after: colon)...])
      }
    }
    return sections
  }
}
