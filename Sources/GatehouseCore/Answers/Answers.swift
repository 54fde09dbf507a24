/// The answers that a partition keeps under idempotency keys, by the keys' digests.
public struct Answers: ~Copyable, Sendable {
  public internal(set) var kept: [Digest: RememberedAnswer] = [:]
  /// The number of answers at which those that are too old are looked for.
  private var sweepCount = 1024

  public init() {}

  /// Keeps an answer; those that are too old by `now` are forgotten.
  mutating func keep(_ answer: RememberedAnswer, under key: Digest, at now: Milliseconds) {
    // Looked through only when the number has doubled since: a constant cost an answer.
    if kept.count >= sweepCount {
      kept = kept.filter { $0.value.until > now }
      sweepCount = min(max(1024, kept.count * 2), Limits.answersOfPartition)
    }
    kept[key] = answer
  }

  /// Whether another answer may be remembered. Those that are too old make room for it.
  func hasRoom(at now: Milliseconds) -> Bool {
    kept.count < Limits.answersOfPartition || kept.values.contains { $0.until <= now }
  }
}

extension Answers: Aggregate {
  mutating func copy() -> Answers {
    var copy = Answers()
    copy.kept = kept
    copy.sweepCount = sweepCount
    return copy
  }

  static let sections: [StoredSection<PartitionState>] = [
    StoredSection(10) { state, writer in
      writer.list(state.answers.kept.sorted { $0.key.isOrdered(before: $1.key) }) { writer, entry in
        writer.digest(entry.key)
        writer.stored(entry.value)
      }
      writer.varint(state.answers.sweepCount)
    } read: { (state, reader, layout) throws(CodingError) in
      for _ in 0..<(try reader.count()) {
        state.answers.kept[try reader.digest()] = try reader.stored(RememberedAnswer(), layout)
      }
      state.answers.sweepCount = try reader.number()
    }
  ]

  /// Nothing refers to an answer, and it refers to nothing.
  static func check(_ state: borrowing PartitionState, _ checker: InvariantChecker) {}
}

/// An answer under an idempotency key, and until when it is remembered.
public struct RememberedAnswer: Sendable, StoredValue {
  public internal(set) var arguments = Digest.zero
  public internal(set) var reply = Reply()
  public internal(set) var until: Milliseconds = 0
  public internal(set) var lsn: LSN = 0

  mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try visitor.value(&arguments, as: DigestForm.self)
    try visitor.value(&reply, as: ReplyForm.self)
    try visitor.value(&until, as: TimeForm.self)
    try visitor.value(&lsn, as: NumberForm<LSN>.self)
  }
}
