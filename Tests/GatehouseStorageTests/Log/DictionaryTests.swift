import Foundation
import GatehouseCore
import Testing

@testable import GatehouseStorage

/// The dictionary that the log's frames are compressed with.
@Suite struct DictionaryTests {
  /// A frame's body with this many records.
  private static func body(_ samples: inout RecordSamples, records: Int) -> [UInt8] {
    var body = RawBuffer()
    for _ in 0..<records { samples.next().withUnsafeBytes { RecordCoding.append($0, to: &body) } }
    return [UInt8](copying: body.bytes)
  }

  private struct Cost {
    var raw = 0.0
    var stored = 0.0
    var padded = 0.0
  }

  /// The bytes for each record in frames of this many: before compression, after it, and in the file.
  private static func cost(records: Int, _ dictionary: ZstdDictionary?) -> Cost {
    var samples = RecordSamples(seed: 77)
    var encoder = FrameEncoder(folderID: TestLog.folderID, cipher: FolderCipher(), level: 1, dictionary: dictionary)
    var output = RawBuffer()
    var cost = Cost()
    let frames = 4000 / records
    for _ in 0..<frames {
      let body = body(&samples, records: records)
      let header = body.withUnsafeBytes { body in
        encoder.encode(
          FrameHeader(
            type: .records, isCompressed: false, epoch: 1, firstLSN: 1, recordCount: UInt32(records), bodyLength: 0,
            storedLength: 0, dictionaryID: 0, durableLSN: 0, previousHash: .zero, bodyHash: .zero),
          body: body, alignment: 512, into: &output)
      }
      cost.raw += Double(body.count)
      cost.stored += Double(header.storedLength)
      cost.padded += Double(output.count)
    }
    let count = Double(frames * records)
    return Cost(raw: cost.raw / count, stored: cost.stored / count, padded: cost.padded / count)
  }

  @Test(arguments: [1, 8, 50]) func itMakesFramesSmaller(records: Int) throws {
    let dictionary = try #require(ZstdDictionary.known.first)
    let (without, with) = (Self.cost(records: records, nil), Self.cost(records: records, dictionary))
    #expect(with.stored < without.stored * 0.95 && with.padded <= without.padded)
    if records == 8 { #expect(with.padded < without.padded * 0.7) }
  }

  /// Frames written with one must stay readable: the bytes behind these numbers never change.
  @Test func theyAreThoseThatWereReleased() throws {
    let known = ZstdDictionary.known.map { "\($0.id) \($0.bytes.withUnsafeBytes { Hash128(of: $0) })" }
    #expect(known == ["1443582323 a5d2d648888bdb6a04826b4ce1543a97", "375188374 577968a08f0d8156a4e71e6029164da1"])
    #expect(Base64.bytes("AQID/w==") == [1, 2, 3, 255] && Base64.bytes("?") == nil)
  }

  /// Trains a dictionary like the one in the sources, if `GATEHOUSE_DICTIONARY` names a file for it in base 64:
  /// `GATEHOUSE_DICTIONARY=/tmp/dictionary swift test --filter DictionaryTests`. A released dictionary never changes; a
  /// new one is added before it.
  @Test(.enabled(if: ProcessInfo.processInfo.environment["GATEHOUSE_DICTIONARY"] != nil))
  func train() throws {
    for known in ZstdDictionary.known {
      for records in [1, 8, 50] {
        let cost = Self.cost(records: records, known)
        print("known \(known.id), frames of \(records): \(cost.stored), file \(cost.padded)")
      }
    }
    for capacity in [2 << 10, 4 << 10, 8 << 10, 16 << 10] {
      var samples = RecordSamples(seed: 1)
      let bodies = (0..<12_000).map { Self.body(&samples, records: 1 + $0 % 4) }
      let trained = try #require(ZstdDictionary.train(samples: bodies, capacity: capacity))
      let dictionary = try #require(ZstdDictionary(trained))
      for records in [1, 8, 50] {
        let (without, with) = (Self.cost(records: records, nil), Self.cost(records: records, dictionary))
        print(
          "\(trained.count) B, frames of \(records): \(without.raw) B raw, \(without.stored) → \(with.stored), file "
            + "\(without.padded) → \(with.padded)")
      }
      let path = ProcessInfo.processInfo.environment["GATEHOUSE_DICTIONARY"]! + ".\(capacity)"
      try Data(trained).base64EncodedString(options: .lineLength64Characters)
        .write(toFile: path, atomically: true, encoding: .utf8)
    }
  }
}
