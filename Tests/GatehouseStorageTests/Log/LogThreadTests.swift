import GatehouseStorage
import Synchronization
import Testing

/// The log with its own threads, on the real disk.
@Suite(.inClearAndEncrypted) struct LogThreadTests {
  let folder = TemporaryFolder()
  var log: TestLog {
    var log = TestLog(PosixDisk(), directory: folder.path)
    log.options.segmentBytes = 64 << 10
    log.options.witnessMilliseconds = 5
    log.options.fillsSegments = true
    return log
  }

  @Test(arguments: [LogDurability.always, .interval(milliseconds: 3)])
  func appendsFromSeveralThreadsKeepTheirOrder(durability: LogDurability) async throws {
    var log = log
    log.options.durability = durability
    let sealed = Recorder<SegmentInfo>()
    var handlers = LogHandlers()
    handlers.onSealed = { sealed.record($0) }
    let writer = try log.open(handlers)
    try await withThrowingTaskGroup { group in
      for task in 0..<4 as Range<UInt8> {
        group.addTask {
          var last: UInt64 = 0
          for number in 0..<2500 {
            let record = [task, UInt8(number & 255), UInt8(number >> 8)]
            let lsn = try record.withUnsafeBytes { try writer.append($0, at: 0, wake: number % 10 == 9) }
            #expect(lsn > last)
            last = lsn
            if number % 500 == 499 { await writer.waitUntilDurable(lsn) }
          }
        }
      }
      try await group.waitForAll()
    }
    #expect(writer.appendedLSN == 10_000)
    writer.rotate()
    await writer.waitUntilDurable(10_000)
    writer.close()
    #expect(writer.syncedLSN == 10_000)
    let (records, end) = try log.recover()
    #expect(records.count == 10_000 && end.isClean)
    for task in 0..<4 as Range<UInt8> {
      let numbers = records.filter { $0[0] == task }.map { Int($0[1]) + Int($0[2]) << 8 }
      #expect(numbers == Array(0..<2500))
    }
    #expect(sealed.all.last?.lastLSN == 10_000)
    #expect(try WitnessFile.read(log.location)?.durableLSN == 10_000)
    #expect(try LogReader(log.location).segments().dropLast().map(\.lastLSN) == sealed.all.map(\.lastLSN))
  }

  /// A reader follows a live writer, while the whole log is verified successfully.
  @Test func aReaderFollowsAWriter() async throws {
    let log = log
    let writer = try log.open()
    let total: UInt64 = 6000
    async let isVerified: Bool = Task.detached {
      while writer.durableLSN < total {
        _ = try LogRecovery(log.location, options: log.options, forWriting: false).verify()
        try await Task.sleep(for: .milliseconds(2))
      }
      return true
    }.value
    async let read: UInt64 = Task.detached {
      let reader = LogReader(log.location)
      var next: UInt64 = 1
      while next <= total {
        let durable = writer.durableLSN
        try reader.records(from: next, through: durable) { lsn, record in
          #expect(lsn == next && [UInt8](copying: record) == testRecord(lsn))
          next += 1
        }
        #expect(next == durable + 1)
        try await Task.sleep(for: .milliseconds(1))
      }
      return next
    }.value
    for number in 1...total {
      try writer.append(testRecord(number))
      if number % 37 == 0 { try await Task.sleep(for: .microseconds(300)) }
    }
    #expect(try await read == total + 1)
    #expect(try await isVerified)
    writer.close()
    #expect(try LogReader(log.location).segments().count > 2)
  }

  @Test func aReaderReadsAnyRange() throws {
    let writer = try log.open()
    for number in 1...3000 as ClosedRange<UInt64> { try writer.append(testRecord(number)) }
    writer.close()
    let reader = LogReader(log.location)
    for (first, last) in [(1, 1), (1, 3000), (700, 1900), (3000, 3000), (5, 4), (1901, 1950)] as [(UInt64, UInt64)] {
      var found: [UInt64] = []
      try reader.records(from: first, through: last) { lsn, record in
        #expect([UInt8](copying: record) == testRecord(lsn))
        found.append(lsn)
      }
      #expect(found == (first <= last ? Array(first...last) : []))
    }
    #expect { try reader.records(from: 2990, through: 3001) { _, _ in } } throws: { ($0 as? LogError)?.lsn == 3001 }
    var frames: [LogFrame.Key] = []
    try reader.frames(from: 1, through: 3000) { frame in
      frames.append(.init(segment: frame.segment, offset: frame.offset))
      return frames.count < 3
    }
    #expect(frames.first == .init(segment: 1, offset: 4096) && frames.count == 3)
  }
}

extension LogFrame {
  struct Key: Equatable {
    let segment: UInt64
    let offset: UInt64
  }
}
