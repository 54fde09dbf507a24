import GatehouseCore
import GatehouseStorage

/// Records like those of a real installation, depending only on the seed. They train and measure the dictionary of the
/// log.
struct RecordSamples {
  private var random: SplitMix64
  private var now: Milliseconds = 1_767_600_000_000

  init(seed: UInt64) { random = SplitMix64(seed: seed) }

  private static let firstNames = [
    "Ada", "Anders", "Beatriz", "Camille", "Carlos", "Daniel", "Elena", "Emma", "Felix", "Giulia", "Hugo", "Ines",
    "Jonas", "Julia", "Lars", "Maria", "Nadia", "Oscar", "Paula", "Rafael", "Sofia", "Tariq",
  ]
  private static let lastNames = [
    "Almeida", "Andersson", "Bakker", "Bauer", "Costa", "Dubois", "Fischer", "Garcia", "Hansen", "Jansen", "Khan",
    "Lopez", "Martin", "Meyer", "Nguyen", "Novak", "Patel", "Rossi", "Silva", "Smith", "Tanaka", "Weber",
  ]
  private static let projects = ["", "", "Onboarding", "Helpdesk", "Invoicing", "Migration", "Training"]
  private static let notes = ["", "", "", "draft", "call with the customer", "review", "weekly meeting"]

  private mutating func pick<T>(_ values: [T]) -> T { values[Int(random.next() % UInt64(values.count))] }
  private mutating func number(_ limit: UInt64) -> UInt64 { random.next() % limit }
  private mutating func id<Entity>() -> Identifier<Entity> { Identifier(raw: number(200_000) << 6 | number(64)) }
  private mutating func digest() -> Digest { Digest(random.next(), random.next(), random.next(), random.next()) }

  /// The next record.
  mutating func next() -> [UInt8] {
    now += Milliseconds(number(400))
    let roll = number(100)
    if roll < 30 { return record("SESSION.CREATE", [session()]) }
    if roll < 46 {
      return record("SESSION.REVOKE", [SessionEnded(id(), id(), .revoked, actorSession: nil, product: 3, workspace: 2)])
    }
    if roll < 52 {
      return record("SESSION.EXPIRE", [SessionEnded(id(), id(), .expired, actorSession: nil, product: 3, workspace: 2)])
    }
    if roll < 58 { return record("SESSION.CHECK", [SessionSeen(id(), id(), now)]) }
    if roll < 68 { return record("TIMER.START", [timer()], byUser: true) }
    if roll < 78 { return record("TIMER.STOP", [TimerStopped(id(), 1, entry: id(), end: now)], byUser: true) }
    if roll < 81 { return record("ENTRY.ADD", [EntryAdded(id(), id(), 1, content())], byUser: true) }
    if roll < 83 {
      let old = content()
      return record("ENTRY.CORRECT", [EntryCorrected(id(), id(), old: old, new: content())], byUser: true)
    }
    if roll < 92 { return record("USER.CREATE", user()) }
    if roll < 94 { return record("USER.STATUS", [StatusSet(id(), old: .active, new: pick([.locked, .inactive]))]) }
    if roll < 96 {
      let access = ProductAccess(product: ProductID(1 + number(4)), isEnabled: true)
      return record("PRODUCT.ENABLE", [AccessSet(id(), old: nil, new: access)])
    }
    let (old, new) = (pick(Self.lastNames), pick(Self.lastNames))
    return record("USER.SET", [ContactSet(id(), .last, old: old, new: new), Noted(id(), .productsTouched([1, 2]))])
  }

  private mutating func record(_ command: String, _ changes: [any Change], byUser: Bool = false) -> [UInt8] {
    let actor: UserID? = byUser ? id() : nil
    let header = RecordHeader(
      time: now, service: ServiceID(1 + number(3)), actor: actor, subject: actor, connection: 1 + number(400),
      command: command, reason: "")
    var writer = ByteWriter()
    Record.encode(header, changes.map(\.carried), into: &writer)
    return Array(writer.bytes)
  }

  private mutating func session() -> any Change {
    SessionOpened(
      session: id(), user: id(), token: digest(), product: ProductID(1 + number(4)), workspace: 1,
      expires: now + 36_000_000, idleSeconds: 1800, opener: .service(1))
  }

  private mutating func timer() -> any Change {
    TimerStarted(user: id(), workspace: 1, start: now, project: pick(Self.projects), note: pick(Self.notes))
  }

  private mutating func content() -> EntryContent {
    let start = now - Milliseconds(number(28_800_000))
    return EntryContent(start: start, end: now, project: pick(Self.projects), note: pick(Self.notes))
  }

  private mutating func user() -> [any Change] {
    let (first, last) = (pick(Self.firstNames), pick(Self.lastNames))
    let name = "\(first.lowercased()).\(last.lowercased())\(number(1000))"
    let email = "\(name)@\(pick(["acme.test", "example.com", "firm.test"]))"
    let (user, contact): (UserID, ContactID) = (id(), id())
    return [
      ContactCreated(
        contact,
        fields: [
          ContactText(.first, first), ContactText(.last, last), ContactText(.email, email),
          ContactText(.department, pick(["Finance", "Operations", "Sales", "Support"])),
          ContactText(.timezone, pick(["Europe/Lisbon", "Europe/Berlin", "UTC"])),
        ]),
      UserCreated(user: user, contact: contact, username: name, status: .active, workspaces: [1], fields: []),
      AccessSet(user, old: nil, new: ProductAccess(product: 1, isEnabled: true)),
      MailQueued(Mail(id: id(), user: user, kind: .invitation, to: email, of: 1, created: 1_772_355_600_000)),
    ]
  }
}
