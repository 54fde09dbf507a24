import GatehouseWire
import GatehouseTestSupport
import Testing

/// For any bytes from a socket, the parser stays within them (they border on an inaccessible page), and the result does
/// not depend on how they are split.
@Suite("Requests from anybody")
struct RequestFuzzTests {
  /// Pieces of the protocol, so that random streams get beyond their first byte.
  private static let pieces: [[UInt8]] = [
    "*1\r\n", "*2\r\n", "*3\r\n", "*", "$", "$0\r\n\r\n", "$4\r\nPING\r\n", "$3\r\nabc\r\n", "$1\r\nx\r\n", "\r", "\n",
    "\r\n", "-1", "0", "9", "2147483647", "2147483648", " ", "\t", "\"", "'", "\\", "\\x", "\\x4a", "PING", "ECHO ",
    "POST", "Host:", "\0", "*0\r\n", "*-1\r\n", "$5", "$65536\r\n", "é",
  ].map { Array($0.utf8) }

  @Test("random streams", arguments: 0..<40 as Range<UInt64>)
  func random(seed: UInt64) {
    var random = SeededRandom(seed: seed)
    for _ in 0..<150 {
      let stream = Self.stream(&random)
      let whole = transcript([stream[...]])
      #expect(transcript(single(stream)) == whole, "\(stream)")
      let chunks = Self.cut(stream, &random)
      #expect(transcript(chunks) == whole, "\(chunks)")
      let asStranger = transcript([stream[...]], authenticated: false)
      #expect(transcript(chunks, authenticated: false) == asStranger, "\(chunks)")
    }
  }

  @Test("random requests survive coding", arguments: 0..<20 as Range<UInt64>)
  func roundTrip(seed: UInt64) {
    var random = SeededRandom(seed: 1000 + seed)
    for _ in 0..<20 {
      let requests = (0..<Int.random(in: 1...5, using: &random)).map { _ in
        (0..<Int.random(in: 1...12, using: &random)).map { _ in
          (0..<Int.random(in: 0...40, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
        }
      }
      let stream = requests.flatMap(array)
      let expected = requests.map(ParserEvent.request)
      #expect(transcript([stream[...]]) == expected)
      #expect(transcript(Self.cut(stream, &random)) == expected)
    }
  }

  private static func stream(_ random: inout SeededRandom) -> [UInt8] {
    var bytes: [UInt8] = []
    for _ in 0..<Int.random(in: 1...20, using: &random) {
      if Int.random(in: 0..<8, using: &random) == 0 {
        bytes.append(UInt8.random(in: 0...255, using: &random))
      } else {
        bytes += pieces.randomElement(using: &random)!
      }
    }
    return bytes
  }

  private static func cut(_ bytes: [UInt8], _ random: inout SeededRandom) -> [ArraySlice<UInt8>] {
    var chunks: [ArraySlice<UInt8>] = []
    var start = 0
    while start < bytes.count {
      let end = min(bytes.count, start + Int.random(in: 1...8, using: &random))
      chunks.append(bytes[start..<end])
      start = end
    }
    return chunks
  }
}
