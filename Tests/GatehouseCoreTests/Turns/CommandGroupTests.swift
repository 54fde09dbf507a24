import Testing

@testable import GatehouseCore

/// The commands of a group have the same effects as one after another, in a single record.
@Suite struct CommandGroupTests {
  static let lines = [
    "WORKSPACE.CREATE acme", "PRODUCT.CREATE payroll", "POOL.SET payroll * 2", "USER.CREATE ana PRODUCT payroll",
    "USER.CREATE bo PRODUCT payroll", "USER.CREATE cy PRODUCT payroll", "USER.CREATE cy", "PRODUCT.ENABLE cy payroll",
    "POOL.LIST payroll", "TIMER.START ana NOTE x IDEM k", "TIMER.START ana NOTE x IDEM k",
    "TIMER.START ana NOTE y IDEM k",
    "TIMER.STOP ana", "ENTRY.LIST ana", "USER.SET ana last Lima IFVERSION 1", "USER.SET ana last Lopes IFVERSION 1",
    "USER.RENAME ana dora", "USER.RENAME bo dora", "USER.GET dora", "USER.LIST", "USER.COUNT",
    "LOGIN.CHECK ana payroll",
    "USER.DELETE bo REASON gone", "USER.CREATE bo PRODUCT payroll", "LOGIN.CHECK bo payroll",
    "SESSION.CREATE bo payroll",
    "SESSION.LIST bo", "USER.STATUS bo locked", "SESSION.LIST bo", "ROLE.GRANT dora super-administrator",
    "ROLE.REVOKE dora super-administrator", "WORKSPACE.SET acme plan enterprise", "WORKSPACE.GET acme", "TIMER.RUNNING",
    "NOTHING", "ENTRY.GET 999", "SERVICE.CREATE web READ", "SERVICE.LIST",
  ]

  /// An answer without the holders of seats, who are looked up only once a group has been recorded.
  private static func told(_ answer: Answer) -> String {
    let text = "\(answer)"
    guard text.contains("NOSEATS ") else { return text }
    let rule = text.prefix { $0 != ";" }
    return String(rule.firstRange(of: " by ").map { rule[..<$0.lowerBound] } ?? rule)
  }

  @Test(arguments: [1, 4, 64], [2, 5, 100])
  func answersAndStateAreThoseOfSingleCommands(partitions: Int, size: Int) {
    let single = CoreHarness(partitions: partitions)
    let grouped = CoreHarness(partitions: partitions)
    let expected = Self.lines.map { Answer(single.reply(to: CoreHarness.words($0)), showingSecrets: false) }
    var answers: [Answer] = []
    var groups = 0
    for start in stride(from: 0, to: Self.lines.count, by: size) {
      answers += grouped.runTogether(Array(Self.lines[start..<min(start + size, Self.lines.count)]))
      groups += 1
    }
    for (place, line) in Self.lines.enumerated() {
      #expect(Self.told(answers[place]) == Self.told(expected[place]), "\(line)")
    }
    #expect(grouped.records.count <= groups && grouped.records.count < single.records.count)
    #expect(Invariants.check(grouped.cells, grouped.wholeDirectory).isEmpty)
    grouped.expectReplicated()
    #expect(grouped.records.flatMap(\.parts).map(\.header.command) == single.records.map(\.first.header.command))
    let texts = grouped.records.flatMap(\.parts).flatMap { $0.changeTexts() }.map(\.description)
    #expect(texts == single.records.flatMap { $0.first.changeTexts() }.map(\.description))
  }

  @Test func nothingIsChangedUntilItIsCommitted() {
    let core = CoreHarness(partitions: 4)
    core.seedUser("ana")
    let before = core.cells.map(\.encoded)
    let directory = core.directory.encoded
    core.decideAndDrop(["USER.RENAME ana bo", "PRODUCT.CREATE payroll", "PRODUCT.ENABLE bo payroll", "TIMER.START bo"])
    #expect(core.cells.map(\.encoded) == before && core.directory.encoded == directory)
    #expect(core.run("USER.GET ana")["username"].text == "ana")
  }

  @Test("what a group has read is not what the next command waits for, not even one that a gate refuses")
  func nothingIsLeftOfADroppedGroup() {
    let core = CoreHarness(partitions: 4)
    core.seedUser("ana")
    for line in ["NOTHING", "USER.GET", "CONTACT.GET #abc", "AS", "USER.LIST NO"] {
      core.decideAndDrop(["USER.RENAME ana bo", "USER.RENAME bo ana"])
      OwnedArguments(CoreHarness.words(line)).withView { view in
        var commandIndex: Int?
        guard case .refused = core.turn.begin(view, on: core.connection, now: core.now, commandIndex: &commandIndex)
        else {
          Issue.record("\(line) passes the gates")
          return
        }
        #expect(core.turn.reply.isError && core.turn.horizon == 0, "\(line)")
      }
    }
    // Nor does one that is about the connection.
    core.decideAndDrop(["USER.RENAME ana bo"])
    core.turn.leaveGroup(reading: core.gate)
    #expect(core.turn.horizon == 0)
  }
}
