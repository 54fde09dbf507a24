/// Text with a byte for each character that people see, which is how zxcvbn counts: otherwise a letter of a far script,
/// or one emoji again and again, would count as a sequence of several different ones.
struct CountedText {
  /// The bytes that stand for characters beyond ASCII. What must match, such as a password and a name, is counted by one
  /// value of this type.
  private var codes: [Character: UInt8] = [:]

  /// The bytes of a text, with a zero at the end.
  mutating func bytes(of text: String) -> [CChar] {
    text.map { CChar(bitPattern: code(of: $0)) } + [0]
  }

  private mutating func code(of character: Character) -> UInt8 {
    if let ascii = character.asciiValue { return ascii }
    if let code = codes[character] { return code }
    // A password has at most a few hundred characters; what is beyond 128 different ones is counted as repeated.
    let code = UInt8(0x80 + codes.count % 0x80)
    codes[character] = code
    return code
  }
}
