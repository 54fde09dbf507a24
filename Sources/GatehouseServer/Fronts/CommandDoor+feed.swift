package import GatehouseCore
import GatehouseStorage
package import GatehouseWire
import Synchronization

/// Stands for somebody who reads the feed on and on, so that a wait can be ended.
package final class FeedTicket: Sendable {
  let ticket = FeedReaders.Ticket()
  private let released = Atomic<Bool>(false)

  package init() {}

  /// Whether the reader is to stop.
  package var isReleased: Bool { released.load(ordering: .acquiring) }

  func markReleased() { released.store(true, ordering: .releasing) }
}

/// Those who read the feed at this moment, by whom they read it for.
final class FeedTickets: Sendable {
  private let open = Mutex<[ObjectIdentifier: (ticket: FeedTicket, caller: Caller)]>([:])

  init() {}

  func enter(_ ticket: FeedTicket, _ caller: Caller) {
    open.withLock { $0[ObjectIdentifier(ticket)] = (ticket, caller) }
  }

  func leave(_ ticket: FeedTicket) { _ = open.withLock { $0.removeValue(forKey: ObjectIdentifier(ticket)) } }

  var all: [(ticket: FeedTicket, caller: Caller)] { open.withLock { Array($0.values) } }
}

/// The feed, for fronts that read it on and on.
extension CommandDoor {
  /// Carries out a `FEED.READ`, which may wait. A released ticket has it answer with what there is.
  package func readFeed(_ words: [String], for caller: Caller, _ ticket: FeedTicket) async -> RESPValue {
    let phase = facts.phase.load(ordering: .acquiring)
    guard let services, phase == .ready else { return .error(Refusal.notServing(isStopping: phase == .stopping).text) }
    feedTickets.enter(ticket, caller)
    defer { feedTickets.leave(ticket) }
    let words = caller.session.map { ["AS", $0] + words } ?? words
    return RESPValue(await services.execute(OwnedArguments(words), for: caller.facts, ticket.ticket))
  }

  package func release(_ ticket: FeedTicket) {
    ticket.markReleased()
    services?.feedReaders.release(ticket.ticket)
  }

  /// Whether a caller still has the rights with which it came: its service is there, and neither its rights nor its
  /// workspaces have changed. Commands check sessions by themselves.
  package func isCurrent(_ caller: Caller) -> Bool {
    guard let directory = services?.gate.directory else { return false }
    if caller.isServer { return true }
    guard let id = caller.facts.service, id != 0 else { return !directory.hasServices }
    guard let service = directory.service(id), !service.isDeleted else { return false }
    return service.rights.effective == caller.facts.rights && (service.workspaces != nil) == caller.facts.isBound
  }

  /// Has those stop whose service has gone or changed, so that they need not wait for the next record to learn it.
  func keepFeedReaders() {
    Task { [self] in
      for await _ in facts.directoryWatch.changes() {
        for (ticket, caller) in feedTickets.all where !isCurrent(caller) { release(ticket) }
      }
    }
  }
}

// MARK: Webhooks

extension CommandDoor {
  /// An element for the directory as it is now, and after changes. It ends when the server stops.
  package var directoryChanges: AsyncStream<Void> { facts.directoryWatch.changes() }

  /// The webhooks that this node delivers to; none until the data is loaded, and none on a follower, because the leader
  /// does and records how far it has come.
  package var webhooks: [Webhook] {
    guard let services, !facts.node.isFollowing else { return [] }
    return services.gate.directory.webhooks
  }

  /// One that is not deleted.
  package func webhook(_ id: WebhookID) -> Webhook? { services?.gate.directory.webhook(id) }

  /// The name of a workspace; nil for 0, which is none.
  package func workspaceName(_ id: WorkspaceID) -> String? {
    id == 0 ? nil : services?.gate.directory.workspace(id).name
  }

  /// The server itself, for what it does of its own accord.
  package var ownCaller: Caller {
    Caller(ConnectionFacts(id: 0, service: 0, rights: .all, isServer: true), service: "")
  }

  /// What events name as their source: the same for a data folder, also after it has moved.
  package var eventSource: String { services.map { "urn:gatehouse:\($0.folder.manifest.folderID)" } ?? "" }

  /// Notes how far a webhook has come. Also while the server stops.
  package func note(_ words: [String]) async -> RESPValue {
    guard let services else { return .error(Refusal.notServing(isStopping: false).text) }
    return RESPValue(await services.execute(OwnedArguments(words), for: ownCaller.facts))
  }

  /// Waits until the log is durable through a record, or the log is stuck. A change is seen in the directory before that.
  package func waitUntilDurable(_ lsn: LSN) async {
    _ = await services?.isDurable(through: lsn)
  }

  package func noteDelivery(succeeded: Bool) {
    if succeeded {
      facts.webhookDeliveries.add(1, ordering: .relaxed)
    } else {
      facts.webhookFailures.add(1, ordering: .relaxed)
    }
  }
}
