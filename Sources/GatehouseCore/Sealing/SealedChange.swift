/// The form of a change whose texts are sealed: a change of a code of its own around it,
///
///     125 · length × 2 + whether the change is critical · length · (code · keys · clear fields) · sealed fields
///
/// What is sealed belongs to everything before it: it cannot be moved to another person, kind or change. A change is
/// sealed if it says whose it is (`Change.sealing`), any of its keys exists, and it has a text at all; all others keep their
/// plain form, and cost nothing. What is said of people after they were forgotten is not theirs, and is plain, too, unless
/// it is about others as well.
///
/// Not sealed, and so not forgotten: the reasons that commands were given, notes of time entries, and linked records.
/// They tell what was done and why, which the record of history must go on telling (L6); `USER.ANONYMISE` says so.
enum SealedChange {
  static let code: UInt8 = 125
}

extension Change {
  public var sealing: SealedUnder? { person?.sealing }

  public mutating func forget() {}

  public func encodeSealed(into parts: inout SealingWriter) {
    var fields = self
    fields.visit(&parts)
  }

  public static func read(opening parts: inout OpeningReader) throws(CodingError) -> AnyChange {
    var change = Self()
    try change.visit(&parts)
    if parts.hidden == nil { change.forget() }
    return change.carried
  }

  /// Encodes the change, its texts sealed if the writer has keys and the change is about somebody.
  ///
  /// What is about several people of whom some were forgotten is sealed under the keys of the others: it would stay in the
  /// log for good, and what it says of them with it.
  func encodeSealing(into writer: inout ByteWriter) {
    guard let seals = writer.seals, var keys = sealing else { return encode(into: &writer) }
    while !seal(under: keys, seals, into: &writer) {
      guard case .all(let people) = keys else { return encode(into: &writer) }
      // Asked again each time, because a key may be destroyed meanwhile.
      let left = people.filter { !seals.isDestroyed($0) }
      guard !left.isEmpty, left.count < people.count else { return encode(into: &writer) }
      keys = .all(left)
    }
  }

  /// - Returns: false if nothing was encoded, because a key was destroyed or there is nothing to hide.
  private func seal(under keys: SealedUnder, _ seals: any SealKeeper, into writer: inout ByteWriter) -> Bool {
    var parts = SealingWriter()
    parts.clear.byte(Self.code)
    keys.encode(into: &parts.clear)
    encodeSealed(into: &parts)
    guard parts.hidden.count > 0 else { return false }
    var sealed = ByteWriter()
    let isSealed = parts.hidden.withBytes { plain in
      parts.clear.withBytes { seals.seal(plain, under: keys, bound: $0, into: &sealed) }
    }
    guard isSealed else { return false }
    writer.byte(SealedChange.code)
    let start = writer.beginBlock()
    parts.clear.withBytes { writer.block($0) }
    sealed.withBytes { writer.raw($0) }
    writer.endBlock(start, flag: Self.isCritical)
    return true
  }
}

extension AnyChange {
  /// Decodes the form of a sealed change.
  ///
  /// - Parameters:
  ///   - seals: without it, the change reads as if its keys had been destroyed.
  ///   - reader: which has read the form. It is told if something of a newer version is skipped.
  static func open(
    _ form: ByteReader, isCritical: Bool, _ seals: (any SealKeeper)?, of reader: inout ByteReader
  ) throws(CodingError) -> AnyChange {
    var rest = form
    let bound = try rest.block()
    var clear = ByteReader(bound)
    let code = try clear.byte()
    guard let kind = ChangeTable.kind(code) else {
      guard !isCritical else { throw isOfNewerVersion(code, form) }
      reader.skip()
      return .unknown(UnknownChange(code: code, payload: form.rest, isSealed: true))
    }
    let keys = try SealedUnder(from: &clear)
    var plain = ByteWriter()
    let isOpen = try seals?.open(rest.restBytes, under: keys, bound: bound, into: &plain) ?? false
    return try plain.withBytes { (bytes) throws(CodingError) -> AnyChange in
      var parts = OpeningReader(clear: clear, hidden: isOpen ? ByteReader(bytes) : nil)
      let change = try kind.read(opening: &parts)
      // Each field has at least a byte in the clear part.
      reader.end(parts.clear)
      return change
    }
  }
}
