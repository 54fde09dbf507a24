import GatehouseCore
package import GatehouseServer
import Synchronization

/// Pushes the feed to the webhooks. It does not listen, and works without HTTP.
package final class WebhookFront: Front {
  private let task = Mutex<Task<Void, Never>?>(nil)

  package init() {}

  package func open(_ door: CommandDoor) async throws {
    let work = Task {
      var dispatcher = WebhookDispatcher(door)
      await dispatcher.run()
    }
    task.withLock { $0 = work }
  }

  package func close() async {
    let work = task.withLock { $0 }
    // Ended before the data was loaded.
    work?.cancel()
    await work?.value
  }
}

/// Keeps a courier at work for each webhook that is not paused.
private struct WebhookDispatcher {
  private struct Entry {
    let courier: WebhookCourier
    let webhook: Webhook
    /// What the courier does, after all that it did before.
    let work: Task<Void, Never>
  }

  private let door: CommandDoor
  private let sender: WebhookSender
  private var entries: [WebhookID: Entry] = [:]

  /// How long requests under way may take while the server stops.
  private static let farewell = Duration.seconds(2)
  /// Changes of the directory within this time are looked at together.
  private static let pause = Duration.milliseconds(20)

  init(_ door: CommandDoor) {
    self.door = door
    sender = WebhookSender(door)
  }

  mutating func run() async {
    for await _ in door.directoryChanges {
      update()
      try? await Task.sleep(for: Self.pause)
    }
    for entry in entries.values { entry.work.cancel() }
    let ending = Task { [sender] in
      try? await Task.sleep(for: Self.farewell)
      sender.stop()
    }
    for entry in entries.values { await entry.work.value }
    ending.cancel()
    sender.stop()
  }

  private mutating func update() {
    let webhooks = door.webhooks
    for webhook in webhooks {
      guard let entry = entries[webhook.id] else {
        let courier = WebhookCourier(webhook, door, sender)
        entries[webhook.id] = Entry(courier: courier, webhook: webhook, work: start(courier, webhook, after: nil))
        continue
      }
      guard entry.webhook.orders != webhook.orders else { continue }
      entry.work.cancel()
      let isResumed = entry.webhook.isPaused || entry.webhook.retries != webhook.retries
      let work = start(entry.courier, webhook, after: entry.work, isResumed: isResumed)
      entries[webhook.id] = Entry(courier: entry.courier, webhook: webhook, work: work)
    }
    let live = Set(webhooks.map(\.id))
    for id in Array(entries.keys) where !live.contains(id) { entries.removeValue(forKey: id)?.work.cancel() }
  }

  private func start(
    _ courier: WebhookCourier, _ webhook: Webhook, after work: Task<Void, Never>?, isResumed: Bool = false
  ) -> Task<Void, Never> {
    Task {
      await work?.value
      if !webhook.isPaused { await courier.run(webhook, isResumed: isResumed) }
    }
  }
}
