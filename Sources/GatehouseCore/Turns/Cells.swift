/// The place of a partition's state. Whoever holds the partition, its actor or the holder of a command over
/// several owners, is the only one to touch it; passing the cell on passes that right on.
///
/// The state lies in memory of its own, so that a turn can reach it without counting references
/// (`HeldPartition`).
public final class PartitionCell: @unchecked Sendable {
  public let held: HeldPartition

  public init(_ state: consuming PartitionState) {
    // From the start of a line of memory: the order of the state's fields counts on it.
    let memory = UnsafeMutableRawPointer.allocate(byteCount: MemoryLayout<PartitionState>.size, alignment: 64)
    let index = state.index
    let place = memory.initializeMemory(as: PartitionState.self, to: state)
    held = HeldPartition(index: index, place: place)
  }

  deinit {
    held.place.deinitialize(count: 1)
    held.place.deallocate()
  }

  public var index: Int { held.index }

  public var state: PartitionState {
    unsafeAddress { UnsafePointer(held.place) }
    unsafeMutableAddress { held.place }
  }
}

/// A partition in the hands of whoever may touch it now: the way to the state without its cell's reference
/// count, which a command would change a dozen times. Valid as long as the cell lives, and a server's cells
/// live as long as its lanes.
///
/// Not checked for overlapping access at run time: one owner touches the state, and never while it is in use by
/// another call of its own.
public struct HeldPartition: @unchecked Sendable, BitwiseCopyable {
  public let index: Int
  fileprivate let place: UnsafeMutablePointer<PartitionState>

  public var state: PartitionState {
    @inline(__always) unsafeAddress { UnsafePointer(place) }
    @inline(__always) nonmutating unsafeMutableAddress { place }
  }
}

/// The place of the directory's state, under the same rule.
public final class DirectoryCell: @unchecked Sendable {
  @exclusivity(unchecked) public var state: DirectoryState

  public init(_ state: DirectoryState) { self.state = state }
}
