import GatehouseCore
import GatehouseStorage
import Testing

/// What the core is passed for the codes of second factors.
@Suite("HMAC-SHA1")
struct AuthenticationTests {
  private func mac(_ key: [UInt8], _ message: [UInt8]) -> String {
    let bytes = key.withUnsafeBytes { key in message.withUnsafeBytes { hmacSHA1(key, $0) } }
    return bytes.map { String(UInt16($0) + 256, radix: 16).dropFirst() }.joined()
  }

  @Test("the test vectors of RFC 2202")
  func vectors() {
    #expect(
      mac(Array(repeating: 0x0b, count: 20), Array("Hi There".utf8)) == "b617318655057264e28bc0b6fb378c8ef146be00")
    #expect(
      mac(Array("Jefe".utf8), Array("what do ya want for nothing?".utf8)) == "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79")
    #expect(
      mac(Array(repeating: 0xaa, count: 80), Array("Test Using Larger Than Block-Size Key - Hash Key First".utf8))
        == "aa4ae5e15272d00e95705637ce8a3b55ed402112")
  }

  /// The RFC shows eight digits; six are the last of them.
  @Test(
    "the test vectors of RFC 6238",
    arguments: [
      (59, 287_082), (1_111_111_109, 081_804), (1_111_111_111, 050_471), (1_234_567_890, 005_924),
      (2_000_000_000, 279_037), (20_000_000_000, 353_130),
    ])
  func codes(seconds: Int64, code: UInt32) throws {
    let secret = try #require(TimeSecret(bytes: Array("12345678901234567890".utf8)))
    #expect(TimeCode.code(secret, step: seconds / 30, hmacSHA1) == code)
  }
}
