import Foundation
import GatehouseTestSupport
import GatehouseWire
import Testing

/// API keys in a real server.
@Suite("API keys", .blocking)
struct APIKeyTests {
  private func server() throws -> (TestServer, Client) {
    let server = try TestServer(.init(lanes: 2, arguments: ["--slowlog-threshold", "0"]))
    let gate = try server.client()
    try gate.ok("PRODUCT.CREATE payroll")
    try gate.ok("USER.CREATE ana PRODUCT payroll NOINVITE")
    return (server, gate)
  }

  @Test("S12: what a key may, and that it is deactivated, outlives a kill; a check is one of a pipeline like any other")
  func killed() throws {
    let (server, gate) = try server()
    defer { server.kill() }
    let keys = try (0..<2).map { _ in try #require(try gate.fields("APIKEY.CREATE ana NAME ci")["key"]) }
    let replies = try gate.pipeline(
      (0..<16).map { ["APIKEY.CHECK", keys[$0 % 2], "PRODUCT", "payroll"] })
    #expect(replies.allSatisfy { Fields($0)?["username"] == "ana" && Fields($0)?["kind"] == "apikey" })
    #expect(try gate.integer("APIKEY.DEACTIVATE \(keys[0])") == 1)
    server.kill()
    try server.start()
    let again = try server.client()
    #expect(try again.isNull("APIKEY.CHECK \(keys[0])"))
    #expect(try again.fields("APIKEY.CHECK \(keys[1])")["username"] == "ana")
    let list = try again.list("APIKEY.LIST ana")
    #expect(list.map { $0["active"] } == ["1", "0"] && list.allSatisfy { $0["last-used"] != nil })
    try again.ok("SAVE")
    server.kill()
    try server.start()
    let later = try server.client()
    #expect(try later.fields("APIKEY.CHECK \(keys[1])")["username"] == "ana")
    #expect(try later.shown("APIKEY.LIST ana").contains("ci"))
    #expect(try later.text("INFO sessions")?.contains("api_keys:2") == true)
    #expect(try later.fields("AUDIT.VERIFY")["ok"] == "1")
  }

  @Test("the characters of a key are in its answer only: not in the folder, the messages, MONITOR or SLOWLOG")
  func secrets() throws {
    let (server, gate) = try server()
    let monitor = try server.rawConnection()
    try monitor.send("MONITOR\r\n")
    _ = try monitor.receiveLine()
    var keys = [try #require(try gate.fields("APIKEY.CREATE ana IDEM k")["key"])]
    #expect(try gate.fields("APIKEY.CREATE ana IDEM k")["key"] == keys[0])
    keys.append(try #require(try gate.fields("APIKEY.ROTATE \(keys[0])")["key"]))
    try gate.ok("AS", keys[1], "USER.GET", "ana")
    try gate.ok("APIKEY.CHECK", keys[1])
    try gate.ok("APIKEY.DEACTIVATE", keys[1])
    let shown = try gate.shown("SLOWLOG GET 100") + gate.shown("AUDIT.LIST COUNT 100")
    try gate.ok("SAVE")
    var seen = ""
    for _ in 0..<6 { seen += try monitor.receiveLine() }
    try server.terminate()
    for secret in keys.map({ String($0.suffix(22)) }) {
      #expect(!shown.contains(secret) && !seen.contains(secret) && !server.messages.contains(secret))
      let needle = Data(secret.utf8)
      for file in try FileManager.default.subpathsOfDirectory(atPath: server.dataPath) {
        let data = FileManager.default.contents(atPath: "\(server.dataPath)/\(file)") ?? Data()
        #expect(data.range(of: needle) == nil, "\(file)")
      }
    }
    #expect(seen.contains("(redacted)"))
  }
}
