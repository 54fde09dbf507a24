/// A kept answer in a snapshot. What it says is sealed, because it may say something of anybody, until its day's key or
/// the key of somebody whom it concerns is destroyed.
struct StoredAnswer: StoredValue {
  private(set) var answer = RememberedAnswer()
  /// The sealed reply; empty if it is not sealed.
  private var sealed: ContiguousArray<UInt8> = []

  private var isCleared: Bool {
    get { answer.isCleared }
    set { if newValue { answer.clear() } }
  }

  init() {}

  /// - Parameter seals: without it, the answer is not sealed.
  init(_ answer: RememberedAnswer, _ seals: (any SealKeeper)?) {
    self.answer = answer
    guard let seals else { return }
    var plain = ByteWriter()
    answer.reply.encode(&plain)
    var sealed = ByteWriter()
    let isSealed = plain.withBytes { plain in
      bound.withUnsafeBytes { seals.seal(plain, under: keys, bound: $0, into: &sealed) }
    }
    if isSealed {
      self.answer.reply = Reply.forgotten
      self.sealed = sealed.bytes
    } else {
      self.answer.clear()
    }
  }

  private var keys: SealedUnder { .answer(until: answer.until, era: answer.era, of: answer.people) }

  /// The words of the command, so that no answer is given to another one.
  private var bound: [UInt8] {
    var writer = ByteWriter()
    writer.digest(answer.arguments)
    return Array(writer.bytes)
  }

  /// Opens what is sealed; if a key was destroyed, nothing is in it.
  mutating func open(_ seals: (any SealKeeper)?, _ reader: ByteReader) throws(CodingError) {
    guard !sealed.isEmpty else { return }
    guard let seals else { throw reader.failure("a sealed answer without its key") }
    var plain = ByteWriter()
    let opened = sealed.withUnsafeBytes { sealed in
      bound.withUnsafeBytes { bound in
        Result { () throws(CodingError) in try seals.open(sealed, under: keys, bound: bound, into: &plain) }
      }
    }
    guard try opened.get() else { return answer.clear() }
    answer.reply = try plain.withBytes { (bytes) throws(CodingError) in
      var reader = ByteReader(bytes)
      return try Reply(from: &reader)
    }
  }

  mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try answer.visit(&visitor)
    try visitor.later()
    try visitor.value(&sealed, as: BlockForm.self)
    try visitor.value(&answer.people, as: ListForm<MentionedKeyForm>.self)
    try visitor.value(&isCleared, as: FlagForm.self)
    try visitor.value(&answer.era, as: NumberForm<UInt32>.self)
    try visitor.value(&answer.service, as: NumberForm<ServiceID>.self)
  }
}

/// Bytes of any length.
enum BlockForm: FieldForm {
  static func write(_ value: ContiguousArray<UInt8>, to writer: inout ByteWriter) { writer.block(value) }
  static func read(from reader: inout ByteReader) throws(CodingError) -> ContiguousArray<UInt8> {
    ContiguousArray(try reader.block())
  }
}
