import Testing

@testable import GatehouseCore

@Suite struct ServiceCommandTests {
  let core = CoreHarness()

  @Test func aSecretIsShownOnceAndKeptAsADigest() {
    core.run("SERVICE.CREATE ops ADMIN")
    let answer = core.run("SERVICE.CREATE web SESSIONS TIMERS")
    #expect(answer.keys == ["id", "name", "secret", "rights", "workspaces", "products"])
    #expect("\(answer["rights"])" == "[READ, SESSIONS, TIMERS]")
    var secret = answer["secret"].text ?? ""
    #expect(secret.hasPrefix("gk_"))
    let digest = secret.withUTF8 { CoreHarness.digest(UnsafeRawBufferPointer($0)) }
    #expect(core.directory.state.view.service(named: "web")?.secret == digest)
    #expect(!core.log.contains { $0.withUnsafeBytes { String(decoding: $0, as: UTF8.self) }.contains(secret) })
    #expect(
      "\(core.run("SERVICE.LIST")[1])"
        == "{id: 2, name: web, rights: [READ, SESSIONS, TIMERS], workspaces: nil, products: nil, created: \(core.now), "
        + "certificate: nil, old-secret-until: nil, connections: 0, commands: 0, bytes: 0}")
    core.expectReplicated()
  }

  @Test func namesAreUniqueWhileInUse() {
    let first = core.run("SERVICE.CREATE web ADMIN")["secret"].text
    #expect(core.run("SERVICE.CREATE web").text == "CONFLICT service: web already exists")
    #expect(core.run("SERVICE.CREATE local").text?.hasPrefix("CONFLICT service") == true)
    #expect(core.run("SERVICE.CREATE Web").isError)
    #expect(core.run("SERVICE.CREATE web WRITE").isError)
    #expect(core.run("SERVICE.DELETE web").text == "OK")
    #expect(core.run("SERVICE.DELETE web").text == "NOTFOUND service web")
    #expect(core.run("SERVICE.LIST").items.isEmpty)
    #expect(core.run("SERVICE.CREATE web ADMIN")["secret"].text != first)
    #expect(core.run("SERVICE.LIST")[0]["id"].integer == 2)
  }

  @Test func theLastServiceWithAdminGoesLast() {
    core.run("SERVICE.CREATE ops ADMIN")
    core.run("SERVICE.CREATE web")
    #expect(core.run("SERVICE.DELETE ops").text?.hasPrefix("REFUSED last-admin-service: ") == true)
    core.run("SERVICE.CREATE ops2 ADMIN")
    #expect(core.run("SERVICE.DELETE ops").text == "OK")
    #expect(core.run("SERVICE.DELETE web").text == "OK")
    #expect(core.run("SERVICE.DELETE ops2").text == "OK")
  }

  @Test func theFirstServiceMustHaveAdmin() {
    for words in ["", "READ", "SESSIONS TIMERS", "READ SESSIONS TIMERS"] {
      #expect(core.run("SERVICE.CREATE web \(words)").text?.hasPrefix("REFUSED first-service: ") == true)
    }
    #expect(core.run("SERVICE.LIST").items.isEmpty)
    #expect(core.lsn == 0)
    core.run("SERVICE.CREATE ops ADMIN")
    #expect(!core.run("SERVICE.CREATE web").isError)
    // The same once all of them are gone.
    core.run("SERVICE.DELETE web")
    core.run("SERVICE.DELETE ops")
    #expect(core.run("SERVICE.CREATE web TIMERS").text?.hasPrefix("REFUSED first-service: ") == true)
  }

  /// A folder of version 0.1.0 may have no service that can manage it: this is reported, and can be mended.
  @Test func aLockedOutServerCanBeUnlocked() {
    core.apply(ServiceCreated(1, name: "reader", .read, secret: .zero))
    #expect(Invariants.check(core.cells, core.wholeDirectory).contains { $0.contains("gatehousectl service create") })
    #expect(core.run("SERVICE.CREATE web").text?.hasPrefix("REFUSED first-service: ") == true)
    #expect(!core.run("SERVICE.CREATE ops ADMIN").isError)
    #expect(Invariants.check(core.cells, core.wholeDirectory) == [])
  }

  @Test func aKeyAnswersWithTheSameSecret() {
    let first = core.run("SERVICE.CREATE web ADMIN IDEM k")
    #expect(core.run("SERVICE.CREATE web ADMIN IDEM k") == first)
    #expect(core.run("SERVICE.LIST").items.count == 1)
  }

  @Test func rightsAreNeeded() {
    core.connection = ConnectionFacts(id: 1, service: 1, rights: .read)
    for line in ["SERVICE.CREATE web", "SERVICE.LIST", "USER.CREATE ana", "PRODUCT.CREATE p", "ROLE.GRANT a manager"] {
      #expect(core.run(line).text?.hasPrefix("NOPERM the service right ADMIN") == true)
    }
    #expect(core.run("USER.COUNT").integer == 0)
  }
}
