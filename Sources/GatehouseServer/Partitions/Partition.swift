import GatehouseCore
import GatehouseStorage

/// The owner of one share of the contacts, and of everything that belongs to them.
///
/// Its executor is a lock. Lanes enter it through `handle` on their own thread. Tasks that need a partition only now
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

  deinit { handle.release() }

  /// Reads the state under the lock.
  func read<Result: Sendable>(_ body: @Sendable (borrowing PartitionState) -> Result) -> Result { body(cell.state) }

  /// A consistent copy of the state, with the last LSN that it can contain: every later record of the partition comes
  /// after the copy.
  func copy(_ log: LogWriter) -> (cell: PartitionCell, lsn: LSN) {
    (PartitionCell(cell.state.copy()), log.appendedLSN)
  }
}

/// The owner of everything that belongs to no single contact. Whoever only reads it reads the view that the gate
/// publishes.
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

  deinit { handle.release() }

  /// A copy of the state, with the gate's counters as of the same record.
  func copy(_ gate: Gate) -> (state: DirectoryState, lsn: LSN) {
    let (counters, lsn) = gate.countersWithLSN()
    return (cell.state.with(counters), lsn)
  }
}
