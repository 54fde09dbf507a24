import GatehouseCore
import GatehouseStorage

extension ServerContext {
  /// Takes a snapshot whenever one is due, until the task is cancelled.
  func keepSnapshots() async {
    while !Task.isCancelled {
      try? await Task.sleep(for: .seconds(1))
      if !Task.isCancelled, persistence.isDue(self) { _ = try? await persistence.save(self) }
    }
  }

  /// Waits until all that was decided has its owners back, and a snapshot that is being taken is done.
  func settle() async {
    let everything = await take(.all(partitioning.count))
    await release(everything)
    while persistence.status.isSaving { try? await Task.sleep(for: .milliseconds(10)) }
  }
}
