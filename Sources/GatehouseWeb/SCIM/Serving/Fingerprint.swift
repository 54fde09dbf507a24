/// FNV-1a of texts, one after another: tells what was changed from what was not. It guards nothing.
struct Fingerprint {
  private var hash: UInt64 = 0xcbf2_9ce4_8422_2325

  mutating func add(_ text: String) {
    for byte in text.utf8 { add(byte) }
    // No text has this byte, so that two texts are not taken for one.
    add(0xff)
  }

  private mutating func add(_ byte: UInt8) { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }

  var text: String { String(hash, radix: 36) }
}
