internal import GatehouseCore

/// Counts of what a restored state contains.
package struct RestoredFigures: Sendable, Equatable {
  package var users = 0
  package var deletedUsers = 0
  package var contacts = 0
  package var sessions = 0
  package var impersonations = 0
  package var timers = 0
  package var entries = 0
  package var mails = 0
  package var keptAnswers = 0
  package var workspaces = 0
  package var products = 0
  package var services = 0
  package var seats = 0

  package init(_ state: Restoration) {
    for cell in state.partitions { add(cell.state) }
    let directory = state.directory
    workspaces = directory.view.workspaces.count
    products = directory.view.products.count
    services = directory.view.services.count { !$0.isDeleted }
    seats = directory.counters.usage.filter { $0.key.licence != 0 }.values.reduce(0, +)
  }

  private mutating func add(_ partition: borrowing PartitionState) {
    users += partition.people.liveUsers
    deletedUsers -= partition.people.liveUsers
    if partition.people.users.last > 0 {
      deletedUsers += (1...partition.people.users.last).count { partition.people.users[$0].isUsed }
    }
    if partition.people.contacts.last > 0 {
      contacts += (1...partition.people.contacts.last).count { partition.people.contacts[$0].isUsed }
    }
    if partition.time.entries.last > 0 {
      entries += (1...partition.time.entries.last).count { partition.time.entries[$0].isUsed }
    }
    sessions += partition.sessions.count
    impersonations += partition.sessions.impersonations.values.reduce(0) { $0 + $1.count }
    timers += partition.time.timers.count
    mails += partition.outbox.count
    keptAnswers += partition.answers.kept.count
  }

  /// The figures by name, in the order to show them.
  package var named: [(name: String, value: Int)] {
    [
      ("users", users), ("deleted-users", deletedUsers), ("contacts", contacts), ("sessions", sessions),
      ("impersonations", impersonations), ("timers", timers), ("entries", entries), ("mails", mails),
      ("kept-answers", keptAnswers), ("workspaces", workspaces), ("products", products), ("services", services),
      ("seats", seats),
    ]
  }
}
