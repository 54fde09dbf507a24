import Foundation
import GatehouseTestSupport
import GatehouseWire
import Testing

/// Webhooks against real receivers.
@Suite(.blocking, .serialized) struct WebhookDeliveryTests {
  private static func server(_ arguments: [String] = ["--webhook-networks", "loopback"]) throws -> TestServer {
    try TestServer(.init(lanes: 1, arguments: arguments))
  }

  private static let patience = Duration.seconds(40) * Patience.factor

  /// The numbers of the records that the feed shows, each as often as it has events.
  private func feed(_ client: Client, _ options: [String] = []) throws -> [String] {
    var (after, lsns) = ("0", [String]())
    while true {
      let reply = try client.pipeline([["FEED.READ", after, "COUNT", "1000"] + options])[0]
      guard reply.items.count == 2, !reply.items[1].items.isEmpty else { return lsns }
      lsns += reply.items[1].items.compactMap { Fields($0)?["lsn"] }
      after = reply.items[0].string ?? ""
    }
  }

  /// What is delivered first of each id, in order.
  private func distinct(_ ids: [String]) -> [String] {
    var seen: Set<String> = []
    return ids.filter { seen.insert($0).inserted }
  }

  private func record(_ id: String) -> String { String(id.prefix { $0 != "." }) }

  @Test func aReceiverThatFailsAtRandomGetsEverythingInOrder() throws {
    let server = try Self.server()
    let client = try server.client()
    let receiver = try Receiver("code = random.choice([200, 200, 200, 500, 503])")
    try client.ok("PRODUCT.CREATE payroll")
    try client.ok("WEBHOOK.CREATE crm \(receiver.url) SECRET \(Receiver.secret) FROM 0")
    // Two commands in one record are two events.
    try client.ok("MULTI")
    _ = try client.reply("USER.CREATE pia PRODUCT payroll NOINVITE")
    _ = try client.reply("USER.CREATE pim PRODUCT payroll NOINVITE")
    _ = try client.reply("EXEC")
    for number in 0..<25 { try client.ok("USER.CREATE u\(number) PRODUCT payroll NOINVITE") }
    let expected = try feed(client)
    try eventually("everything is delivered", within: Self.patience) { receiver.accepted.count >= expected.count }
    let accepted = receiver.accepted
    #expect(accepted.map { record($0.id) } == expected)
    #expect(Set(accepted.map(\.id)).count == accepted.count, "nothing twice")
    #expect(accepted.allSatisfy { $0.isSigned })
    #expect(accepted.contains { $0.type == "gatehouse.product-created" })
    #expect(receiver.times.count > accepted.count, "some requests have failed")
    // The server counts a delivery once it has the answer.
    try eventually("all are counted", within: Self.patience) {
      try client.text("INFO log")?.contains("webhook_deliveries:\(accepted.count)\r\n") ?? false
    }
    withExtendedLifetime(server) {}
  }

  @Test func nothingIsLostWhereServerAndReceiverAreKilled() throws {
    let server = try Self.server()
    var client = try server.client()
    let receiver = try Receiver("code = random.choice([200, 200, 200, 200, 500])")
    try client.ok("PRODUCT.CREATE payroll")
    try client.ok("WEBHOOK.CREATE crm \(receiver.url) SECRET \(Receiver.secret) FROM 0")
    for round in 0..<3 {
      for number in 0..<10 { try client.ok("USER.CREATE r\(round)u\(number) PRODUCT payroll NOINVITE") }
      pause(.milliseconds(300))
      if round == 0 { receiver.kill() }
      for number in 10..<15 { try client.ok("USER.CREATE r\(round)u\(number) PRODUCT payroll NOINVITE") }
      server.kill()
      if round == 0 { try receiver.start() }
      try server.start()
      client = try server.client()
    }
    let expected = try feed(client)
    try eventually("everything is delivered", within: Self.patience) {
      Set(receiver.accepted.map { record($0.id) }) == Set(expected)
    }
    let accepted = receiver.accepted
    #expect(distinct(accepted.map(\.id)).map(record) == expected, "in order, but for what came again")
    #expect(accepted.allSatisfy { $0.isSigned })
    // Noted when the server stops in order: nothing comes again after that.
    #expect(try server.terminate() == .exited(0))
    try server.start()
    client = try server.client()
    try client.ok("USER.CREATE last PRODUCT payroll NOINVITE")
    try eventually("the last is delivered", within: Self.patience) { receiver.accepted.count > accepted.count }
    pause(.milliseconds(300))
    #expect(receiver.accepted.count == accepted.count + 1)
  }

  @Test("W4: a webhook gets the changes of its workspace, and no others") func workspaces() throws {
    let server = try Self.server()
    let client = try server.client()
    let (acme, beta) = (try Receiver(), try Receiver())
    for (name, receiver) in [("acme", acme), ("beta", beta)] {
      try client.ok("WORKSPACE.CREATE \(name)")
      try client.ok("PRODUCT.CREATE \(name)/app")
      try client.ok("WEBHOOK.CREATE crm \(receiver.url) SECRET \(Receiver.secret) FROM 0 WORKSPACE \(name)")
    }
    try client.ok("USER.CREATE ann WORKSPACE acme PRODUCT acme/app NOINVITE")
    try client.ok("USER.CREATE bea WORKSPACE beta PRODUCT beta/app NOINVITE")
    try client.ok("PRODUCT.CREATE office")
    for (name, receiver, other) in [("acme", acme, "beta"), ("beta", beta, "acme")] {
      let expected = try feed(client, ["WORKSPACE", name])
      try eventually("everything of \(name) is delivered", within: Self.patience) {
        receiver.accepted.count >= expected.count
      }
      #expect(receiver.accepted.map { record($0.id) } == expected)
      let entities = receiver.accepted.map(\.entities).joined(separator: " ")
      #expect(entities.contains("workspace \(name)") && entities.contains("product \(name)/app"))
      #expect(!entities.contains(other) && !entities.contains("office"))
    }
    withExtendedLifetime(server) {}
  }

  @Test func kindsAddressAndSecretCanChange() throws {
    let server = try Self.server()
    let client = try server.client()
    let (one, two) = (try Receiver(), try Receiver())
    try client.ok("PRODUCT.CREATE payroll")
    try client.ok("WEBHOOK.CREATE crm \(one.url) SECRET \(Receiver.secret) TYPE status-set")
    try client.ok("USER.CREATE ana PRODUCT payroll NOINVITE")
    try client.ok("USER.STATUS ana locked")
    try eventually("it is delivered", within: Self.patience) { one.accepted.count == 1 }
    #expect(one.accepted[0].type == "gatehouse.status-set")
    // Signed with both: the receiver has the old secret only.
    try client.ok("WEBHOOK.ROTATE crm OVERLAP 1h")
    try client.ok("WEBHOOK.SET crm URL \(two.url)")
    try client.ok("USER.STATUS ana active")
    try eventually("it is delivered elsewhere", within: Self.patience) { two.accepted.count == 1 }
    #expect(two.accepted[0].isSigned)
    try client.ok("WEBHOOK.ROTATE crm")
    try client.ok("USER.STATUS ana locked")
    try eventually("it is delivered", within: Self.patience) { two.accepted.count == 2 }
    #expect(!two.accepted[1].isSigned, "without OVERLAP the old secret is good for nothing")
    try client.ok("WEBHOOK.PAUSE crm")
    try client.ok("USER.STATUS ana active")
    pause(.milliseconds(300))
    #expect(two.accepted.count == 2)
    try client.ok("WEBHOOK.RESUME crm")
    try eventually("what has waited is delivered", within: Self.patience) { two.accepted.count == 3 }
    try client.ok("WEBHOOK.RETRY crm FROM 0")
    try eventually("everything comes again", within: Self.patience) { two.accepted.count == 7 }
    #expect(one.accepted.count == 1)
    try client.ok("WEBHOOK.DELETE crm")
    try client.ok("USER.STATUS ana locked")
    pause(.milliseconds(300))
    #expect(two.accepted.count == 7)
    withExtendedLifetime(server) {}
  }

  @Test func whatReceiversSayIsHeeded() throws {
    let server = try Self.server()
    let client = try server.client()
    try client.ok("PRODUCT.CREATE payroll")
    let asking = try Receiver("code, more = (503, {'retry-after': '2'}) if count == 1 else (200, {})")
    let gone = try Receiver("code = 410")
    let elsewhere = try Receiver()
    let redirecting = try Receiver("code, more = 307, {'location': '\(elsewhere.url)'}")
    for (name, receiver) in [("asking", asking), ("gone", gone), ("redirecting", redirecting)] {
      try client.ok("WEBHOOK.CREATE \(name) \(receiver.url) SECRET \(Receiver.secret) TYPE user-created")
    }
    try client.ok("USER.CREATE ana PRODUCT payroll NOINVITE")
    try eventually("410 pauses", within: Self.patience) { try client.fields("WEBHOOK.GET gone")["state"] == "paused" }
    #expect(try client.fields("WEBHOOK.GET gone")["pause"] == "the receiver answered 410 Gone")
    try eventually("Retry-After has passed", within: Self.patience) { asking.accepted.count == 1 }
    #expect(asking.times[1] - asking.times[0] >= 2000)
    try eventually("it was tried again", within: Self.patience) { redirecting.times.count >= 3 }
    #expect(elsewhere.times.isEmpty, "redirects are not followed")
    // Noted within a few seconds.
    try eventually("the failure is shown", within: Self.patience) {
      try client.fields("WEBHOOK.GET redirecting")["last-error"]
        == "the receiver answered 307; redirects are not followed"
    }
    #expect(gone.times.count == 1)
    withExtendedLifetime(server) {}
  }

  @Test func addressesThatAreNotAllowedAreNotConnectedTo() throws {
    let server = try Self.server([])
    let client = try server.client()
    let receiver = try Receiver()
    try client.ok("WEBHOOK.CREATE named http://localhost:\(receiver.port)/ SECRET \(Receiver.secret)")
    try client.ok("WEBHOOK.CREATE cloud https://169.254.169.254/latest")
    try client.ok("PRODUCT.CREATE payroll")
    for name in ["named", "cloud"] {
      try eventually("\(name) fails", within: Self.patience) {
        try client.fields("WEBHOOK.GET \(name)")["last-error"]
          == "the address is in no network that webhook-networks allows"
      }
    }
    #expect(receiver.times.isEmpty)
    try client.ok("CONFIG SET webhook-networks public,loopback")
    try client.ok("WEBHOOK.RETRY named")
    let last = try feed(client).last
    try eventually("all of it is delivered", within: Self.patience) {
      receiver.accepted.last.map { record($0.id) } == last
    }
    // Also where a connection is open still.
    let count = receiver.times.count
    try client.ok("CONFIG SET webhook-networks none")
    try client.ok("PRODUCT.CREATE office")
    try eventually("it fails", within: Self.patience) {
      try client.fields("WEBHOOK.GET named")["failures"] != "0" || receiver.times.count > count
    }
    #expect(receiver.times.count == count)
    withExtendedLifetime(server) {}
  }

  @Test func aReceiverThatHangsKeepsNobodyWaiting() throws {
    let server = try Self.server()
    let client = try server.client()
    let good = try Receiver()
    let hanging = try Receiver("time.sleep(60)")
    try client.ok("WEBHOOK.CREATE hanging \(hanging.url) SECRET \(Receiver.secret)")
    try client.ok("WEBHOOK.CREATE good \(good.url) SECRET \(Receiver.secret) TYPE product-created")
    for number in 0..<20 { try client.ok("PRODUCT.CREATE p\(number)") }
    try eventually("the good one has all", within: .seconds(10)) { good.accepted.count == 20 }
    #expect(hanging.times.count == 1)
    // The server stops all the same.
    let start = ContinuousClock.now
    #expect(try server.terminate() == .exited(0))
    #expect(ContinuousClock.now - start < .seconds(8) * Patience.factor)
  }

  @Test func pythonsCloudEventsReadsThem() throws {
    guard
      case .ready(let python) = PythonLibrary.find(
        "cloudevents", "GATEHOUSE_PYTHON_CLOUDEVENTS", "cloudevents<2", module: "cloudevents.http")
    else {
      let isIntegration = ProcessInfo.processInfo.environment["CI"].map { !$0.isEmpty } ?? false
      if isIntegration { Issue.record("cloudevents is not available") } else { print("no cloudevents: skipped") }
      return
    }
    let server = try Self.server()
    let client = try server.client()
    let receiver = try Receiver(
      python: python,
      parse: """
        import cloudevents.http
              event = cloudevents.http.from_http(dict(headers), body)
              assert event["source"].startswith("urn:gatehouse:") and event["datacontenttype"] == "application/json"
              event = {**event.get_attributes(), "data": event.data}
        """)
    try client.ok("WEBHOOK.CREATE crm \(receiver.url) SECRET \(Receiver.secret) TYPE product-created")
    try client.ok("PRODUCT.CREATE payroll")
    try eventually("it is read", within: Self.patience) { receiver.accepted.count == 1 }
    #expect(receiver.accepted[0].type == "gatehouse.product-created" && receiver.errors.isEmpty)
    // Noted at the stop. It has not asked for the record that created it before that was durable.
    #expect(try server.terminate() == .exited(0))
    try server.start()
    let noted = try server.client().fields("WEBHOOK.GET crm")
    #expect(noted["last-error"] == nil && noted["failures"] == "0" && noted["last-success"] != nil)
  }
}
