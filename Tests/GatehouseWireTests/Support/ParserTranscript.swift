import GatehouseCore
import GatehouseWire

/// A result of parsing a stream of bytes.
enum ParserEvent: Equatable, CustomStringConvertible {
  case request([[UInt8]])
  case nothing
  case failure(ProtocolError)
  /// The stream ended within a request, this many bytes after its start.
  case rest(Int)

  var description: String {
    switch self {
    case .request(let words): "request(\(words.map { String(decoding: $0, as: UTF8.self) }))"
    case .nothing: "nothing"
    case .failure(let error): "failure(\(error))"
    case .rest(let count): "rest(\(count))"
    }
  }

  static func words(_ words: String...) -> ParserEvent { .request(words.map { Array($0.utf8) }) }
}

/// Feeds `chunks` like a connection does: unread bytes stay in front, and a failure ends it.
func transcript(
  _ chunks: [ArraySlice<UInt8>], authenticated: Bool = true, limits: WireLimits = .standard
) -> [ParserEvent] {
  var parser = RequestParser(authenticated: authenticated, limits: limits)
  let memory = GuardedBytes(capacity: max(1, chunks.reduce(0) { $0 + $1.count }))
  var unread: ArraySlice<UInt8> = []
  var events: [ParserEvent] = []
  for chunk in chunks {
    unread += chunk
    while true {
      let outcome = memory.with(unread) { bytes in
        let outcome = parser.next(bytes)
        if case .request = outcome { events.append(.request(words(of: parser, bytes))) }
        return outcome
      }
      switch outcome {
      case .request(let consumed):
        unread = unread.dropFirst(consumed)
        continue
      case .nothing(let consumed):
        events.append(.nothing)
        unread = unread.dropFirst(consumed)
        continue
      case .incomplete:
        break
      case .failure(let error):
        return events + [.failure(error)]
      }
      break
    }
  }
  return unread.isEmpty ? events : events + [.rest(unread.count)]
}

func transcript(_ text: String, authenticated: Bool = true, limits: WireLimits = .standard) -> [ParserEvent] {
  transcript([ArraySlice(text.utf8)], authenticated: authenticated, limits: limits)
}

private func words(of parser: borrowing RequestParser, _ bytes: UnsafeRawBufferPointer) -> [[UInt8]] {
  let arguments = parser.arguments(in: bytes)
  return (0..<arguments.count).map { Array(arguments[$0]) }
}

/// The bytes one by one.
func single(_ bytes: [UInt8]) -> [ArraySlice<UInt8>] { bytes.indices.map { bytes[$0...$0] } }

/// A request in the form of an array.
func array(_ words: [[UInt8]]) -> [UInt8] {
  words.reduce(into: Array("*\(words.count)\r\n".utf8)) { bytes, word in
    bytes += Array("$\(word.count)\r\n".utf8) + word + [13, 10]
  }
}
