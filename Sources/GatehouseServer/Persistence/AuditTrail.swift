import GatehouseCore
import GatehouseStorage

/// What is asked of the audit trail.
struct AuditQuery: Sendable {
  /// Whom the records concern, and who acted: usernames, or `#id`.
  var user: String?
  var actor: String?
  var from: Milliseconds?
  var to: Milliseconds?
  /// The record to begin with, going back; nil for the newest.
  var cursor: LSN?
  var count = Limits.listDefault
  /// What may be read of it.
  var reach: AuditReach
}

/// Reads the audit trail out of the log and its archive.
struct AuditTrail: Sendable {
  /// What one command changed; those of an `EXEC` have one record.
  struct Event: Sendable {
    let lsn: LSN
    let part: RecordPart
  }

  /// Some events, the newest first, and where the next page begins; nil where there is none.
  struct Page: Sendable {
    var events: [Event] = []
    var next: LSN?
  }

  private let context: ServerContext
  /// The largest LSN that was read of the state: names may be newer than the records.
  private let newest = Mutexed<LSN>(0)

  init(_ context: ServerContext) { self.context = context }

  /// What a reply must wait for.
  var horizon: LSN { newest.withLock { $0 } }

  /// Reads one partition, and notes how new what was found there is.
  private func read<Result: Sendable>(
    _ index: Int, _ body: @escaping @Sendable (borrowing PartitionState) -> (Result, LSN)
  ) async -> Result {
    let (result, lsn) = await context.read(index, body)
    note(lsn)
    return result
  }

  private func note(_ lsn: LSN) { newest.withLock { $0 = max($0, lsn) } }

  /// The records that are durable, and so will stay.
  ///
  /// - Parameter lastWrite: a record that whoever asks knows of, to be waited for.
  func durable(after lastWrite: LSN) async -> LSN {
    while context.log.durableLSN < lastWrite, !context.hasLogFailed, !context.isStopping {
      try? await Task.sleep(for: .milliseconds(1))
    }
    return context.log.durableLSN
  }

  /// A page of what may be read. To fill it, records that may not be read are stepped over, up to a number.
  func page(_ query: AuditQuery, through durable: LSN) async throws -> Page {
    if query.reach.isAll { return try await wholePage(query, through: durable) }
    var page = Page()
    var part = query
    part.count = max(query.count, Self.leastRead)
    var looked = 0
    while true {
      let found = try await wholePage(part, through: durable)
      for event in await readable(found.events, query.reach) {
        if page.events.count >= query.count, event.lsn != page.events.last?.lsn {
          page.next = event.lsn
          return page
        }
        page.events.append(event)
      }
      looked += found.events.count
      part.cursor = found.next
      guard let next = found.next else { return page }
      guard looked < Self.mostRead else {
        page.next = next
        return page
      }
    }
  }

  /// How many records are read at once, and at most for one page, where not all may be read.
  private static let leastRead = 256
  private static let mostRead = 65_536

  /// What of events may be read.
  private func readable(_ events: [Event], _ reach: AuditReach) async -> [Event] {
    var users: Set<UserID> = []
    var contacts: Set<ContactID> = []
    var entries: Set<EntryID> = []
    for change in events.flatMap(\.part.changes) {
      AuditReach.questions(change, users: &users, contacts: &contacts, entries: &entries)
    }
    let places = await places(users, contacts, entries)
    let directory = context.gate.directory
    return events.compactMap { event in
      let changes = event.part.changes.filter { reach.shows($0, places, in: directory) }
      if changes.isEmpty { return nil }
      var part = event.part
      part.changes = changes
      return Event(lsn: event.lsn, part: part)
    }
  }

  private func places(
    _ users: Set<UserID>, _ contacts: Set<ContactID>, _ entries: Set<EntryID>
  ) async -> AuditReach.Places {
    let partitioning = context.partitioning
    var places = AuditReach.Places()
    let involved = Set(
      users.map { partitioning.partition(of: $0) } + contacts.map { partitioning.partition(of: $0) }
        + entries.map { partitioning.partition(of: $0) })
    for partition in involved {
      let found = await read(partition) { state in
        var found = AuditReach.Places()
        for id in users where partitioning.partition(of: id) == partition {
          found.homes[id] = state.serial(of: id).flatMap { state.home(of: $0) }
        }
        for id in contacts where partitioning.partition(of: id) == partition {
          found.contactHomes[id] = state.serial(of: id).flatMap { state.home(ofContact: $0) }
        }
        for id in entries where partitioning.partition(of: id) == partition {
          found.entries[id] = state.serial(of: id).map { state.entries[$0].workspace }
        }
        return (found, state.lsn)
      }
      places.homes.merge(found.homes) { $1 }
      places.contactHomes.merge(found.contactHomes) { $1 }
      places.entries.merge(found.entries) { $1 }
    }
    return places
  }

  private func wholePage(_ query: AuditQuery, through durable: LSN) async throws -> Page {
    let last = min(query.cursor ?? durable, durable)
    var wanted = History.Query(1...max(last, 1))
    var actor: UserID?
    if let name = query.actor {
      let found = try await user(name, query.reach)
      actor = found.id
      wanted.keys = [RecordKey.ofActor(found.id)]
    }
    if let name = query.user {
      let found = try await user(name, query.reach)
      wanted.keys = RecordKey.about(found.id, contact: found.contact)
    }
    if query.from != nil || query.to != nil {
      let from = UInt64(clamping: query.from ?? 0)
      let to = query.to.map { UInt64(clamping: $0) } ?? .max
      guard from <= to else { return Page() }
      wanted.times = from...to
    }
    guard last > 0 else { return Page() }
    let history = History(context.folder, keys: RecordIndex.keys)
    let (asked, keys, count, who) = (wanted, wanted.keys, query.count, actor)
    let page = try await context.persistence.readings.run {
      var page = Page()
      try history.forEachNewestFirst(asked) { lsn, bytes in
        var reader = ByteReader(bytes)
        let record = try Record(from: &reader)
        let parts = record.parts.filter { part in
          if let who, part.header.actor != who { return false }
          return record.others.isEmpty || keys.isEmpty || part.keys.contains { keys.contains($0) }
        }
        if parts.isEmpty { return true }
        // What took effect together stays on one page.
        if page.events.count >= count {
          page.next = lsn
          return false
        }
        page.events += parts.reversed().map { Event(lsn: lsn, part: $0) }
        return true
      }
      return page
    }
    guard let page else { throw Refusal(.busy, "the trail is being read by others; try again") }
    return page
  }

  // MARK: Users

  private func user(_ word: String, _ reach: AuditReach) async throws -> (id: UserID, contact: ContactID?) {
    guard let id = try await id(word) else { throw Refusal.notFound("user") }
    let partitioning = context.partitioning
    let found = await read(partitioning.partition(of: id)) { state in
      // Whom the caller does not know is not there.
      let known = state.serial(of: id).flatMap { reach.knows(state.memberships(of: $0)) ? $0 : nil }
      return (known.map { state.id(Int(state.users[$0].contact)) as ContactID }, state.lsn(of: id))
    }
    guard let found else { throw Refusal.notFound("user") }
    return (id, found)
  }

  private func id(_ word: String) async throws -> UserID? {
    if word.utf8.first == 0x23 {
      guard let raw = Array(word.utf8).withUnsafeBytes({ Turn.identifier($0) }) else {
        throw Refusal.syntax("user is not an id; ids are positive whole numbers")
      }
      return UserID(raw: raw)
    }
    let (id, lsn) = await context.user(named: word)
    note(lsn)
    return id
  }

  /// The usernames of those who acted, and of those as whom they did; `#id` of who is not there.
  func names(of events: [Event]) async -> [UserID: String] {
    let headers = events.map(\.part.header)
    let ids = Set(headers.compactMap(\.actor) + headers.compactMap(\.subject))
    var names: [UserID: String] = [:]
    for (partition, ids) in Dictionary(grouping: ids, by: { context.partitioning.partition(of: $0) }) {
      let found = await read(partition) { state in
        var found: [(UserID, String)] = []
        var newest: LSN = 0
        for id in ids {
          found.append((id, state.serial(of: id).map { state.username($0) } ?? "#\(id.raw)"))
          newest = max(newest, state.lsn(of: id))
        }
        return (found, newest)
      }
      for (id, name) in found { names[id] = name }
    }
    return names
  }
}
