import GatehouseCore
import GatehouseStorage

extension ServerContext {
  /// Takes a snapshot whenever one is due, and archives what the snapshots cover, until the task is cancelled.
  func keepSnapshots() async {
    while !Task.isCancelled {
      try? await Task.sleep(for: .seconds(1))
      guard !Task.isCancelled, !hasLogFailed else { continue }
      let isSaved = persistence.isDue(self) ? (try? await persistence.save(self)) != nil : false
      if !Task.isCancelled, isSaved || persistence.isCompactionDue { _ = try? await persistence.compact(self) }
    }
  }

  /// Waits until what tasks are about has ended: a snapshot is finished, a compaction is left for the next start.
  func settle() async {
    persistence.stop()
    await tasksEnd()
  }
}
