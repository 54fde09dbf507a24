import GatehouseCore
import GatehouseWire

/// The target of `tools/fuzz`: any bytes from a socket, in one piece and cut into pieces, as a stranger and as somebody
/// known.
///
/// Besides what the sanitizers find, it stops where the same stream is read differently when it arrives differently:
/// requests, errors and where they end must depend on nothing but the bytes.
///
/// The first byte of the input says who sends, the second how the rest is cut.
@_cdecl("LLVMFuzzerTestOneInput")
public func requestsFuzzer(_ data: UnsafePointer<UInt8>?, _ size: Int) -> Int32 {
  guard let data, size > 2 else { return 0 }
  let isKnown = data[0] & 1 == 1
  let stream = Array(UnsafeBufferPointer(start: data + 2, count: size - 2))
  let whole = read(stream, pieces: stream.count, isKnown)
  let cut = read(stream, pieces: 1 + Int(data[1]), isKnown)
  precondition(whole == cut, "the pieces change what is read")
  let inRuns = readInRuns(stream, isKnown)
  precondition(whole.starts(with: inRuns), "a run is read differently")
  return 0
}

/// What a stream holds: each word with its length in front, and how it ends.
private func read(_ stream: [UInt8], pieces length: Int, _ isKnown: Bool) -> [UInt8] {
  var parser = RequestParser(authenticated: isKnown)
  var found: [UInt8] = []
  var unread: [UInt8] = []
  var next = 0
  while next < stream.count {
    let end = min(stream.count, next + length)
    unread += stream[next..<end]
    next = end
    while true {
      // Copied to memory of exactly this size, so that a read beyond it is found.
      let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: unread.count, alignment: 1)
      defer { bytes.deallocate() }
      bytes.copyBytes(from: unread)
      let input = UnsafeRawBufferPointer(bytes)
      switch parser.next(input) {
      case .request(let consumed):
        append(parser.arguments(in: input), to: &found)
        unread.removeFirst(consumed)
        continue
      case .nothing(let consumed):
        unread.removeFirst(consumed)
        continue
      case .incomplete: break
      case .failure(let error): return found + Array("!\(error.reply ?? "close")".utf8)
      }
      break
    }
  }
  return found
}

/// The requests at the start of a stream as a lane reads them, many at a time.
private func readInRuns(_ stream: [UInt8], _ isKnown: Bool) -> [UInt8] {
  var parser = RequestParser(authenticated: isKnown)
  var run = RequestRun()
  var found: [UInt8] = []
  stream.withUnsafeBytes { bytes in
    var start = 0
    while start < bytes.count {
      let rest = UnsafeRawBufferPointer(rebasing: bytes[start...])
      run.fill(rest, &parser)
      if run.count == 0 { return }
      for index in 0..<run.count { append(run.request(index, in: rest), to: &found) }
      start += run.end(of: run.count - 1)
    }
  }
  return found
}

private func append(_ words: Arguments, to found: inout [UInt8]) {
  found += Array("*\(words.count)".utf8)
  for index in 0..<words.count { found += Array("$\(words[index].count):".utf8) + words[index] }
}
