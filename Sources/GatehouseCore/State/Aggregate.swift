/// A part of a partition's state with rows of its own, and with what finds them: people, sessions, recorded time.
///
/// An aggregate is a type in the folder of its subject, which says how it is copied, which sections of a snapshot it has
/// and what must hold of it. `PartitionState` puts the aggregates together, and is the only place where they are listed.
///
/// What needs one aggregate alone is a method of it. What needs several, or the partition's number, is one of
/// `PartitionState`, in the folder of the subject that it serves.
protocol Aggregate: ~Copyable, Sendable {
  init()

  /// The aggregate as it is now, sharing its memory until one of the two changes it.
  mutating func copy() -> Self

  /// What a snapshot has of it.
  static var sections: [StoredSection<PartitionState>] { get }

  /// Reports what is not as it must be between any two records.
  static func check(_ state: borrowing PartitionState, _ checker: InvariantChecker)
}
