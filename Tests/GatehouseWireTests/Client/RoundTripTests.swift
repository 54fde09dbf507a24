import GatehouseCore
import GatehouseWire
import NIOCore
import GatehouseTestSupport
import Testing

/// The client decodes what the server encodes.
@Suite("Replies from end to end")
struct RoundTripTests {
  @Test("random replies in both versions", arguments: 0..<30 as Range<UInt64>)
  func random(seed: UInt64) throws {
    var random = SeededRandom(seed: seed)
    for _ in 0..<50 {
      var reply = Reply()
      let value = build(&reply, depth: 0, &random)
      var buffer = ByteBuffer()
      ReplyEncoder.encode(reply, .resp3, into: &buffer)
      #expect(try decode(buffer) == value)
      buffer.clear()
      ReplyEncoder.encode(reply, .resp2, into: &buffer)
      #expect(try decode(buffer) == inRESP2(value))
    }
  }

  @Test("requests written by the client are read by the server")
  func requests() {
    let requests = [["PING"], ["ECHO", ""], ["ECHO", "a\r\nb é"], Array(repeating: "word", count: 1000)]
    var bytes: [UInt8] = []
    for request in requests { RequestEncoder.append(request, to: &bytes) }
    #expect(transcript([bytes[...]]) == requests.map { .request($0.map { Array($0.utf8) }) })
    #expect(RequestEncoder.encode(["ECHO", "é"]) == Array("*2\r\n$4\r\nECHO\r\n$2\r\né\r\n".utf8))
  }

  private func decode(_ buffer: ByteBuffer) throws -> RESPValue? {
    var parser = ReplyParser()
    parser.append(buffer.readableBytesView)
    let value = try parser.next()
    #expect(parser.pendingBytes == 0)
    return value
  }

  private func build(_ reply: inout Reply, depth: Int, _ random: inout SeededRandom) -> RESPValue {
    let text = (0..<Int.random(in: 0...20, using: &random)).map { _ in
      ["a", "é", "\r", "\n", "%"].randomElement(using: &random)!
    }
    .joined()
    switch Int.random(in: 0..<(depth < 4 ? 10 : 8), using: &random) {
    case 0:
      reply.tag(text)
      return .simple(onOneLine(text))
    case 1:
      reply.error(text)
      return .error(onOneLine(text))
    case 2:
      let value = Int64(bitPattern: random.next()) >> Int64.random(in: 0..<64, using: &random)
      reply.integer(value)
      return .integer(value)
    case 3:
      reply.text(text)
      return .bulk(text)
    case 4:
      reply.secret(text)
      return .bulk(text)
    case 5:
      reply.verbatim(text)
      return .verbatim(format: "txt", Array(text.utf8))
    case 6:
      let value = Double.random(in: -1e20...1e20, using: &random)
      reply.double(value)
      return .double(value)
    case 7:
      reply.null()
      return .null
    case 8:
      let count = Int.random(in: 0...5, using: &random)
      reply.array(count)
      return .array((0..<count).map { _ in build(&reply, depth: depth + 1, &random) })
    default:
      let count = Int.random(in: 0...5, using: &random)
      reply.map(count)
      return .map(
        (0..<count).map { _ in
          let key = build(&reply, depth: depth + 1, &random)
          return .init(key, build(&reply, depth: depth + 1, &random))
        })
    }
  }

  private func onOneLine(_ text: String) -> String {
    String(decoding: text.utf8.map { $0 == 13 || $0 == 10 ? 32 : $0 }, as: UTF8.self)
  }

  private func inRESP2(_ value: RESPValue) -> RESPValue {
    switch value {
    case .verbatim(_, let bytes): .bulk(bytes)
    case .double: .bulk(wire(.resp3) { $0.double(doubleValue(value)) }.dropFirst().dropLast().description)
    case .array(let elements): .array(elements.map(inRESP2))
    case .map(let pairs): .array(pairs.flatMap { [inRESP2($0.key), inRESP2($0.value)] })
    default: value
    }
  }

  private func doubleValue(_ value: RESPValue) -> Double {
    if case .double(let double) = value { double } else { .nan }
  }
}
