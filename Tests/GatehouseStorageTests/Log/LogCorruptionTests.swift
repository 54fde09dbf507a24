import GatehouseStorage
import Glibc
import Testing

/// Damage everywhere in a small log of several segments: the log must be refused, or end at or after every witness, and
/// every record that it returns must be intact.
@Suite(.inClearAndEncrypted) struct LogCorruptionTests {
  /// A cleanly closed log, of which the witness vouches for all records, or one left before its last records were
  /// vouched for.
  struct Specimen: Sendable {
    let disk: SimulatedDisk
    let log: TestLog
    let records: [[UInt8]]
    /// The last record that the side file vouches for.
    let witnessed: Int
    /// The last record that the side file or the last frame vouches for.
    let vouched: Int
    let files: [String]

    /// - Parameter isNoise: whether the records are incompressible.
    init(isClosed: Bool, isNoise: Bool = false) throws {
      func record(_ number: Int) -> [UInt8] {
        var random = SplitMix64(seed: UInt64(number))
        return isNoise
          ? (0..<100).map { _ in UInt8(truncatingIfNeeded: random.next()) } : testRecord(UInt64(number), seed: 5)
      }
      var (disk, log) = try TestLog.onSimulatedDisk()
      log.options.segmentBytes = 8 << 10
      log.options.maximumFrameBytes = 1 << 10
      let writer = try log.openDriven()
      var records: [[UInt8]] = []
      while try LogReader(log.location).segments().count < 3 {
        for _ in 0..<5 {
          records.append(record(records.count + 1))
          try writer.append(records.last!)
        }
        _ = writer.turn()
      }
      writer.tick()
      witnessed = isClosed ? records.count + 10 : records.count
      vouched = isClosed ? records.count + 10 : records.count + 5
      for _ in 0..<2 {
        for _ in 0..<5 {
          records.append(record(records.count + 1))
          try writer.append(records.last!)
        }
        _ = writer.turn()
      }
      if isClosed { writer.close() }
      disk = disk.afterKill()
      self.disk = disk
      self.log = log.on(disk)
      self.records = records
      files = try disk.list("/log").filter { $0.hasSuffix(".log") || $0 == LogFormat.witnessName }.sorted()
    }

    /// Which bytes of a file to damage: all significant ones, and some others.
    func offsets(_ file: String) throws -> [Int] {
      let size = try disk.content("/log/" + file).count
      return (0..<size).filter { offset in
        let isHeader = offset % 4096 < LogFormat.headerSize
        return isHeader || offset % 61 == 0 || (offset > 4096 && file != LogFormat.witnessName)
      }
    }

    /// How the damaged log breaks the promise; nil if it keeps it.
    /// - Parameter count: the fewest records that it must return, unless it refuses.
    func violation(atLeast count: Int, sabotage: LogSabotage = []) -> String? {
      var log = log
      log.options.sabotage = sabotage
      var found = 0
      do {
        _ = try LogRecovery(log.location, options: log.options, forWriting: false).replay(from: 1) { _, record in
          guard found < records.count,
            records[found].withUnsafeBytes({
              memcmp($0.baseAddress!, record.baseAddress!, $0.count) == 0 && $0.count == record.count
            })
          else { throw Served() }
          found += 1
        }
        return found < count ? "\(found) records of \(count)" : nil
      } catch is LogError {
        return nil
      } catch {
        return "served what was not written as LSN \(found + 1)"
      }
    }

    private struct Served: Error {}

    /// Damages one file, and repairs it.
    func damage(
      _ file: String, atLeast count: Int, sabotage: LogSabotage = [], _ change: (inout [UInt8]) -> Void
    ) throws -> String? {
      let path = "/log/" + file
      let content = try disk.content(path)
      var damaged = content
      change(&damaged)
      try disk.setContent(path, damaged)
      defer { try? disk.setContent(path, content) }
      return violation(atLeast: count, sabotage: sabotage)
    }
  }

  @Test(arguments: [true, false])
  func everyFlippedByteIsDetectedOrHarmless(isClosed: Bool) throws {
    let specimen = try Specimen(isClosed: isClosed)
    #expect(specimen.violation(atLeast: specimen.records.count) == nil && specimen.files.count >= 4)
    for file in specimen.files {
      for offset in try specimen.offsets(file) {
        let violation = try specimen.damage(file, atLeast: specimen.vouched) { $0[offset] ^= UInt8(1 << (offset % 8)) }
        if let violation { Issue.record("\(file), byte \(offset) flipped: \(violation)") }
      }
    }
  }

  @Test(arguments: [true, false])
  func everyTruncationIsDetectedOrHarmless(isClosed: Bool) throws {
    let specimen = try Specimen(isClosed: isClosed)
    for file in specimen.files {
      for length in try specimen.offsets(file) {
        let violation = try specimen.damage(file, atLeast: specimen.witnessed) { $0.removeLast($0.count - length) }
        if let violation { Issue.record("\(file) cut to \(length) bytes: \(violation)") }
      }
    }
  }

  @Test func zeroedSectorsAreDetected() throws {
    let specimen = try Specimen(isClosed: true)
    for file in specimen.files {
      for sector in stride(from: 0, to: try specimen.disk.content("/log/" + file).count, by: 512) {
        let violation = try specimen.damage(file, atLeast: specimen.witnessed) { content in
          for offset in sector..<min(sector + 512, content.count) { content[offset] = 0 }
        }
        if let violation { Issue.record("\(file), sector at \(sector) zeroed: \(violation)") }
      }
    }
  }

  @Test func aMisplacedFrameIsDetected() throws {
    let specimen = try Specimen(isClosed: false)
    let segments = specimen.files.filter { $0.hasSuffix(".log") }
    for file in segments {
      for other in segments {
        let source = try specimen.disk.content("/log/" + other)
        for from in stride(from: 4096, to: source.count - 1024, by: 512) {
          for to in stride(from: 4096, to: 6144, by: 512) where other != file || from != to {
            let violation = try specimen.damage(file, atLeast: specimen.witnessed) { content in
              for index in 0..<1024 where to + index < content.count { content[to + index] = source[from + index] }
            }
            if let violation { Issue.record("\(other) at \(from) copied to \(file) at \(to): \(violation)") }
          }
        }
      }
    }
  }

  @Test func aMissingFileIsDetected() throws {
    for isClosed in [true, false] {
      let specimen = try Specimen(isClosed: isClosed)
      for file in specimen.files {
        try specimen.disk.rename("/log/" + file, to: "/elsewhere")
        #expect(throws: LogError.self, "\(file) is missing") { try specimen.log.recover() }
        try specimen.disk.rename("/elsewhere", to: "/log/" + file)
      }
      #expect(specimen.violation(atLeast: specimen.records.count) == nil)
    }
  }

  @Test func duplicatedSwappedAndForeignFilesAreDetected() throws {
    let specimen = try Specimen(isClosed: true)
    let disk = specimen.disk
    let segments = specimen.files.filter { $0.hasSuffix(".log") }
    func create(_ name: String, _ content: [UInt8]) throws {
      _ = try disk.open("/log/" + name, .create)
      try disk.setContent("/log/" + name, content)
    }
    for name in ["notes.txt", "1.log", "00000000000000000000.log", segments[1] + "~"] {
      try create(name, try disk.content("/log/" + segments[1]))
      #expect { try specimen.log.recover() } throws: { ($0 as? LogError)?.code == .stranger }
      try disk.remove("/log/" + name)
    }
    for file in segments {
      try create(LogFormat.segmentName(999), try disk.content("/log/" + file))
      #expect { try specimen.log.recover() } throws: { ($0 as? LogError)?.code == .stranger }
      try disk.remove("/log/" + LogFormat.segmentName(999))
      for other in segments where other > file {
        let (first, second) = (try disk.content("/log/" + file), try disk.content("/log/" + other))
        try disk.setContent("/log/" + file, second)
        try disk.setContent("/log/" + other, first)
        #expect { try specimen.log.recover() } throws: { ($0 as? LogError)?.code == .stranger }
        try disk.setContent("/log/" + file, first)
        try disk.setContent("/log/" + other, second)
      }
    }
    let other = LogLocation(disk: disk, directory: "/log", folderID: Hash128(high: 1, low: 2))
    #expect { try LogRecovery(other, forWriting: false) } throws: { ($0 as? LogError)?.code == .stranger }
    #expect(specimen.violation(atLeast: specimen.records.count) == nil)
  }

  @Test func theErrorSaysWhereAndWhatToDo() throws {
    let specimen = try Specimen(isClosed: true)
    let path = "/log/" + specimen.files[0]
    var content = try specimen.disk.content(path)
    content[4096 + 130] ^= 1
    try specimen.disk.setContent(path, content)
    let error = #expect(throws: LogError.self) { try specimen.log.recover() }
    #expect(
      error?.description == """
        log 00000000000000000001.log at offset 4096, LSN 1: the frame's body is damaged, and the next segment was begun \
        after it was durable; run `gatehousectl verify` for all damage, and `gatehousectl restore` to go back to a backup
        """)
  }

  /// The checks that these tests must prove necessary. The chain also detects errors in a header, and the content hash
  /// those in a compressed body.
  @Test(arguments: [LogSabotage.skipBodyHash, .skipChain, .skipWitness, .skipScanOn])
  func aMissingCheckIsDetected(bug: LogSabotage) throws {
    // The tag of an encrypted body tells what its hash would have told.
    if bug == .skipBodyHash, Encrypted.key != nil { return }
    for specimen in [try Specimen(isClosed: true, isNoise: true), try Specimen(isClosed: false)] {
      for file in specimen.files.reversed() {
        let other = try specimen.disk.content("/log/" + specimen.files[0])
        for offset in try specimen.offsets(file) where offset >= 4096 {
          for bit in [1, 0x80] as [UInt8] where offset % 512 < 8 || offset % 512 > 128 {
            if try specimen.damage(file, atLeast: specimen.vouched, sabotage: bug, { $0[offset] ^= bit }) != nil {
              return
            }
          }
          guard offset % 512 == 0 else { continue }
          let cut = try specimen.damage(file, atLeast: specimen.witnessed, sabotage: bug) {
            $0.removeLast($0.count - offset)
          }
          let copied = try specimen.damage(file, atLeast: specimen.witnessed, sabotage: bug) { content in
            for index in 0..<1024 where offset + index < content.count { content[offset + index] = other[4096 + index] }
          }
          if cut != nil || copied != nil { return }
        }
      }
    }
    Issue.record("nothing was found")
  }
}
