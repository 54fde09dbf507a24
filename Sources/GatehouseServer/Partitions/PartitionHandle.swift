import GatehouseCore

/// The way into a partition: its lock and its state, without a reference to count.
///
/// A handle is good as long as its `Partition` lives, and a server's partitions live as long as its lanes.
struct PartitionHandle: BitwiseCopyable, @unchecked Sendable {
  let index: Int
  /// To be touched by whoever has the lock.
  fileprivate let cell: HeldPartition
  let lock: UnsafeMutablePointer<HoldLock>

  init(_ cell: PartitionCell) {
    index = cell.index
    self.cell = cell.held
    lock = .allocate(capacity: 1)
    lock.initialize(to: HoldLock())
  }

  func deallocate() {
    lock.deinitialize(count: 1)
    lock.deallocate()
  }

  /// Enters the partition, when nobody else is in it.
  ///
  /// - Parameter waited: how many nanoseconds that took is added to it where somebody was.
  @inline(__always)
  func enter(addingWaitTo waited: inout UInt64) -> Hold {
    lock.pointee.lock(addingWaitTo: &waited)
    return Hold(self)
  }

  /// Enters the partition if nobody is in it now.
  @inline(__always)
  func tryEnter() -> Hold? { lock.pointee.tryLock() ? Hold(self) : nil }
}

/// The right to work on one partition's state, until the end of the value's scope.
///
/// Whoever has it waits for nothing: not for the disk, the network, another thread or an `await`.
struct Hold: ~Copyable {
  private let handle: PartitionHandle

  fileprivate init(_ handle: PartitionHandle) { self.handle = handle }

  deinit { handle.lock.pointee.unlock() }

  /// Leaves the partition here, and not only at the end of the scope.
  @inline(__always)
  consuming func leave() {}

  /// The state; not to be kept beyond the hold.
  @inline(__always)
  var cell: HeldPartition { handle.cell }
}

/// The right to work on several owners: partitions in ascending order, the directory last, so that two who want the
/// same cannot wait for each other.
struct Holds: ~Copyable {
  let set: OwnerSet
  let cells: [HeldPartition]
  let directory: DirectoryCell?
  private let handles: ContiguousArray<PartitionHandle>
  private let owner: DirectoryHandle

  /// - Parameter waited: how many nanoseconds it took to enter where somebody was is added to it.
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

  /// Leaves all owners here, and not only at the end of the scope.
  consuming func leave() {}
}

/// The way into the directory.
struct DirectoryHandle: @unchecked Sendable {
  fileprivate let cell: DirectoryCell
  let lock: UnsafeMutablePointer<HoldLock>

  init(_ cell: DirectoryCell) {
    self.cell = cell
    lock = .allocate(capacity: 1)
    lock.initialize(to: HoldLock())
  }

  func deallocate() {
    lock.deinitialize(count: 1)
    lock.deallocate()
  }

  /// Returns when whoever is in the directory has left it.
  func passThrough() {
    lock.pointee.lock()
    lock.pointee.unlock()
  }
}
