import Foundation
import GatehouseCore
import Testing

@Suite("Base64")
struct Base64Tests {
  @Test("bytes of every length come back, as Foundation writes them")
  func all() {
    for count in 0..<70 {
      let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ count) }
      let padded = Data(bytes).base64EncodedString()
      #expect(Base64.text(bytes) == padded.replacing("=", with: ""))
      #expect(Base64.bytes(padded) == bytes && Base64.bytes(Base64.text(bytes)) == bytes)
    }
  }

  @Test("what is no base64 is nothing", arguments: ["?", "AAAA?", "A", "AAAAA", "AA=A", "AA-_", "AA AA"])
  func none(_ text: String) {
    #expect(Base64.bytes(text) == nil)
  }
}
