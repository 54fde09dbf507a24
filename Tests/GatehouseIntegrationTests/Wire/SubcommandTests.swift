import GatehouseTestSupport
import GatehouseWire
import Testing

/// Subcommands are commands: they have their own look-up, checks, documentation and statistics.
@Suite("Wire: subcommands", .blocking)
struct SubcommandTests {
  let server: TestServer
  let gate: Client

  init() throws {
    server = try TestServer()
    gate = try server.client()
  }

  static let containers = ["CLIENT", "COMMAND", "CONFIG", "SLOWLOG", "LATENCY", "MEMORY", "MODULE"]

  @Test("each has a HELP that names all of them", arguments: containers)
  func help(name: String) throws {
    let lines = try gate.ok("\(name) HELP").items.map { line -> String in
      guard case .bulk = line else { return "no bulk string: \(line)" }
      return line.string ?? ""
    }
    #expect(lines.first == "\(name) <subcommand> [<arg> [value] [opt] ...]. Subcommands are:")
    #expect(lines.suffix(2).first == "HELP")
    let info = try #require(try gate.ok("COMMAND INFO \(name)").items.first).items
    let subcommands = info[9].items.compactMap { $0.items.first?.scalarText }
    #expect(subcommands.count > 1)
    for subcommand in subcommands {
      #expect(subcommand.hasPrefix("\(name.lowercased())|"))
      let word = subcommand.split(separator: "|")[1].uppercased()
      #expect(lines.contains { $0 == word || $0.hasPrefix("\(word) ") }, "\(word)")
    }
    try gate.refused("\(name) HELP me", with: "ERR wrong number of arguments for '\(name.lowercased())|help' command")
    try gate.refused("\(name) nonsense", with: "ERR unknown subcommand 'nonsense'. Try \(name) HELP.")
    try gate.refused("\(name.lowercased()) nonsense x", with: "ERR unknown subcommand 'nonsense'. Try \(name) HELP.")
    if name != "COMMAND" {
      try gate.refused(name, with: "ERR wrong number of arguments for '\(name.lowercased())' command")
    }
  }

  @Test("COMMAND INFO and DOCS find them by their full names")
  func table() throws {
    let entries = try gate.ok("COMMAND INFO client|list CONFIG|GET client|nonsense slowlog|get client|").items
    #expect(entries.map { $0.items.first?.scalarText } == ["client|list", "config|get", nil, "slowlog|get", nil])
    #expect(entries[0].items[1].integer == -2 && entries[1].items[1].integer == -3)
    #expect(try gate.ok("COMMAND INFO client|kill").items.first?.items[1].integer == -3)
    #expect(try gate.ok("COMMAND INFO client|id").items.first?.items[1].integer == 2)
    #expect(try gate.ok("COMMAND INFO client").items.first?.items[1].integer == -2)

    let docs = try #require(Fields(try gate.ok("COMMAND DOCS config")))
    #expect(docs.names == ["config"])
    let config = try #require(docs.value("config").flatMap(Fields.init))
    let subcommands = try #require(config.value("subcommands").flatMap(Fields.init))
    #expect(
      Set(subcommands.names) == ["config|get", "config|set", "config|resetstat", "config|rewrite", "config|help"])
    let one = try #require(Fields(try gate.ok("COMMAND DOCS config|get")))
    #expect(one.names == ["config|get"])
    let get = try #require(one.value("config|get").flatMap(Fields.init))
    #expect(get["summary"]?.isEmpty == false && get.value("arguments")?.items.count == 1)
    #expect(
      try gate.ok("COMMAND LIST FILTERBY PATTERN slowlog|*").items.compactMap(\.scalarText).sorted()
        == ["slowlog|get", "slowlog|help", "slowlog|len", "slowlog|reset"])
  }

  @Test("they are counted separately")
  func statistics() throws {
    try gate.ok("CONFIG RESETSTAT")
    for _ in 0..<3 { try gate.ok("CLIENT ID") }
    try gate.ok("CONFIG GET save")
    _ = try gate.reply("CONFIG GET")
    _ = try gate.reply("CONFIG SET nonsense 1")
    let info = InfoTests.parse(try #require(try gate.text("INFO everything")))
    let counts = info["Commandstats"] ?? [:]
    #expect(counts["cmdstat_client|id"]?.hasPrefix("calls=3,") == true)
    #expect(counts["cmdstat_config|get"]?.hasSuffix(",rejected_calls=1,failed_calls=0") == true)
    #expect(counts["cmdstat_config|set"]?.hasSuffix(",rejected_calls=0,failed_calls=1") == true)
    #expect(counts["cmdstat_client"] == nil && counts["cmdstat_config"] == nil)
    #expect(info["Latencystats"]?["latency_percentiles_usec_client|id"] != nil)
    let histogram = try gate.fields("LATENCY HISTOGRAM client")
    #expect(histogram.names == ["client|id"])
    #expect(try gate.fields("LATENCY HISTOGRAM nonsense").names.isEmpty)
  }

  @Test("HELP shows them as they are written")
  func words() throws {
    let all = try gate.shown("HELP")
    #expect(all.contains("CLIENT KILL filter…") && all.contains("SLOWLOG LEN"))
    #expect(try gate.shown("HELP client setname").contains("CLIENT SETNAME name"))
    #expect(try gate.shown("HELP slowlog").contains("SLOWLOG RESET"))
  }

  /// What metrics exporters ask, with a service that may only read.
  @Test("a service that may READ may ask what redis_exporter asks")
  func exporter() throws {
    try gate.ok("CONFIG SET slowlog-log-slower-than 0")
    try gate.ok("PING")
    try gate.ok("SERVICE.CREATE root ADMIN")
    let secret = try #require(try gate.fields("SERVICE.CREATE exporter READ")["secret"])
    let exporter = try server.client(.resp2)
    try exporter.ok("AUTH \(secret)")
    try exporter.ok("CLIENT SETNAME redis_exporter")
    #expect(try #require(try exporter.text("INFO ALL")).contains("cmdstat_ping"))
    #expect(try exporter.fields("CONFIG GET *")["maxclients"] == "10000")
    #expect(try exporter.integer("SLOWLOG LEN") > 0)
    #expect(try exporter.ok("SLOWLOG GET 1").items.count == 1)
    #expect(try exporter.ok("LATENCY LATEST").items.isEmpty)
    #expect(try exporter.fields("LATENCY HISTOGRAM").names.contains("ping"))
    #expect(try #require(try exporter.text("CLIENT LIST")).contains("name=redis_exporter"))
    #expect(try exporter.ok("COMMAND INFO COMMANDLOG").items.first?.isNull == true)
    #expect(try exporter.text("INFO MODULES") == "")
    #expect(try exporter.integer("DBSIZE") == 0)
    for command in ["SLOWLOG RESET", "CONFIG SET timeout 1", "CONFIG RESETSTAT", "CLIENT KILL SKIPME yes", "MONITOR"] {
      try exporter.refused(command, with: "NOPERM the service right ADMIN")
    }
  }
}
