import GatehouseStorage
import Testing

@Suite struct Hash128Tests {
  /// The published SHA-256 of "abc" begins with these bytes.
  @Test func itIsTheBeginningOfSHA256() {
    let hash = Array("abc".utf8).withUnsafeBytes { Hash128(of: $0) }
    #expect(hash.description == "ba7816bf8f01cfea414140de5dae2223")
    let twoParts = Array("a".utf8).withUnsafeBytes { first in
      Array("bc".utf8).withUnsafeBytes { Hash128(of: first, then: $0) }
    }
    #expect(twoParts == hash)
  }

  @Test func itSurvivesCoding() {
    let hash = Hash128(high: 1, low: .max)
    var bytes = [UInt8](repeating: 9, count: 17)
    bytes.withUnsafeMutableBytes { hash.store(to: $0) }
    #expect(bytes == [0, 0, 0, 0, 0, 0, 0, 1] + [UInt8](repeating: 255, count: 8) + [9])
    #expect(bytes.withUnsafeBytes { Hash128(loading: $0) } == hash)
  }
}
