import GatehouseTestSupport
import GatehouseWire
import Testing

/// Error texts that client libraries compare exactly.
@Suite("Wire: error texts", .blocking)
struct ErrorTextTests {
  let server: TestServer
  let gate: Client

  init() throws {
    server = try TestServer()
    gate = try server.client(.resp2)
  }

  private func error(_ command: String...) throws -> String? {
    switch command.count {
    case 1: try gate.reply(command[0]).errorText
    default: try gate.pipeline([command])[0].errorText
    }
  }

  @Test("an unknown command echoes its name, and of its arguments nothing, for one may be a password")
  func unknownCommand() throws {
    let rest = "; COMMAND LIST names all of them"
    #expect(try error("FROBNICATE") == "ERR unknown command 'FROBNICATE'\(rest)")
    #expect(try error("frob a b") == "ERR unknown command 'frob'\(rest)")
    #expect(
      try error("FROB\r\nX", "a\nb") == "ERR unknown command 'FROB  X'\(rest)", "line ends would end the error early")
    let long = try #require(try error(String(repeating: "x", count: 10_000)))
    #expect(long.utf8.count < 400, "an echo is cut")
  }

  @Test("a wrong number of arguments")
  func arity() throws {
    for name in ["ECHO", "LOGIN.CHECK", "session.check", "USER.RENAME"] {
      #expect(try error(name) == "ERR wrong number of arguments for '\(name.lowercased())' command")
    }
    #expect(try error("LOGIN.CHECK a b c")?.hasPrefix("ERR ") == true)
  }

  @Test("unknown options, bad numbers and bad words are syntax errors that name what is wrong")
  func syntax() throws {
    try gate.ok("PRODUCT.CREATE p")
    try gate.ok("USER.CREATE ana PRODUCT p")
    try gate.refused("USER.CREATE bo NONSENSE 1", with: "ERR")
    try gate.refused("SESSION.CREATE ana p TTL soon", with: "ERR")
    try gate.refused("USER.GET #nine", with: "ERR")
    try gate.refused("ENTRY.GET x", with: "ERR")
    try gate.refused("POOL.SET p office many", with: "ERR")
    try gate.refused("USER.STATUS ana happy", with: "")
  }

  @Test("unknown entities are NOTFOUND with their kind")
  func notFound() throws {
    try gate.refused("USER.GET nobody", with: "NOTFOUND")
    try gate.refused("USER.GET #999999999", with: "NOTFOUND")
    try gate.refused("ENTRY.GET 999999999", with: "NOTFOUND")
    try gate.refused("WORKSPACE.GET nowhere", with: "NOTFOUND")
    try gate.refused("POOL.LIST nothing", with: "NOTFOUND")
    try gate.refused("TIMER.STOP nobody", with: "NOTFOUND")
  }

  @Test("names and ids: case, leading zeros, and duplicates")
  func names() throws {
    let ana = try gate.fields("USER.CREATE Ana")
    let id = try #require(ana["id"])
    #expect(try gate.fields("USER.GET #000\(id)")["username"] == "Ana")
    #expect(try gate.fields("user.get ANA")["id"] == id)
    try gate.refused("USER.CREATE ana", with: "CONFLICT")
    try gate.ok("PRODUCT.CREATE p")
    try gate.refused("PRODUCT.CREATE p", with: "CONFLICT")
    try gate.ok("WORKSPACE.CREATE w")
    try gate.refused("WORKSPACE.CREATE w", with: "CONFLICT")
  }

  @Test("no error shows a token")
  func noSecrets() throws {
    try gate.ok("PRODUCT.CREATE p")
    try gate.ok("USER.CREATE ana PRODUCT p")
    let token = try #require(try gate.fields("SESSION.CREATE ana p")["session"])
    for command in ["AS \(token) NONSENSE", "AS \(token) USER.GET", "SESSION.CHECK \(token) PRODUCT nothing EXTRA"] {
      let text = try #require(try error(command))
      #expect(!text.contains(token))
    }
  }
}
