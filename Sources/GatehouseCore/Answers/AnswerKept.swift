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

  public init() {}

  public init(
    partition: Int, key: Digest, arguments: Digest, reply: Reply, approval: ApprovalID? = nil, until: Milliseconds
  ) {
    self.partition = partition
    self.key = key
    self.arguments = arguments
    self.reply = reply
    self.approval = approval
    self.until = until
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
  }

  public var sealing: SealedUnder? { until == 0 ? nil : .one(.answers(until: until)) }

  public var concern: Concern { .nobody }

  public func apply(to state: inout PartitionState, lsn: LSN, header: RecordHeader) {
    let answer = RememberedAnswer(
      arguments: arguments, reply: reply, until: header.time + Limits.idempotencyLife, lsn: lsn, approval: approval)
    state.answers.keep(answer, under: key, at: header.time)
  }
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
