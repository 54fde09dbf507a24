/// Parses a command's words. Errors are refused here, with the name of the word.
extension Turn {
  /// The bytes of word `index`; word 0 is the command's name.
  @inline(__always)
  public func word(_ index: Int) -> UnsafeRawBufferPointer { arguments[index] }

  /// The text of a word, at most `limit` bytes of UTF-8 without control characters.
  public func text(_ index: Int, _ name: String, limit: Int = Limits.textBytes) throws(Halt) -> String {
    try checked(arguments[index], name, limit)
  }

  private func checked(_ bytes: UnsafeRawBufferPointer, _ name: String, _ limit: Int) throws(Halt) -> String {
    guard bytes.count <= limit else {
      throw .refused(.syntax("\(name) is longer than \(limit) bytes; shorten it", of: name))
    }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw .refused(.syntax("\(name) is not valid UTF-8", of: name))
    }
    guard !text.unicodeScalars.contains(where: Self.isControl) else {
      throw .refused(.syntax("\(name) has control characters; leave them out", of: name))
    }
    return text
  }

  /// The text of a word that somebody else's program has written, such as the complaint of one that sends mails: any bytes,
  /// on one line, and cut where it is too long. What it complains about must not get lost for how it does so.
  func foreignLine(_ index: Int, bytes: Int) -> String {
    let raw = arguments[index]
    let text = String(decoding: UnsafeRawBufferPointer(rebasing: raw.prefix(bytes)), as: UTF8.self)
    return ShownText.prefix(ShownText.line(text), bytes: bytes)
  }

  /// Whether a character controls how text is shown, and is no text: also those of the upper half, and the separators of
  /// lines and paragraphs. Tabs and line feeds are part of text.
  static func isControl(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0x09, 0x0a: false
    case 0..<0x20, 0x7f...0x9f, 0x2028, 0x2029: true
    default: false
    }
  }

  /// What the command calls a word: the option whose value it is, or the positional one; nil if it has no name of its own.
  func argumentName(_ index: Int) -> String? {
    if let given = chosen.first(where: { ($0.word..<$0.word + $0.count).contains(index) }) {
      return spec.tokens[given.option]
    }
    let words = spec.arguments.filter { $0.token == nil }
    return words.indices.contains(index - 1) ? words[index - 1].name : nil
  }

  /// A word as an error repeats it, with a space before it. Where the command takes a secret nothing is repeated, because
  /// words may have been mixed up.
  func repeated(_ index: Int) -> String {
    guard !SecretText.isLike(word(index)), spec.secretWords(in: arguments).isEmpty else { return "" }
    return " \(foreignLine(index, bytes: Limits.usernameBytes))"
  }

  /// The same of a word that is an id, or else a secret.
  func repeatedID(_ index: Int) -> String { Self.identifier(word(index)).map { " #\($0)" } ?? "" }

  // MARK: Options

  private func chosenOption(_ token: String) -> ChosenOption? {
    // Few options are given of the many that a command may have.
    assert(spec.options.contains { $0.token == token }, "\(spec.name) has no option \(token)")
    return chosen.first { spec.tokens[$0.option] == token }
  }

  /// Whether an option is given.
  public func has(_ token: String) -> Bool { chosenOption(token) != nil }

  /// The word of an option's first value.
  public func optionWord(_ token: String) -> Int? { chosenOption(token)?.word }

  /// The words of the values of an option that is given once; none if it is not given.
  func optionWords(_ token: String) -> Range<Int> {
    chosenOption(token).map { $0.word..<$0.word + $0.count } ?? 0..<0
  }

  /// The words of the values of a repeatable option, for each time that it is given.
  func wordsOfEach(_ token: String) -> [Range<Int>] {
    chosen.filter { spec.tokens[$0.option] == token }.map { $0.word..<$0.word + $0.count }
  }

  /// The text of an option's value.
  public func option(_ token: String, limit: Int = Limits.textBytes) throws(Halt) -> String? {
    guard let given = chosenOption(token) else { return nil }
    return try checked(arguments[given.word], token, limit)
  }

  /// All values of a repeatable option: a list of one or more texts for each time.
  public func options(_ token: String, limit: Int = Limits.textBytes) throws(Halt) -> [[String]] {
    var result: [[String]] = []
    for given in chosen where spec.tokens[given.option] == token {
      var values: [String] = []
      for index in 0..<given.count { values.append(try checked(arguments[given.word + index], token, limit)) }
      result.append(values)
    }
    return result
  }

  public func time(_ token: String) throws(Halt) -> Milliseconds? {
    guard let text = try option(token) else { return nil }
    return try Self.time(text, token)
  }

  /// - Parameter orDay: whether the caller takes a day, too.
  public static func time(_ text: String, _ name: String, orDay: Bool = false) throws(Halt) -> Milliseconds {
    guard let time = TimeText.time(text) else {
      let forms = orDay ? "a day such as 2026-03-01, unix milliseconds" : "unix milliseconds"
      throw .refused(
        .syntax("\(name) is not a time; give \(forms) or RFC 3339 such as 2026-03-01T09:30:00Z", of: name))
    }
    return time
  }

  public func duration(_ token: String) throws(Halt) -> Milliseconds? {
    guard let text = try option(token) else { return nil }
    guard let duration = TimeText.duration(text) else {
      throw .refused(
        .syntax("\(token) is not a duration; give milliseconds, or 90s, 15m, 8h, 30d", of: token))
    }
    return duration
  }

  public func integer(_ token: String, in range: ClosedRange<Int>) throws(Halt) -> Int? {
    guard let text = try option(token) else { return nil }
    return try Self.integer(text, token, in: range)
  }

  public static func integer(_ text: String, _ name: String, in range: ClosedRange<Int>) throws(Halt) -> Int {
    guard let number = Int(text), range.contains(number) else {
      throw .refused(
        .syntax("\(name) is not a number from \(range.lowerBound) to \(range.upperBound)", of: name))
    }
    return number
  }

  /// The `COUNT` of a list.
  public func listCount() throws(Halt) -> Int {
    try integer("COUNT", in: 1...Limits.listMost) ?? Limits.listDefault
  }

  /// The reason given with the command. Reads that log a use have no such option.
  public var reason: String {
    guard !chosen.isEmpty, spec.effect == .write else { return "" }
    var text = (try? option("REASON", limit: Limits.reasonBytes)) ?? ""
    // A token in its place was meant for somewhere else, and the trail would keep it for good.
    return text.withUTF8({ SecretText.isLike(UnsafeRawBufferPointer($0)) }) ? "(redacted)" : text
  }

  /// The reason that the record keeps: the one given, else the one for which an impersonation was begun (B11, L15).
  var recordedReason: String {
    let given = reason
    return given.isEmpty && spec.effect == .write ? userPrincipal?.reason ?? "" : given
  }

  // MARK: Ids

  /// The id in a word: digits, with or without a leading `#`.
  public static func identifier(_ word: UnsafeRawBufferPointer) -> UInt64? {
    var start = 0
    if word.count > 0, word[0] == 0x23 { start = 1 }
    guard word.count > start else { return nil }
    var value: UInt64 = 0
    for index in start..<word.count {
      let digit = word[index] &- 0x30
      guard digit < 10 else { return nil }
      let (product, over) = value.multipliedReportingOverflow(by: 10)
      let (sum, more) = product.addingReportingOverflow(UInt64(digit))
      if over || more { return nil }
      value = sum
    }
    return value > 0 && value <= UInt64(Int64.max) ? value : nil
  }

  /// The positional id at word `index`.
  public func id<Entity>(_ index: Int, _ name: String) throws(Halt) -> Identifier<Entity> {
    guard let raw = Self.identifier(arguments[index]) else {
      throw .refused(.syntax("\(name) is not an id; ids are positive whole numbers, such as #12", of: name))
    }
    return Identifier(raw: raw)
  }
}
