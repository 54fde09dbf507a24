import GatehouseStorage
import Glibc
import Testing

@Suite struct FrameCodecTests {
  /// A record like those of a service: names, numbers, and much that all have in common.
  static func typical(_ number: UInt64) -> [UInt8] {
    var random = SplitMix64(seed: number)
    return Array(
      """
      {"command":"SESSION.CREATE","user":\(random.next() % 90_000),"product":"payroll","workspace":"main",\
      "session":"\(random.next())","address":"10.0.\(random.next() % 256).\(random.next() % 256)"}
      """.utf8)
  }

  /// The compressed body is one ordinary zstd frame: the program of that name reads it.
  @Test(.enabled(if: access("/usr/bin/zstd", X_OK) == 0)) func theZstdProgramReadsABody() throws {
    let folder = TemporaryFolder()
    let log = TestLog(PosixDisk(), directory: folder.path)
    let writer = try log.openDriven()
    for number in 0..<20 as Range<UInt64> { try writer.append(Self.typical(number)) }
    #expect(writer.turn() == .idle)
    var bodies: [[UInt8]] = []
    try LogReader(log.location).frames(from: 1, through: 20) { frame in
      #expect(frame.header.isCompressed && frame.header.storedLength < frame.header.bodyLength / 2)
      bodies.append([UInt8](copying: frame.stored))
      return true
    }
    let path = folder.path + "/body.zst"
    let disk = PosixDisk()
    let file = try disk.open(path, .create)
    try bodies[0].withUnsafeBytes { try file.writeAll($0, at: 0) }
    #expect(system("/usr/bin/zstd -q -t \(path)") == 0)
    try [UInt8(0xFF)].withUnsafeBytes { try file.writeAll($0, at: UInt64(bodies[0].count / 2)) }
    try file.truncate(to: UInt64(bodies[0].count - 1))
    #expect(system("/usr/bin/zstd -q -t \(path) 2>/dev/null") != 0)
  }

  @Test func aDictionaryMakesSmallFramesSmaller() throws {
    let samples = (0..<2000 as Range<UInt64>).map { Self.typical($0) }
    let trained = try #require(ZstdDictionary.train(samples: samples))
    let dictionary = try #require(ZstdDictionary(trained))
    #expect(dictionary.id != 0)
    #expect(ZstdDictionary.train(samples: [[1]]) == nil)
    #expect(ZstdDictionary([1, 2, 3]) == nil)
    var stored: [UInt32] = []
    for dictionaries in [[], [dictionary]] {
      var (_, log) = try TestLog.onSimulatedDisk()
      log.options.dictionaries = dictionaries
      let writer = try log.openDriven()
      try writer.append(Self.typical(5000))
      #expect(writer.turn() == .idle)
      #expect(try log.recover().records == [Self.typical(5000)])
      try LogReader(log.location).frames(from: 1, through: 1) { frame in
        stored.append(frame.header.storedLength)
        #expect(frame.header.dictionaryID == (dictionaries.first?.id ?? 0))
        return true
      }
      if !dictionaries.isEmpty {
        log.options.dictionaries = []
        #expect { try log.recover() } throws: { ($0 as? LogError)?.code == .dictionary }
      }
    }
    #expect(stored[1] < stored[0] / 2)
  }

  @Test func newerFramesAreRefusedAndSkippableOnesSkipped() throws {
    #expect(FrameType(code: 3) == nil)
    #expect(FrameType(code: 200) == .skippable(200))
    #expect(FrameType(code: FrameType.records.code) == .records)
    #expect(FrameType(code: FrameType.cleanEnd.code) == .cleanEnd)
  }

  @Test func aSegmentsNameIsItsFirstRecord() {
    #expect(LogFormat.segmentName(42) == "00000000000000000042.log")
    #expect(LogFormat.firstLSN(ofSegment: "00000000000000000042.log") == 42)
    #expect(LogFormat.firstLSN(ofSegment: LogFormat.segmentName(.max)) == .max)
    for name in ["42.log", "00000000000000000000.log", "0000000000000000004x.log", "00000000000000000042.lox"] {
      #expect(LogFormat.firstLSN(ofSegment: name) == nil)
    }
  }
}
