internal import HeapModule

/// What ends by itself (B7): grants, accesses and memberships have limits in time, and an employment has a last day.
///
/// Whoever decides judges by the moment of the decision, so that nothing holds for longer than it should. What has ended
/// is then ended for good, in a record of its own, by the server's upkeep: the access is disabled, which gives its seat
/// back; the membership goes, with all that goes where it is taken away; sessions end that rested on any of them. Grants
/// stay where they are, for nothing is counted by them.
extension People {
  /// Users to look at when the log has their next end; see `nextEnd`.
  private static func key(_ end: Milliseconds, _ serial: Int) -> UInt64 {
    UInt64(UInt32(clamping: (max(end, 0) + 999) / 1000)) << 32 | UInt64(serial)
  }

  /// When something of a user ends that has not been carried out: an access that is open still, a membership, a grant
  /// that ends after `now`, the last day of the employment, which is over when it is over in the last zone.
  private func nextEnd(of serial: Int, after now: Milliseconds) -> Milliseconds? {
    let row = users[serial]
    var ends: [Milliseconds] = []
    if row.flags.contains(.hasLimits) {
      ends += allAccess(of: serial).filter(\.isEnabled).compactMap(\.limits.until)
      ends += membershipLimits(of: serial).values.compactMap(\.until)
      ends += grants(of: serial).compactMap(\.limits.until).filter { $0 > now }
    }
    let released = contacts[Int(row.contact)].released
    if released != .min, row.status != .deleted {
      let over = (Milliseconds(released) + 2) * Days.milliseconds
      if over > now { ends.append(over) }
    }
    return ends.min()
  }

  /// Notes whether anything of a user has limits in time, and when to look after it.
  ///
  /// - Parameter new: the limits of what has changed; nil where it is gone.
  mutating func noteLimits(of serial: Int, _ new: TimeLimits?, at now: Milliseconds) {
    guard users[serial].flags.contains(.hasLimits) || new?.isNone == false else { return }
    let hasLimits =
      allAccess(of: serial).contains { !$0.limits.isNone } || grants(of: serial).contains { !$0.limits.isNone }
      || users.withDetails(of: serial) { Details.field(UserTag.membershipLimits, in: $0) != nil }
    if hasLimits { users[serial].flags.insert(.hasLimits) } else { users[serial].flags.remove(.hasLimits) }
    watchEnds(of: serial, after: now)
  }

  mutating func watchEnds(of serial: Int, after now: Milliseconds) {
    guard let end = nextEnd(of: serial, after: now) else { return }
    // Whoever's limits are set again and again leaves keys behind, of which this many are kept.
    if ends.count >= endsToSweep {
      ends = []
      watchAllEnds()
    }
    ends.insert(Self.key(end, serial))
  }

  /// Makes the heap from the rows.
  mutating func watchAllEnds() {
    var keys: [UInt64] = []
    for serial in 1..<(users.last + 1) where users[serial].isUsed {
      if let end = nextEnd(of: serial, after: .min) { keys.append(Self.key(end, serial)) }
    }
    endsToSweep = max(1024, 2 * keys.count)
    ends = Heap(keys)
  }

  /// For those who check: what is watched, and what should be of a user.
  var watchedEnds: Set<UInt64> { Set(ends.unordered) }
  func nextEndKey(of serial: Int) -> UInt64? { nextEnd(of: serial, after: .max).map { Self.key($0, serial) } }
}

extension PartitionState {
  /// The users of whom something has ended that is to be carried out, at most `limit`.
  public mutating func dueUsers(at now: Milliseconds, limit: Int) -> [UserID] {
    var due: [UserID] = []
    while due.count < limit, let next = people.ends.min, Milliseconds(next >> 32) * 1000 <= now {
      people.ends.removeMin()
      let serial = Int(next & 0xffff_ffff)
      guard people.users.contains(serial), people.users[serial].isUsed else { continue }
      let id: UserID = id(serial)
      if due.last != id { due.append(id) }
    }
    return due
  }

  /// Looks after users again that were due: for what ends next or, where the log did not take it, for the same.
  public mutating func putBack(_ due: [UserID], at now: Milliseconds) {
    for id in due { if let serial = serial(of: id) { people.watchEnds(of: serial, after: now) } }
  }

  public var nextUserEnd: Milliseconds? { people.ends.min.map { Milliseconds($0 >> 32) * 1000 } }
}

extension Turn {
  /// Ends for good what has ended by itself of users, and what rested on it.
  public func decideEnds(of ids: [UserID], holding cells: [HeldPartition]) -> Outcome {
    home = nil
    others = cells
    return attempt { () throws(Halt) in
      var people: [UserReference] = []
      for id in ids { if let user = try self.user(id) { people.append(user) } }
      for user in people { try self.endRights(of: user) }
      try self.endWhatLostItsRight(of: people)
    }
  }

  private func endRights(of user: UserReference) throws(Halt) {
    let state = user.cell
    var closed: [ProductID] = []
    for (workspace, limits) in state.state.people.membershipLimits(of: user.serial).sorted(by: { $0.key < $1.key })
    where limits.hasEnded(at: now) {
      closed += try leave(directory.workspace(workspace), user, ending: limits.until)
    }
    for access in state.state.people.allAccess(of: user.serial)
    where access.isEnabled && access.limits.hasEnded(at: now) && !closed.contains(access.product) {
      var ended = access
      ended.isEnabled = false
      emit(AccessSet(user.id, old: access, new: ended))
    }
  }

  /// Takes a membership away, with all that rests on it but sessions, which end by themselves.
  ///
  /// - Parameter end: when it ended by itself; then its accesses show when they did.
  /// - Returns: the products that were closed by it.
  @discardableResult
  func leave(
    _ workspace: Workspace, _ user: UserReference, ending end: Milliseconds? = nil
  ) throws(Halt) -> [ProductID] {
    try stopTimers(of: user, in: workspace.id)
    var closed: [ProductID] = []
    for access in user.cell.state.people.allAccess(of: user.serial) where access.isEnabled {
      guard directory.product(access.product)?.workspace == workspace.id else { continue }
      var disabled = access
      disabled.isEnabled = false
      disabled.limits = end.map { access.limits.ending(at: $0) } ?? .none
      emit(AccessSet(user.id, old: access, new: disabled))
      closed.append(access.product)
    }
    try revoke(user.grants.filter { directory.workspace(of: $0.scope) == workspace.id }, from: user, isLeaving: true)
    emit(WorkspaceLeft(user.id, workspace.id))
    return closed
  }
}
