/// The form of text used for searching: without case and accents, so that `lukasz` finds Łukasz and `jose` finds José.
///
/// It is coarser than the form in which names are compared (`FoldedName`), and affects only what a search finds.
enum SearchText {
  /// Calls `body` with the bytes of a text in search form. A text that is not UTF-8 has none.
  static func with<Result>(
    _ text: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) -> Result
  ) -> Result {
    withUnsafeTemporaryAllocation(byteCount: CaseFolding.growth * text.count + 8, alignment: 8) { buffer in
      let count = foldASCII(text, into: buffer) ?? fold(text, into: buffer)
      return body(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
    }
  }

  /// nil if the text is not all ASCII.
  private static func foldASCII(_ text: UnsafeRawBufferPointer, into buffer: UnsafeMutableRawBufferPointer) -> Int? {
    var offset = 0
    while offset < text.count {
      let word = Words.load(text, at: offset)
      guard Words.isASCII(word) else { return nil }
      buffer.storeBytes(of: Words.lower(word).littleEndian, toByteOffset: offset, as: UInt64.self)
      offset += 8
    }
    return text.count
  }

  private static func fold(_ text: UnsafeRawBufferPointer, into buffer: UnsafeMutableRawBufferPointer) -> Int {
    var count = 0
    var bytes = text.makeIterator()
    var decoder = UTF8()
    while true {
      guard case .scalarValue(let scalar) = decoder.decode(&bytes) else { return count }
      UnicodeTables.forEachDecomposed(scalar.value) { part in
        UnicodeTables.forEachFolded(part) { folded in
          // Folding can produce a mark: İ becomes i with a dot above.
          guard UnicodeTables.combiningClass(folded) == 0 else { return }
          for letter in plain(folded) {
            UTF8.encode(letter) { byte in
              buffer[count] = byte
              count += 1
            }
          }
        }
      }
    }
  }

  /// What people type for letters that Unicode does not decompose.
  private static func plain(_ letter: UInt32) -> String.UnicodeScalarView {
    switch letter {
    case 0xe6: "ae".unicodeScalars
    case 0xf0, 0x111: "d".unicodeScalars
    case 0xf8: "o".unicodeScalars
    case 0xfe: "th".unicodeScalars
    case 0x127: "h".unicodeScalars
    case 0x131: "i".unicodeScalars
    case 0x142: "l".unicodeScalars
    case 0x153: "oe".unicodeScalars
    default: String(Unicode.Scalar(letter) ?? " ").unicodeScalars
    }
  }

  /// Calls `body` with each term of a name in search form: each word, and each part of a double name up to the end of
  /// its word. `anne-marie o'brien st.john` has six.
  static func forEachTerm(ofName text: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) -> Void) {
    forEachTerm(in: text, afterDots: true, body)
  }

  /// The same of an e-mail or a username, whose dots join no names.
  static func forEachTerm(in text: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) -> Void) {
    forEachTerm(in: text, afterDots: false, body)
  }

  private static func forEachTerm(
    in text: UnsafeRawBufferPointer, afterDots: Bool, _ body: (UnsafeRawBufferPointer) -> Void
  ) {
    var end = text.count
    var start = end
    // Backwards, so that the end of the word is known at each start.
    while start > 0 {
      let before = text[start - 1]
      let isSpace = before == 0x20 || before == 0x09 || before == 0x0a
      let isJoint = before == 0x2d || before == 0x27 || afterDots && before == 0x2e
      if start < end, isSpace || isJoint { body(UnsafeRawBufferPointer(rebasing: text[start..<end])) }
      if isSpace { end = start - 1 }
      start -= 1
    }
    if end > 0 { body(UnsafeRawBufferPointer(rebasing: text[..<end])) }
  }
}
