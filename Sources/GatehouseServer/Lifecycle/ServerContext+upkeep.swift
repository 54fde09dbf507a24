import GatehouseCore
import GatehouseStorage
import Logging

extension ServerContext {
  /// Takes snapshots when due, and archives the log that they cover, until the task is cancelled.
  func keepSnapshots() async {
    while !Task.isCancelled {
      try? await Task.sleep(for: .seconds(1))
      guard !Task.isCancelled, !hasLogFailed else { continue }
      let isSaved = persistence.isDue(self) ? (try? await persistence.save(self)) != nil : false
      if !Task.isCancelled, isSaved || persistence.isCompactionDue { _ = try? await persistence.compact(self) }
    }
  }

  /// Keeps the log's index up to date with what is durable, until the task is cancelled.
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
          // A reader of the trail gets the error, or reads the sound part without the index.
          logger.warning("a part of the log is not indexed", metadata: ["error": "\(error)"])
          return
        }
      }
      try? await Task.sleep(for: .seconds(1))
    }
  }

  /// Waits until the background tasks have ended: a snapshot is finished, a compaction is abandoned until the next
  /// start.
  func settle() async {
    persistence.stop()
    await tasksEnd()
  }
}
