import GatehouseTestSupport
import Testing

@Suite("The time zone database", .blocking)
struct ZoneDataTests {
  @Test("without it the server does not start, and says what to install")
  func missing() throws {
    let folder = try TemporaryFolder("zones")
    let (code, message) = try refusedStart(data: folder.path("data"), arguments: ["--zone-data", folder.path("none")])
    #expect(code == 78)
    #expect(message.contains("install the package tzdata"))
  }

  @Test("names and aliases of the system's database are accepted, others are refused")
  func names() throws {
    let server = try TestServer()
    let gate = try server.client()
    for (number, name) in ["Pacific/Kiritimati", "NZ", "Asia/Calcutta", "UTC", "Etc/GMT+12"].enumerated() {
      try gate.ok("USER.CREATE u\(number) TIMEZONE \(name) NOINVITE")
      #expect(try gate.fields("USER.GET u\(number)")["timezone"] == name)
    }
    for name in ["posix/Europe/Prague", "right/UTC", "localtime", "zone.tab", "Mars/Olympus"] {
      try gate.refused("USER.CREATE eva TIMEZONE \(name)", with: "ERR timezone '\(name)' is not a time zone")
    }
  }
}
