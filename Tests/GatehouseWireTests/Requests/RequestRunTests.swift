import GatehouseCore
import GatehouseWire
import GatehouseTestSupport
import Testing

/// A run gives the same requests as reading them one by one.
@Suite("Runs of requests")
struct RequestRunTests {
  @Test("a pipeline of arrays comes in runs")
  func arrays() {
    let requests = (0..<40).map { [Array("LOGIN.CHECK".utf8), Array("user\($0)".utf8), Array("payroll".utf8)] }
    let bytes = requests.flatMap { array($0) }
    #expect(runTranscript([bytes[...]]) == requests.map { .request($0) })
  }

  @Test("a run ends at anything but a complete array")
  func ends() {
    for rest in ["PING \"a b\"\r\n", "\r\n", "*0\r\n", "*2\r\n$4\r\nEC", "*x\r\n", "*1\r\n$4\r\npost\r\n", ""] {
      let bytes = array([Array("PING".utf8)]) + array([Array("TIME".utf8)]) + Array(rest.utf8)
      #expect(runTranscript([bytes[...]]) == transcript([bytes[...]]), "\(rest)")
    }
  }

  @Test("with any split, and resumed after any request", arguments: 1...20 as ClosedRange<UInt64>)
  func split(seed: UInt64) {
    var random = SeededRandom(seed: seed)
    let pieces = ["PING x\r\n", "\r\n", "ECHO 'a b' \"c\"\r\n", "*0\r\n"].map { Array($0.utf8) }
    var bytes: [UInt8] = []
    for _ in 0..<60 {
      if Int.random(in: 0..<5, using: &random) == 0 {
        bytes += pieces.randomElement(using: &random)!
      } else {
        let words = (0...Int.random(in: 0..<20, using: &random)).map { _ in
          (0..<Int.random(in: 0..<40, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
        }
        bytes += array(words)
      }
    }
    var chunks: [ArraySlice<UInt8>] = []
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = Int.random(in: 1...min(rest.count, 300), using: &random)
      chunks.append(rest.prefix(count))
      rest = rest.dropFirst(count)
    }
    #expect(
      runTranscript(chunks, leavesSome: { Int.random(in: 0..<3, using: &random) == 0 }) == transcript([bytes[...]]))
  }

  /// Like `transcript`, but by runs if there are any.
  ///
  /// - Parameter leavesSome: whether the rest of a run is left unread, to be found again.
  private func runTranscript(
    _ chunks: [ArraySlice<UInt8>], leavesSome: () -> Bool = { false }
  ) -> [ParserEvent] {
    let reader = RunReader()
    var unread: [UInt8] = []
    for chunk in chunks {
      unread += chunk
      while let consumed = unread.withUnsafeBytes({ reader.read($0, leavesSome) }) { unread.removeFirst(consumed) }
      if reader.hasFailed { return reader.events }
    }
    return unread.isEmpty ? reader.events : reader.events + [.rest(unread.count)]
  }
}

private final class RunReader {
  private var parser = RequestParser(authenticated: true)
  private var run = RequestRun()
  private(set) var events: [ParserEvent] = []

  var hasFailed: Bool { if case .failure = events.last { true } else { false } }

  /// How many bytes were read; nil if more are needed, or if no more are read.
  func read(_ bytes: UnsafeRawBufferPointer, _ leavesSome: () -> Bool) -> Int? {
    run.fill(bytes, &parser)
    for index in 0..<run.count {
      note(run.request(index, in: bytes))
      if index == run.count - 1 { return run.end(of: index) }
      if leavesSome() {
        parser.startOver()
        return run.end(of: index)
      }
    }
    switch parser.next(bytes) {
    case .request(let count):
      note(parser.arguments(in: bytes))
      return count
    case .nothing(let count):
      events.append(.nothing)
      return count
    case .incomplete: return nil
    case .failure(let error):
      events.append(.failure(error))
      return nil
    }
  }

  private func note(_ arguments: Arguments) {
    events.append(.request((0..<arguments.count).map { Array(arguments[$0]) }))
  }
}
