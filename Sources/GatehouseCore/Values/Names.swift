@_spi(_Unicode) import Swift

/// The folded form of a user name: lower case and NFC, so that names which read alike are one name.
///
/// ASCII, nearly every name, is folded byte by byte without building a string.
package struct FoldedName: Sendable, Hashable {
  package let text: String

  package init(_ name: String) {
    text = Self.fold(name)
  }

  private static func fold(_ name: String) -> String {
    if name.utf8.allSatisfy({ $0 < 0x80 }) { return name.lowercased() }
    var scalars = String.UnicodeScalarView()
    scalars.append(contentsOf: name.lowercased()._nfc)
    return String(scalars)
  }

  /// Calls `body` with the folded bytes of a name that is given as UTF-8.
  @inline(__always)
  package static func withFolded<Result>(
    _ name: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) -> Result
  ) -> Result {
    guard name.count <= Limits.usernameBytes else { return body(name) }
    return withUnsafeTemporaryAllocation(byteCount: Limits.usernameBytes, alignment: 8) { buffer in
      var seen: UInt8 = 0
      for index in 0..<name.count {
        let byte = name[index]
        seen |= byte
        // Sets bit 5 of the letters A to Z only.
        buffer[index] = byte &- 0x41 < 26 ? byte | 0x20 : byte
      }
      if seen < 0x80 { return body(UnsafeRawBufferPointer(rebasing: buffer[..<name.count])) }
      var folded = fold(String(decoding: name, as: UTF8.self))
      return folded.withUTF8 { body(UnsafeRawBufferPointer($0)) }
    }
  }
}

/// Whether two runs of bytes are the same.
@inline(__always)
package func sameBytes(_ a: UnsafeRawBufferPointer, _ b: UnsafeRawBufferPointer) -> Bool {
  guard a.count == b.count else { return false }
  var offset = 0
  while offset + 8 <= a.count {
    if a.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
      != b.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
    {
      return false
    }
    offset += 8
  }
  while offset < a.count {
    if a[offset] != b[offset] { return false }
    offset += 1
  }
  return true
}
