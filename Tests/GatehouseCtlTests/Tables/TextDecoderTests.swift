import Foundation
import GatehouseCore
import GatehouseTestSupport
import Testing

@testable import gatehousectl

@Suite("CSV: encodings", .blocking)
struct TextDecoderTests {
  private func decoded(_ bytes: [UInt8], _ encoding: TextEncoding?, pieces: Int) throws -> String {
    var decoder = TextDecoder(encoding)
    var text: [UInt8] = []
    var rest = bytes[...]
    while !rest.isEmpty {
      text += try decoder.decode(Array(rest.prefix(pieces)))
      rest = rest.dropFirst(pieces)
    }
    text += try decoder.decode([])
    return String(decoding: text, as: UTF8.self)
  }

  @Test("each encoding, with and without its mark, in pieces of every size")
  func encodings() throws {
    let text = "Zoë,Straße,😀\r\n"
    let utf8 = Array(text.utf8)
    var (little, big): ([UInt8], [UInt8]) = ([], [])
    for unit in text.utf16 {
      little += [UInt8(unit & 0xff), UInt8(unit >> 8)]
      big += [UInt8(unit >> 8), UInt8(unit & 0xff)]
    }
    for pieces in [1, 2, 3, 7, 1000] {
      #expect(try decoded(utf8, nil, pieces: pieces) == text)
      #expect(try decoded([0xef, 0xbb, 0xbf] + utf8, nil, pieces: pieces) == text)
      #expect(try decoded([0xef, 0xbb, 0xbf] + utf8, .utf8, pieces: pieces) == text)
      #expect(try decoded([0xff, 0xfe] + little, nil, pieces: pieces) == text)
      #expect(try decoded([0xfe, 0xff] + big, nil, pieces: pieces) == text)
      #expect(try decoded(little, .utf16, pieces: pieces) == text)
      #expect(try decoded([0xfe, 0xff] + big, .utf16, pieces: pieces) == text)
    }
    #expect(try decoded([], nil, pieces: 1) == "")
    #expect(try decoded([0x61], nil, pieces: 1) == "a")
  }

  @Test("one byte a character, as Foundation reads it")
  func tables() throws {
    // Windows leaves five bytes without a character.
    let bytes = (UInt8(0)...255).filter { ![0x81, 0x8d, 0x8f, 0x90, 0x9d].contains($0) }
    #expect(try decoded(bytes, .windows1252, pieces: 10) == String(data: Data(bytes), encoding: .windowsCP1252))
    #expect(try decoded(Array(0...255), .latin1, pieces: 10) == String(data: Data(0...255), encoding: .isoLatin1))
  }

  @Test("half a character of UTF-16 is refused", arguments: [[0xff, 0xfe, 0x61], [0xff, 0xfe, 0x3d, 0xd8, 0x61, 0]])
  func half(_ bytes: [UInt8]) throws {
    for pieces in [1, 2, 10] {
      #expect(throws: TableError.halfCharacter) { _ = try decoded(bytes, nil, pieces: pieces) }
    }
  }
}
