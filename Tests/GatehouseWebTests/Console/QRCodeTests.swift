import GatehouseTestSupport
import Testing

@testable import GatehouseWeb

@Suite("QR codes")
struct QRCodeTests {
  @Test("a code is square with a margin of four modules, and has the three corners that readers look for")
  func shape() throws {
    let code = try #require(QRCode("otpauth://totp/main:sam?secret=VFEZ6SLQOWLPVGD3JHOO2QJGLZBZ5QJO"))
    let dark = Set(code.path.split(separator: "M").map { String($0.prefix { $0 != "h" }) })
    #expect(code.size % 4 == 1)
    for (column, row) in [(4, 4), (code.size - 11, 4), (4, code.size - 11)] {
      // The corner's outer ring is dark, its inner ring light, its middle dark.
      #expect((0..<7).allSatisfy { dark.contains("\(column + $0) \(row)") && dark.contains("\(column) \(row + $0)") })
      #expect((1..<6).allSatisfy { !dark.contains("\(column + $0) \(row + 1)") })
      #expect(dark.contains("\(column + 3) \(row + 3)"))
    }
    #expect(!dark.contains { $0.hasPrefix("3 ") || $0.hasPrefix("\(code.size - 4) ") })
  }

  @Test("a text that is too long has none")
  func tooLong() { #expect(QRCode(String(repeating: "a", count: 5000)) == nil) }
}
