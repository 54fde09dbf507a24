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
      do {
        if durable > last {
          try await onOwnThread(priority: .low) { [self] in
            try logIndex.follow(through: durable) { !persistence.isEnding }
          }
        }
        last = durable
        try await Task.sleep(for: .seconds(1))
      } catch is CancellationError {
        return
      } catch {
        // A reader of the trail gets the error, or reads the sound part without the index.
        logger.warning("a part of the log is not indexed", metadata: ["error": "\(error)"])
        try? await Task.sleep(for: Self.indexPause)
      }
    }
  }

  /// How long the index waits after a part of the log could not be read.
  private static let indexPause = Duration.seconds(600)

  /// Waits until the background tasks have ended: a snapshot is finished, a compaction is abandoned until the next
  /// start.
  func settle() async {
    persistence.stop()
    await tasksEnd()
  }
}
