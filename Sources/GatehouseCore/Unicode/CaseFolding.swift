/// Full case folding and normalisation form C: texts that differ only in case, or in how letters are composed, become
/// the same bytes.
///
/// A text is decomposed, folded and composed: NFC(toCasefold(NFD(x))). It is decomposed first because of the iota
/// subscript (U+0345), which folds to a letter and is part of other letters. `tools/unicode-tables` checks what the
/// tables must satisfy for one pass to be enough.
///
/// Source: the Unicode Standard, section 3.11 and definition D145, "canonical caseless match".
enum CaseFolding {
  /// The version of the Unicode tables that decide which names are the same.
  static var version: String { UnicodeTables.version }

  /// Folding makes a text at most three times as long (U+0390 has two bytes and folds to three characters of two).
  static let growth = 3

  /// Writes the folded bytes of `text`, and returns how many; nil if it is not UTF-8.
  /// - Parameter buffer: room for `growth` times the text.
  static func fold(_ text: UnsafeRawBufferPointer, into buffer: UnsafeMutableRawBufferPointer) -> Int? {
    normalise(text, into: buffer, isFolding: true)
  }

  /// The text in normalisation form C, its case as it is; nil if it is not UTF-8.
  static func normalised(_ text: UnsafeRawBufferPointer) -> [UInt8]? {
    withUnsafeTemporaryAllocation(byteCount: max(1, growth * text.count), alignment: 1) { buffer in
      normalise(text, into: buffer, isFolding: false).map { Array(buffer[..<$0]) }
    }
  }

  private static func normalise(
    _ text: UnsafeRawBufferPointer, into buffer: UnsafeMutableRawBufferPointer, isFolding: Bool
  ) -> Int? {
    precondition(buffer.count >= growth * text.count)
    return withUnsafeTemporaryAllocation(of: UInt32.self, capacity: growth * text.count) { scalars in
      guard let decomposed = decompose(text, into: scalars) else { return nil }
      return withUnsafeTemporaryAllocation(of: UInt32.self, capacity: growth * text.count) { folded in
        let count = compose(scalars[..<decomposed], into: folded, isFolding: isFolding)
        return encode(folded[..<count], into: buffer)
      }
    }
  }

  /// A character and its combining class in one number; no code point reaches these bits.
  private static let classShift: UInt32 = 24
  private static let scalarMask: UInt32 = 1 << classShift - 1

  /// Writes the canonical decomposition, with the combining class in the upper byte of each number.
  private static func decompose(
    _ text: UnsafeRawBufferPointer, into scalars: UnsafeMutableBufferPointer<UInt32>
  ) -> Int? {
    var count = 0
    var bytes = text.makeIterator()
    var decoder = UTF8()
    while true {
      switch decoder.decode(&bytes) {
      case .emptyInput: return count
      case .error: return nil
      case .scalarValue(let scalar):
        UnicodeTables.forEachDecomposed(scalar.value) { part in
          let marked = UnicodeTables.combiningClass(part) << classShift | part
          var index = count
          // Canonical ordering: a mark moves before marks of a higher class, but not before their letter.
          if marked >> classShift != 0 {
            while index > 0, scalars[index - 1] >> classShift > marked >> classShift {
              scalars[index] = scalars[index - 1]
              index -= 1
            }
          }
          scalars[index] = marked
          count += 1
        }
      }
    }
  }

  /// Folds a decomposed text, if it is to be folded, and composes the result.
  private static func compose(
    _ scalars: Slice<UnsafeMutableBufferPointer<UInt32>>, into folded: UnsafeMutableBufferPointer<UInt32>,
    isFolding: Bool
  ) -> Int {
    var count = 0
    var starter: Int?
    var lastClass: UInt32 = 0
    for marked in scalars {
      let append = { (scalar: UInt32) in
        // The iota subscript is a mark that folds to a letter; all other characters keep their class.
        let combiningClass = marked >> classShift == 0 ? 0 : UnicodeTables.combiningClass(scalar)
        if let starter, lastClass == 0 || lastClass < combiningClass,
          let composite = UnicodeTables.composed(folded[starter], scalar)
        {
          folded[starter] = composite
          return
        }
        if combiningClass == 0 { starter = count }
        lastClass = combiningClass
        folded[count] = scalar
        count += 1
      }
      if isFolding { UnicodeTables.forEachFolded(marked & scalarMask, append) } else { append(marked & scalarMask) }
    }
    return count
  }

  private static func encode(
    _ scalars: Slice<UnsafeMutableBufferPointer<UInt32>>, into buffer: UnsafeMutableRawBufferPointer
  ) -> Int {
    var count = 0
    for value in scalars {
      guard let scalar = Unicode.Scalar(value) else { preconditionFailure("a folded text with an invalid character") }
      UTF8.encode(scalar) { byte in
        buffer[count] = byte
        count += 1
      }
    }
    return count
  }
}
