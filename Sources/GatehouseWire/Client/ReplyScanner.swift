/// Finds the end of a reply, and whether it is an error, without decoding it. That is all a load generator needs.
///
/// Like `RequestParser`, it is called with all bytes not consumed yet, and looks at each of them only once. It handles
/// nesting without a stack, by counting the values still to come.
public struct ReplyScanner: Sendable {
  public enum Outcome: Sendable, Equatable {
    /// A complete reply. The next one starts after `consumed` bytes.
    case reply(consumed: Int, isError: Bool)
    /// A complete push message.
    case push(consumed: Int)
    case incomplete
    /// These bytes are not a reply, and nothing after them can be trusted.
    case malformed
  }

  /// Where the current value starts.
  private var position = 0
  /// Its line is known not to end before this offset.
  private var searched = 0
  private var missingValues = 1
  /// The first byte of the reply itself, after any attributes; 0 until it is seen.
  private var type: UInt8 = 0
  private var isInLeadingAttribute = false

  /// No reply has more values than this.
  private static let maximumValues = 1 << 40

  public init() {}

  /// Looks for a reply at the start of `bytes`.
  public mutating func next(_ bytes: UnsafeRawBufferPointer) -> Outcome {
    precondition(position <= bytes.count, "the bytes of a half-received reply were dropped")
    guard let base = bytes.baseAddress else { return .incomplete }
    let end = bytes.count
    var at = position
    var missing = missingValues
    while missing > 0 {
      // Only the reply itself is left; what came before was its attributes.
      if missing == 1 { isInLeadingAttribute = false }
      guard at < end else { return suspend(at, missing) }
      let sign = base.load(fromByteOffset: at, as: UInt8.self)
      if type == 0, !isInLeadingAttribute {
        if sign == UInt8(ascii: "|") { isInLeadingAttribute = true } else { type = sign }
      }
      let next: Int
      switch Form(sign) {
      case .line:
        next = lineEnd(base, at, end)
      case .text:
        next = Self.textEnd(base, at, end)
      case .values(let perElement, let own):
        let line = LengthLine.read(base, from: at + 1, to: end, allowsNegative: true)
        next = line.end
        if next > 0 { missing += max(0, line.value) * perElement + own }
        guard missing <= Self.maximumValues else { return .malformed }
      case .none:
        return .malformed
      }
      guard next > 0 else { return next == Self.incomplete ? suspend(at, missing) : .malformed }
      at = next
      missing -= 1
    }
    let outcome = result(consumed: at)
    self = ReplyScanner()
    return outcome
  }

  private func result(consumed: Int) -> Outcome {
    if type == UInt8(ascii: ">") { return .push(consumed: consumed) }
    return .reply(consumed: consumed, isError: type == Byte.minus || type == UInt8(ascii: "!"))
  }

  private mutating func suspend(_ at: Int, _ missing: Int) -> Outcome {
    position = at
    missingValues = missing
    return .incomplete
  }

  // MARK: Values

  private enum Form {
    case line
    case text
    /// An aggregate: how many values each element consists of, and how many further values must follow it.
    case values(perElement: Int, own: Int)
    case none

    @inline(__always)
    init(_ sign: UInt8) {
      switch sign {
      case UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: ":"), UInt8(ascii: "_"), UInt8(ascii: ","),
        UInt8(ascii: "#"), UInt8(ascii: "("):
        self = .line
      case UInt8(ascii: "$"), UInt8(ascii: "="), UInt8(ascii: "!"):
        self = .text
      case UInt8(ascii: "*"), UInt8(ascii: "~"), UInt8(ascii: ">"):
        self = .values(perElement: 1, own: 0)
      case UInt8(ascii: "%"):
        self = .values(perElement: 2, own: 0)
      case UInt8(ascii: "|"):
        // An attribute is not a value itself: it precedes one.
        self = .values(perElement: 2, own: 1)
      default:
        self = .none
      }
    }
  }

  private static let incomplete = -1
  private static let malformed = -2

  /// The offset after the line at `at`, or `incomplete` or `malformed`.
  @inline(__always)
  private mutating func lineEnd(_ base: UnsafeRawPointer, _ at: Int, _ end: Int) -> Int {
    let from = max(at + 1, searched)
    guard let carriageReturn = Byte.first(Byte.carriageReturn, in: base, from: from, to: end) else {
      searched = end
      return Self.incomplete
    }
    searched = carriageReturn
    guard carriageReturn + 1 < end else { return Self.incomplete }
    guard base.load(fromByteOffset: carriageReturn + 1, as: UInt8.self) == Byte.lineFeed else { return Self.malformed }
    return carriageReturn + 2
  }

  /// The offset after the text at `at`, or `incomplete` or `malformed`.
  @inline(__always)
  private static func textEnd(_ base: UnsafeRawPointer, _ at: Int, _ end: Int) -> Int {
    let line = LengthLine.read(base, from: at + 1, to: end, allowsNegative: true)
    if line.isIncomplete { return incomplete }
    if line.isInvalid { return malformed }
    // In RESP2, null is a text of length -1.
    if line.value < 0 { return line.end }
    let next = line.end + line.value + 2
    guard next <= end else { return incomplete }
    guard base.load(fromByteOffset: next - 2, as: UInt8.self) == Byte.carriageReturn,
      base.load(fromByteOffset: next - 1, as: UInt8.self) == Byte.lineFeed
    else { return malformed }
    return next
  }
}
