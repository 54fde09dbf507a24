/// The folded form of a username: case-folded and in NFC, so that names that look alike are the same name.
///
/// ASCII, which is nearly every name, is folded byte by byte; the rest by `CaseFolding`. Folding is idempotent.
public struct FoldedName: Sendable, Hashable {
  /// The version of the Unicode tables that decide which names are the same.
  public static var version: String { CaseFolding.version }

  /// Room for the folded form of any name, in bytes. Names given by older programs may be longer when folded than a new
  /// name may.
  static var bytes: Int { CaseFolding.growth * Limits.usernameBytes }

  public let text: String

  public init(_ name: String) {
    var name = name
    text = name.withUTF8 { FoldedText.with(UnsafeRawBufferPointer($0)) { String(decoding: $0, as: UTF8.self) } }
  }

  /// Writes the folded bytes of a UTF-8 name to a buffer of `FoldedName.bytes`, and returns how many. A name that is
  /// too long or not UTF-8 folds to the empty name, which nobody has.
  static func fold(_ name: UnsafeRawBufferPointer, into buffer: UnsafeMutableRawBufferPointer) -> Int {
    guard name.count <= Limits.usernameBytes else { return 0 }
    var offset = 0
    while offset < name.count {
      let word = Words.load(name, at: offset)
      guard Words.isASCII(word) else { return CaseFolding.fold(name, into: buffer) ?? 0 }
      // The buffer's size is a multiple of eight, so a whole word fits at the end too.
      buffer.storeBytes(of: Words.lower(word).littleEndian, toByteOffset: offset, as: UInt64.self)
      offset += 8
    }
    return name.count
  }

  /// Calls `body` with the folded bytes of a UTF-8 name.
  static func withFolded<Result>(
    _ name: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) -> Result
  ) -> Result {
    withUnsafeTemporaryAllocation(byteCount: bytes, alignment: 8) { buffer in
      let count = fold(name, into: buffer)
      return body(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
    }
  }
}

extension String {
  /// The text in the form in which names, roles, fields and other words are compared.
  var folded: String { FoldedName(self).text }
}

/// Folds text of any length like usernames, for comparison.
public enum FoldedText {
  @inline(__always)
  public static func with<Result>(
    _ text: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) -> Result
  ) -> Result {
    if text.count <= Limits.usernameBytes { return FoldedName.withFolded(text, body) }
    return withLong(text, body)
  }

  private static func withLong<Result>(
    _ text: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) -> Result
  ) -> Result {
    withUnsafeTemporaryAllocation(byteCount: CaseFolding.growth * text.count, alignment: 8) { buffer in
      let count = CaseFolding.fold(text, into: buffer) ?? 0
      return body(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
    }
  }
}

/// Whether two byte sequences are equal.
@inline(__always)
public func sameBytes(_ a: UnsafeRawBufferPointer, _ b: UnsafeRawBufferPointer) -> Bool {
  guard a.count == b.count else { return false }
  return Words.areEqual(a, b)
}
