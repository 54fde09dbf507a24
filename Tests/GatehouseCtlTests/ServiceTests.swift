import Foundation
import GatehouseTestSupport
import Testing

@Suite("gatehousectl service", .blocking)
struct ServiceTests {
  @Test("the first service of a server that was never open to everybody")
  func first() throws {
    let folder = try TemporaryFolder("service")
    let data = folder.path("data")
    let none = try control("service", "create", data, "ops", "ADMIN")
    #expect(none.code == 66 && none.output.isEmpty && none.errors.contains("give --new to make it"), "\(none.errors)")
    let refused = try control("service", "create", "--new", data, "web", "READ", "SESSIONS")
    #expect(refused.code == 1 && refused.errors.contains("REFUSED first-service:"), "\(refused.errors)")
    #expect(refused.errors.contains("create one first: gatehousectl service create \(data) name ADMIN"))
    for name in ["local", "default"] {
      let reserved = try control("service", "create", "--new", data, name, "ADMIN")
      #expect(reserved.code == 1 && reserved.errors.contains("CONFLICT service:"), "\(reserved.errors)")
    }
    #expect(!FileManager.default.fileExists(atPath: data), "what is refused leaves nothing behind")
    let made = try control("service", "create", "--new", data, "ops", "admin", "--reason", "set-up")
    #expect(made.code == 0, "\(made.errors)")
    let lines = made.output.split(separator: "\n").map(String.init)
    #expect(lines.map { $0.prefix { $0 != ":" } } == ["id", "name", "secret", "rights", "workspaces", "products"])
    #expect(lines[1] == "name: ops" && lines[3] == "rights: READ ADMIN")
    let secret = String(lines[2].dropFirst("secret: ".count))

    let server = try TestServer(folder: folder)
    let gate = try server.client(.resp2)
    try gate.refused("USER.COUNT", with: "NOAUTH")
    try gate.ok("AUTH ops \(secret)")
    let record = try #require(try gate.pages("AUDIT.LIST").last { $0["command"] == "SERVICE.CREATE" })
    #expect(record["reason"] == "set-up")
    let busy = try control("service", "create", data, "more", "ADMIN")
    #expect(busy.code == 75 && busy.output.isEmpty, "\(busy.errors)")
    try server.terminate()
    #expect(try VerifyResult(data).isSound)
  }

  @Test("another service, if all secrets are lost; nothing else changes")
  func more() throws {
    let (folder, data) = try StoryFolder.copied()
    defer { withExtendedLifetime(folder) {} }
    let before = try VerifyResult(data)
    let taken = try control("service", "create", data, "portal", "ADMIN")
    #expect(taken.code == 1 && taken.errors.contains("CONFLICT service:"), "\(taken.errors)")
    #expect(try VerifyResult(data).integer("last") == before.integer("last"), "what is refused writes nothing")
    let made = try control("service", "create", "--json", data, "rescue").object()
    #expect(made["rights"] as? [String] == ["READ", "ADMIN"])
    let after = try VerifyResult(data)
    #expect(after.isSound && after.integer("last") == before.integer("last") + 1, "\(after.problems)")
    #expect(after.state("users") == before.state("users"))
    let secret = try #require(made["secret"] as? String)
    #expect(!(try control("inspect", data).output.contains(secret)))
    let server = try TestServer(folder: folder)
    let gate = try server.client(.resp2)
    try gate.ok("AUTH rescue \(secret)")
    try gate.ok("SERVICE.CREATE fresh READ")
  }

  @Test("one bound to a product, or to a workspace")
  func bound() throws {
    let folder = try TemporaryFolder("service")
    let data = folder.path("data")
    let made = try control("service", "create", "--json", "--new", data, "boss", "ADMIN").object()
    let server = try TestServer(folder: folder)
    let boss = try server.client(.resp2)
    try boss.ok("AUTH boss \(try #require(made["secret"] as? String))")
    try boss.ok("WORKSPACE.CREATE acme")
    try boss.ok("PRODUCT.CREATE acme/payroll")
    try server.terminate()
    let crew = try control("service", "create", "--json", data, "crew", "READ", "--product", "acme/payroll").object()
    #expect(crew["products"] as? [String] == ["acme/payroll"] && crew["workspaces"] as? [String] == ["acme"])
    let portal = try control("service", "create", "--json", data, "portal", "READ", "--workspace", "acme").object()
    #expect(portal["workspaces"] as? [String] == ["acme"] && portal["products"] is NSNull)
    let none = try control("service", "create", data, "none", "READ", "--product", "acme/nothing")
    #expect(none.code == 1 && none.errors.contains("NOTFOUND product acme/nothing"), "\(none.errors)")
    withExtendedLifetime(server) {}
  }

  @Test("words that are not rights", arguments: [["WRITE"], ["READ", "KING"]])
  func unknown(_ rights: [String]) throws {
    let result = try runProgram(try GatehouseProgram.path() + "ctl", ["service", "create", "nowhere", "ops"] + rights)
    #expect(result.code == 64 && result.output.isEmpty)
  }
}
