/// The place of a partition's state. Whoever holds the partition, its actor or the holder of a command over
/// several owners, is the only one to touch it; passing the cell on passes that right on.
package final class PartitionCell: @unchecked Sendable {
  package let index: Int
  /// Not checked for overlapping access at run time: one owner touches it, and never while it is in use by
  /// another call of its own. The checks were a third of a login check's instructions.
  @exclusivity(unchecked) package var state: PartitionState

  /// Whether a command over several owners has the partition. Its actor sets it; who runs on the actor's lane
  /// may read it, and must leave the state alone while it is set.
  package var isTaken: Bool {
    get { taken }
    set { taken = newValue }
  }

  // Behind an accessor, for other modules check an access in any case.
  @exclusivity(unchecked) private var taken = false

  package init(_ state: consuming PartitionState) {
    self.index = state.index
    self.state = state
  }
}

/// The place of the directory's state, under the same rule.
package final class DirectoryCell: @unchecked Sendable {
  @exclusivity(unchecked) package var state: DirectoryState

  package init(_ state: DirectoryState) { self.state = state }
}
