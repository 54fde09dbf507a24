import GatehouseCore
import GatehouseStorage
import Logging

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

  /// Keeps the index of the log as far as the log is durable, until the task is cancelled.
  func keepIndex() async {
    var last: LSN = 0
    while !Task.isCancelled {
      let durable = log.durableLSN
      if durable > last {
        do {
          try await onOwnThread(priority: .low) { [self] in
            try logIndex.follow(through: durable) { !persistence.isEnding }
          }
          last = durable
        } catch {
          // Who asks for the trail is told, or reads what is sound without the index.
          logger.warning("a part of the log is not indexed", metadata: ["error": "\(error)"])
          return
        }
      }
      try? await Task.sleep(for: .seconds(1))
    }
  }

  /// Waits until what tasks are about has ended: a snapshot is finished, a compaction is left for the next start.
  func settle() async {
    persistence.stop()
    await tasksEnd()
  }
}
