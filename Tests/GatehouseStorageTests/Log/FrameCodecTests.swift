import Glibc
import Testing

@testable import GatehouseStorage

@Suite(.inClearAndEncrypted) struct FrameCodecTests {
  /// A record like those of a service: names, numbers, and much that all share.
  static func typical(_ number: UInt64) -> [UInt8] {
    var random = SplitMix64(seed: number)
    return Array(
      """
      {"command":"SESSION.CREATE","user":\(random.next() % 90_000),"product":"payroll","workspace":"main",\
      "session":"\(random.next())","address":"10.0.\(random.next() % 256).\(random.next() % 256)"}
      """.utf8)
  }

  /// The compressed body is an ordinary zstd frame: the program `zstd` reads it.
  @Test(.enabled(if: access("/usr/bin/zstd", X_OK) == 0)) func theZstdProgramReadsABody() throws {
    let folder = TemporaryFolder()
    var log = TestLog(PosixDisk(), directory: folder.path)
    log.options.dictionaries = []
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
    // What is encrypted is no zstd frame any more.
    #expect((system("/usr/bin/zstd -q -t \(path) 2>/dev/null") == 0) == (Encrypted.key == nil))
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
    var stored: [Int] = []
    for dictionaries in [[], [dictionary]] {
      var (_, log) = try TestLog.onSimulatedDisk()
      log.options.dictionaries = dictionaries
      let writer = try log.openDriven()
      try writer.append(Self.typical(5000))
      #expect(writer.turn() == .idle)
      #expect(try log.recover().records == [Self.typical(5000)])
      try LogReader(log.location).frames(from: 1, through: 1) { frame in
        stored.append(frame.header.clearLength)
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

  /// A later version may add types of frames that this one skips or must refuse.
  @Test func aFrameOfALaterVersionIsSkippedOrRefused() throws {
    #expect(FrameType(code: 3) == nil && FrameType(code: 127) == nil)
    for type in [FrameType.records, .cleanEnd, .skippable(200)] { #expect(FrameType(code: type.code) == type) }

    let (disk, log) = try TestLog.onSimulatedDisk()
    let writer = try log.openDriven()
    try writer.append([1])
    _ = writer.turn()
    let path = "/log/" + LogFormat.segmentName(1)
    let end = try log.recover().end
    let content = try disk.content(path)
    var header = FrameHeader(
      type: .skippable(200), isCompressed: false, epoch: end.epoch, firstLSN: 2, recordCount: 0, bodyLength: 0,
      storedLength: 0, dictionaryID: 0, durableLSN: 1, previousHash: end.lastHash,
      bodyHash: Hash128(of: UnsafeRawBufferPointer(start: nil, count: 0)))
    for (type, version, isRefused) in [(200, 1, false), (3, 1, true), (1, 2, true)] as [(UInt8, UInt16, Bool)] {
      var changed = content
      changed.withUnsafeMutableBytes { bytes in
        let place = UnsafeMutableRawBufferPointer(rebasing: bytes[Int(end.offset)...])
        header.store(to: place, folderID: TestLog.folderID)
        place[6] = type
        place.storeLittleEndian(version, at: 4)
        let sealed = UnsafeRawBufferPointer(rebasing: place[..<LogFormat.hashOffset])
        let id = [UInt8](unsafeUninitializedCapacity: 16) { buffer, count in
          TestLog.folderID.store(to: UnsafeMutableRawBufferPointer(buffer))
          count = 16
        }
        id.withUnsafeBytes { Hash128(of: $0, then: sealed) }
          .store(to: UnsafeMutableRawBufferPointer(rebasing: place[LogFormat.hashOffset...]))
      }
      try disk.setContent(path, changed)
      if isRefused {
        #expect { try log.recover() } throws: { ($0 as? LogError)?.code == .unsupported }
      } else {
        let found = try log.recover()
        #expect(found.records == [[1]] && found.end.offset > end.offset)
      }
    }
  }

  @Test func syncTimesAreCountedByPowersOfTwo() {
    var statistics = LogStatistics()
    for microseconds in [0, 1, 2, 3, 4, 150, 1 << 40] as [UInt64] {
      statistics.noteSync(nanoseconds: microseconds * 1000)
    }
    #expect(statistics.syncs == 7 && statistics.longestSyncNanoseconds == 1000 << 40)
    #expect(statistics.syncHistogram[0...2] == [2, 2, 1])
    #expect(statistics.syncHistogram[7] == 1 && statistics.syncHistogram[23] == 1)
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
