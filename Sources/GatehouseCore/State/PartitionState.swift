/// Everything that one partition owns: its aggregates, which only `apply` mutates.
///
/// Noncopyable: a snapshot copies it by `copy()`, and nothing else does. While it was implicitly copyable, reading a
/// field through a method copied two dozen references, which took a fifth of a login check's time. The same holds for
/// an aggregate.
public struct PartitionState: ~Copyable, Sendable {
  public let partitioning: Partitioning
  /// The partition's number.
  public let index: Int
  /// The last record that changed this partition. A reply that reports an absence depends on it.
  public internal(set) var lsn: LSN

  // The aggregates. No property has a default value here, so that `init` and `copy` cannot forget one. Cache locality:
  // the most used come first; a login check reads only the first two cache lines.
  public internal(set) var people: People
  public internal(set) var sessions: Sessions
  public internal(set) var time: RecordedTime
  public internal(set) var credentials: Credentials
  public internal(set) var secondFactors: SecondFactors
  public internal(set) var apiKeys: APIKeys
  public internal(set) var links: Links
  public internal(set) var approvals: Approvals
  public internal(set) var outbox: Outbox
  public internal(set) var answers: Answers
  public internal(set) var forgotten: ForgottenPeople

  static let aggregates: [any (Aggregate & ~Copyable).Type] = [
    People.self, Sessions.self, RecordedTime.self, Credentials.self, SecondFactors.self, APIKeys.self,
    Links.self, Approvals.self, Outbox.self, Answers.self, ForgottenPeople.self,
  ]
}

extension PartitionState {
  public init(index: Int, partitioning: Partitioning) {
    self.init(
      partitioning: partitioning, index: index, lsn: 0, people: People(), sessions: Sessions(), time: RecordedTime(),
      credentials: Credentials(), secondFactors: SecondFactors(), apiKeys: APIKeys(), links: Links(),
      approvals: Approvals(), outbox: Outbox(), answers: Answers(), forgotten: ForgottenPeople())
  }

  /// A copy of the state that shares all pages until either is changed (copy-on-write).
  public mutating func copy() -> PartitionState {
    PartitionState(
      partitioning: partitioning, index: index, lsn: lsn, people: people.copy(), sessions: sessions.copy(),
      time: time.copy(), credentials: credentials.copy(), secondFactors: secondFactors.copy(),
      apiKeys: apiKeys.copy(), links: links.copy(), approvals: approvals.copy(), outbox: outbox.copy(),
      answers: answers.copy(), forgotten: forgotten.copy())
  }

  /// Applies the part of a change that concerns this partition. Nothing else changes its state.
  public mutating func apply(_ change: AnyChange, lsn: LSN, header: RecordHeader) {
    self.lsn = lsn
    people.moment = header.time
    change.apply(to: &self, lsn: lsn, header: header)
  }

  /// The same for a change whose kind is known at compile time.
  @inline(__always)
  mutating func apply(_ change: some PartitionChange, lsn: LSN, header: RecordHeader) {
    self.lsn = lsn
    people.moment = header.time
    change.apply(to: &self, lsn: lsn, header: header)
  }

  // MARK: Ids

  public func id<Entity>(_ serial: Int) -> Identifier<Entity> { partitioning.id(serial: serial, partition: index) }

  func isMine<Entity>(_ id: Identifier<Entity>) -> Bool { partitioning.partition(of: id) == index }
}
