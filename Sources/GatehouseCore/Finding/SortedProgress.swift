/// How far a sorted list is that passes over some rows first (`OFFSET`).
struct SortedProgress: Sendable {
  /// The list is read from behind this place on.
  var base: ListPlace?
  /// How many are to be passed over behind it.
  var offset: Int
  /// Where many are passed over, the way to a nearer place.
  var jump: ListJump?

  /// How many rows are kept while the partitions are read once.
  func kept(forPageOf count: Int) -> Int {
    offset > Limits.passedAtOnce ? Limits.passedAtOnce : offset + count + 1
  }
}
