/// A part of a partition's state with its own rows and indexes: people, sessions, recorded time.
///
/// An aggregate is a type in the folder of its subject. It defines how it is copied, its sections of a snapshot, and
/// its invariants. `PartitionState` is the only place where the aggregates are listed.
///
/// A function that needs one aggregate is a method of it. One that needs several, or the partition's number, is a
/// method of `PartitionState` in the folder of the subject that it serves.
protocol Aggregate: ~Copyable, Sendable {
  init()

  /// A copy of the aggregate that shares its memory until either is changed (copy-on-write).
  mutating func copy() -> Self

  /// Its sections of a snapshot.
  static var sections: [StoredSection<PartitionState>] { get }

  /// Reports violations of its invariants, which hold between any two records.
  static func check(_ state: borrowing PartitionState, _ checker: InvariantChecker)
}
