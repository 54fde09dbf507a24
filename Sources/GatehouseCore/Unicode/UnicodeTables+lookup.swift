/// Looks up characters in the tables, each a flat sorted list of entries.
extension UnicodeTables {
  /// The index of the entry that a character belongs to: the last one that does not begin after it.
  private static func entry(_ scalar: UInt32, in table: [UInt32], of width: Int) -> Int? {
    var low = 0
    var high = table.count / width
    while low < high {
      let middle = (low + high) / 2
      if table[middle * width] <= scalar { low = middle + 1 } else { high = middle }
    }
    return low == 0 ? nil : (low - 1) * width
  }

  /// The index of the entry of exactly this character.
  private static func exactEntry(_ scalar: UInt32, in table: [UInt32], of width: Int) -> Int? {
    entry(scalar, in: table, of: width).flatMap { table[$0] == scalar ? $0 : nil }
  }

  private static func isInRange(_ scalar: UInt32, of table: [UInt32]) -> Bool {
    entry(scalar, in: table, of: 2).map { scalar <= table[$0 + 1] } ?? false
  }

  /// Whether a character must be escaped in a line: it is invisible, ends the line, or moves what is shown.
  static func isUnprintable(_ scalar: Unicode.Scalar) -> Bool {
    // Fast path: most characters shown are ASCII.
    if scalar.value < 0x7f { return scalar.value < 0x20 }
    return isInRange(scalar.value, of: unprintable)
  }

  /// Whether a character cannot be in a name: it is unprintable, private, unassigned or blank.
  static func isNotInNames(_ scalar: Unicode.Scalar) -> Bool { isInRange(scalar.value, of: notInNames) }

  /// The canonical combining class.
  static func combiningClass(_ scalar: UInt32) -> UInt32 {
    if scalar < 0x300 { return 0 }
    guard let entry = entry(scalar, in: combiningClasses, of: 3), scalar <= combiningClasses[entry + 1] else {
      return 0
    }
    return combiningClasses[entry + 2]
  }

  /// Calls `body` with each character of a character's full case folding (statuses C and F).
  static func forEachFolded(_ scalar: UInt32, _ body: (UInt32) -> Void) {
    if let entry = entry(scalar, in: foldingRuns, of: 4) {
      let (first, last, step) = (foldingRuns[entry], foldingRuns[entry + 1], foldingRuns[entry + 2])
      if scalar <= last, (scalar - first) % step == 0 { return body(scalar &+ foldingRuns[entry + 3]) }
    }
    guard let entry = exactEntry(scalar, in: longFoldings, of: 4) else { return body(scalar) }
    for part in longFoldings[(entry + 1)...(entry + 3)] where part != 0 { body(part) }
  }

  /// Calls `body` with what people type for a character that is decomposed and folded already: `1` for ①, `l` for ł.
  static func forEachTyped(_ scalar: UInt32, _ body: (UInt32) -> Void) {
    if scalar < 0x80, scalar != 0x60 { return body(scalar) }
    if let entry = entry(scalar, in: typedRuns, of: 4) {
      let (first, last, step) = (typedRuns[entry], typedRuns[entry + 1], typedRuns[entry + 2])
      if scalar <= last, (scalar - first) % step == 0 { return body(scalar &+ typedRuns[entry + 3]) }
    }
    guard let entry = exactEntry(scalar, in: typedForms, of: 3) else { return body(scalar) }
    let start = Int(typedForms[entry + 1])
    for letter in typedLetters[start..<start + Int(typedForms[entry + 2])] { body(letter) }
  }

  /// Calls `body` with each character of a character's full canonical decomposition.
  static func forEachDecomposed(_ scalar: UInt32, _ body: (UInt32) -> Void) {
    if scalar < 0xc0 { return body(scalar) }
    if Hangul.syllables.contains(scalar) { return Hangul.decompose(scalar, body) }
    guard let entry = exactEntry(scalar, in: decompositions, of: 3) else { return body(scalar) }
    forEachDecomposed(decompositions[entry + 1], body)
    let second = decompositions[entry + 2]
    if second != 0 { forEachDecomposed(second, body) }
  }

  /// The character that two characters compose to.
  static func composed(_ first: UInt32, _ second: UInt32) -> UInt32? {
    if let syllable = Hangul.composed(first, second) { return syllable }
    let wanted = UInt64(first) << 32 | UInt64(second)
    var low = 0
    var high = compositions.count / 3
    while low < high {
      let middle = (low + high) / 2
      let found = UInt64(compositions[middle * 3]) << 32 | UInt64(compositions[middle * 3 + 1])
      if found == wanted { return compositions[middle * 3 + 2] }
      if found < wanted { low = middle + 1 } else { high = middle }
    }
    return nil
  }
}

/// Korean syllables, which are computed instead of looked up.
///
/// Source: the Unicode Standard, section 3.12, "Conjoining Jamo Behavior".
private enum Hangul {
  private static let firstLead: UInt32 = 0x1100
  private static let firstVowel: UInt32 = 0x1161
  /// One before the first trailing consonant, which is optional.
  private static let noTrail: UInt32 = 0x11a7
  private static let leads: UInt32 = 19
  private static let vowels: UInt32 = 21
  private static let trails: UInt32 = 28

  static let syllables: Range<UInt32> = 0xac00..<0xac00 + leads * vowels * trails

  static func decompose(_ syllable: UInt32, _ body: (UInt32) -> Void) {
    let index = syllable - syllables.lowerBound
    body(firstLead + index / (vowels * trails))
    body(firstVowel + index % (vowels * trails) / trails)
    if index % trails != 0 { body(noTrail + index % trails) }
  }

  static func composed(_ first: UInt32, _ second: UInt32) -> UInt32? {
    if first &- firstLead < leads, second &- firstVowel < vowels {
      return syllables.lowerBound + ((first - firstLead) * vowels + second - firstVowel) * trails
    }
    let hasTrail = syllables.contains(first) && (first - syllables.lowerBound) % trails != 0
    guard syllables.contains(first), !hasTrail, second > noTrail, second < noTrail + trails else { return nil }
    return first + second - noTrail
  }
}
