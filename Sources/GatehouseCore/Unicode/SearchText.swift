/// The form of text in which people are searched for, and in which lists compare and sort texts: without case, accents and
/// apostrophes, and as people type it. So `lukasz` finds Łukasz, `obrien` O’Brien, `1` the sign ①, and `ipek` İpek.
///
/// It is coarser than the form in which names are compared (`FoldedName`), which decides who is who. No state depends on it.
enum SearchText {
  /// A search form has at most this many times the bytes of its text: U+FDFA stands for a phrase. `tools/unicode-tables`
  /// checks it.
  static let growth = 11

  /// Calls `body` with the bytes of a text in search form. A text that is not UTF-8 ends where it is not.
  @inline(__always)
  static func with<Result>(_ text: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) -> Result) -> Result {
    withUnsafeTemporaryAllocation(byteCount: text.count + 8, alignment: 8) { buffer in
      if isLowered(text, into: buffer) { return body(UnsafeRawBufferPointer(rebasing: buffer[..<text.count])) }
      return withUnsafeTemporaryAllocation(byteCount: growth * text.count, alignment: 8) { buffer in
        var writer = SearchWriter(buffer)
        writer.append(text)
        return body(UnsafeRawBufferPointer(rebasing: buffer[..<writer.count]))
      }
    }
  }

  /// Fast path: nearly all texts are ASCII without apostrophes.
  ///
  /// - Parameter buffer: room for the text and eight more bytes.
  /// - Returns: whether the buffer has the text in search form.
  @inline(__always)
  private static func isLowered(_ text: UnsafeRawBufferPointer, into buffer: UnsafeMutableRawBufferPointer) -> Bool {
    var offset = 0
    while offset < text.count {
      let word = Words.load(text, at: offset)
      guard Words.isASCII(word), !Words.has(0x27, word), !Words.has(0x60, word) else { return false }
      buffer.storeBytes(of: Words.lower(word).littleEndian, toByteOffset: offset, as: UInt64.self)
      offset += 8
    }
    return true
  }

  // MARK: Terms

  /// Where terms begin besides at the beginnings of words.
  enum Parts {
    /// At each part of a name: after anything that is neither letter nor digit, and at each character of scripts that
    /// write names without spaces.
    case names
    /// At the parts of a double name alone: of an e-mail and a username, whose dots and signs join no names.
    case doubleNames
  }

  /// Calls `body` with each term of a text, in search form: each word, and each part up to the end of its word. The name
  /// `Anne-Marie O'Brien (St.John)` has `anne-marie`, `marie`, `obrien`, `brien`, `(st.john)`, `st.john)` and `john)`; the
  /// name 山田太郎 has one for each character.
  static func forEachTerm(
    of text: UnsafeRawBufferPointer, _ parts: Parts, _ body: (UnsafeRawBufferPointer) -> Void
  ) {
    withUnsafeTemporaryAllocation(byteCount: text.count + 8, alignment: 8) { buffer in
      if isLowered(text, into: buffer) {
        let plain = UnsafeRawBufferPointer(rebasing: buffer[..<text.count])
        return forEachTerm(in: plain, body) { Self.begins(plain, at: $0, parts) }
      }
      withUnsafeTemporaryAllocation(byteCount: growth * text.count, alignment: 8) { buffer in
        withUnsafeTemporaryAllocation(of: Bool.self, capacity: growth * text.count) { starts in
          var writer = SearchWriter(buffer, starts, parts)
          writer.append(text)
          forEachTerm(in: UnsafeRawBufferPointer(rebasing: buffer[..<writer.count]), body) { starts[$0] }
        }
      }
    }
  }

  /// - Parameter begins: whether a term begins at a byte that is not the first of a word.
  @inline(__always)
  private static func forEachTerm(
    in text: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) -> Void, where begins: (Int) -> Bool
  ) {
    var end = text.count
    var start = end
    // Backwards, so that the end of the word is known at each start.
    while start > 0 {
      let isSpace = isSpace(text[start - 1])
      if start < end, isSpace || begins(start) { body(UnsafeRawBufferPointer(rebasing: text[start..<end])) }
      if isSpace { end = start - 1 }
      start -= 1
    }
    if end > 0 { body(UnsafeRawBufferPointer(rebasing: text[..<end])) }
  }

  /// Whether a byte ends a word. Control characters do, so that words sort like the texts that begin with them.
  @inline(__always)
  static func isSpace(_ byte: UInt8) -> Bool { byte <= 0x20 }

  /// Whether a part of a name begins at a byte of a text that is all ASCII.
  @inline(__always)
  private static func begins(_ text: UnsafeRawBufferPointer, at place: Int, _ parts: Parts) -> Bool {
    switch parts {
    case .names: isAlphanumeric(text[place]) && !isAlphanumeric(text[place - 1])
    case .doubleNames: text[place - 1] == 0x2d
    }
  }

  @inline(__always)
  fileprivate static func isAlphanumeric(_ byte: UInt8) -> Bool {
    (byte | 0x20) &- 0x61 < 26 || byte &- 0x30 < 10
  }
}

/// Writes the search form of a text character by character, and notes where its parts begin.
private struct SearchWriter {
  private let buffer: UnsafeMutableRawBufferPointer
  private let starts: UnsafeMutableBufferPointer<Bool>?
  private let parts: SearchText.Parts
  private(set) var count = 0
  private var last = Kind.joint

  /// What a character means for where names begin.
  private enum Kind {
    case letter
    /// One of a script that writes names without spaces: a part begins at each of them.
    case syllable
    /// The rest of a syllable.
    case rest
    /// A hyphen or an apostrophe.
    case doubling
    /// Anything else: a space, a dot, a bracket.
    case joint
  }

  init(
    _ buffer: UnsafeMutableRawBufferPointer, _ starts: UnsafeMutableBufferPointer<Bool>? = nil,
    _ parts: SearchText.Parts = .names
  ) {
    self.buffer = buffer
    self.starts = starts
    self.parts = parts
  }

  mutating func append(_ text: UnsafeRawBufferPointer) {
    var bytes = text.makeIterator()
    var decoder = UTF8()
    while case .scalarValue(let scalar) = decoder.decode(&bytes) {
      UnicodeTables.forEachDecomposed(scalar.value) { part in
        UnicodeTables.forEachFolded(part) { folded in
          // Folding can produce a mark: İ becomes i with a dot above.
          guard UnicodeTables.combiningClass(folded) == 0 else { return }
          UnicodeTables.forEachTyped(folded) { append($0) }
        }
      }
    }
  }

  private mutating func append(_ value: UInt32) {
    guard let scalar = Unicode.Scalar(value) else { return }
    if value == 0x27 {
      last = .doubling
      return
    }
    let isSpace = scalar.properties.isWhitespace || value < 0x20
    // Soft hyphens, joiners and selectors of variants are typed by nobody.
    if !isSpace, UnicodeTables.isUnprintable(scalar) { return }
    let kind = isSpace ? .joint : kind(scalar)
    starts?[count] = begins(kind)
    if isSpace {
      put(0x20)
    } else {
      UTF8.encode(scalar) { put($0) }
    }
    last = kind
  }

  private mutating func put(_ byte: UInt8) {
    buffer[count] = byte
    count += 1
    if count < starts?.count ?? 0 { starts?[count] = false }
  }

  private func begins(_ kind: Kind) -> Bool {
    switch (parts, kind, last) {
    case (.doubleNames, _, _): last == .doubling
    case (.names, .syllable, _): true
    case (.names, .letter, .joint), (.names, .letter, .doubling), (.names, .letter, .syllable),
      (.names, .letter, .rest):
      true
    case (.names, .letter, .letter), (.names, .rest, _), (.names, .doubling, _), (.names, .joint, _): false
    }
  }

  private func kind(_ scalar: Unicode.Scalar) -> Kind {
    switch scalar.value {
    case 0x2d: return .doubling
    case ..<0x80: return SearchText.isAlphanumeric(UInt8(scalar.value)) ? .letter : .joint
    // Hangul, decomposed: the consonant that begins a syllable, and what follows it.
    case 0x1100...0x115f, 0xa960...0xa97c: return .syllable
    case 0x1160...0x11ff, 0xd7b0...0xd7fb: return .rest
    // Hiragana, and the signs that repeat or lengthen what is before. Katakana are letters of words.
    case 0x3041...0x3096, 0x309f: return .syllable
    case 0x3005, 0x303b, 0x309d, 0x309e, 0x30fc...0x30fe: return last == .letter ? .letter : .rest
    default: break
    }
    if scalar.properties.isIdeographic { return .syllable }
    switch scalar.properties.generalCategory {
    case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter, .decimalNumber,
      .letterNumber, .otherNumber:
      return .letter
    // Vowel signs and the like belong to the letter before.
    case .nonspacingMark, .spacingMark, .enclosingMark: return last == .syllable ? .rest : last
    default: return .joint
    }
  }
}
