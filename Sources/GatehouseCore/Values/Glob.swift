/// Glob patterns as in Redis: `*`, `?`, `[…]`, `\`.
public enum Glob {
  public static let tooLong = Refusal.limit("pattern: at most \(Limits.patternBytes) bytes")

  /// The pattern in a word, in lower case; nil if it is too long. A long one would block the lane and all its clients.
  public static func pattern(_ word: UnsafeRawBufferPointer) -> [UInt8]? {
    word.count <= Limits.patternBytes ? word.map { $0 &- 0x41 < 26 ? $0 | 0x20 : $0 } : nil
  }

  public static func matches(_ pattern: ArraySlice<UInt8>, _ text: ArraySlice<UInt8>) -> Bool {
    var pattern = pattern
    var text = text
    // Where to backtrack to if the rest after the last star does not match.
    var retry: (pattern: ArraySlice<UInt8>, text: ArraySlice<UInt8>)?
    while true {
      if pattern.first == UInt8(ascii: "*") {
        retry = (pattern, text)
        pattern = pattern.dropFirst()
        continue
      }
      if let byte = text.first, let rest = matchOne(pattern, byte) {
        pattern = rest
        text = text.dropFirst()
        continue
      }
      if text.isEmpty, pattern.isEmpty { return true }
      guard let last = retry, !last.text.isEmpty else { return false }
      text = last.text.dropFirst()
      retry = (last.pattern, text)
      pattern = last.pattern.dropFirst()
    }
  }

  /// The pattern after its first element, if that matches `byte`; else nil.
  private static func matchOne(_ pattern: ArraySlice<UInt8>, _ byte: UInt8) -> ArraySlice<UInt8>? {
    guard let first = pattern.first else { return nil }
    let rest = pattern.dropFirst()
    switch first {
    case UInt8(ascii: "?"): return rest
    case UInt8(ascii: "\\") where !rest.isEmpty: return rest.first == byte ? rest.dropFirst() : nil
    case UInt8(ascii: "["):
      guard let end = rest.firstIndex(of: UInt8(ascii: "]")) else { return nil }
      var set = rest[..<end]
      let isNegated = set.first == UInt8(ascii: "^")
      if isNegated { set = set.dropFirst() }
      var found = false
      while let low = set.popFirst() {
        if set.first == UInt8(ascii: "-"), set.count > 1 {
          set = set.dropFirst()
          if let high = set.popFirst(), low <= byte, byte <= high { found = true }
        } else if low == byte {
          found = true
        }
      }
      return found != isNegated ? rest[(end + 1)...] : nil
    default: return first == byte ? rest : nil
    }
  }
}
