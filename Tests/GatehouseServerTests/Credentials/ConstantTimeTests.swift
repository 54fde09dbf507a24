import Testing

@testable import GatehouseServer

@Suite("Comparing in constant time")
struct ConstantTimeTests {
  @Test("equal is only what has every bit in common")
  func everyBit() {
    let bytes = (0..<40).map { UInt8($0 * 6) }
    #expect(bytes.withUnsafeBytes { ConstantTime.areEqual($0, bytes) })
    for index in bytes.indices {
      for bit in 0..<8 {
        var other = bytes
        other[index] ^= 1 << UInt8(bit)
        #expect(!other.withUnsafeBytes { ConstantTime.areEqual($0, bytes) })
        // A second difference does not make up for the first.
        other[39] = 0xff
        #expect(!other.withUnsafeBytes { ConstantTime.areEqual($0, bytes) })
      }
    }
    #expect(!bytes.withUnsafeBytes { ConstantTime.areEqual($0, Array(bytes.dropLast())) })
  }
}
