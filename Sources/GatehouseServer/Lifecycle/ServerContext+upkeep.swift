import GatehouseCore
import GatehouseStorage
import Logging

extension ServerContext {
  /// Takes snapshots when due, and archives the log that they cover, until the task is cancelled.
  func keepSnapshots() async {
    while !Task.isCancelled {
      try? await Task.sleep(for: .seconds(1))
      guard !Task.isCancelled, !hasLogFailed else { continue }
      if persistence.isRenewalDue, snapshotObstacle == nil { _ = try? await persistence.renew(self) }
      let isSaved = persistence.isDue(self) ? (try? await persistence.save(self)) != nil : false
      if !Task.isCancelled, isSaved || persistence.isCompactionDue { _ = try? await persistence.compact(self) }
    }
  }

  /// Keeps the log's index up to date with what is durable, until the task is cancelled.
  ///
  /// It waits a few seconds while very many records are written, because even a low-priority thread takes processor time
  /// and cache from the lanes (it took 7 to 11 % of the server's time while sessions were created at full speed). Readers
  /// of the trail do not wait for it; they index what they need.
  func keepIndex() async {
    var last: LSN = 0
    var before: LSN = 0
    var waits = 0
    while !Task.isCancelled {
      let durable = log.durableLSN
      let isBusy = durable - before > Self.manyRecords
      before = durable
      if isBusy, waits < Self.indexWaits {
        waits += 1
        try? await Task.sleep(for: .seconds(1))
        continue
      }
      waits = 0
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

  /// Above this many records a second the index waits, for at most this many seconds.
  private static let manyRecords: LSN = 50_000
  private static let indexWaits = 10

  /// How long the index waits after a part of the log could not be read.
  private static let indexPause = Duration.seconds(600)

  /// Waits until the background tasks have ended: a snapshot is finished, a compaction is abandoned until the next
  /// start.
  func settle() async {
    persistence.stop()
    await tasksEnd()
  }
}
