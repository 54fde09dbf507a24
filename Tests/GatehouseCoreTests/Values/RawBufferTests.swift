import GatehouseCore
import Testing

@Suite struct RawBufferTests {
  @Test func keepsWhatWasAppendedWhileItGrows() {
    var buffer = RawBuffer(capacity: 0, alignment: 64)
    var expected: [UInt8] = []
    for number in 0..<500 {
      let bytes = [UInt8](repeating: UInt8(number & 255), count: number % 40)
      bytes.withUnsafeBytes { buffer.append($0) }
      expected += bytes
      buffer.appendZeros(number % 3)
      expected += [UInt8](repeating: 0, count: number % 3)
      #expect(Int(bitPattern: buffer.bytes.baseAddress) % 64 == 0)
    }
    #expect(buffer.bytes.elementsEqual(expected))
    buffer.removeFirst(1000)
    buffer.truncate(to: 3000)
    #expect(buffer.bytes.elementsEqual(expected[1000..<4000]))
    buffer.removeAll()
    #expect(buffer.count == 0 && buffer.capacity >= expected.count)
  }

  @Test func valuesSurviveCoding() throws {
    var writer = ByteWriter()
    let numbers: [UInt64] = [0, 1, 127, 128, 16_383, 16_384, .max]
    for number in numbers { writer.varint(number) }
    for number in [Int64.min, -1, 0, 1, .max] { writer.signed(number) }
    writer.text(String(repeating: "é", count: 300))
    try writer.withBytes { bytes throws in
      var reader = ByteReader(bytes)
      for number in numbers { #expect(try reader.varint() == number) }
      for number in [Int64.min, -1, 0, 1, .max] { #expect(try reader.signed() == number) }
      #expect(try reader.text() == String(repeating: "é", count: 300))
      #expect(reader.isAtEnd)
    }
  }
}
