import GatehouseStorage
import Testing

/// Power fails before each operation in a log's life, and the disk keeps an arbitrary part of unsynced data.
@Suite(.inClearAndEncrypted) struct LogCrashTests {
  @Test(arguments: 0..<16 as Range<UInt64>)
  func nothingAcknowledgedIsLostWheneverThePowerGoes(seed: UInt64) throws {
    #expect(try Self.crashEverywhere(seed: seed) { _ in } == [])
  }

  @Test(arguments: 50..<54 as Range<UInt64>)
  func nothingIsLostIfTheAppendingThreadWrites(seed: UInt64) throws {
    #expect(try Self.crashEverywhere(seed: seed) { $0.options.inlineRecords = 20 } == [])
  }

  @Test func aDiskWhoseSectorsHave4096BytesIsSurvived() throws {
    #expect(try Self.crashEverywhere(seed: 100, garbage: 4096) { $0.options.alignment = 4096 } == [])
  }

  @Test func theAlignmentMayChangeBetweenSegments() throws {
    let (_, log) = try TestLog.onSimulatedDisk()
    var history = LogHistory()
    for (seed, alignment) in [(1, 512), (2, 4096), (3, 512), (4, 4096)] as [(UInt64, UInt64)] {
      var log = log
      log.options.alignment = alignment
      LogScript(seed: seed).run(log, &history)
    }
    _ = history.recover(log, "at last")
    #expect(history.violations == [])
  }

  @Test(arguments: 0..<40 as Range<UInt64>)
  func repeatedCrashesAreSurvived(seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    var (disk, log) = try TestLog.onSimulatedDisk()
    var history = LogHistory()
    for generation in 0..<8 as Range<UInt64> {
      disk.powerOff(before: disk.operations + Int(random.next() % 60))
      LogScript(seed: random.next(), steps: 6).run(log, &history, "generation \(generation)")
      disk = disk.survivor(seed: random.next())
      log = log.on(disk)
    }
    _ = history.recover(log, "at last")
    #expect(history.violations == [])
  }

  /// With interval durability, a power failure may lose acknowledged records, but only the last ones, and a killed
  /// process loses none.
  @Test(arguments: 0..<20 as Range<UInt64>)
  func intervalDurabilityLosesOnlyTheEnd(seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    var (disk, log) = try TestLog.onSimulatedDisk()
    log.options.durability = .interval(milliseconds: Int(random.next() % 2) * 1000)
    var history = LogHistory()
    for generation in 0..<6 as Range<UInt64> {
      let isKill = generation % 2 == 0
      if !isKill { disk.powerOff(before: disk.operations + Int(random.next() % 60)) }
      LogScript(seed: random.next(), steps: 6, closes: false).run(log, &history, "generation \(generation)")
      if !isKill { history.acknowledged = 0 }
      disk = isKill ? disk.afterKill() : disk.survivor(seed: random.next())
      log = log.on(disk)
    }
    _ = history.recover(log, "at last")
    #expect(history.violations == [])
  }

  /// Bugs that these tests must detect.
  @Test(arguments: [
    LogSabotage.skipSync, .acknowledgeEarly, .skipDirectorySync, .eagerWitness, .unalignedFrames,
  ])
  func aPlantedBugIsFound(bug: LogSabotage) throws {
    for seed in 0..<30 as Range<UInt64> {
      let violations = try Self.crashEverywhere(seed: seed, stopsAtFirst: true) { $0.options.sabotage = bug }
      if !violations.isEmpty { return }
    }
    Issue.record("nothing was found")
  }

  /// Of two frames in flight, the second reached the disk and the first did not. If the second is not cut off, a later
  /// frame may end exactly where it begins.
  @Test(arguments: [LogSabotage(), .keepTornTail])
  func tornWritesAreCutOff(bug: LogSabotage) throws {
    var (disk, log) = try TestLog.onSimulatedDisk()
    log.options.sabotage = bug
    var writer = try log.openDriven()
    try writer.append([0])
    _ = writer.turn()
    let before = try disk.content("/log/" + LogFormat.segmentName(1))
    let frameStart = Int(writer.statistics.currentSegmentBytes)
    for number in 1...4 as ClosedRange<UInt64> { try writer.append(Self.noise(number)) }
    disk.powerOff(before: disk.operations + 2)
    _ = writer.turn()
    #expect(disk.isOff && writer.durableLSN == 1)
    var after = try disk.content("/log/" + LogFormat.segmentName(1))
    after.replaceSubrange(frameStart..<frameStart + 512, with: before[frameStart..<frameStart + 512])
    try disk.setContent("/log/" + LogFormat.segmentName(1), after)

    disk = disk.afterKill()
    log = log.on(disk)
    let end = try log.recover().end
    #expect(end.lastLSN == 1 && end.tornBytes > 0)
    writer = try log.openDriven()
    for number in 5...6 as ClosedRange<UInt64> { try writer.append(Self.noise(number)) }
    _ = writer.turn()
    #expect(writer.durableLSN == 3)
    if bug == .keepTornTail {
      #expect(throws: LogError.self) { try log.recover() }
    } else {
      #expect(try log.recover().records == [[0], Self.noise(5), Self.noise(6)])
    }
  }

  /// Two of these fill a frame and are incompressible, so their frames have equal lengths.
  private static func noise(_ number: UInt64) -> [UInt8] {
    var random = SplitMix64(seed: number)
    let words = (0..<256).map { _ in random.next() }
    return words.withUnsafeBytes { [UInt8](copying: $0) }
  }

  /// Runs a script once for each of its operations, cutting the power before it, and then continues.
  /// - Returns: the violations.
  static func crashEverywhere(
    seed: UInt64, garbage: Int = 512, stopsAtFirst: Bool = false, _ configure: (inout TestLog) -> Void
  ) throws -> [String] {
    var violations: [String] = []
    var operation = 0
    while true {
      var (disk, log) = try TestLog.onSimulatedDisk()
      configure(&log)
      var history = LogHistory()
      disk.powerOff(before: operation)
      LogScript(seed: seed).run(log, &history)
      let isWholeScript = !disk.isOff
      for survivor in 0..<4 as Range<UInt64> {
        let survivorSeed = survivor &+ UInt64(operation) &* 31 &+ seed &* 1009
        let found = disk.survivor(seed: survivorSeed, garbage: garbage)
        var after = history
        let label = "power lost before operation \(operation), seed \(survivorSeed)"
        LogScript(seed: seed + 1, steps: 4, closes: true).run(log.on(found), &after, label)
        _ = after.recover(log.on(found), label + ", once more")
        violations += after.violations
      }
      if stopsAtFirst, !violations.isEmpty { return violations }
      if isWholeScript {
        // A script that hardly uses the disk would prove nothing.
        #expect(operation > 25 && history.appended.count > 10)
        return violations
      }
      operation += 1
    }
  }
}
