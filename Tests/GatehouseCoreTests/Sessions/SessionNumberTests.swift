import Testing

@testable import GatehouseCore

@Suite struct SessionNumberTests {
  /// Clients read ids as signed 64-bit numbers.
  @Test(arguments: [1, 64, 4096])
  func everyIDIsAPositiveNumber(partitions: Int) {
    let partitioning = Partitioning(count: partitions, key: HashKey(low: 1, high: 2))
    let last = SessionNumber.lastGeneration(partitioning)
    let id = SessionNumber.id(
      slot: 1 << SessionNumber.slotBits - 1, generation: last, partition: partitions - 1, partitioning)
    #expect(Int64(exactly: id.raw) != nil)
    #expect(SessionNumber.generation(partitioning.serial(of: id)) == last)
    #expect(partitioning.partition(of: id) == partitions - 1)
  }

  @Test(arguments: [1, 4096])
  func anExhaustedSlotIsRetired(partitions: Int) {
    let core = CoreHarness(partitions: partitions)
    let payroll = core.seedProduct("payroll")
    let ana = core.seedUser("ana", products: [payroll])
    let partition = core.partitioning.partition(of: ana)
    func open(_ generation: UInt32) -> SessionID {
      let id = SessionNumber.id(slot: 1, generation: generation, partition: partition, core.partitioning)
      core.apply(
        SessionOpened(
          session: id, user: ana, token: .zero, product: payroll, workspace: mainWorkspace, expires: core.now + 1000,
          idleSeconds: 0, opener: .unknown))
      return id
    }
    let last = SessionNumber.lastGeneration(core.partitioning)
    core.apply(SessionEnded(open(last - 1), ana, .revoked, actorSession: nil, product: 3, workspace: 2))
    #expect(core.cells[partition].state.nextSession() == open(last))
    core.apply(
      SessionEnded(
        core.cells[partition].state.sessionID(ofSlot: 1), ana, .revoked, actorSession: nil, product: 3, workspace: 2))
    let next = core.cells[partition].state.nextSession()
    #expect(SessionNumber.slot(core.partitioning.serial(of: next)) == 2)
    #expect(!core.logIn("ana", "payroll").isEmpty)
    #expect(Invariants.check(core.cells, core.wholeDirectory).isEmpty)
    core.expectReplicated()
  }
}
