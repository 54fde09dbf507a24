import Foundation
import GatehouseTestSupport
import Testing

@Suite("gatehousectl import: interrupted", .blocking)
struct InterruptedImportTests {
  static let rows = 20_000

  @Test("kill −9 of the server in the middle, then the same import again: nothing lost, nothing doubled")
  func killed() throws {
    let world = try PeopleServer(.init(lanes: 2, arguments: ["--segment-bytes", "1mb"]))
    try world.gate.ok("PRODUCT.CREATE payroll")
    try world.gate.ok("POOL.SET payroll * \(Self.rows)")
    let file = "username,first,products\n" + (0..<Self.rows).map { "user\($0),First \($0),payroll\n" }.joined()
    let path = world.folder.path("many.csv")
    try JSONRows.write(Array(file.utf8), to: path)
    for part in [1, 3] {
      let server = world.server
      let killer = Thread {
        // Once a part of the rows is written.
        while let count = try? server.client().integer("USER.COUNT"), count < Int64(Self.rows * part / 5) {
          pause(.milliseconds(2))
        }
        server.kill()
      }
      killer.start()
      let result = try world.run("import", path, "--keep-going")
      #expect(result.code == 69, "\(result.output)\(result.errors)")
      try eventually("the server is killed") { !world.server.isRunning }
      try world.server.start()
      let count = try world.server.client().integer("USER.COUNT")
      #expect(count > 0 && count < Self.rows)
    }
    let before = try world.server.client().integer("USER.COUNT")
    let last = try world.run("import", path)
    let made = Self.rows - Int(before)
    #expect(
      last.output == "\(Self.rows) rows: \(made) users created, \(before) already there, 0 rows refused\n",
      "\(last.output)\(last.errors)")
    let gate = try world.server.client()
    #expect(try gate.integer("USER.COUNT") == Int64(Self.rows))
    #expect(try gate.pages("CONTACT.LIST COUNT 10000 FIELDS 1 contact").count == Self.rows)
    #expect(try gate.list("POOL.LIST payroll").first?.integer("used") == Int64(Self.rows))
    #expect(try gate.fields("AUDIT.VERIFY")["ok"] == "1")
    try world.server.terminate()
    #expect(try VerifyResult(world.server.dataPath).isSound)
  }
}
