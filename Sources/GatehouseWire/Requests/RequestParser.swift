public import GatehouseCore

/// Finds the words of a request in a client's bytes, without copying them.
///
/// The caller passes all bytes it has not consumed yet. If a request is incomplete, it calls again with the same bytes
/// and more after them. The parser remembers how far it got, so it reads no byte twice. Ranges are offsets from the
/// start of the bytes passed, so they stay valid if the buffer moves as it grows.
///
///     switch parser.next(bytes) {
///     case .request(let consumed): carryOut(parser.arguments(in: bytes)); drop(consumed)
///     case .nothing(let consumed): drop(consumed)
///     case .incomplete: read more
///     case .failure(let error): answer error.reply, if any, and close
///     }
public struct RequestParser: ~Copyable, Sendable {
  public enum Outcome: Sendable, Equatable {
    /// A request; its words are `arguments(in:)`. The next one starts after `consumed` bytes.
    case request(consumed: Int)
    /// An empty line or an empty array, to be dropped without an answer.
    case nothing(consumed: Int)
    /// More bytes are needed.
    case incomplete
    /// These bytes are not a request. The connection is unusable.
    case failure(ProtocolError)
  }

  /// Until this is set, the tighter limits for unauthenticated clients apply.
  public var authenticated: Bool
  public let limits: WireLimits

  /// The words of the last request, in the bytes passed to `next`, or in `scratch` if `wordsAreInScratch`.
  private(set) var ranges = FlatList<ArgumentRange>()
  /// The unescaped words of an inline request with quotes, which are not a part of the input.
  private var scratch = FlatList<UInt8>()
  private var wordsAreInScratch = false

  /// How many bytes of the current request need not be read again.
  private var position = 0
  /// How many words of the current array are still to come; 0 if its header has not been read.
  private var missingWords = 0
  /// The length of the word at `position`, or `unknownLength` if its header has not been read.
  private var wordLength = RequestParser.unknownLength

  private static let unknownLength = -1

  public init(authenticated: Bool = false, limits: WireLimits = .standard) {
    precondition(limits.requestBytes <= Int(Int32.max) && limits.inlineBytes <= Int(Int32.max))
    self.authenticated = authenticated
    self.limits = limits
  }

  /// Looks for a request at the start of `bytes`.
  public mutating func next(_ bytes: UnsafeRawBufferPointer) -> Outcome {
    precondition(position <= bytes.count, "the bytes of a half-sent request were dropped")
    guard let base = bytes.baseAddress, !bytes.isEmpty else { return .incomplete }
    if missingWords > 0 { return arrayWords(base, bytes.count) }
    if position == 0 { prepare() }
    if base.load(as: UInt8.self) == Byte.asterisk { return arrayHeader(base, bytes.count) }
    return inline(base, bytes.count)
  }

  /// The words of the last request; `bytes` are those passed to `next`. The view is valid while they are, and until
  /// `next` is called again.
  @inline(__always)
  public func arguments(in bytes: UnsafeRawBufferPointer) -> Arguments {
    let base = wordsAreInScratch ? UnsafeRawPointer(scratch.all.baseAddress!) : bytes.baseAddress!
    return Arguments(base: base, ranges: ranges.all)
  }

  /// Forgets an incomplete request: it will be passed again from its start, or not at all.
  public mutating func startOver() { forget() }

  // MARK: Arrays

  private mutating func arrayHeader(_ base: UnsafeRawPointer, _ end: Int) -> Outcome {
    let line = LengthLine.read(base, from: 1, to: end, allowsNegative: true)
    // The header is a few bytes long, so reading it again is cheaper than remembering a part of it.
    if line.isIncomplete { return .incomplete }
    if line.isInvalid { return fail(.invalidMultibulkLength) }
    // Check the tighter limit first, so that an unauthenticated client is told so, whatever size it announced.
    if !authenticated, line.value > limits.unauthenticatedWords { return fail(.unauthenticatedMultibulkLength) }
    if line.value > limits.words { return fail(.invalidMultibulkLength) }
    if line.value <= 0 { return .nothing(consumed: line.end) }
    position = line.end
    missingWords = line.value
    return arrayWords(base, end)
  }

  private mutating func arrayWords(_ base: UnsafeRawPointer, _ end: Int) -> Outcome {
    var at = position
    var missing = missingWords
    var length = wordLength
    while missing > 0 {
      if length == Self.unknownLength {
        guard at < end else { break }
        let first = base.load(fromByteOffset: at, as: UInt8.self)
        guard first == Byte.dollar else { return fail(.expectedDollar(first)) }
        let line = LengthLine.read(base, from: at + 1, to: end, allowsNegative: false)
        if line.isIncomplete { break }
        if line.isInvalid { return fail(.invalidBulkLength) }
        if !authenticated, line.value > limits.unauthenticatedWordBytes { return fail(.unauthenticatedBulkLength) }
        if line.value > limits.wordBytes { return fail(.invalidBulkLength) }
        length = line.value
        at = line.end
        guard at + length + 2 <= limits.requestBytes else { return fail(.requestTooLong) }
      }
      guard end - at >= length + 2 else { break }
      guard base.load(fromByteOffset: at + length, as: UInt8.self) == Byte.carriageReturn,
        base.load(fromByteOffset: at + length + 1, as: UInt8.self) == Byte.lineFeed
      else { return fail(.expectedLineEnd) }
      ranges.append(ArgumentRange(offset: at, count: length))
      at += length + 2
      length = Self.unknownLength
      missing -= 1
    }
    if missing == 0 { return finish(base, consumed: at) }
    position = at
    missingWords = missing
    wordLength = length
    return .incomplete
  }

  // MARK: Lines

  private mutating func inline(_ base: UnsafeRawPointer, _ end: Int) -> Outcome {
    let searchEnd = min(end, limits.inlineBytes + 1)
    guard let lineFeed = Byte.first(Byte.lineFeed, in: base, from: position, to: searchEnd) else {
      if end > limits.inlineBytes { return fail(.inlineTooLong) }
      position = end
      return .incomplete
    }
    let hasReturn =
      lineFeed > 0 && base.load(fromByteOffset: lineFeed - 1, as: UInt8.self) == Byte.carriageReturn
    let line = UnsafeRawBufferPointer(start: base, count: hasReturn ? lineFeed - 1 : lineFeed)
    switch InlineLine.split(line, into: &ranges, scratch: &scratch) {
    case .unbalancedQuotes: return fail(.unbalancedQuotes)
    case .inScratch: wordsAreInScratch = true
    case .inPlace: break
    }
    if ranges.isEmpty {
      forget()
      return .nothing(consumed: lineFeed + 1)
    }
    if wordsAreInScratch {
      return finish(UnsafeRawPointer(scratch.all.baseAddress!), consumed: lineFeed + 1)
    }
    return finish(base, consumed: lineFeed + 1)
  }

  // MARK: Ends

  @inline(__always)
  private mutating func finish(_ base: UnsafeRawPointer, consumed: Int) -> Outcome {
    if Self.isCrossProtocol(base, ranges.all[0]) { return fail(.crossProtocol) }
    forget()
    return .request(consumed: consumed)
  }

  private mutating func fail(_ error: ProtocolError) -> Outcome {
    forget()
    ranges.removeAll()
    return .failure(error)
  }

  /// Prepares for the first byte of a request.
  @inline(__always)
  private mutating func prepare() {
    ranges.removeAll()
    if wordsAreInScratch {
      wordsAreInScratch = false
      scratch.removeAll()
    }
  }

  @inline(__always)
  private mutating func forget() {
    position = 0
    missingWords = 0
    wordLength = Self.unknownLength
  }

  /// Whether a word is `POST` or `Host:`, in any case: what a browser sends first, or soon, to a port that it takes for
  /// HTTP.
  @inline(__always)
  private static func isCrossProtocol(_ base: UnsafeRawPointer, _ word: ArgumentRange) -> Bool {
    guard word.count == 4 || word.count == 5 else { return false }
    return matches(base + Int(word.offset), Int(word.count))
  }

  private static func matches(_ word: UnsafeRawPointer, _ count: Int) -> Bool {
    let wanted: StaticString = count == 4 ? "post" : "host:"
    for index in 0..<count {
      // Setting the case bit maps letters to lower case and leaves the colon as it is.
      guard word.load(fromByteOffset: index, as: UInt8.self) | 0x20 == wanted.utf8Start[index] else { return false }
    }
    return true
  }
}
