import GatehouseCore
import GatehouseStorage
import Logging
import Synchronization

/// Destroys the keys of people who were anonymised (L6); `ForgottenPeople` says in which order and why.
extension ServerContext {
  /// Does so within a second of each record that anonymises, until the task is cancelled.
  func keepForgetting() async {
    while !Task.isCancelled {
      do {
        try await forget()
        try await Task.sleep(for: .seconds(1))
      } catch is CancellationError {
        return
      } catch {
        logger.error("keys that are to be destroyed are still there", metadata: ["error": "\(error)"])
        try? await Task.sleep(for: Self.forgettingPause)
      }
    }
  }

  /// How long it waits after the key store could not be written.
  private static let forgettingPause = Duration.seconds(10)

  /// Destroys all keys that are pending.
  ///
  /// - Throws: `DiskError` if the key store could not be written, `Persistence.Failure.logStopped` if what anonymised them
  ///   does not become durable. They stay pending.
  func forget() async throws {
    // After the log has failed, the folder may no longer be the one that was opened.
    guard let store = folder.keys, !hasLogFailed else { return }
    let due = withExecutor { executor in executor.dueKeys(isStoreKnown: store.generation) }
    persistence.note(pendingKeys: due.keys.values.reduce(0) { $0 + $1.count }, forgottenThrough: due.last)
    let oldAnswers = KeyStore.oldAnswers(at: clock.milliseconds, era: due.era)
    let directory = gate.directory
    // Nothing is looked for again while neither the directory nor the store has changed.
    let looked = (directory: directory.lsn, store: store.generation)
    let isLooked = lookedForWebhooks.withLock { $0.map { $0 == looked } ?? false }
    let webhooks = isLooked ? [] : directory.keysOfDeletedWebhooks.filter { !store.isDestroyed($0) }
    if webhooks.isEmpty { lookedForWebhooks.withLock { $0 = looked } }
    guard !due.keys.isEmpty || !webhooks.isEmpty || !store.isDestroyed(oldAnswers) else { return }
    // A key must not go before it is sure to stay what anonymised its person, deleted its webhook, or set the clock back.
    let appended = webhooks.isEmpty ? due.appended : max(due.appended, directory.lsn)
    guard await sync(through: appended, while: { !(log.state == .full || isStopping) }) else {
      throw Persistence.Failure.logStopped
    }
    let keys = due.keys.values.flatMap { $0 }
    if facts.node.isFollowing {
      // The leader records it. What is here was acknowledged, so it stays what anonymised them.
      guard keys.contains(where: { !store.isDestroyed($0) }) || !webhooks.isEmpty || !store.isDestroyed(oldAnswers)
      else { return }
    }
    let generation = try await onOwnThread(priority: .low) {
      try store.destroyAnswers(through: oldAnswers)
      return try store.destroy(keys + webhooks)
    }
    if due.keys.isEmpty { return }
    slowLog.forgetArguments()
    let users = Set(keys.lazy.filter { $0.kind == .user }.map { UserID(raw: $0.raw) })
    for ring in refusals { ring.forget(users) }
    withExecutor { executor in
      for (partition, keys) in due.keys.sorted(by: { $0.key < $1.key }) {
        executor.recordDestroyed(keys, generation: generation, of: partition, now: clock.milliseconds)
      }
    }
    log.wake()
    persistence.note(pendingKeys: 0, forgottenThrough: due.last)
    logger.notice("keys of anonymised people were destroyed", metadata: ["keys": "\(keys.count)"])
  }
}

/// The keys that are to be destroyed.
struct DueKeys {
  /// By partition.
  var keys: [Int: [SealKey]] = [:]
  /// The record through which the log must be durable before.
  var appended: LSN = 0
  /// The last record that forgot somebody.
  var last: LSN = 0
  /// How often the clock was set back.
  var era: UInt32 = 0
}

extension CommandExecutor {
  /// The keys that are to be destroyed: those pending and, if the key store was brought back from an older copy, those of
  /// all who were forgotten.
  ///
  /// - Parameter generation: how often the key store has changed.
  func dueKeys(isStoreKnown generation: UInt64) -> DueKeys {
    var due = DueKeys()
    var newest: UInt64 = 0
    for (index, handle) in handles.enumerated() {
      let hold = handle.enter(addingWaitTo: &waited)
      let forgotten = hold.cell.state.forgotten.pending
      newest = max(newest, hold.cell.state.forgotten.generation)
      due.last = max(due.last, hold.cell.state.forgotten.last)
      due.era = max(due.era, hold.cell.state.answers.era)
      if due.era > 0 { due.appended = max(due.appended, hold.cell.state.lsn) }
      if !forgotten.isEmpty {
        due.keys[index] = forgotten.sorted()
        due.appended = max(due.appended, hold.cell.state.lsn)
      }
      hold.leave()
    }
    guard newest > generation else { return due }
    for (index, handle) in handles.enumerated() {
      let hold = handle.enter(addingWaitTo: &waited)
      let keys = hold.cell.state.forgottenKeys
      if !keys.isEmpty {
        due.keys[index] = keys
        due.appended = max(due.appended, hold.cell.state.lsn)
      }
      hold.leave()
    }
    return due
  }
}
