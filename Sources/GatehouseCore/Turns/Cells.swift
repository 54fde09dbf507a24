/// The place of a partition's state. Whoever holds the partition, its actor or the holder of a command over
/// several owners, is the only one to touch it; passing the cell on passes that right on.
package final class PartitionCell: @unchecked Sendable {
  package let index: Int
  package var state: PartitionState

  package init(_ state: PartitionState) {
    self.index = state.index
    self.state = state
  }
}

/// The place of the directory's state, under the same rule.
package final class DirectoryCell: @unchecked Sendable {
  package var state: DirectoryState

  package init(_ state: DirectoryState) { self.state = state }
}
