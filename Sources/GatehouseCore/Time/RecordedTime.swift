/// The running timers of a partition's users, and the finished entries with their earlier versions.
public struct RecordedTime: ~Copyable, Sendable {
  public internal(set) var timers: [TimerKey: RunningTimer] = [:]
  /// The timers in their order.
  var timerOrder: ContiguousArray<TimerPlace> = []
  public internal(set) var entries = RowTable<EntryRow>()
  /// The earlier versions of entries, oldest first, by serial number.
  public internal(set) var history: [UInt32: [EntryVersion]] = [:]
  /// The sorted entries of each contact.
  var orders = EntryOrders()

  public init() {}

  public func content(of entry: Int) -> EntryContent {
    let row = entries[entry]
    return entries.withDetails(of: entry) { raw in
      EntryContent(
        start: row.start, end: row.end, project: Details.text(EntryTag.project, in: raw),
        note: Details.text(EntryTag.note, in: raw))
    }
  }

  public func author(_ tag: UInt8, of entry: Int) -> Author? {
    let decoded = try? entries.details(of: entry).decode(tag) { (reader) throws(CodingError) in
      try Author(from: &reader)
    }
    return decoded ?? nil
  }

  /// As whom the timer of an entry was started, in an impersonation.
  func startedAs(_ entry: Int) -> UserID? {
    let decoded = try? entries.details(of: entry).decode(EntryTag.startedAs) { (reader) throws(CodingError) in
      try reader.id() as UserID
    }
    return decoded ?? nil
  }

  /// The users as whom versions of an entry were made in impersonations, by version.
  func impersonated(of entry: Int) -> [UInt32: UserID] {
    let decoded = try? entries.details(of: entry).decode(EntryTag.impersonated) { (reader) throws(CodingError) in
      var users: [UInt32: UserID] = [:]
      while !reader.isAtEnd {
        let version: UInt32 = try reader.number()
        users[version] = UserID(raw: try reader.varint())
      }
      return users
    }
    return (decoded ?? nil) ?? [:]
  }

  /// Keeps as whom the newest version of an entry was made.
  mutating func noteImpersonated(_ header: RecordHeader, of entry: Int) {
    guard let user = header.impersonated else { return }
    var users = impersonated(of: entry)
    users[entries[entry].version] = user
    var details = entries.details(of: entry)
    details.encode(EntryTag.impersonated) { writer in
      for (version, user) in users.sorted(by: { $0.key < $1.key }) {
        writer.varint(version)
        writer.varint(user.raw)
      }
    }
    entries.setDetails(of: entry, details.bytes)
  }
}

extension RecordedTime: Aggregate {
  mutating func copy() -> RecordedTime {
    var copy = RecordedTime()
    copy.timers = timers
    copy.timerOrder = timerOrder
    copy.entries = entries.copy()
    copy.history = history
    copy.orders = orders
    return copy
  }

  static let sections: [StoredSection<PartitionState>] = [
    .list(6) { state in
      state.time.timers.sorted { ($0.key.user, $0.key.workspace) < ($1.key.user, $1.key.workspace) }
    } write: { writer, entry in
      writer.varint(entry.key.user)
      writer.varint(entry.key.workspace)
      writer.stored(entry.value)
    } read: { (state, reader, layout) throws(CodingError) in
      let user: UInt32 = try reader.number()
      guard state.people.users.contains(Int(user)) else { throw reader.failure("a timer of a user who does not exist") }
      let key = TimerKey(user: Int(user), workspace: try reader.number())
      // What came later is only in measured values.
      let form: StoredForm = layout.form == .second ? .first : layout.form
      state.time.timers[key] = try reader.stored(RunningTimer.none, StoredLayout(form: form, seals: layout.seals))
    },
    StoredSection(7, size: { $0.time.entries.last * 64 }) { state, writer in
      state.time.entries.encode(into: &writer)
    } read: { (state, reader, layout) throws(CodingError) in
      state.time.entries = try RowTable.read(from: &reader, layout)
      try state.checkEntries(reader)
      state.time.orderEntries()
      state.time.orderTimers()
    },
    .list(8) { state in
      state.time.history.sorted { $0.key < $1.key }
    } write: { writer, entry in
      writer.varint(entry.key)
      writer.list(entry.value) { $0.stored($1) }
    } read: { (state, reader, layout) throws(CodingError) in
      state.time.history[try reader.number()] = try reader.list { (reader) throws(CodingError) in
        try reader.stored(EntryVersion.none, layout)
      }
    },
  ]
}

// MARK: - In the partition

extension PartitionState {
  public func serial(of id: EntryID) -> Int? {
    let serial = partitioning.serial(of: id)
    return time.entries.contains(serial) && time.entries[serial].isUsed ? serial : nil
  }

  /// A user's running timers with their workspaces; at most one in each.
  public func timers(of user: Int) -> [(workspace: WorkspaceID, timer: RunningTimer)] {
    if time.timers.isEmpty { return [] }
    return people.memberships(of: user).sorted().compactMap { workspace in
      time.timers[TimerKey(user: user, workspace: workspace)].map { (workspace, $0) }
    }
  }

  /// Whether a user has recorded time in any of some workspaces: a running timer, or an entry that is not deleted
  /// (T11).
  public func hasTrackedTime(_ user: Int, where counts: (WorkspaceID) -> Bool) -> Bool {
    if timers(of: user).contains(where: { counts($0.workspace) }) { return true }
    return time.orders.of(people.users[user].contact).contains { order in
      order.user == UInt32(user) && !order.serials.isEmpty && counts(order.workspace)
    }
  }

  fileprivate func checkEntries(_ reader: ByteReader) throws(CodingError) {
    guard time.entries.last > 0 else { return }
    for serial in 1...time.entries.last {
      let row = time.entries[serial]
      guard !row.isUsed || (people.users.contains(Int(row.user)) && people.users[Int(row.user)].contact == row.contact)
      else {
        throw reader.failure("an entry of no contact")
      }
    }
  }
}

extension RecordedTime {
  /// The workspaces in which a contact has entries, under whichever login.
  func workspacesOfEntries(ofContact serial: Int) -> [WorkspaceID] {
    orders.of(UInt32(serial)).filter { !$0.serials.isEmpty }.map(\.workspace)
  }
}
