import GatehouseTestSupport
import Testing

@testable import GatehouseCore

/// L6: what is said of somebody in mails, requests and answers that are about others is forgotten, too.
@Suite struct ForgottenOfOthersTests {
  let core = CoreHarness(partitions: 8)
  /// Of Actor Person, and of another administrator.
  let actor: String
  let second: String

  init() {
    for line in [
      "PRODUCT.CREATE crm", "WORKSPACE.SET main policy.manager.notices status,impersonated",
      "WORKSPACE.SET main policy.impersonation.notify person",
      "USER.CREATE ward FIRST Ward EMAIL ward@acme.test PRODUCT crm NOINVITE",
      "USER.CREATE maxim FIRST Maxim LAST Manager EMAIL maxim@acme.test NOINVITE",
      "USER.CREATE actress ROLE super-administrator PRODUCT crm EMAIL actress@acme.test NOINVITE",
      "USER.CREATE second ROLE super-administrator PRODUCT crm NOINVITE", "MANAGE.ADD maxim USER ward",
    ] {
      let answer = core.run(line)
      precondition(!answer.isError, "\(line): \(answer)")
    }
    actor = core.logIn("actress", "crm")
    second = core.logIn("second", "crm")
  }

  private func made(_ line: String, as token: String? = nil) {
    let answer = token.map { core.run(line, as: $0) } ?? core.run(line)
    #expect(!answer.isError, "\(line): \(answer)")
  }

  /// Everything that the log tells once the pending keys are destroyed, and what waits.
  private var shown: String {
    let keys = core.cells.reduce(into: Set<SealKey>()) { $0.formUnion($1.state.forgotten.pending) }
    let seals = HarnessSeals(without: keys)
    seals.bits = Int(core.partitioning.bits)
    let log = core.log.flatMap { bytes in
      HarnessLog.record(bytes, seals).parts.flatMap { part in
        part.changes.map { change in
          let reply = change.as(AnswerKept.self).map { kept in kept.reply.nodes.map { kept.reply.text(of: $0) } } ?? []
          return "\(ChangeText(change)) \(reply)"
        }
      }
    }
    let lists = ["MAIL.LIST", "MAIL.NEXT COUNT 100", "APPROVAL.LIST", "AUDIT.LIST COUNT 1000"].map { "\(core.run($0))" }
    return (log + lists).joined(separator: "\n")
  }

  /// A log without the keys leads to the same state.
  private func expectForgotten() {
    core.expectReplicated()
    let keys = core.cells.reduce(into: Set<SealKey>()) { $0.formUnion($1.state.forgotten.pending) }
    let seals = HarnessSeals(without: keys)
    seals.bits = Int(core.partitioning.bits)
    let cells = core.cells.map { PartitionCell(PartitionState(index: $0.index, partitioning: core.partitioning)) }
    for (index, bytes) in core.log.enumerated() {
      HarnessLog.record(bytes, seals).forEachPart { part in
        for change in part.changes {
          change.forEachOwner(core.partitioning) { partition in
            cells[partition].state.apply(change, lsn: LSN(index + 1), header: part.header)
          } directory: {
          }
        }
      }
    }
    for (cell, other) in zip(core.cells, cells) {
      other.state.lsn = cell.state.lsn
      #expect(cell.encodedAsLogged == other.encodedAsLogged, "partition \(cell.index) differs without the keys")
    }
  }

  @Test("L6: a mail goes with its recipient, and with whoever it is about") func recipientsOfMails() throws {
    made("USER.STATUS ward temporary")
    let mail = try #require(core.run("MAIL.NEXT LEASE 1s").items.first)
    #expect(mail["to"].text == "maxim@acme.test" && mail["text"].text?.contains("Maxim Manager") == true)
    made("MAIL.FAIL \(mail["id"]) \"no mailbox maxim@acme.test\"")
    made("USER.ANONYMISE maxim")
    #expect("\(core.run("MAIL.LIST")[1])" == "[]")
    for text in ["maxim@acme.test", "Maxim"] { #expect(!shown.contains(text), "\(text) is still known") }
    made("USER.STATUS ward active")
    expectForgotten()
  }

  @Test("L6, B12: who is told of an impersonation is told still, and not who it was") func actorsOfMails() throws {
    made("IMPERSONATE.START \(actor) ward REASON help")
    made("USER.RENAME ward warden@acme.test", as: actor)
    #expect(
      Set(core.run("MAIL.LIST")[1].items.map { $0["to"].text ?? "" }) == [
        "warden@acme.test", "ward@acme.test", "maxim@acme.test",
      ])
    made("USER.ANONYMISE actress")
    let mails = core.run("MAIL.NEXT COUNT 100").items
    #expect(
      mails.map { $0["kind"].text ?? "" }.sorted()
        == ["impersonated", "managed-impersonated", "username-changed", "username-changed"])
    #expect(mails.allSatisfy { $0["text"].text?.contains("anonymous-") == true })
    #expect(!mails.contains { "\($0)".contains("actress") })
    #expect(!"\(core.run("AUDIT.LIST COUNT 1000"))".contains("actor: actress"))
    expectForgotten()
  }

  @Test("L6: no mail tells managers of somebody who is cleared in the same record") func noNewMails() {
    made("USER.ANONYMISE ward")
    #expect("\(core.run("MAIL.LIST")[1])" == "[]")
    expectForgotten()
  }

  @Test("L6, L12: a purge gives up the mails to and because of the user") func purging() {
    made("USER.STATUS ward temporary")
    made("MANAGE.REMOVE maxim USER ward")
    made("USER.DELETE maxim REASON x")
    #expect(core.run("MAIL.LIST")[1].items.count == 1)
    made("USER.PURGE maxim")
    #expect(core.run("MAIL.LIST")[1].items.isEmpty)
    expectForgotten()
  }

  @Test("L6, B13: a request goes with whom it names, changed or not") func namedInRequests() {
    made("WORKSPACE.SET main policy.approval.needs role.grant,user.status")
    #expect(core.run("USER.COPYACCESS maxim ward", as: actor)["approval"].isNull)
    made("ROLE.GRANT maxim manager")
    for line in [
      "USER.COPYACCESS maxim ward",
      "USER.BULK SET status inactive WHERE username ^= max WHERE username != nobody",
    ] {
      #expect(core.run(line, as: actor)["approval"].integer != nil, "\(line)")
    }
    #expect(core.run("APPROVAL.LIST").items.count == 2)
    made("USER.ANONYMISE maxim")
    #expect("\(core.run("APPROVAL.LIST"))" == "[]")
    #expect(!shown.contains("maxim"))
    #expect(shown.contains("approval-requested"))
    expectForgotten()
  }

  @Test("L6: an answer under an IDEM key goes with those of whom it tells") func answers() throws {
    let words = "USER.CREATE nadia FIRST Nadia EMAIL nadia@acme.test NOINVITE IDEM k1"
    made(words)
    #expect(core.run(words)["username"].text == "nadia")
    made("USER.CREATE nadja NOINVITE")
    let merge = "USER.MERGE nadia nadja IDEM k2"
    made(merge)
    made("USER.STATUS ward temporary IDEM k3")
    made("USER.ANONYMISE nadia IDEM k4")
    for line in [words, merge] {
      #expect(
        core.run(line).text
          == "CONFLICT idem: the command was done, and its answer is not kept any more, because somebody of whom it could"
          + " tell was anonymised or purged; see AUDIT.LIST, and take a new key to do it again")
    }
    // Nothing else is lost, and nothing is done twice.
    let count = core.log.count
    #expect(core.run("USER.STATUS ward temporary IDEM k3").text == "OK")
    #expect(core.run("USER.ANONYMISE nadia IDEM k4")["username"].text?.hasPrefix("anonymous-") == true)
    #expect(core.log.count == count)
    #expect(!shown.contains("[\"\", \"id\"") && !shown.contains("nadia"))
    expectForgotten()
    try core.restart()
    #expect(core.run(words).text?.hasPrefix("CONFLICT idem: the command was done") == true)
  }

  @Test("L6, L12: an answer goes with a purged user, and with whoever gave the command") func otherAnswers() {
    made("USER.CREATE gone NOINVITE IDEM k1")
    made("USER.DELETE gone REASON x")
    made("USER.PURGE gone")
    let again = core.run("USER.CREATE gone NOINVITE IDEM k1")
    #expect(again.text?.hasPrefix("CONFLICT idem: the command was done") == true)
    made("TIMER.START ward IDEM k2", as: actor)
    let actress: [SealKey] = [.user(core.user("actress")?.id ?? .none)]
    #expect(core.cells.contains { !$0.state.answers.keys(tellingOf: actress).isEmpty })
    made("USER.ANONYMISE actress")
    #expect(!shown.contains("actress"))
    expectForgotten()
  }

  /// An entry of Ward's that is as `ENTRY.CORRECT entry PROJECT tea` makes it.
  private func entryOfWard() throws -> Int64 {
    made("TIMER.START ward")
    core.now += 60_000
    let entry = try #require(core.run("TIMER.STOP ward")["entry"].integer)
    made("ENTRY.CORRECT \(entry) PROJECT tea")
    return entry
  }

  @Test("L6: an answer goes with whose entry it shows, although the command changed nothing and names an entry only")
  func answersWithoutChanges() throws {
    let entry = try entryOfWard()
    let line = "ENTRY.CORRECT \(entry) PROJECT tea IDEM k1"
    #expect(core.run(line)["username"].text == "ward")
    made("USER.ANONYMISE ward")
    #expect(core.run(line).text?.hasPrefix("CONFLICT idem: the command was done") == true)
    expectForgotten()
  }

  @Test("L6: an answer about somebody who was forgotten before is kept as any other") func answersAfterwards() throws {
    let entry = try entryOfWard()
    let ward: [SealKey] = [.user(core.user("ward")?.id ?? .none)]
    made("USER.ANONYMISE ward")
    let line = "ENTRY.CORRECT \(entry) PROJECT coffee IDEM k1"
    let answer = core.run(line)
    #expect(answer["project"].text == "coffee")
    #expect(core.cells.allSatisfy { $0.state.answers.keys(tellingOf: ward).isEmpty })
    let count = core.log.count
    #expect("\(core.run(line))" == "\(answer)" && core.log.count == count)
    expectForgotten()
  }

  @Test("L6: answers that expire are found no more by whom they tell of") func expiredAnswers() {
    made("USER.SET ward phone 1 IDEM k1")
    let ward: [SealKey] = [.user(core.user("ward")?.id ?? .none)]
    func kept() -> Int { core.cells.reduce(0) { $0 + $1.state.answers.keys(tellingOf: ward).count } }
    #expect(kept() == 1)
    core.now += Limits.idempotencyLife
    for number in 2..<40 { made("USER.SET maxim phone \(number) IDEM k\(number)") }
    #expect(kept() == 0)
    core.expectReplicated()
  }
}
