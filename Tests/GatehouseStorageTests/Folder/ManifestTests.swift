import Testing

@testable import GatehouseStorage

@Suite("Manifest")
struct ManifestTests {
  let manifest: Manifest

  init() {
    var random = SplitMix64(seed: 7)
    manifest = Manifest(FolderParameters(partitionCount: 16, createdAt: 1_763_755_200_000), random: &random)
  }

  @Test func isReadAsItWasWritten() throws {
    #expect(try Manifest(decoding: manifest.encoded()) == manifest)
  }

  @Test func isReadable() {
    let text = String(decoding: manifest.encoded(), as: UTF8.self)
    #expect(text.hasPrefix("program gatehouse\nformat 3\nreader 3\nfolder "))
    #expect(text.contains("\npartitions 16\ncreated 1763755200000\n"))
  }

  /// A later version may add lines; rewriting the file keeps them.
  @Test func keepsUnknownLines() throws {
    var later = manifest
    later.others = [ManifestLine(name: "names", value: "16.0"), ManifestLine(name: "note", value: "two words")]
    let found = try Manifest(decoding: later.encoded())
    #expect(found == later && found.others.count == 2)
    #expect(String(decoding: found.encoded(), as: UTF8.self).contains("\nnames 16.0\nnote two words\nchecksum "))
  }

  @Test func saysHowFarTheLogReaches() throws {
    var open = manifest
    open.log = LogMark(epoch: 3, firstLSN: 120, durableLSN: 7706, isClosed: true)
    #expect(try Manifest(decoding: open.encoded()).log == open.log)
    open.log = nil
    #expect(try Manifest(decoding: open.encoded()).log == nil, "of a version that noted nothing")
  }

  @Test func showsNoSecret() {
    var dumped = ""
    dump(manifest, to: &dumped)
    for text in ["\(manifest)", dumped, String(reflecting: manifest)] {
      #expect(!text.contains("\(manifest.secretKey.bytes[0]), \(manifest.secretKey.bytes[1])"))
      #expect(!text.contains(Hexadecimal.text(manifest.secretKey.bytes)))
    }
  }

  @Test func everyFlippedByteIsDetected() {
    let sound = manifest.encoded()
    for at in sound.indices {
      for flip: UInt8 in [0x01, 0x80, 0xFF] {
        var bytes = sound
        bytes[at] ^= flip
        #expect(throws: ManifestFault.self) { try Manifest(decoding: bytes) }
      }
    }
  }

  @Test func everyWrongLengthIsDetected() {
    let sound = manifest.encoded()
    for length in sound.indices {
      #expect(throws: ManifestFault.self) { try Manifest(decoding: Array(sound.prefix(length))) }
    }
    #expect(throws: ManifestFault.self) { try Manifest(decoding: sound + [10]) }
  }

  @Test func aNewerVersionIsReported() {
    var newer = manifest
    newer.format = 9
    newer.reader = 8
    #expect(throws: ManifestFault.newer(format: 9, reader: 8)) { try Manifest(decoding: newer.encoded()) }
    newer.reader = 1
    #expect(throws: Never.self) { try Manifest(decoding: newer.encoded()) }
  }
}
