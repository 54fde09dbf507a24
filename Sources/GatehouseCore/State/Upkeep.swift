/// What the upkeep of a partition has to do.
public struct Upkeep: OptionSet, Sendable {
  public let rawValue: UInt8
  public init(rawValue: UInt8) { self.rawValue = rawValue }

  /// Contacts that the word index lacks: `enterWords`.
  public static let words = Upkeep(rawValue: 1)
  /// People whom the orders of sorted lists lack: `enterOrders`.
  public static let orders = Upkeep(rawValue: 2)
  /// People whose facets are not filed: `filePeople`.
  public static let people = Upkeep(rawValue: 4)
  /// Sessions whose time is up: `dueSessions`.
  public static let sessions = Upkeep(rawValue: 8)
  /// Users of whom something may have ended: `dueUsers`.
  public static let users = Upkeep(rawValue: 16)
}

extension PartitionState {
  /// Begins a round of upkeep: gives back memory, drops orders that nobody uses, and says what else is to be done. Most
  /// rounds find nothing, so that the partition is entered once.
  public mutating func beginUpkeep(at now: Milliseconds) -> Upkeep {
    giveBackMemory()
    people.orders.dropUnused()
    var upkeep: Upkeep = []
    if !people.words.isComplete(through: people.contacts.last) { upkeep.insert(.words) }
    if people.lacksOrdered { upkeep.insert(.orders) }
    if !people.areFiled { upkeep.insert(.people) }
    if let deadline = sessions.nextDeadline, deadline <= now { upkeep.insert(.sessions) }
    if let end = nextUserEnd, end <= now { upkeep.insert(.users) }
    return upkeep
  }
}
