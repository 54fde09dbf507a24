/// The mails of a partition: those that wait to be sent, and dead letters.
///
/// A mail leaves it when `MAIL.ACK` says that it was sent. What nobody takes expires, and dead letters are forgotten
/// after a while; both happen a few at a time, with new mails that come in, so that nothing has to look for them.
public struct Outbox: ~Copyable, Sendable {
  private(set) var queued = ShardedTable<MailID, QueuedMail>()
  /// The serial number of the newest mail there was.
  public internal(set) var last = 0
  /// Those that are not dead, by when they are due: all of them, and those of each workspace, for services that are bound
  /// to a few. They follow from the mails; no snapshot has them.
  private var order = MailOrder()
  private var orders: [WorkspaceID: MailOrder] = [:]
  /// Dead letters, by when they died.
  private var dead = MailOrder()
  /// The mails that tell of each user, dead letters among them. It follows from the mails, too.
  private var byUser: [UserID: Set<MailID>] = [:]

  public init() {}

  // MARK: Reading

  public var mails: [Mail] { queued.values.map(\.mail).sorted { $0.id < $1.id } }
  public var count: Int { queued.count }
  public var deadCount: Int { dead.count }

  /// The mails that tell of a user, dead letters among them, in order: those about the user, and those of others that
  /// go to the user or name the user as the one who did it.
  func mails(tellingOf user: UserID) -> [Mail] {
    (byUser[user] ?? []).sorted().compactMap { queued[$0]?.mail }
  }

  /// The mails about a user, dead letters among them, in order.
  func mails(about user: UserID) -> [Mail] { mails(tellingOf: user).filter { $0.user == user } }

  public subscript(id: MailID) -> QueuedMail? { queued[id] }

  /// The ids of all mails, in order.
  var ids: [MailID] { queued.keys.sorted() }

  /// The orders of the mails of a reach.
  func orders(in reach: Reach) -> [MailOrder] {
    switch reach {
    case .all: order.count == 0 ? [] : [order]
    case .only(let workspaces, _): orders.isEmpty ? [] : workspaces.compactMap { orders[$0] }
    }
  }

  /// Whether a workspace can queue another mail. Mails that have expired make room for it.
  func hasRoom(for workspace: WorkspaceID, at now: Milliseconds) -> Bool {
    func hasRoom(_ order: MailOrder, _ most: Int) -> Bool {
      order.count < most || order.first.flatMap { queued[$0.id] }.map { $0.mail.expires <= now } ?? true
    }
    return hasRoom(order, Limits.mailsOfPartition)
      && (orders[workspace].map { hasRoom($0, Limits.mailsOfWorkspace) } ?? true)
  }

  // MARK: Changing

  /// How many expired mails and dead letters are dealt with beside each new mail: more than come in.
  private static let settledAtOnce = 2

  mutating func add(_ mail: QueuedMail, at now: Milliseconds) {
    settle(mail.mail.workspace, at: now)
    queued[mail.mail.id] = mail
    enter(mail)
  }

  /// Clears what the mails that tell of a user say of anybody. They stay, because later records name them.
  mutating func forgetMails(tellingOf user: UserID) {
    for id in byUser[user] ?? [] { queued[id]?.forget() }
  }

  mutating func change(_ id: MailID, at now: Milliseconds, _ body: (inout QueuedMail) -> Void) {
    guard var mail = remove(id) else { preconditionFailure("mail #\(id.raw) is not there") }
    body(&mail)
    queued[id] = mail
    enter(mail)
    forgetDead(at: now)
  }

  @discardableResult
  mutating func remove(_ id: MailID) -> QueuedMail? {
    guard let mail = queued[id] else { return nil }
    queued[id] = nil
    for user in mail.mail.people {
      byUser[user]?.remove(id)
      if byUser[user]?.isEmpty == true { byUser[user] = nil }
    }
    if mail.died != 0 {
      dead.remove(MailOrder.Item(time: mail.died, id: id))
    } else {
      let item = MailOrder.Item(time: mail.due, id: id)
      order.remove(item)
      orders[mail.mail.workspace]?.remove(item)
      if orders[mail.mail.workspace]?.count == 0 { orders[mail.mail.workspace] = nil }
    }
    return mail
  }

  private mutating func enter(_ mail: QueuedMail) {
    for user in mail.mail.people { byUser[user, default: []].insert(mail.mail.id) }
    if mail.died != 0 {
      dead.insert(MailOrder.Item(time: mail.died, id: mail.mail.id))
    } else {
      let item = MailOrder.Item(time: mail.due, id: mail.mail.id)
      order.insert(item)
      orders[mail.mail.workspace, default: MailOrder()].insert(item)
    }
  }

  /// Makes dead letters of a few mails that have expired, of the workspace and of all.
  private mutating func settle(_ workspace: WorkspaceID, at now: Milliseconds) {
    for _ in 0..<Self.settledAtOnce {
      let oldest = [orders[workspace]?.first, order.first].compactMap { $0 }
      for item in Set(oldest.map(\.id)).sorted() {
        guard let mail = queued[item], mail.mail.expires <= now, mail.state(at: now) == .dead else { continue }
        change(item, at: now) { $0.die(MailFault.expired.text, at: now) }
      }
    }
    forgetDead(at: now)
  }

  private mutating func forgetDead(at now: Milliseconds) {
    for _ in 0..<Self.settledAtOnce {
      guard let oldest = dead.first,
        oldest.time + Limits.deadMailLife <= now || dead.count > Limits.deadMailsOfPartition
      else { return }
      remove(oldest.id)
    }
  }
}

extension QueuedMail {
  mutating func die(_ why: String, at now: Milliseconds) {
    // A moment of 0 would mean that it lives.
    died = max(now, 1)
    isLeased = false
    error = why
  }
}

extension Outbox: Aggregate {
  mutating func copy() -> Outbox {
    var copy = Outbox()
    copy.queued = queued
    copy.last = last
    copy.order = order
    copy.orders = orders
    copy.dead = dead
    copy.byUser = byUser
    return copy
  }

  static let sections: [StoredSection<PartitionState>] = [
    StoredSection(9) { state, writer in
      writer.list(state.outbox.queued.values.sorted { $0.mail.id < $1.mail.id }) { $0.stored($1) }
      writer.varint(state.outbox.last)
    } read: { (state, reader, layout) throws(CodingError) in
      for _ in 0..<(try reader.count()) {
        var mail = try reader.stored(QueuedMail.none, layout)
        guard state.outbox[mail.mail.id] == nil, let user = state.serial(of: mail.mail.user) else {
          throw reader.failure("a mail that is there twice, or is about nobody")
        }
        // Of version 0.1.0, which could send none. When it was queued is not known, so it is a dead letter.
        if mail.mail.workspace == 0 { mail.mail.workspace = state.people.home(of: user) ?? mainWorkspace }
        state.outbox.restore(mail)
      }
      state.outbox.last = try reader.number()
    }
  ]

  private mutating func restore(_ mail: QueuedMail) {
    queued[mail.mail.id] = mail
    enter(mail)
  }

  static func check(_ state: borrowing PartitionState, _ checker: InvariantChecker) {
    for mail in state.outbox.queued.values {
      let id = mail.mail.id
      checker.expect(
        state.isMine(id) && state.partitioning.serial(of: id) <= state.outbox.last, "mail #\(id.raw) is out of item")
      checker.expect(checker.user(mail.mail.user) != nil, "mail #\(id.raw) is about nobody")
      checker.expect(checker.isWorkspace(mail.mail.workspace), "mail #\(id.raw) is of no workspace")
    }
    checker.expect(
      state.outbox.order.count + state.outbox.dead.count == state.outbox.count
        && state.outbox.orders.values.reduce(0) { $0 + $1.count } == state.outbox.order.count,
      "partition \(state.index) has mails in no order")
    checker.expect(
      state.outbox.byUser.values.reduce(0) { $0 + $1.count }
        == state.outbox.queued.values.reduce(0) { $0 + $1.mail.people.count }
        && state.outbox.queued.values.allSatisfy { queued in
          queued.mail.people.allSatisfy { state.outbox.byUser[$0]?.contains(queued.mail.id) == true }
        },
      "partition \(state.index) has mails that are not found by their user")
  }
}
