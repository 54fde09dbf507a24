import GatehouseStorage
import Testing

/// Interval durability: written records count as durable, and synced records survive a power failure.
@Suite(.inClearAndEncrypted) struct LogIntervalTests {
  @Test func aRequestedSyncComesBeforeTheInterval() throws {
    var (disk, log) = try TestLog.onSimulatedDisk()
    log.options.durability = .interval(milliseconds: 3_600_000)
    let writer = try log.openDriven()
    for number in 1...3 as ClosedRange<UInt64> { try writer.append(testRecord(number)) }
    #expect(writer.turn() == .idle)
    #expect(writer.durableLSN == 3 && writer.syncedLSN == 0)

    writer.requestSync()
    #expect(writer.turn() == .idle)
    #expect(writer.syncedLSN == 3)
    try writer.append(testRecord(4))
    #expect(writer.turn() == .idle)
    #expect(writer.durableLSN == 4 && writer.syncedLSN == 3, "asked for once, synced once")

    disk.powerOff()
    for seed in 0..<20 as Range<UInt64> {
      disk = disk.survivor(seed: seed)
      #expect(try log.on(disk).recover().records.count >= 3)
    }
  }

  @Test func aSleepingWriterWakesForIt() async throws {
    var (_, log) = try TestLog.onSimulatedDisk()
    log.options.durability = .interval(milliseconds: 3_600_000)
    let writer = try log.open()
    try writer.append(testRecord(1))
    await writer.waitUntilDurable(1)
    #expect(writer.syncedLSN == 0)
    writer.requestSync()
    let deadline = ContinuousClock.now + .seconds(20)
    while writer.syncedLSN < 1, ContinuousClock.now < deadline { try await Task.sleep(for: .milliseconds(1)) }
    #expect(writer.syncedLSN == 1)
    writer.close()
  }
}
