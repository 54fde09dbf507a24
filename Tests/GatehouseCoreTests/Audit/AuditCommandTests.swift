import Testing

@testable import GatehouseCore

/// The trail's commands as decisions: what they have read, and what they make of it.
@Suite("Audit commands")
struct AuditCommandTests {
  private let harness = CoreHarness()
  private let ana: UserID

  init() {
    harness.seedProduct("payroll")
    ana = harness.seedUser("ana")
  }

  @Test("what is to be read says whom it is about, from when to when, and how much")
  func work() throws {
    let answer = harness.run("AUDIT.LIST USER ana FROM 1000 TO 2000 CURSOR 7 COUNT 3")
    #expect(!answer.isError)
    let work = try #require(harness.neededWork.first as? ReadTrail)
    let contact = harness.cells[harness.partitioning.partition(of: ana)].state.people.users[1].contact
    #expect(contact == 1 && harness.neededWork.count == 1)
    #expect(work.keys.contains(RecordKey.of(ana)) && work.keys.count == 2 && work.actor == nil)
    #expect(work.from == 1000 && work.to == 2000 && work.cursor == 7 && work.count == 3)
    harness.run("AUDIT.LIST ACTOR ana")
    let other = try #require(harness.neededWork.first as? ReadTrail)
    #expect(other.keys == [RecordKey.ofActor(ana)] && other.actor == ana)
  }

  @Test("an unknown user is refused before anything is read")
  func unknown() {
    #expect(harness.run("AUDIT.LIST USER nobody").text == "NOTFOUND user")
    #expect(harness.neededWork.isEmpty)
  }

  @Test("a walk along the chain begins where it was asked to, and its report is shown")
  func verify() {
    let answer = harness.run("AUDIT.VERIFY FROM 5")
    #expect(harness.neededWork.first as? VerifyTrail == VerifyTrail(from: 5))
    harness.run("AUDIT.VERIFY AGAINST 7 00112233445566778899AABBCCDDEEFF")
    let head = TrailHead(lsn: 7, hash: "00112233445566778899aabbccddeeff")
    #expect(harness.neededWork.first as? VerifyTrail == VerifyTrail(from: 1, against: head))
    #expect(answer["ok"] == .integer(1) && answer["from"] == .integer(5) && answer["problem"] == .null)
  }
}
