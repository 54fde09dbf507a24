internal import HeapModule

/// The sessions of a partition's users, and the impersonations that began from its logins.
public struct Sessions: ~Copyable, Sendable {
  public internal(set) var rows = RowTable<SessionRow>()
  public internal(set) var count = 0
  /// Impersonations by the login of their actor, which is a session of this partition; they may be in other partitions.
  public internal(set) var impersonations: [SessionID: [SessionID]] = [:]
  /// When to check which session: the deadline in seconds in the upper half of a key, the slot in the lower. Derived. A
  /// deadline that has moved leaves a stale key, which is dropped when it comes up.
  var deadlines = Heap<UInt64>()
  /// The most deadlines there were since the heap was last shrunk.
  private var mostDeadlines = 0
  /// The first free slot, linked through `next`; 0 means none.
  public internal(set) var free: UInt32 = 0

  public init() {}

  /// The session of a slot up to the last.
  public subscript(slot: Int) -> SessionRow {
    @inline(__always) unsafeAddress { rows.address(of: slot) }
    @inline(__always) _modify { yield &rows[slot] }
  }

  /// Notes in memory that a session was used; `SessionSeen` logs it from time to time.
  public mutating func see(slot: Int, at now: Milliseconds) {
    // Another lane may have read a later clock and come first.
    if now > rows[slot].lastSeen { rows[slot].lastSeen = now }
  }

  public func impersonation(ofSlot slot: Int) -> Impersonation? {
    guard rows[slot].kind == .impersonation else { return nil }
    let decoded = try? rows.details(of: slot).decode(Impersonation.tag) { (reader) throws(CodingError) in
      try Impersonation(from: &reader)
    }
    return decoded ?? nil
  }
}

extension Sessions: Aggregate {
  mutating func copy() -> Sessions {
    var copy = Sessions()
    copy.rows = rows.copy()
    copy.count = count
    copy.impersonations = impersonations
    copy.deadlines = deadlines
    copy.mostDeadlines = mostDeadlines
    copy.free = free
    return copy
  }
}

// MARK: - Deadlines and memory

extension Sessions {
  /// Adds a session's deadline to the heap, rounded up to a second.
  mutating func watch(_ slot: Int) { deadlines.insert(Self.watchKey(&rows[slot], slot: slot)) }

  static func watchKey(_ row: inout SessionRow, slot: Int) -> UInt64 {
    row.watched = UInt32(clamping: (row.deadline + 999) / 1000)
    return UInt64(row.watched) << 32 | UInt64(slot)
  }

  /// The number of heap keys, stale ones included.
  public var watchedDeadlines: Int { deadlines.count }

  /// When to call `PartitionState.dueSessions` next; nil if there are no sessions.
  public var nextDeadline: Milliseconds? { deadlines.min.map { Milliseconds($0 >> 32) * 1000 } }

  fileprivate mutating func giveBackMemory() {
    // Only below half full: otherwise the slots will soon be needed again.
    if count < rows.last / 2 { rows.giveBackVacantPages(limit: 8) }
    mostDeadlines = max(mostDeadlines, deadlines.count)
    if mostDeadlines > 1024, deadlines.count < mostDeadlines / 4 {
      deadlines = Heap(deadlines.unordered)
      mostDeadlines = deadlines.count
    }
  }
}

// MARK: - In the partition

extension PartitionState {
  /// The slot that an id names, whether or not the session still exists.
  @inline(__always)
  func slot(at id: SessionID) -> Int? {
    let slot = SessionNumber.slot(partitioning.serial(of: id))
    return sessions.rows.contains(slot) ? slot : nil
  }

  /// The slot of a session that has not ended.
  @inline(__always)
  public func slot(of id: SessionID) -> Int? {
    let serial = partitioning.serial(of: id)
    let slot = SessionNumber.slot(serial)
    guard sessions.rows.contains(slot), sessions[slot].isUsed,
      sessions[slot].generation == SessionNumber.generation(serial)
    else { return nil }
    return slot
  }

  public func sessionID(ofSlot slot: Int) -> SessionID {
    SessionNumber.id(slot: slot, generation: sessions[slot].generation, partition: index, partitioning)
  }

  /// The ids of a user's sessions that have not ended, newest first.
  public func sessionIDs(of user: Int) -> [SessionID] {
    var found: [SessionID] = []
    var slot = Int(people.users[user].sessions)
    while slot != 0 {
      found.append(sessionID(ofSlot: slot))
      slot = Int(sessions[slot].next)
    }
    return found
  }

  /// The id of the next session.
  public func nextSession() -> SessionID {
    let free = sessions.free
    let slot = free != 0 ? Int(free) : sessions.rows.last + 1
    let generation = free != 0 ? sessions.rows.vacantRow(slot).generation : 0
    return SessionNumber.id(slot: slot, generation: generation, partition: index, partitioning)
  }

  /// Sessions whose time is up, at most `limit`. Those used since get a new deadline.
  public mutating func dueSessions(at now: Milliseconds, limit: Int) -> [SessionID] {
    var due: [SessionID] = []
    var later: [Int] = []
    while due.count + later.count < limit, let next = sessions.deadlines.min,
      Milliseconds(next >> 32) * 1000 <= now
    {
      sessions.deadlines.removeMin()
      let slot = Int(next & 0xffff_ffff)
      // A reused slot has a new key; the key of its former session is stale and must not return.
      guard sessions.rows.contains(slot), sessions[slot].isUsed, sessions[slot].watched == UInt32(next >> 32) else {
        continue
      }
      if sessions[slot].isLive(at: now) { later.append(slot) } else { due.append(sessionID(ofSlot: slot)) }
    }
    // Add the keys only now: a deadline too far off to be stored in a key would come up again and loop for ever.
    for slot in later { sessions.watch(slot) }
    return due
  }

  /// Makes sessions due again that could not be ended.
  public mutating func putBack(_ due: [SessionID]) {
    for id in due { if let slot = slot(of: id) { sessions.watch(slot) } }
  }

  /// Frees memory of ended sessions and forgotten keys a little at a time. The state does not change by it.
  public mutating func giveBackMemory() {
    sessions.giveBackMemory()
    apiKeys.giveBackMemory()
  }
}
