import GatehouseCore

/// Access to a partition: its lock and its state, without a reference count.
///
/// A handle is valid while its `Partition` lives. A server's partitions live as long as its lanes.
struct PartitionHandle: BitwiseCopyable, @unchecked Sendable {
  let index: Int
  /// Used only under the lock.
  fileprivate let cell: HeldPartition
  let lock: UnsafeMutablePointer<HoldLock>

  init(_ cell: PartitionCell) {
    index = cell.index
    self.cell = cell.held
    lock = HoldLock.make()
  }

  func release() { HoldLock.release(lock) }

  /// Enters the partition once no other thread holds it.
  ///
  /// - Parameter waited: increased by the nanoseconds that this took if another thread held it.
  @inline(__always)
  func enter(addingWaitTo waited: inout UInt64) -> Hold {
    lock.pointee.lock(addingWaitTo: &waited)
    return Hold(self)
  }

  /// Enters the partition if no thread holds it now.
  @inline(__always)
  func tryEnter() -> Hold? { lock.pointee.tryLock() ? Hold(self) : nil }
}

/// The right to work on one partition's state, until the value is destroyed.
///
/// The holder must not wait for anything: not the disk, the network, another thread or an `await`.
struct Hold: ~Copyable {
  private let handle: PartitionHandle

  fileprivate init(_ handle: PartitionHandle) { self.handle = handle }

  deinit { handle.lock.pointee.unlock() }

  /// Leaves the partition here instead of at the end of the scope.
  @inline(__always)
  consuming func leave() {}

  /// The state; it must not be kept beyond the hold.
  @inline(__always)
  var cell: HeldPartition { handle.cell }
}

/// The right to work on several owners. They are entered in a fixed order (partitions ascending, the directory last),
/// so that two threads that want the same owners cannot deadlock.
struct Holds: ~Copyable {
  let set: OwnerSet
  let cells: [HeldPartition]
  let directory: DirectoryCell?
  private let handles: ContiguousArray<PartitionHandle>
  private let owner: DirectoryHandle

  /// - Parameter waited: increased by the nanoseconds spent waiting for other threads.
  init(
    _ set: OwnerSet, _ handles: ContiguousArray<PartitionHandle>, _ owner: DirectoryHandle,
    addingWaitTo waited: inout UInt64
  ) {
    self.set = set
    self.handles = handles
    self.owner = owner
    var cells: [HeldPartition] = []
    cells.reserveCapacity(set.partitions.count)
    for index in set.partitions {
      handles[index].lock.pointee.lock(addingWaitTo: &waited)
      cells.append(handles[index].cell)
    }
    if set.directory { owner.lock.pointee.lock(addingWaitTo: &waited) }
    self.cells = cells
    directory = set.directory ? owner.cell : nil
  }

  deinit {
    if set.directory { owner.lock.pointee.unlock() }
    for index in set.partitions.reversed() { handles[index].lock.pointee.unlock() }
  }

  /// Leaves all owners here instead of at the end of the scope.
  consuming func leave() {}
}

/// Access to the directory.
struct DirectoryHandle: @unchecked Sendable {
  fileprivate let cell: DirectoryCell
  let lock: UnsafeMutablePointer<HoldLock>

  init(_ cell: DirectoryCell) {
    self.cell = cell
    lock = HoldLock.make()
  }

  func release() { HoldLock.release(lock) }

  /// Waits until the current holder of the directory has left it.
  func passThrough() {
    lock.pointee.lock()
    lock.pointee.unlock()
  }
}
