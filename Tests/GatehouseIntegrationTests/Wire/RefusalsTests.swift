import GatehouseTestSupport
import GatehouseWire
import Testing

/// B8: each lane keeps refused logins; they are counted, and lost with the process.
@Suite("Refused logins", .blocking)
struct RefusalsTests {
  @Test("the lanes' refusals are one list, bounded by the setting, and counted in INFO (B8)", arguments: [1, 3])
  func lanes(lanes: Int) throws {
    let server = try TestServer(.init(lanes: lanes, arguments: ["--refusals-length", "5"]))
    let gate = try server.client()
    for line in ["PRODUCT.CREATE payroll", "USER.CREATE ana", "USER.CREATE bob PRODUCT payroll STATUS locked"] {
      try gate.ok(line)
    }
    let before = try gate.text("INFO log")
    for _ in 0..<4 {
      // Each new connection is on the next lane.
      let client = try server.client()
      for _ in 0..<7 {
        try #expect(client.text("LOGIN.CHECK ana payroll") == "DENY product-disabled")
        try #expect(client.text("LOGIN.CHECK bob payroll") == "DENY status-locked")
      }
      try client.refused("SESSION.CREATE nobody payroll", with: "REFUSED login: unknown-user")
      client.close()
    }
    let kept = try gate.list("REFUSALS.LIST COUNT 1000")
    #expect(kept.count == 5 * min(lanes, 4))
    #expect(kept.first?["username"] == "nobody")
    let times = kept.compactMap { $0["time"].flatMap { Int64($0) } }
    #expect(times.count == kept.count && times == times.sorted(by: >))
    let info = try #require(try gate.text("INFO refusals"))
    for line in [
      "refused_logins:60", "refused_logins_kept:\(kept.count)", "refused_status-locked:28", "refused_unknown-user:4",
      "refused_no-licence:0", "refused_product_payroll:unknown-user=4,status-locked=28,product-disabled=28",
    ] { #expect(info.contains("\(line)\r\n"), "\(line) in \(info)") }
    func appended(_ info: String?) -> Substring? {
      info?.split(separator: "\r\n").first { $0.hasPrefix("log_appended") }
    }
    try #expect(appended(gate.text("INFO log")) == appended(before))
    try gate.ok("CONFIG RESETSTAT")
    try #expect(gate.text("INFO refusals")?.contains("refused_logins:0\r\n") == true)
    try #expect(gate.list("REFUSALS.LIST").count == kept.count)
    server.kill()
    try server.start()
    try #expect(server.client().list("REFUSALS.LIST").isEmpty)
  }
}
