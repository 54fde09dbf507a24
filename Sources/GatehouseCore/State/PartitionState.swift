/// All that one partition owns: its aggregates, mutated by `apply` alone.
///
/// It is copied for a snapshot by `copy()` and nowhere else: were it, or an aggregate, implicitly copyable, reading a field
/// of a partition through a method would copy two dozen references, and did, in a fifth of a login check's time.
public struct PartitionState: ~Copyable, Sendable {
  public let partitioning: Partitioning
  /// The partition's number.
  public let index: Int
  /// The last record that changed this partition. An absence that was read depends on it.
  public internal(set) var lsn: LSN

  // The aggregates. No property has a value of its own here, so that `init` and `copy` cannot forget one. The most
  // looked-at come first: a login check reads the first two lines of memory and no other.
  public internal(set) var people: People
  public internal(set) var sessions: Sessions
  public internal(set) var time: RecordedTime
  public internal(set) var outbox: Outbox
  public internal(set) var answers: Answers

  static let aggregates: [any (Aggregate & ~Copyable).Type] = [
    People.self, Sessions.self, RecordedTime.self, Outbox.self, Answers.self,
  ]
}

extension PartitionState {
  public init(index: Int, partitioning: Partitioning) {
    self.init(
      partitioning: partitioning, index: index, lsn: 0, people: People(), sessions: Sessions(), time: RecordedTime(),
      outbox: Outbox(), answers: Answers())
  }

  /// The state as it is now, sharing all pages until one of the two changes them.
  public mutating func copy() -> PartitionState {
    PartitionState(
      partitioning: partitioning, index: index, lsn: lsn, people: people.copy(), sessions: sessions.copy(),
      time: time.copy(), outbox: outbox.copy(), answers: answers.copy())
  }

  /// Carries out the part of a change that concerns this partition. The one way in which its state changes.
  public mutating func apply(_ change: AnyChange, lsn: LSN, header: RecordHeader) {
    self.lsn = lsn
    change.apply(to: &self, lsn: lsn, header: header)
  }

  /// … of a change whose kind is known.
  @inline(__always)
  mutating func apply(_ change: some PartitionChange, lsn: LSN, header: RecordHeader) {
    self.lsn = lsn
    change.apply(to: &self, lsn: lsn, header: header)
  }

  // MARK: Ids

  public func id<Entity>(_ serial: Int) -> Identifier<Entity> { partitioning.id(serial: serial, partition: index) }

  func isMine<Entity>(_ id: Identifier<Entity>) -> Bool { partitioning.partition(of: id) == index }
}
