import Foundation
import GatehouseTestSupport
import GatehouseWire
import Testing

/// B7: rights that end by themselves end on time, on every lane, and stay ended after a restart.
@Suite("Accesses and memberships that end by themselves", .blocking)
struct EndingRightsTests {
  @Test("an access and a membership end, free the seat and end the sessions, for good (B7)", arguments: [1, 3])
  func ending(lanes: Int) throws {
    let server = try TestServer(.init(lanes: lanes))
    let gate = try server.client()
    for line in [
      "PRODUCT.CREATE payroll", "POOL.SET payroll * 1", "WORKSPACE.CREATE acme", "PRODUCT.CREATE acme/app",
      "USER.CREATE ana", "USER.CREATE bob",
    ] { try gate.ok(line) }
    let until = Int64(Date().timeIntervalSince1970 * 1000) + 2500
    try gate.ok("PRODUCT.ENABLE ana payroll UNTIL \(until)")
    try gate.ok("WORKSPACE.MEMBER acme ana UNTIL \(until)")
    try gate.ok("PRODUCT.ENABLE ana acme/app")
    var tokens: [String] = []
    for product in ["payroll", "acme/app"] {
      try #expect(gate.text("LOGIN.CHECK ana \(product)") == "ALLOW")
      tokens.append(try #require(try gate.fields("SESSION.CREATE ana \(product)")["session"]))
    }
    try gate.refused("PRODUCT.ENABLE bob payroll", with: "NOSEATS")
    while Int64(Date().timeIntervalSince1970 * 1000) < until { Thread.sleep(forTimeInterval: 0.05) }
    try #expect(gate.text("LOGIN.CHECK ana payroll") == "DENY product-disabled")
    try #expect(gate.text("LOGIN.CHECK ana acme/app") == "DENY product-disabled")
    // Ended by the server's upkeep, without a request.
    let deadline = Date() + 20
    while try gate.list("POOL.LIST payroll").first?["used"] != "0", Date() < deadline {
      Thread.sleep(forTimeInterval: 0.05)
    }
    try gate.ok("PRODUCT.ENABLE bob payroll")
    let commands = try gate.pages("AUDIT.LIST USER ana").compactMap { $0["command"] }
    #expect(commands.contains("ACCESS.EXPIRE"))
    server.kill()
    try server.start()
    let later = try server.client()
    for token in tokens { try #expect(later.reply("SESSION.CHECK \(token)").isNull) }
    try #expect(later.text("LOGIN.CHECK ana acme/app") == "DENY product-disabled")
    let rules = try later.list("LOGIN.EXPLAIN ana payroll")
    #expect(rules.first { $0["rule"] == "product-disabled" }?["detail"]?.hasPrefix("ended, until ") == true)
  }

  @Test("a seat is free from the moment at which an access ends, alone and in a transaction (B7, B10)")
  func theSeatIsFreeAtOnce() throws {
    let server = try TestServer(.init(lanes: 2))
    let gate = try server.client()
    for line in ["PRODUCT.CREATE payroll", "POOL.SET payroll office 1", "USER.CREATE bob"] { try gate.ok(line) }
    for attempt in 0..<8 {
      let until = Int64(Date().timeIntervalSince1970 * 1000) + 60
      try gate.ok("USER.CREATE ana\(attempt)")
      try gate.ok("PRODUCT.ENABLE ana\(attempt) payroll LICENCE office UNTIL \(until)")
      try gate.refused("PRODUCT.ENABLE bob payroll LICENCE office", with: "NOSEATS")
      while Int64(Date().timeIntervalSince1970 * 1000) <= until { Thread.sleep(forTimeInterval: 0.001) }
      if attempt % 2 == 0 {
        try gate.ok("PRODUCT.ENABLE bob payroll LICENCE office")
      } else {
        try gate.ok("MULTI")
        _ = try gate.reply("PRODUCT.ENABLE bob payroll LICENCE office")
        try #expect(gate.shown("EXEC").contains("OK"))
      }
      try gate.ok("PRODUCT.DISABLE bob payroll")
      try gate.ok("LICENCE.REMOVE bob payroll")
      let command = try gate.pages("AUDIT.LIST USER ana\(attempt)").first?["command"]
      #expect(command == "ACCESS.EXPIRE")
    }
  }
}
