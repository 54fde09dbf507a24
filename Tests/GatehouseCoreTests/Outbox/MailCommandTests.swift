import Testing

@testable import GatehouseCore

/// Taking mails, and what becomes of them.
@Suite("Mail commands")
struct MailCommandTests {
  private let core = CoreHarness(partitions: 4)

  init() {
    for workspace in ["acme", "beta"] {
      core.run("WORKSPACE.CREATE \(workspace)")
      core.run("PRODUCT.CREATE \(workspace)/app")
    }
    core.decidesTwice = true
  }

  private func invite(_ name: String, _ workspace: String = "acme", _ more: String = "") {
    #expect(!core.run("USER.CREATE \(name)@\(workspace).test WORKSPACE \(workspace) FIRST \(name) \(more)").isError)
  }

  private func next(_ options: String = "") -> [Answer] { core.run("MAIL.NEXT \(options)").items }

  private func states() -> [String] { core.run("MAIL.LIST")[1].items.map { $0["state"].text ?? "" } }

  // MARK: Leases

  @Test("S7, P7: adding a user queues an invitation with the message, and its sender gets all that it needs")
  func invitation() throws {
    invite("ana", "acme", #"LAST Nova MESSAGE "Welcome aboard""#)
    let mail = try #require(next().first)
    #expect(mail["kind"].text == "invitation" && mail["workspace"].text == "acme")
    #expect(mail["to"].text == "ana@acme.test" && mail["username"].text == "ana@acme.test")
    #expect(mail["name"].text == "ana Nova" && mail["language"].text == "en")
    #expect(mail["subject"].text == "Your login for acme")
    #expect(
      mail["text"].text
        == "Hello ana Nova,\n\nthere is a login for you in acme. Your username is ana@acme.test.\n\nWelcome aboard")
    #expect(mail["secret"].isNull && mail["attempt"].integer == 1)
    #expect(mail["until"].integer == core.now + 300_000)
    #expect(next().isEmpty, "it is leased")
    #expect(core.run("MAIL.ACK \(mail["id"])").integer == 1)
    #expect(core.run("MAIL.ACK \(mail["id"])").integer == 0, "an answer may be told twice")
    #expect(states().isEmpty)
    core.expectReplicated()
  }

  @Test("P7: NOINVITE suppresses it")
  func suppressed() {
    invite("ana", "acme", "NOINVITE")
    #expect(next().isEmpty)
  }

  @Test("what nobody answers is handed out again when the lease ends, and the attempts count")
  func leaseEnds() {
    invite("ana")
    let first = next("LEASE 10s")
    core.advance(9_999)
    #expect(next().isEmpty)
    core.advance(1)
    let second = next("LEASE 10s")
    #expect(second[0]["id"] == first[0]["id"] && second[0]["attempt"].integer == 2)
    #expect(core.run("MAIL.FAIL \(first[0]["id"]) late ATTEMPT 1").integer == 0, "of a lease that has ended")
    #expect(core.run("MAIL.LIST STATE leased")[1].items.count == 1)
    core.expectReplicated()
  }

  @Test("mails come out in the order in which they are due, whichever partition they are in")
  func order() {
    for number in 0..<20 {
      invite("u\(number)")
      core.advance(1)
    }
    let batch = next("COUNT 8") + next("COUNT 100")
    #expect(batch.map { $0["name"].text } == (0..<20).map { "u\($0)" })
  }

  @Test(
    "W4: one answer has a bound of bytes, so that what a workspace has written costs the mails of others no attempt")
  func boundedAnswer() {
    core.run(["MAIL.TEMPLATE.SET", "invitation", "s", String(repeating: "x", count: 16_000), "WORKSPACE", "acme"])
    for number in 0..<9 {
      invite("u\(number)")
      core.advance(1)
    }
    invite("zoe", "beta")
    let first = next("COUNT 100")
    #expect(first.count == 5, "after 64 KB no further mail is handed out")
    #expect(core.run("MAIL.LIST WORKSPACE beta")[1][0]["attempts"].integer == 0)
    let second = next("COUNT 100")
    #expect(second.count == 5 && second[4]["workspace"].text == "beta")
    core.expectReplicated()
  }

  @Test("a mail is acknowledged only by who has it: not one that waits, is dead, or was handed out anew since")
  func acknowledged() {
    invite("ana")
    let id = core.run("MAIL.LIST")[1][0]["id"]
    for line in ["MAIL.ACK \(id)", "MAIL.RETURN \(id)", "MAIL.FAIL \(id) why"] {
      #expect(core.run(line).integer == 0, "\(line): it waits")
    }
    #expect(states() == ["waiting"])
    _ = next("LEASE 1s")
    core.advance(1000)
    _ = next("LEASE 1s")
    #expect(core.run("MAIL.ACK \(id) ATTEMPT 1").integer == 0, "of a lease before")
    core.advance(1000)
    #expect(core.run("MAIL.ACK \(id) ATTEMPT 2").integer == 1, "late, and nobody else has it")
    invite("bob")
    let other = next()[0]["id"]
    core.run("MAIL.FAIL \(other) why FINAL")
    #expect(core.run("MAIL.ACK \(other)").integer == 0 && states() == ["dead"])
    core.expectReplicated()
  }

  @Test("a mail that was given back is handed out again at once, and the attempt does not count")
  func givenBack() {
    invite("ana")
    let mail = next()[0]
    #expect(core.run("MAIL.RETURN \(mail["id"]) ATTEMPT 2").integer == 0)
    #expect(core.run("MAIL.RETURN \(mail["id"]) ATTEMPT 1").integer == 1)
    #expect(core.run("MAIL.RETURN \(mail["id"])").integer == 0)
    #expect(states() == ["waiting"])
    #expect(next()[0]["attempt"].integer == 1)
    core.expectReplicated()
  }

  @Test("P8, S11: an invitation follows the person to an address that was corrected; the notice of a rename does not")
  func correctedAddress() {
    invite("ana")
    core.run("USER.SET ana@acme.test email right@acme.test")
    #expect(core.run("MAIL.LIST KIND invitation")[1][0]["to"].text == "right@acme.test")
    let mail = next()[0]
    #expect(mail["to"].text == "right@acme.test")
    core.run("MAIL.ACK \(mail["id"])")
    core.run("USER.RENAME ana@acme.test nova@acme.test")
    core.run("USER.SET nova@acme.test email other@acme.test")
    #expect(core.run("MAIL.LIST KIND username-changed")[1][0]["to"].text == "nova@acme.test")
    core.run("USER.RENAME nova@acme.test novak@acme.test")
    core.run("USER.DELETE novak@acme.test REASON x")
    let mails = next("COUNT 20").map { "\($0["kind"].text ?? "") \($0["to"].text ?? "")" }
    #expect(!mails.contains { $0.hasSuffix(" novak@acme.test") }, "who is deleted is not told how to log in")
    #expect(
      mails.sorted() == [
        "address-changed ana@acme.test", "address-changed nova@acme.test", "username-changed nova@acme.test",
        "username-changed other@acme.test", "username-changed right@acme.test",
      ], "the former addresses are told")
  }

  // MARK: Failures

  @Test("failures are tried again after growing waits, and are a dead letter after the last attempt")
  func growingWaits() throws {
    invite("ana")
    var waits: [Int64] = []
    for attempt in 1...Limits.mailAttempts {
      let mail = try #require(next().first)
      #expect(mail["attempt"].integer == Int64(attempt))
      // Whatever the program printed that could not send it.
      let answer = core.run([
        "MAIL.FAIL", "\(mail["id"])", "no\nroute\u{1b}\r\0" + String(repeating: "a\u{301}", count: 600),
      ])
      guard let time = answer.integer else {
        #expect(answer.isNull && attempt == Limits.mailAttempts)
        break
      }
      waits.append((time - core.now) / 60_000)
      core.now = time - 1
      #expect(next().isEmpty, "too early")
      core.now = time
    }
    #expect(waits == [1, 2, 4, 8, 16, 32, 64, 128, 256])
    let letter = core.run("MAIL.LIST STATE dead")[1][0]
    #expect(letter["error"].text?.hasPrefix(#"no\nroute\u{1b}\r\u{0}"#) == true && letter["next"].isNull)
    #expect((Limits.reasonBytes - 4...Limits.reasonBytes).contains(letter["error"].text?.utf8.count ?? 0))
    #expect(letter["attempts"].integer == Int64(Limits.mailAttempts))
    #expect(core.run("MAIL.RETRY \(letter["id"])").integer == 1)
    #expect(next()[0]["attempt"].integer == 1)
    #expect(core.run("MAIL.RETRY \(letter["id"])").integer == 0, "it is being sent")
    core.expectReplicated()
  }

  @Test("a mail whose sender dies each time is a dead letter, too")
  func poison() {
    invite("ana")
    for _ in 1...Limits.mailAttempts {
      #expect(next("LEASE 1s").count == 1)
      core.advance(1000)
    }
    #expect(next().isEmpty)
    let letter = core.run("MAIL.LIST")[1][0]
    #expect(letter["state"].text == "dead" && letter["error"].text == "10 attempts to send it have failed")
    core.expectReplicated()
  }

  @Test("what is not sent in time is not sent, and dead letters are forgotten")
  func expiry() {
    invite("ana")
    core.advance(Limits.mailLife)
    #expect(states() == ["dead"])
    #expect(next().isEmpty)
    #expect(core.run("MAIL.LIST")[1][0]["error"].text == "it was not sent in time")
    core.advance(Limits.deadMailLife)
    // New mails in the same partition make room.
    for number in 0..<12 { invite("u\(number)") }
    #expect(core.run("MAIL.LIST STATE dead")[1].items.isEmpty)
    core.expectReplicated()
  }

  @Test("an invitation is not sent to who was deleted or locked meanwhile; FINAL and DROP end a mail")
  func pointless() {
    for name in ["ana", "bob", "cid"] { invite(name) }
    core.run("USER.DELETE ana@acme.test REASON x")
    core.run("USER.STATUS bob@acme.test locked")
    let mails = next("COUNT 9")
    #expect(mails.map { $0["name"].text } == ["cid"])
    #expect(core.run("MAIL.LIST STATE dead")[1][0]["error"].text == "the user may not log in any more")
    #expect(core.run(["MAIL.FAIL", "\(mails[0]["id"])", "no such user", "FINAL"]).isNull)
    #expect(states() == ["dead", "dead", "dead"])
    #expect(core.run("MAIL.DROP \(mails[0]["id"])").integer == 1)
    #expect(core.run("MAIL.RETRY \(mails[0]["id"])").text == "NOTFOUND mail #\(mails[0]["id"])")
    core.expectReplicated()
  }

  // MARK: Kinds

  @Test("S7: USER.INVITE queues another one, but not for who is deleted, locked or has no address")
  func userInvite() {
    invite("ana", "acme", "NOINVITE")
    #expect(core.run(#"USER.INVITE ana@acme.test MESSAGE "Once more""#).text == "OK")
    #expect(next()[0]["text"].text?.hasSuffix("\n\nOnce more") == true)
    core.run("USER.STATUS ana@acme.test locked")
    #expect(core.run("USER.INVITE ana@acme.test").text?.hasPrefix("REFUSED status: ana@acme.test is locked") == true)
    core.run("USER.DELETE ana@acme.test REASON x")
    #expect(core.run("USER.INVITE ana@acme.test").isError)
    core.run("USER.CREATE bob NOINVITE")
    #expect(core.run("USER.INVITE bob").text?.hasPrefix("REFUSED email: bob has no e-mail") == true)
  }

  @Test("P8: the notice of a new username tells both and who did it")
  func renamed() {
    invite("ana", "acme", "NOINVITE")
    core.run("USER.RENAME ana@acme.test nova@acme.test")
    let mails = core.run("MAIL.NEXT COUNT 5").items
    #expect(mails.map { $0["to"].text ?? "" }.sorted() == ["ana@acme.test", "nova@acme.test"])
    for mail in mails {
      #expect(mail["kind"].text == "username-changed")
      #expect(
        mail["text"].text?.contains("local has changed your username from ana@acme.test to nova@acme.test.") == true)
    }
  }

  @Test("K8: the notice of a stopped timer belongs to the workspace of the timer")
  func stopped() {
    invite("ana", "beta", "NOINVITE")
    core.run("WORKSPACE.MEMBER acme ana@beta.test")
    core.run("TIMER.START ana@beta.test WORKSPACE acme")
    core.run("TIMER.STOP ana@beta.test WORKSPACE acme")
    #expect(next().isEmpty)
    core.run("WORKSPACE.SET acme policy.timer.notify-stopped on")
    core.run("TIMER.START ana@beta.test WORKSPACE acme")
    core.advance(60_000)
    core.run("TIMER.STOP ana@beta.test WORKSPACE acme")
    let mail = next()[0]
    #expect(mail["workspace"].text == "acme" && mail["kind"].text == "timer-stopped")
    #expect(
      mail["text"].text?.hasSuffix(
        "started at 2026-03-01T09:00:00.000Z, was stopped at 2026-03-01T09:01:00.000Z by local.") == true)
  }

  @Test(
    "B12: the person and the mailbox are told of an impersonation as the policy says",
    arguments: [
      ("off", []), ("person", ["ana@acme.test"]), ("mailbox", ["audit@acme.test"]),
      ("both", ["ana@acme.test", "audit@acme.test"]),
    ])
  func impersonation(policy: String, recipients: [String]) {
    invite("ana", "acme", "NOINVITE")
    invite("boss", "acme", "NOINVITE PRODUCT acme/app")
    core.run("ROLE.GRANT boss@acme.test super-administrator WORKSPACE acme")
    #expect(
      core.run("WORKSPACE.SET acme policy.impersonation.notify both").text?
        .hasPrefix("REFUSED impersonation.notify: there is no mailbox") == true)
    core.run("WORKSPACE.SET acme policy.impersonation.notify \(policy) policy.impersonation.mailbox audit@acme.test")
    let token = core.logIn("boss@acme.test", "acme/app")
    let answer = core.run("IMPERSONATE.START \(token) ana@acme.test WORKSPACE acme REASON \"a ticket\"")
    #expect(!answer.isError)
    let mails = next("COUNT 9")
    #expect(mails.map { $0["to"].text ?? "" } == recipients)
    for mail in mails {
      let isPerson = mail["to"].text == "ana@acme.test"
      #expect(mail["kind"].text == (isPerson ? "impersonated" : "impersonation-reported"))
      #expect(
        mail["subject"].text == "boss@acme.test has logged in as \(isPerson ? "you" : "ana@acme.test") in acme")
      #expect(mail["text"].text?.hasSuffix("The reason given: a ticket") == true)
    }
  }

  @Test("L13: the mails about somebody who was merged lead to the kept user")
  func merged() {
    invite("ana")
    invite("eva")
    let (ana, eva) = (core.user("ana@acme.test")!.id.raw, core.user("eva@acme.test")!.id.raw)
    #expect(!core.run("USER.MERGE ana@acme.test eva@acme.test").isError)
    #expect(core.run("MAIL.LIST")[1].items.map { $0["user"].integer } == [Int64(ana), Int64(ana)])
    #expect(core.run("MAIL.LIST USER #\(ana)")[1].items.count == 2)
    // The id of the other leads to the kept one, too.
    #expect(
      core.run("MAIL.LIST USER #\(eva)")[1].items.map { $0["to"].text } == ["ana@acme.test", "eva@acme.test"])
    let mails = next("COUNT 9")
    #expect(mails.map { $0["to"].text } == ["ana@acme.test", "ana@acme.test"], "the address of today")
    for mail in mails { #expect(mail["user"].integer == Int64(ana) && mail["username"].text == "ana@acme.test") }
    core.expectReplicated()
  }

  @Test("L12: a purge gives up the mails about the user, waiting and dead")
  func purged() throws {
    invite("ana")
    invite("bob")
    core.run("USER.DELETE ana@acme.test REASON gone")
    #expect(next("COUNT 9").map { $0["to"].text } == ["bob@acme.test"])
    #expect(states().sorted() == ["dead", "leased"])
    #expect(!core.run("USER.PURGE ana@acme.test").isError)
    #expect(core.run("MAIL.LIST")[1].items.map { $0["to"].text } == ["bob@acme.test"])
    core.expectReplicated()
  }

  @Test("L6: anonymising drops the mails about the person")
  func anonymised() {
    invite("ana")
    invite("bob")
    #expect(!core.run("USER.ANONYMISE ana@acme.test").isError)
    #expect(core.run("MAIL.LIST")[1].items.map { $0["to"].text } == ["bob@acme.test"])
    core.expectReplicated()
  }

  // MARK: Two tenants

  @Test("W4: a service sees and answers the mails of its workspaces only")
  func twoTenants() throws {
    invite("ana", "acme")
    invite("bea", "beta")
    core.run("SERVICE.CREATE ops ADMIN")
    core.run("SERVICE.CREATE mailer MAIL WORKSPACE acme")
    core.connection = ConnectionFacts(id: 2, service: 2, rights: [.read, .mail], isBound: true)
    #expect(core.run("MAIL.LIST")[1].items.map { $0["to"].text } == ["ana@acme.test"])
    let mine = next("COUNT 9")
    #expect(mine.map { $0["to"].text } == ["ana@acme.test"])
    core.connection = ConnectionFacts(id: 1, service: 1, rights: .all)
    let theirs = try #require(next("COUNT 9").first?["id"])
    core.connection = ConnectionFacts(id: 2, service: 2, rights: [.read, .mail], isBound: true)
    #expect(core.run("MAIL.ACK \(theirs)").integer == 0)
    #expect(core.run("MAIL.FAIL \(theirs) x").integer == 0)
    #expect(core.run("MAIL.DROP \(theirs)").integer == 0)
    #expect(core.run("MAIL.RETRY \(theirs)").text == "NOTFOUND mail #\(theirs)")
    #expect(core.run("MAIL.LIST WORKSPACE beta").text == "NOTFOUND workspace beta")
    #expect(core.run("MAIL.ACK \(mine[0]["id"])").integer == 1)
  }

  @Test("whoever may handle mails sees no texts and no secrets: they are for services")
  func secretsAreForServices() {
    invite("ana", "acme", "NOINVITE PRODUCT acme/app")
    core.run("ROLE.GRANT ana@acme.test super-administrator WORKSPACE acme")
    invite("bob")
    let token = core.logIn("ana@acme.test", "acme/app")
    #expect(core.run("MAIL.NEXT", as: token).text?.hasPrefix("NOPERM a service's own authority") == true)
    let list = core.run("MAIL.LIST", as: token)
    #expect(list[1].items.map { $0["to"].text } == ["bob@acme.test"])
    #expect(list[1][0].keys.allSatisfy { $0 != "text" && $0 != "secret" && $0 != "subject" })
    #expect(core.run("MAIL.NEXT IDEM x").text?.hasPrefix("ERR IDEM has no meaning here") == true)
  }

  @Test("a secret is shown to the sender, and nowhere else")
  func secret() throws {
    invite("ana", "acme", "NOINVITE")
    let user = try #require(core.user("ana@acme.test"))
    core.apply(
      MailQueued(
        Mail(
          id: user.cell.state.id(1), user: user.id, kind: .invitation, to: "ana@acme.test", of: 2, created: core.now,
          secret: "opensesame")))
    // Of a record from before templates were told apart by whether their mail has a secret.
    core.apply(
      MailTemplateSet(
        2, .invitation, "en", old: nil, new: MailTemplate(subject: "Hi", body: "Your password: {{secret}}")))
    let reply = core.reply(to: ["MAIL.NEXT"])
    let answer = Answer(reply)[0]
    #expect(answer["secret"].text == "opensesame" && answer["text"].text == "Your password: opensesame")
    #expect(!"\(Answer(reply, showingSecrets: false))".contains("opensesame"), "a text is as secret as what is in it")
    #expect(!"\(core.run("MAIL.LIST"))".contains("opensesame"))
    let texts = core.records.flatMap { $0.parts.flatMap { $0.changeTexts() } }.map(\.description)
    #expect(!texts.joined().contains("opensesame"))
  }

  // MARK: Bounds

  @Test("mails of one workspace take no room from those of another, and what would be too much is refused")
  func bounds() {
    var outbox = Outbox()
    func mail(_ number: Int, _ workspace: WorkspaceID) -> QueuedMail {
      QueuedMail(
        Mail(
          id: MailID(raw: UInt64(number)), user: UserID(raw: 1), kind: .invitation, to: "a@b.test", of: workspace,
          created: core.now))
    }
    // What cannot be copied cannot stand in `#expect`.
    func rooms(_ workspaces: WorkspaceID..., at now: Milliseconds) -> [Bool] {
      workspaces.map { outbox.hasRoom(for: $0, at: now) }
    }
    for number in 1...Limits.mailsOfWorkspace { outbox.add(mail(number, 2), at: core.now) }
    let beside = rooms(2, 3, at: core.now)
    #expect(beside == [false, true])
    for number in 1...Limits.mailsOfWorkspace { outbox.add(mail(Limits.mailsOfWorkspace + number, 3), at: core.now) }
    let full = rooms(4, at: core.now)
    let later = rooms(2, at: core.now + Limits.mailLife)
    #expect(full == [false] && later == [true], "what has expired makes room")
    for number in 1...100 { outbox.add(mail(200_000 + number, 4), at: core.now + Limits.mailLife) }
    let (dead, count) = (outbox.deadCount, outbox.count)
    #expect(dead >= 100 && count == 2 * Limits.mailsOfWorkspace + 100)
  }

  @Test("a snapshot has the mails with how far they have got")
  func snapshots() throws {
    for name in ["ana", "bob", "cid", "dan"] {
      invite(name)
      core.advance(1)
    }
    let mails = next("COUNT 3 LEASE 30s")
    core.run("MAIL.FAIL \(mails[0]["id"]) later")
    core.run("MAIL.FAIL \(mails[1]["id"]) never FINAL")
    let before = core.run("MAIL.LIST")
    try core.restart()
    #expect(core.run("MAIL.LIST") == before)
    core.advance(30_000)
    #expect(next("COUNT 9").map { $0["name"].text } == ["dan", "cid"])
  }
}
