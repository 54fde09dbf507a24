import GatehouseCore
import GatehouseStorage

/// The owner of one share of the contacts, and of all that hangs on them.
///
/// Its executor is a lock. Lanes enter it through `handle` on their own thread; tasks that look at a partition now
/// and then `await` it, and run under the same lock.
actor Partition {
  nonisolated let handle: PartitionHandle
  nonisolated private let executor: HoldExecutor
  private let cell: PartitionCell

  nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

  init(_ cell: PartitionCell) {
    handle = PartitionHandle(cell)
    executor = HoldExecutor(handle.lock)
    self.cell = cell
  }

  deinit { handle.deallocate() }

  /// Looks at the state, which nothing changes meanwhile.
  func read<Result: Sendable>(_ body: @Sendable (borrowing PartitionState) -> Result) -> Result { body(cell.state) }

  /// The state between two commands, with the record through which it goes: every later record that concerns the
  /// partition comes after the copy.
  func copy(_ log: LogWriter) -> (cell: PartitionCell, lsn: LSN) {
    (PartitionCell(cell.state.copy()), log.appendedLSN)
  }
}

/// The owner of what belongs to no one contact. Whoever only reads it reads the view that the gate publishes.
actor DirectoryOwner {
  nonisolated let handle: DirectoryHandle
  nonisolated private let executor: HoldExecutor
  private let cell: DirectoryCell

  nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

  init(_ cell: DirectoryCell) {
    handle = DirectoryHandle(cell)
    executor = HoldExecutor(handle.lock)
    self.cell = cell
  }

  deinit { handle.deallocate() }

  /// The state and the gate's counters as of one record.
  func copy(_ gate: Gate) -> (state: DirectoryState, lsn: LSN) {
    let (counters, lsn) = gate.countersWithLSN()
    return (cell.state.with(counters), lsn)
  }
}
