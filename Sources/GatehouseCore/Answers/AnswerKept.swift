/// An answer is kept under an idempotency key: digests of the key and the arguments, and the reply, without secrets
/// that are shown only once.
public struct AnswerKept: PartitionChange {
  public static var code: UInt8 { 60 }
  public static var name: String { "answer-kept" }

  /// The partition that keeps it, by the key's hash.
  public var partition = 0
  public var key = Digest.zero
  public var arguments = Digest.zero
  public var reply = Reply()
  /// The request that was made of the command, if it waits for a second person (B13).
  public var approval: ApprovalID?
  /// About when it expires, which selects the key under which it is sealed; 0 in records of version 0.1.0.
  public var until: Milliseconds = 0
  /// Of whom the reply may say something: those whom the record changes, and those whom the command names. It is sealed
  /// under their keys, too.
  public var people: [SealKey] = []
  /// How often the clock had been set back, which selects the key, too.
  public var era: UInt32 = 0
  /// Whether it was read after one of its keys was destroyed. It is not stored.
  private var isForgotten = false

  public init() {}

  public init(
    partition: Int, key: Digest, arguments: Digest, reply: Reply, approval: ApprovalID? = nil, until: Milliseconds,
    era: UInt32 = 0, people: [SealKey] = []
  ) {
    self.partition = partition
    self.key = key
    self.arguments = arguments
    self.reply = reply
    self.approval = approval
    self.until = until
    self.era = era
    self.people = people
  }

  public mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    visitor.about("idempotency key")
    try visitor.secret(&partition, as: PartitionForm.self)
    try visitor.secret(&key, as: DigestForm.self)
    try visitor.secret(&arguments, as: DigestForm.self)
    try visitor.secret(&reply, as: ReplyForm.self)
    try visitor.later()
    try visitor.secret(&approval, as: OptionalForm<ApprovalForm>.self)
    try visitor.value(&until, as: TimeForm.self)
    try visitor.value(&people, as: ListForm<MentionedKeyForm>.self)
    try visitor.value(&era, as: NumberForm<UInt32>.self)
  }

  public var sealing: SealedUnder? { until == 0 ? nil : .answer(until: until, era: era, of: people) }

  public mutating func forget() { isForgotten = true }

  public var concern: Concern { .nobody }

  public func apply(to state: inout PartitionState, lsn: LSN, header: RecordHeader) {
    var answer = RememberedAnswer(
      arguments: arguments, reply: reply, until: header.time + Limits.idempotencyLife, lsn: lsn, approval: approval,
      people: people, era: era, service: header.service)
    if isForgotten { answer.clear() }
    state.answers.keep(answer, under: key, at: header.time)
  }
}

/// What a kept answer says is cleared, because somebody of whom it may say something was anonymised or purged (L6).
public struct AnswerCleared: PartitionChange {
  public static var code: UInt8 { 150 }
  public static var name: String { "answer-cleared" }

  public var partition = 0
  public var key = Digest.zero

  public init() {}

  public init(partition: Int, key: Digest) {
    self.partition = partition
    self.key = key
  }

  public mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    visitor.about("idempotency key")
    try visitor.secret(&partition, as: PartitionForm.self)
    try visitor.secret(&key, as: DigestForm.self)
  }

  public var concern: Concern { .nobody }

  public func apply(to state: inout PartitionState, lsn: LSN, header: RecordHeader) { state.answers.clear(key) }
}

extension SealedUnder {
  /// The keys of an answer: that of the day on which it expires, and those of everybody of whom it may say something.
  static func answer(until: Milliseconds, era: UInt32, of people: [SealKey]) -> SealedUnder {
    let day = SealKey.answers(until: until, era: era)
    return people.isEmpty ? .one(day) : .all([day] + people)
  }
}

/// The key of somebody whom a change is not about: no record is found by it.
enum MentionedKeyForm: FieldForm {
  static func write(_ value: SealKey, to writer: inout ByteWriter) { SealKeyForm.write(value, to: &writer) }
  static func read(from reader: inout ByteReader) throws(CodingError) -> SealKey { try SealKeyForm.read(from: &reader) }
}

/// The number of the partition that a change modifies.
enum PartitionForm: FieldForm {
  static func write(_ value: Int, to writer: inout ByteWriter) { writer.varint(value) }
  static func read(from reader: inout ByteReader) throws(CodingError) -> Int { try reader.number() }
  static func partition(_ value: Int, _ partitioning: Partitioning) -> Int? { value }
}

enum ReplyForm: FieldForm {
  static func write(_ value: Reply, to writer: inout ByteWriter) { value.encode(&writer) }
  static func read(from reader: inout ByteReader) throws(CodingError) -> Reply { try Reply(from: &reader) }
}
