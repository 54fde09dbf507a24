import Testing

@testable import GatehouseCore

/// `IDEM key`: a repeated command gets the same answer, and nobody can derive the token in it.
@Suite struct IdempotencyTests {
  private let core = CoreHarness(partitions: 16)

  init() {
    core.run("PRODUCT.CREATE payroll")
    core.run("USER.CREATE ana PRODUCT payroll")
  }

  private func secretPart(_ token: String?) -> String { String((token ?? "").suffix(SecretText.randomCount)) }

  @Test("W6: bound anew, a service does not get again what it may not get now") func boundAnew() {
    let core = CoreHarness(partitions: 4)
    for line in [
      "WORKSPACE.CREATE acme", "PRODUCT.CREATE acme/pay", "PRODUCT.CREATE acme/crm", "SERVICE.CREATE ops ADMIN",
      "USER.CREATE bea WORKSPACE acme PRODUCT acme/pay NOINVITE",
      "SERVICE.CREATE app SESSIONS READ PRODUCT acme/pay PRODUCT acme/crm",
    ] { #expect(!core.run(line).isError) }
    let app = ConnectionFacts(id: 2, service: 2, rights: [.read, .sessions], isBound: true)
    core.connection = app
    let first = core.run("SESSION.CREATE bea acme/pay IDEM q1")["session"].text
    #expect(core.run("SESSION.CREATE bea acme/pay IDEM q1")["session"].text == first && first != nil)
    core.connection = ConnectionFacts(id: 1, service: 1, rights: .all)
    core.run("SERVICE.SET app PRODUCT acme/crm")
    core.connection = app
    let again = core.run("SESSION.CREATE bea acme/pay IDEM q1").text ?? ""
    #expect(
      again.hasPrefix("CONFLICT idem: the key was used for another command, or before the service was bound anew"))
    core.expectReplicated()
  }

  @Test func twoServicesGetUnrelatedTokens() {
    var secrets = Set<String>()
    for service in 1...3 as ClosedRange<ServiceID> {
      core.connection = ConnectionFacts(id: 1, service: service, rights: .all)
      for key in ["order-1", "order-2"] {
        let answer = core.run("SESSION.CREATE ana payroll IDEM \(key)")
        secrets.insert(secretPart(answer["session"].text))
        #expect(core.run("SESSION.CREATE ana payroll IDEM \(key)") == answer)
      }
    }
    #expect(secrets.count == 6)
  }

  /// The folder's secret, the key and the words are the same, but the token is not.
  @Test func theSecretIsRandomEachTime() {
    var secrets = Set<String>()
    for seed in 2...4 as ClosedRange<UInt64> {
      let core = CoreHarness(seed: seed)
      core.run("PRODUCT.CREATE payroll")
      core.run("USER.CREATE ana PRODUCT payroll")
      secrets.insert(secretPart(core.run("SESSION.CREATE ana payroll IDEM k")["session"].text))
    }
    #expect(secrets.count == 3)
    let first = core.run("SESSION.CREATE ana payroll IDEM k")["session"].text
    core.advance(Limits.idempotencyLife)
    #expect(secretPart(first) != secretPart(core.run("SESSION.CREATE ana payroll IDEM k")["session"].text))
  }

  @Test func theAnswerIsRepeatedAfterARestart() throws {
    let session = core.run("SESSION.CREATE ana payroll IDEM k")
    let service = core.run("SERVICE.CREATE ops ADMIN IDEM k2")
    try core.restart()
    #expect(core.run("SESSION.CREATE ana payroll IDEM k") == session)
    #expect(core.run("SERVICE.CREATE ops ADMIN IDEM k2") == service)
    core.take(core.replica, core.replicaDirectory)
    #expect(core.run("SESSION.CREATE ana payroll IDEM k") == session)
  }

  @Test func theKeptAnswerDoesNotShowTheSecret() {
    for line in ["SESSION.CREATE ana payroll IDEM k", "SERVICE.CREATE ops ADMIN IDEM k2"] {
      let answer = core.run(line)
      let secret = secretPart(answer["session"].text ?? answer["secret"].text)
      let record = core.log[core.log.count - 1].withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
      #expect(secret.utf8.count == SecretText.randomCount && !record.contains(secret))
    }
  }

  @Test func caseMattersInValuesButNotInNames() {
    let first = core.run("SESSION.CREATE ana payroll TTL 1h IDEM k")
    for line in [
      "session.create ana payroll ttl 1h idem k", "Session.Create ana payroll Ttl 1h Idem k",
      "SESSION.create ana payroll TTL 1h IDEM k",
    ] {
      #expect(core.run(line) == first)
    }
    for line in [
      "SESSION.CREATE ANA payroll TTL 1h IDEM k", "SESSION.CREATE ana PAYROLL TTL 1h IDEM k",
      "SESSION.CREATE ana payroll TTL 60m IDEM k", "SESSION.CREATE ana payroll IDLE 1h IDEM k",
      "SESSION.CREATE ana payroll IDEM k",
    ] {
      #expect(core.run(line).text?.hasPrefix("CONFLICT idem") == true)
    }
    #expect(core.run("SESSION.CREATE ana payroll TTL 1h IDEM K")["session"].text != first["session"].text)
    // A value that looks like an option's name is a value, and so is one that looks like the key.
    core.run("TIMER.START ana NOTE note IDEM k3")
    #expect(core.run("timer.start ana note note idem k3")["note"].text == "note")
    #expect(core.run("TIMER.START ana NOTE NOTE IDEM k3").text?.hasPrefix("CONFLICT idem") == true)
    let flags = core.run("SERVICE.CREATE ops ADMIN IDEM k4")
    #expect(core.run("service.create ops admin idem k4") == flags)
  }

  /// Answers kept by version 0.1.0 have no salt: their tokens were derived from the key and the words exactly as
  /// written.
  @Test(arguments: ["SESSION.CREATE ana payroll IDEM k", "session.create ana payroll idem k"])
  func anAnswerOfAnOlderVersionIsRepeated(line: String) {
    func digest(_ write: (inout ByteWriter) -> Void) -> Digest {
      var writer = ByteWriter()
      write(&writer)
      return writer.withBytes(CoreHarness.digest)
    }
    let words = digest { for word in CoreHarness.words(line) { $0.text(word) } }
    let key = digest {
      $0.varint(0 as UInt16)
      $0.text("k")
    }
    let seed = digest {
      $0.digest(Digest(7, 7, 7, 7))
      $0.text("k")
      $0.digest(words)
    }
    let block = digest {
      $0.digest(seed)
      $0.fixed64(1)
    }
    var reply = Reply()
    reply.map(1)
    reply.text("session")
    reply.secret("gs_AAAAAAAAAAA")
    core.apply(
      AnswerKept(partition: Int(truncatingIfNeeded: key.a) & 15, key: key, arguments: words, reply: reply, until: 0))
    let expected = "gs_AAAAAAAAAAA" + SecretText.randomPart((block.a, block.b))
    #expect(core.run(line)["session"].text == expected)
  }

  /// Two users' applications behind one service have keys of their own, and neither reads what the other was answered.
  @Test func aKeyBelongsToThePrincipal() {
    for user in ["bob", "tom"] { core.run("USER.CREATE \(user) PRODUCT payroll NOINVITE") }
    core.run("ROLE.GRANT tom training-administrator")
    let (bob, tom) = (core.logIn("bob", "payroll"), core.logIn("tom", "payroll"))
    let own = core.run("TIMER.START bob NOTE own IDEM k", as: bob)
    #expect(own["note"].text == "own")
    #expect(core.run("TIMER.START tom NOTE own IDEM k", as: tom)["username"].text == "tom")
    #expect(core.run("TIMER.START bob NOTE own IDEM k", as: tom).text?.hasPrefix("CONFLICT idem") == true)
    // The same user, logged in anew, is answered as before; the service by itself is somebody else.
    #expect(core.run("TIMER.START bob NOTE own IDEM k", as: core.logIn("bob", "payroll")) == own)
    #expect(core.run("TIMER.START bob NOTE own IDEM k").text?.hasPrefix("CONFLICT timer-running; ") == true)
    // Whoever acts as bob is not bob.
    let acting = core.run("IMPERSONATE.START \(tom) bob REASON help")["session"].text ?? ""
    #expect(core.run("TIMER.START bob NOTE own IDEM k", as: acting).text?.hasPrefix("CONFLICT timer-running; ") == true)
  }
}
