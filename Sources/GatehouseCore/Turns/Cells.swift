/// Owns the memory of a partition's state. Only the current holder of the partition may touch it: its actor, or the
/// command that holds several owners. Passing the cell on passes that right on.
///
/// The state is allocated separately, so that a turn can reach it without reference counting (`HeldPartition`).
public final class PartitionCell: @unchecked Sendable {
  public let held: HeldPartition

  public init(_ state: consuming PartitionState) {
    // Aligned to a cache line: the order of the state's fields relies on it.
    let memory = UnsafeMutableRawPointer.allocate(byteCount: MemoryLayout<PartitionState>.size, alignment: 64)
    let index = state.index
    let pointer = memory.initializeMemory(as: PartitionState.self, to: state)
    held = HeldPartition(index: index, pointer: pointer)
  }

  deinit {
    held.pointer.deinitialize(count: 1)
    held.pointer.deallocate()
  }

  public var index: Int { held.index }

  public var state: PartitionState {
    unsafeAddress { UnsafePointer(held.pointer) }
    unsafeMutableAddress { held.pointer }
  }
}

/// A partition held by whoever may touch it now. It gives access to the state without the cell's reference count, which
/// a command would otherwise change a dozen times. Valid as long as the cell lives; a server's cells live as long as
/// its lanes.
///
/// Unsafe: overlapping access is not checked at run time. It is ruled out because only one owner touches the state, and
/// never from within another access of its own.
public struct HeldPartition: @unchecked Sendable, BitwiseCopyable {
  public let index: Int
  fileprivate let pointer: UnsafeMutablePointer<PartitionState>

  public var state: PartitionState {
    @inline(__always) unsafeAddress { UnsafePointer(pointer) }
    @inline(__always) nonmutating unsafeMutableAddress { pointer }
  }
}

/// Owns the memory of the directory's state, under the same rule.
public final class DirectoryCell: @unchecked Sendable {
  @exclusivity(unchecked) public var state: DirectoryState

  public init(_ state: DirectoryState) { self.state = state }
}
