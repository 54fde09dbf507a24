internal import DequeModule

/// The answers that a partition keeps under idempotency keys, by the digest of the key.
public struct Answers: ~Copyable, Sendable {
  public internal(set) var kept: [Digest: RememberedAnswer] = [:]
  /// The keys, oldest first; all answers are kept equally long. A key that was reused after its answer had expired is
  /// in it twice.
  private var line = Deque<Expiry>()
  /// The answers that tell of a person, by the keys of the person. It follows from the answers.
  private var byPerson: [SealKey: Set<Digest>] = [:]
  /// How many each service has. It follows from the answers, too.
  private var counts: [ServiceID: Int] = [:]

  /// How often the clock was set back, so that days came again (`SealKey.answers`).
  public private(set) var era: UInt32 = 0

  private struct Expiry: Sendable {
    let key: Digest
    let until: Milliseconds
  }

  public init() {}

  /// How many expired answers are forgotten with each new one: more than come in, and few enough for one turn.
  private static let forgottenAtOnce = 2

  /// Keeps an answer, and forgets expired ones a few at a time.
  mutating func keep(_ answer: RememberedAnswer, under key: Digest, at now: Milliseconds) {
    var forgotten = 0
    while forgotten < Self.forgottenAtOnce, let oldest = line.first, oldest.until <= now {
      line.removeFirst()
      guard isHeld(oldest) else { continue }
      remove(oldest.key)
      forgotten += 1
    }
    remove(key)
    enter(answer, under: key)
  }

  private mutating func enter(_ answer: RememberedAnswer, under key: Digest) {
    kept[key] = answer
    line.append(Expiry(key: key, until: answer.until))
    for person in answer.people { byPerson[person, default: []].insert(key) }
    counts[answer.service, default: 0] += 1
  }

  private mutating func remove(_ key: Digest) {
    guard let answer = kept.removeValue(forKey: key) else { return }
    for person in answer.people {
      byPerson[person]?.remove(key)
      if byPerson[person]?.isEmpty == true { byPerson[person] = nil }
    }
    counts[answer.service, default: 0] -= 1
    if counts[answer.service] == 0 { counts[answer.service] = nil }
  }

  /// The clock was set back: no answer's deadline is believed any more.
  mutating func beginEra() {
    kept = [:]
    line = []
    byPerson = [:]
    era += 1
    counts = [:]
  }

  /// The keys of the answers that tell of any of some people and were not cleared yet.
  func keys(tellingOf people: [SealKey]) -> [Digest] {
    let keys = people.reduce(into: Set<Digest>()) { $0.formUnion(byPerson[$1] ?? []) }
    return keys.filter { kept[$0]?.isCleared == false }.sorted { ($0.a, $0.b, $0.c, $0.d) < ($1.a, $1.b, $1.c, $1.d) }
  }

  /// Clears what an answer says. Its key stays taken, so that a command that is repeated is not done again.
  mutating func clear(_ key: Digest) { kept[key]?.clear() }

  /// Whether an entry of the line belongs to the answer now kept under its key.
  private func isHeld(_ expiry: Expiry) -> Bool { kept[expiry.key]?.until == expiry.until }

  /// Whether another answer to a service can be kept. Expired ones make room for it.
  func hasRoom(for service: ServiceID, at now: Milliseconds) -> Bool {
    let own = counts[service] ?? 0
    if own < (kept.count < Limits.answersOfPartition ? Limits.answersOfService : Limits.answersAssured) { return true }
    for expiry in line where isHeld(expiry) { return expiry.until <= now }
    return true
  }
}

extension Answers: Aggregate {
  mutating func copy() -> Answers {
    var copy = Answers()
    copy.kept = kept
    copy.line = line
    copy.byPerson = byPerson
    copy.era = era
    copy.counts = counts
    return copy
  }

  static let sections: [StoredSection<PartitionState>] = [
    StoredSection(10) { state, writer in
      writer.list(state.answers.inOrder) { writer, entry in
        writer.digest(entry.key)
        writer.stored(StoredAnswer(entry.answer, writer.seals))
      }
      writer.varint(0)
      writer.varint(state.answers.era)
    } read: { (state, reader, layout) throws(CodingError) in
      for _ in 0..<(try reader.count()) {
        let key = try reader.digest()
        // What came later is only in measured values.
        let form: StoredForm = layout.form == .second ? .first : layout.form
        var stored = try reader.stored(StoredAnswer(), StoredLayout(form: form, seals: layout.seals))
        try stored.open(layout.seals, reader)
        state.answers.enter(stored.answer, under: key)
      }
      // The number at which all were looked through, when they stood in the order of their keys.
      let _: Int = try reader.number()
      // Absent in snapshots from before there were eras.
      if layout.form == .measured, !reader.isAtEnd { state.answers.era = try reader.number() }
      state.answers.line.sort { $0.until < $1.until }
    }
  ]

  private var inOrder: [(key: Digest, answer: RememberedAnswer)] {
    var answers: [(key: Digest, answer: RememberedAnswer)] = []
    for expiry in line where isHeld(expiry) {
      if let answer = kept[expiry.key] { answers.append((expiry.key, answer)) }
    }
    return answers
  }

  static func check(_ state: borrowing PartitionState, _ checker: InvariantChecker) {
    checker.expect(
      state.answers.inOrder.count == state.answers.kept.count
        && zip(state.answers.line, state.answers.line.dropFirst()).allSatisfy { $0.until <= $1.until },
      "the answers of partition \(state.index) are not those in its line")
    checker.expect(
      state.answers.byPerson.values.reduce(0) { $0 + $1.count }
        == state.answers.kept.values.reduce(0) { $0 + $1.people.count },
      "partition \(state.index) has answers that are not found by whom they tell of")
    checker.expect(
      state.answers.counts == state.answers.kept.values.reduce(into: [:]) { $0[$1.service, default: 0] += 1 },
      "partition \(state.index) miscounts the answers of services")
  }
}

/// An answer under an idempotency key, and when it expires.
public struct RememberedAnswer: Sendable, StoredValue {
  public internal(set) var arguments = Digest.zero
  public internal(set) var reply = Reply()
  public internal(set) var until: Milliseconds = 0
  public internal(set) var lsn: LSN = 0
  /// The request that the answer names, if the command waits for a second person.
  public internal(set) var approval: ApprovalID?
  /// Of whom it may say something, by their keys, each once. `StoredAnswer` stores this and the next three.
  var people: [SealKey] = []
  /// How often the clock had been set back when it was kept.
  var era: UInt32 = 0
  /// Who gave the command; 0 in snapshots of version 0.1.0.
  var service: ServiceID = 0
  /// Whether what it said is gone, because one of them was anonymised or purged.
  private(set) var isCleared = false

  mutating func clear() {
    reply = .forgotten
    isCleared = true
  }

  mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try visitor.value(&arguments, as: DigestForm.self)
    try visitor.value(&reply, as: ReplyForm.self)
    try visitor.value(&until, as: TimeForm.self)
    try visitor.value(&lsn, as: NumberForm<LSN>.self)
    try visitor.later()
    try visitor.value(&approval, as: OptionalForm<ApprovalForm>.self)
  }
}
