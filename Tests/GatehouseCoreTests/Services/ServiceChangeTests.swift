import Testing

@testable import GatehouseCore

/// Rotating secrets, and changing what a service may do.
@Suite struct ServiceChangeTests {
  private let core = CoreHarness()

  init() { core.run("SERVICE.CREATE ops ADMIN") }

  private func service(_ name: String) -> ServiceIdentity? { core.directory.state.view.service(named: name) }

  private func accepts(_ name: String, _ secret: String) -> Bool {
    var secret = secret
    let digest = secret.withUTF8 { CoreHarness.digest(UnsafeRawBufferPointer($0)) }
    return service(name)?.accepts(digest, at: core.now) ?? false
  }

  @Test func bothSecretsAreGoodUntilTheOldOneEnds() throws {
    let old = try #require(core.run("SERVICE.CREATE web")["secret"].text)
    let answer = core.run("SERVICE.ROTATE web OVERLAP 1h")
    let new = try #require(answer["secret"].text)
    #expect(answer.keys == ["id", "name", "secret", "old-secret-until"])
    #expect(answer["old-secret-until"].integer == core.now + 3_600_000)
    #expect(old != new && accepts("web", old) && accepts("web", new))
    #expect(core.run("SERVICE.LIST")[1]["old-secret-until"].integer == core.now + 3_600_000)
    core.expectReplicated()
    core.advance(3_599_999)
    #expect(accepts("web", old) && accepts("web", new))
    core.advance(1)
    #expect(!accepts("web", old) && accepts("web", new))
    #expect("\(core.run("SERVICE.LIST")[1]["old-secret-until"])" == "nil")
  }

  @Test func withoutOverlapTheOldSecretEndsAtOnce() throws {
    let first = try #require(core.run("SERVICE.CREATE web")["secret"].text)
    let second = try #require(core.run("SERVICE.ROTATE web OVERLAP 1h")["secret"].text)
    let third = try #require(core.run("SERVICE.ROTATE web OVERLAP 1h")["secret"].text)
    // At most the two newest.
    #expect(!accepts("web", first) && accepts("web", second) && accepts("web", third))
    let fourth = core.run("SERVICE.ROTATE web")
    #expect("\(fourth["old-secret-until"])" == "nil")
    #expect(!accepts("web", second) && !accepts("web", third) && accepts("web", fourth["secret"].text ?? ""))
    #expect(core.run("SERVICE.ROTATE nobody").text == "NOTFOUND service nobody")
    #expect(core.run("SERVICE.ROTATE web OVERLAP 91d").text == "LIMIT OVERLAP: at most 90d")
    core.run("SERVICE.DELETE web")
    #expect(!accepts("web", fourth["secret"].text ?? ""))
  }

  @Test("L18, P13: who manages services lets none in that could do more than they can, such as read mailed secrets")
  func lettingIn() {
    core.run("SERVICE.CREATE mailer MAIL")
    core.run("PRODUCT.CREATE crm")
    core.run("ROLE.DEFINE porter service.manage")
    for (name, role) in [("pat", "porter"), ("sue", "super-administrator")] {
      core.run("USER.CREATE \(name) PRODUCT crm NOINVITE")
      #expect(!core.run("ROLE.GRANT \(name) \(role)").isError)
    }
    let (porter, superior) = (core.logIn("pat", "crm"), core.logIn("sue", "crm"))
    for (line, rights) in [
      ("SERVICE.CREATE mine MAIL", "READ and MAIL"), ("SERVICE.CREATE mine ADMIN", "READ and ADMIN"),
      ("SERVICE.CREATE mine SESSIONS WORKSPACE main", "READ and SESSIONS"), ("SERVICE.CREATE mine", "READ"),
      ("SERVICE.ROTATE mailer", "READ and MAIL"), ("SERVICE.SET mailer ADMIN", "READ and ADMIN"),
      ("SERVICE.SET mailer WORKSPACE main", "READ and MAIL"), ("SERVICE.SET mailer CERT pat.test", "READ and MAIL"),
    ] {
      let answer = core.run(line, as: porter)
      #expect(
        answer.text
          == "NOPERM the role super-administrator everywhere, to let in a service with \(rights)", "\(line)")
      #expect(!core.run(line + " DRYRUN", as: superior).isError, "\(line)")
    }
    #expect(core.run("SERVICE.SET mailer CONNECTIONS 3", as: porter).text == "OK")
    #expect(core.run("SERVICE.DELETE mailer", as: porter).text == "OK")
    core.expectReplicated()
  }

  @Test func noSecretIsInTheLogOrTheTrail() throws {
    core.run("SERVICE.CREATE web")
    let secret = try #require(core.run("SERVICE.ROTATE web OVERLAP 1h")["secret"].text)
    #expect(!core.log.contains { $0.withUnsafeBytes { String(decoding: $0, as: UTF8.self) }.contains(secret) })
  }

  @Test func rightsAreReplacedAsAWhole() {
    core.run("SERVICE.CREATE web SESSIONS TIMERS")
    #expect(core.run("SERVICE.SET web MAIL").text == "OK")
    #expect(service("web")?.rights == [.read, .mail])
    #expect(core.run("SERVICE.SET web CONNECTIONS 7").text == "OK")
    #expect(service("web")?.rights == [.read, .mail])
    #expect(core.run("SERVICE.SET web").text?.hasPrefix("ERR SERVICE.SET web changes nothing") == true)
    core.expectReplicated()
  }

  @Test func nobodyIsLockedOut() {
    core.run("SERVICE.CREATE web")
    #expect(core.run("SERVICE.SET ops READ").text?.hasPrefix("REFUSED last-admin-service: ") == true)
    #expect(core.run("SERVICE.SET ops ADMIN SESSIONS").text == "OK")
    core.run("SERVICE.SET web ADMIN")
    #expect(core.run("SERVICE.SET ops READ").text == "OK")
    #expect(core.run("SERVICE.DELETE web").text?.hasPrefix("REFUSED last-admin-service: ") == true)
  }

  @Test func theLastServiceStaysWhileOtherMachinesCanConnect() {
    core.turn.isExposed = true
    #expect(core.run("SERVICE.DELETE ops").text?.hasPrefix("REFUSED last-service: ") == true)
    core.run("SERVICE.CREATE more ADMIN")
    #expect(core.run("SERVICE.DELETE ops").text == "OK")
    #expect(core.run("SERVICE.DELETE more").text?.contains("--tls-host 127.0.0.1") == true)
    core.turn.isExposed = false
    #expect(core.run("SERVICE.DELETE more").text == "OK")
  }

  @Test func aCertificateStandsForOneService() {
    func found(_ names: String...) -> String? { core.directory.state.view.service(ofCertificate: names)?.name }
    core.run("SERVICE.CREATE web CERT web.test")
    core.run("SERVICE.CREATE jobs CERT jobs.test")
    #expect(found("x", "web.test") == "web" && found("jobs.test") == "jobs")
    #expect(found() == nil && found("x") == nil && found("web.test", "jobs.test") == nil)
    #expect(
      core.run("SERVICE.SET jobs CERT web.test").text == "CONFLICT CERT: web.test stands for the service web already")
    #expect(core.run("SERVICE.CREATE more CERT web.test").text?.hasPrefix("CONFLICT CERT") == true)
    #expect(core.run("SERVICE.SET web CERT web.test").text == "OK")
    #expect(core.run("SERVICE.SET web CERT a NOCERT").text?.hasPrefix("ERR give either") == true)
    core.expectReplicated()
    core.run("SERVICE.SET web NOCERT")
    #expect(found("web.test") == nil)
    core.run("SERVICE.SET jobs CERT web.test")
    #expect(found("web.test") == "jobs" && found("jobs.test") == nil)
    core.run("SERVICE.DELETE jobs")
    #expect(found("web.test") == nil)
    core.expectReplicated()
  }

  /// Names of machines and of people are told apart without case, and a certificate has them as it likes.
  @Test func theCaseOfACertificateNameDoesNotMatter() {
    func found(_ names: String...) -> String? { core.directory.state.view.service(ofCertificate: names)?.name }
    core.run("SERVICE.CREATE web CERT Web.Test")
    #expect(found("web.test") == "web" && found("WEB.TEST", "web.test") == "web")
    #expect(
      core.run("SERVICE.CREATE jobs CERT wEB.test").text == "CONFLICT CERT: wEB.test stands for the service web already"
    )
    core.run("SERVICE.CREATE jobs CERT jobs.test")
    #expect(core.run("SERVICE.SET jobs CERT WEB.TEST").text?.hasPrefix("CONFLICT CERT") == true)
    #expect(
      core.directory.state.view.services(ofCertificate: ["WEB.test", "jobs.test"]).map(\.name) == ["web", "jobs"])
    #expect(core.run("SERVICE.SET web CERT web.test").text == "OK")
    core.run("SERVICE.DELETE web")
    #expect(found("web.test") == nil)
    #expect(core.run("SERVICE.SET jobs CERT WEB.TEST").text == "OK")
    #expect(found("web.test") == "jobs")
    core.expectReplicated()
  }

  /// `default` is what clients send that give a secret only.
  @Test(arguments: ["local", "default"]) func namesOfNobodyAreReserved(name: String) {
    #expect(core.run("SERVICE.CREATE \(name) ADMIN").text?.hasPrefix("CONFLICT service: \(name) is a name") == true)
  }

  /// The snapshot has deleted services too, with what they were bound to.
  @Test func deletedServicesCountForNothing() throws {
    core.run("SERVICE.CREATE web")
    core.run("SERVICE.CREATE b ADMIN WORKSPACE main CERT b.test")
    core.run("SERVICE.CREATE c ADMIN")
    core.run("SERVICE.SET b CONNECTIONS 4")
    core.run("SERVICE.ROTATE c OVERLAP 1h")
    core.run("SERVICE.DELETE b")
    core.run("SERVICE.DELETE c")
    for _ in 0..<2 {
      let view = core.directory.state.view
      #expect(view.liveServices == 2 && view.administeringServices == 1)
      #expect(core.run("SERVICE.DELETE ops").text?.hasPrefix("REFUSED last-admin-service: ") == true)
      #expect(core.run("SERVICE.SET ops READ").text?.hasPrefix("REFUSED last-admin-service: ") == true)
      try core.restart()
    }
  }

  @Test func limitsAreShown() {
    core.run("SERVICE.CREATE web")
    core.run("SERVICE.SET web CONNECTIONS 5 COMMANDS 1000")
    core.run("SERVICE.SET web BYTES 65536")
    let shown = core.run("SERVICE.LIST")[1]
    #expect(["connections", "commands", "bytes"].map { shown[$0].integer } == [5, 1000, 65_536])
    core.run("SERVICE.SET web CONNECTIONS 0")
    #expect(service("web")?.limits == ServiceLimits(connections: 0, commands: 1000, bytes: 65_536))
    core.expectReplicated()
  }
}
