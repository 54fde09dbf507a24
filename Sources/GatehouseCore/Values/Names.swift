@_spi(_Unicode) import Swift

/// The folded form of a user name: lower case and NFC, so that names which read alike are one name.
///
/// ASCII, nearly every name, is folded byte by byte without building a string.
public struct FoldedName: Sendable, Hashable {
  public let text: String

  public init(_ name: String) {
    text = Self.fold(name)
  }

  private static func fold(_ name: String) -> String {
    if name.utf8.allSatisfy({ $0 < 0x80 }) { return name.lowercased() }
    var scalars = String.UnicodeScalarView()
    scalars.append(contentsOf: name.lowercased()._nfc)
    return String(scalars)
  }

  /// Writes the folded bytes of a name that is given as UTF-8 to a buffer of `Limits.usernameBytes`, and returns
  /// how many. A name that is longer folds to nothing, which is nobody's name.
  static func fold(_ name: UnsafeRawBufferPointer, into buffer: UnsafeMutableRawBufferPointer) -> Int {
    guard name.count <= Limits.usernameBytes else { return 0 }
    var offset = 0
    while offset < name.count {
      let word = Words.load(name, at: offset)
      guard Words.isASCII(word) else { return foldText(name, into: buffer) }
      // The buffer's size is a multiple of eight, so that a whole word fits at the end too.
      buffer.storeBytes(of: Words.lower(word).littleEndian, toByteOffset: offset, as: UInt64.self)
      offset += 8
    }
    return name.count
  }

  private static func foldText(_ name: UnsafeRawBufferPointer, into buffer: UnsafeMutableRawBufferPointer) -> Int {
    let folded = Array(fold(String(decoding: name, as: UTF8.self)).utf8)
    guard folded.count <= Limits.usernameBytes else { return 0 }
    buffer.copyBytes(from: folded)
    return folded.count
  }

  /// Calls `body` with the folded bytes of a name that is given as UTF-8.
  static func withFolded<Result>(
    _ name: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) -> Result
  ) -> Result {
    withUnsafeTemporaryAllocation(byteCount: Limits.usernameBytes, alignment: 8) { buffer in
      let count = fold(name, into: buffer)
      return body(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
    }
  }
}

/// Whether two runs of bytes are the same.
@inline(__always)
public func sameBytes(_ a: UnsafeRawBufferPointer, _ b: UnsafeRawBufferPointer) -> Bool {
  guard a.count == b.count else { return false }
  var offset = 0
  while offset < a.count {
    if Words.load(a, at: offset) != Words.load(b, at: offset) { return false }
    offset += 8
  }
  return true
}
