import GatehouseCore
import Testing

@testable import GatehouseStorage

/// Decoded parts of the history that are kept for the next reader.
@Suite struct HistoryCacheTests {
  private func part(_ count: Int, from lsn: UInt64 = 1) -> DecodedPart {
    DecodedPart(from: lsn) { add in
      for number in 0..<count { Array("record \(lsn + UInt64(number))".utf8).withUnsafeBytes(add) }
    }
  }

  private func key(_ place: UInt64) -> HistoryCache.Key { HistoryCache.Key(hash: .zero, place: place, end: 0) }

  private func read(
    _ part: DecodedPart, marks: RecordMarks, in range: ClosedRange<UInt64> = 1...100, newestFirst: Bool = false,
    most: Int = .max
  ) throws -> [String] {
    var found: [String] = []
    _ = try part.forEachRecord(marks, in: range, newestFirst: newestFirst) { _, bytes in
      found.append(String(decoding: bytes, as: UTF8.self))
      return found.count < most
    }
    return found
  }

  @Test func aPartIsDecodedOnce() {
    let cache = HistoryCache()
    var decoded = 0
    for _ in 0..<3 {
      let part = cache.part(key(1)) {
        decoded += 1
        return self.part(5)
      }
      #expect(part.memory > 0)
    }
    #expect(decoded == 1)
    _ = cache.part(HistoryCache.Key(hash: .zero, place: 1, end: 9)) {
      decoded += 1
      return self.part(5)
    }
    #expect(decoded == 2, "the newest part has grown")
  }

  /// What was used last stays, and memory is bounded.
  @Test func theOldestGoes() {
    let one = part(100).memory
    let cache = HistoryCache(limit: 10 * one)
    var decoded: [UInt64] = []
    func use(_ place: UInt64) {
      _ = cache.part(key(place)) {
        decoded.append(place)
        return self.part(100)
      }
    }
    for place in 0..<UInt64(40) {
      use(place)
      use(0)
      #expect(cache.bytes <= 10 * one)
    }
    #expect(decoded == Array(0..<40), "the one that is used again and again stays")
    use(1)
    #expect(decoded.last == 1)
    let before = cache.bytes
    _ = cache.part(key(99)) { self.part(100_000) }
    #expect(cache.bytes == before, "what is larger than a quarter of it is not kept")
  }

  @Test func recordsAreFoundByTheirBytes() throws {
    let part = part(30, from: 5)
    let all = (5...34).map { "record \($0)" }
    #expect(try read(part, marks: RecordMarks(of: [], in: [:])) == all)
    #expect(
      try read(part, marks: RecordMarks(of: [], in: [:]), in: 7...9, newestFirst: true) == [
        "record 9", "record 8", "record 7",
      ])
    let marks = RecordMarks(of: [1, 2], in: [1: Array("d 1".utf8), 2: Array("34".utf8)])
    #expect(try read(part, marks: marks) == (10...19).map { "record \($0)" } + ["record 34"])
    #expect(try read(part, marks: marks, newestFirst: true, most: 2) == ["record 34", "record 19"])
    #expect(try read(part, marks: RecordMarks(of: [1], in: [1: Array("5record 6".utf8)])).isEmpty, "it lies in two")
    #expect(
      try read(part, marks: RecordMarks(of: [1, 2], in: [1: Array("34".utf8)])) == all,
      "one of them has no bytes of its own")
  }
}
