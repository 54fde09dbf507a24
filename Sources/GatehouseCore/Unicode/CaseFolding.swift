/// Full case folding and normalisation form C: texts that differ in case alone, or in how their letters are put
/// together, become the same bytes.
///
/// A text is decomposed, folded and composed: NFC(toCasefold(NFD(x))). Decomposing comes first because of the iota
/// subscript (U+0345), which folds to a letter and is part of others. What the tables must have in common for this to
/// be one pass is checked where they are made (`tools/unicode-tables`).
///
/// Source: the Unicode Standard, section 3.11 and definition D145, "canonical caseless match".
enum CaseFolding {
  /// The version of the Unicode tables that decide which names are one.
  static var version: String { UnicodeTables.version }

  /// A text's bytes grow to three times as many at most (U+0390 is two bytes and folds to three of two).
  static let growth = 3

  /// Writes the folded bytes of `text`, and returns how many; nil where it is not UTF-8.
  /// - Parameter buffer: room for `growth` times the text.
  static func fold(_ text: UnsafeRawBufferPointer, into buffer: UnsafeMutableRawBufferPointer) -> Int? {
    precondition(buffer.count >= growth * text.count)
    return withUnsafeTemporaryAllocation(of: UInt32.self, capacity: growth * text.count) { scalars in
      guard let decomposed = decompose(text, into: scalars) else { return nil }
      return withUnsafeTemporaryAllocation(of: UInt32.self, capacity: growth * text.count) { folded in
        let count = compose(scalars[..<decomposed], into: folded)
        return encode(folded[..<count], into: buffer)
      }
    }
  }

  /// A character and its combining class in one number; no character reaches these bits.
  private static let classShift: UInt32 = 24
  private static let scalarMask: UInt32 = 1 << classShift - 1

  /// Writes the canonical decomposition, each number with its combining class in the upper byte.
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
          var place = count
          // Canonical order: a mark goes before those of a higher class, up to the letter that they belong to.
          if marked >> classShift != 0 {
            while place > 0, scalars[place - 1] >> classShift > marked >> classShift {
              scalars[place] = scalars[place - 1]
              place -= 1
            }
          }
          scalars[place] = marked
          count += 1
        }
      }
    }
  }

  /// Folds a decomposed text, and composes what comes of it.
  private static func compose(
    _ scalars: Slice<UnsafeMutableBufferPointer<UInt32>>, into folded: UnsafeMutableBufferPointer<UInt32>
  ) -> Int {
    var count = 0
    var starter: Int?
    var lastClass: UInt32 = 0
    for marked in scalars {
      UnicodeTables.forEachFolded(marked & scalarMask) { scalar in
        // The iota subscript is a mark and folds to a letter; all else keeps its class.
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
    }
    return count
  }

  private static func encode(
    _ scalars: Slice<UnsafeMutableBufferPointer<UInt32>>, into buffer: UnsafeMutableRawBufferPointer
  ) -> Int {
    var count = 0
    for value in scalars {
      guard let scalar = Unicode.Scalar(value) else { preconditionFailure("a folded text that is none") }
      UTF8.encode(scalar) { byte in
        buffer[count] = byte
        count += 1
      }
    }
    return count
  }
}
