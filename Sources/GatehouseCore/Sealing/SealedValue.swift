/// How a value with secrets is stored in a snapshot: what must never stand in a file as it is, such as the secret of a
/// second factor, is sealed under the key of its person.
///
///     length × 2 + whether it is sealed · length · (whose · clear fields) · sealed fields
///
/// What else a snapshot says of people is not sealed: opening it cost 2 µs a row with swift-crypto 4.5, which would have
/// made a start with a million users take 3 s instead of 1 s. A snapshot need not outlive a person as the log must: once
/// somebody is forgotten, new ones replace it (`ForgottenPeople`).
///
/// Where the key was destroyed, the secrets are left out.
extension ByteWriter {
  mutating func sealed(_ value: some StoredValue, under key: SealKey) {
    var value = value
    let start = beginBlock()
    guard let seals else {
      value.visit(&self)
      return endBlock(start, flag: false)
    }
    var parts = SealingWriter()
    SealKeyForm.write(key, to: &parts.clear)
    value.visit(&parts)
    parts.clear.withBytes { block($0) }
    parts.hidden.withBytes { plain in
      parts.clear.withBytes { bound in _ = seals.seal(plain, under: .one(key), bound: bound, into: &self) }
    }
    endBlock(start, flag: true)
  }
}

extension ByteReader {
  /// - Parameter blank: the values of absent fields.
  mutating func sealed<Value: StoredValue>(
    _ blank: Value, under key: SealKey, _ layout: StoredLayout
  ) throws(CodingError) -> Value {
    var value = blank
    var (form, isSealed) = try flaggedBlock()
    guard isSealed else {
      var decoder = FieldDecoder(form, .bounded)
      try value.visit(&decoder)
      end(decoder.reader)
      return value
    }
    guard let seals = layout.seals else { throw form.failure("sealed secrets, and no keys to open them") }
    let bound = try form.block()
    var clear = ByteReader(bound)
    guard try SealKeyForm.read(from: &clear) == key else { throw clear.failure("secrets of somebody else") }
    var plain = ByteWriter()
    let isOpen = try seals.open(form.restBytes, under: .one(key), bound: bound, into: &plain)
    try plain.withBytes { (bytes) throws(CodingError) in
      var parts = OpeningReader(clear: clear, hidden: isOpen ? ByteReader(bytes) : nil)
      try value.visit(&parts)
      // Each field has at least a byte in the clear part.
      end(parts.clear)
    }
    return value
  }
}
