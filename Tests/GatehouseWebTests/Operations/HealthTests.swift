import GatehouseTestSupport
import Testing

/// `/livez`, `/readyz` and `/readyz/reads`.
@Suite(.blocking) struct HealthTests {
  @Test func aServerThatServesIsAliveAndReady() throws {
    var options = TestServer.Options()
    options.servesHTTP = true
    let server = try TestServer(options)
    #expect(try server.get("/livez").status == 200)
    let ready = try server.get("/readyz")
    #expect(ready.status == 200)
    #expect(ready.body == "ready\n")
    let reads = try server.get("/readyz/reads")
    #expect(reads.status == 200 && reads.body == "ready for reads\n")
    #expect(try server.get("/nothing").status == 404)
  }
}
