import GatehouseTestSupport
import Testing

@testable import GatehouseReplication

struct ProtobufTests {
  private func written(_ write: (inout ProtobufWriter) -> Void) -> [UInt8] {
    var writer = ProtobufWriter()
    write(&writer)
    return writer.bytes
  }

  private func read<Message: ProtobufReadable>(_: Message.Type, _ bytes: [UInt8]) throws -> Message {
    try bytes.withUnsafeBytes { try Message(reading: $0) }
  }

  @Test func numbersTakeAsManyBytesAsTheyNeed() {
    #expect(written { $0.number(1, 150 as UInt64) } == [0x08, 0x96, 0x01])
    #expect(written { $0.number(2, -1 as Int64) } == [0x10] + Array(repeating: 0xFF, count: 9) + [0x01])
    #expect(written { $0.number(3, 0 as UInt64) } == [])
    #expect(written { $0.chosenNumber(5, 0) } == [0x28, 0x00])
  }

  @Test func bytesHaveTheirLength() {
    #expect(written { $0.text(2, "testing") } == [0x12, 0x07] + Array("testing".utf8))
    #expect(written { $0.bytes(2, []) } == [])
    #expect(written { $0.chosenBytes(7, []) } == [0x3A, 0x00])
  }

  @Test func aNestedMessageHasALengthOfFixedWidth() {
    let bytes = written { $0.message(3) { $0.number(1, 150 as UInt64) } }
    #expect(bytes == [0x1A, 0x83, 0x80, 0x80, 0x00, 0x08, 0x96, 0x01])
  }

  @Test func aLongNestedMessageIsReadAgain() throws {
    let value = [UInt8](repeating: 7, count: 1_300_000)
    let pair = try read(
      WatchEvent.self,
      written {
        $0.number(1, 1 as UInt64)
        $0.message(2) {
          $0.bytes(1, Array("key".utf8))
          $0.number(3, 12 as Int64)
          $0.bytes(5, value)
        }
      })
    #expect(pair.isDeletion)
    #expect(pair.pair == KeyValue(key: Array("key".utf8), modRevision: 12, value: value))
  }

  @Test func unknownFieldsArePassedOver() throws {
    let bytes = written {
      $0.number(77, 5 as UInt64)
      $0.bytes(78, [1, 2, 3])
      $0.message(1) { $0.number(3, 9 as Int64) }
    }
    // Numbers of a fixed width too, which etcd does not send today.
    let fixed: [UInt8] = [0x79, 1, 2, 3, 4, 5, 6, 7, 8, 0x7D, 1, 2, 3, 4]
    #expect(try read(HeaderResponse.self, fixed + bytes).header.revision == 9)
  }

  @Test func whateverIsNoMessageIsRefused() {
    let cases: [([UInt8], String)] = [
      ([0x08], "the message ends within a number"), ([0x08, 0x80], "the message ends within a number"),
      ([0x08] + Array(repeating: 0x80, count: 10) + [0], "a number of more than ten bytes"),
      ([0x0A, 0x05, 1], "a field longer than the message"),
      ([0x0A] + Array(repeating: 0xFF, count: 9) + [0x01], "a length beyond all bounds"),
      ([0x00, 0x00], "a field without a number"), ([0x0B], "a field of an unknown kind"),
      ([0x79, 1], "a field longer than the message"), ([0x08, 0x01], "a number where bytes belong"),
    ]
    for (bytes, text) in cases {
      #expect(throws: ProtobufError(what: text)) { try read(HeaderResponse.self, bytes) }
    }
  }

  @Test func anyBytesAreReadOrRefused() {
    var random = SeededRandom(seed: 5)
    for _ in 0..<20_000 {
      let bytes = (0..<Int.random(in: 0..<60, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
      _ = try? read(TransactionResponse.self, bytes)
      _ = try? read(WatchResponse.self, bytes)
      _ = try? read(StoredLeader.self, bytes)
    }
  }

  @Test func aTransactionIsWrittenAsEtcdReadsIt() {
    let request = TransactionRequest(
      comparisons: [Comparison(key: [1], target: .modRevision(300))],
      success: [.put(key: [2], value: [3], lease: 4)], failure: [.get([5]), .delete(KeyRange(prefix: [6]))])
    var writer = ProtobufWriter()
    request.write(to: &writer)
    #expect(
      writer.bytes == [
        0x0A, 0x88, 0x80, 0x80, 0, 0x10, 2, 0x1A, 1, 1, 0x30, 0xAC, 0x02,  // compare MOD of [1] with 300
        0x12, 0x8D, 0x80, 0x80, 0, 0x12, 0x88, 0x80, 0x80, 0, 0x0A, 1, 2, 0x12, 1, 3, 0x18, 4,  // put
        0x1A, 0x88, 0x80, 0x80, 0, 0x0A, 0x83, 0x80, 0x80, 0, 0x0A, 1, 5,  // range
        0x1A, 0x8B, 0x80, 0x80, 0, 0x1A, 0x86, 0x80, 0x80, 0, 0x0A, 1, 6, 0x12, 1, 7,  // delete
      ])
  }
}
