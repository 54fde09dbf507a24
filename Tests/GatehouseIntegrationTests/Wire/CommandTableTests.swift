import GatehouseTestSupport
import GatehouseWire
import Testing

/// The command table as clients and exporters see it.
@Suite("Wire: COMMAND and HELP", .blocking)
struct CommandTableTests {
  let server: TestServer
  let gate: Client

  init() throws {
    server = try TestServer()
    gate = try server.client()
  }

  @Test("COMMAND has one entry of ten elements for each command, and COUNT and LIST agree with it")
  func command() throws {
    let entries = try gate.ok("COMMAND").items
    #expect(try gate.integer("COMMAND COUNT") == entries.count)
    let subcommands = entries.flatMap { $0.items[9].items }
    // As in Redis, subcommands are listed too.
    let names = try gate.ok("COMMAND LIST").items.compactMap(\.scalarText)
    #expect(names.count == entries.count + subcommands.count && Set(names).count == names.count)
    for entry in entries + subcommands {
      #expect(entry.items.count == 10)
      #expect(names.contains(entry.items.first?.scalarText ?? "none"))
      if case .integer = entry.items[1] {} else { Issue.record("the arity of \(entry) is no integer") }
    }
    for name in ["login.check", "session.create", "timer.stop", "user.create", "ping", "hello", "client", "info"] {
      #expect(names.contains(name))
    }
  }

  @Test("COMMAND INFO answers null for an unknown name", arguments: ClientVersion.allCases)
  func info(version: ClientVersion) throws {
    let gate = try server.client(version)
    let entries = try gate.ok("COMMAND INFO login.check nonsense PING").items
    #expect(entries.count == 3)
    #expect(entries[0].items.first?.scalarText == "login.check")
    #expect(entries[1].isNull)
    #expect(entries[2].items.first?.scalarText == "ping")
  }

  @Test("a name repeated many times is answered once", arguments: ["INFO", "DOCS"])
  func repeated(subcommand: String) throws {
    let names = Array(repeating: ["ping", "Login.Check"], count: 20_000).flatMap { $0 }
    let answer = try #require(try gate.pipeline([["COMMAND", subcommand] + names]).first)
    #expect((subcommand == "DOCS" ? answer.pairs?.count : answer.items.count) == 2)
  }

  @Test("COMMAND DOCS has everything that redis-cli requires")
  func docs() throws {
    let docs = try #require(Fields(try gate.ok("COMMAND DOCS")))
    #expect(docs.names.count == Int(try gate.integer("COMMAND COUNT")))
    for name in docs.names {
      let entry = try #require(docs.value(name).flatMap(Fields.init))
      for field in ["summary", "since", "group"] {
        guard case .bulk(let text)? = entry.value(field) else {
          Issue.record("\(name): \(field) is no bulk string")
          continue
        }
        #expect(!text.isEmpty, "\(name): \(field)")
      }
      for argument in entry.value("arguments")?.items ?? [] { try expectArgument(argument, of: name) }
    }
    let one = try #require(Fields(try gate.ok("COMMAND DOCS login.check")))
    #expect(one.names == ["login.check"])
  }

  private func expectArgument(_ argument: RESPValue, of command: String) throws {
    let types = ["string", "integer", "double", "key", "pattern", "unix-time", "pure-token", "oneof", "block"]
    let fields = try #require(Fields(argument))
    for field in ["name", "type", "token"] where fields.has(field) {
      guard case .bulk? = fields.value(field) else {
        Issue.record("\(command): \(field) of an argument is no bulk string")
        continue
      }
    }
    #expect(types.contains(fields["type"] ?? "none"), "\(command)")
    for flag in fields.value("flags")?.items ?? [] {
      guard case .simple = flag else {
        Issue.record("\(command): a flag is no simple string")
        continue
      }
    }
    for part in fields.value("arguments")?.items ?? [] { try expectArgument(part, of: command) }
  }

  @Test("HELP names every command, and HELP of one shows its arguments")
  func help() throws {
    let all = try gate.shown("HELP")
    for name in ["LOGIN.CHECK", "TIMER.START", "SESSION.REVOKEALL"] { #expect(all.contains(name)) }
    let one = try gate.shown("HELP session.create")
    #expect(one.contains("SESSION.CREATE") && one.contains("TTL"))
    try gate.refused("HELP nonsense", with: "")
  }
}
