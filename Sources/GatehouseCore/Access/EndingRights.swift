internal import HeapModule

/// Rights that end by themselves (B7): grants, accesses and memberships have time limits, and an employment has a last
/// day.
///
/// A decision checks the limits at its own time, so nothing holds for longer than it should. The server's upkeep later
/// ends for good, in a record of its own, what has ended: it disables the access, which frees its seat; it takes the role
/// away; it removes the membership, with everything that removing one entails; and it ends the sessions that depended
/// on any of these.
extension People {
  /// A heap key: when to look at a user, and its serial number; see `nextEnd`.
  private static func key(_ end: Milliseconds, _ serial: Int) -> UInt64 {
    UInt64(UInt32(clamping: (max(end, 0) + 999) / 1000)) << 32 | UInt64(serial)
  }

  /// When something of a user ends that was not carried out yet: an access that is still open, a membership, a grant,
  /// or, after `now`, the last day of the employment or of one at an account, which is over once it is over in the last
  /// time zone. After `now` a grant may also begin, by which the user has too much power to be impersonated any longer.
  fileprivate func nextEnd(of serial: Int, after now: Milliseconds) -> Milliseconds? {
    let row = users[serial]
    var ends: [Milliseconds] = []
    if row.flags.contains(.hasLimits) {
      ends += allAccess(of: serial).filter(\.isEnabled).compactMap(\.limits.until)
      ends += membershipLimits(of: serial).values.compactMap(\.until)
      let grants = grants(of: serial)
      ends += grants.compactMap(\.limits.until)
      ends += grants.compactMap(\.limits.from).filter { $0 > now }
    }
    let released = contacts[Int(row.contact)].released
    if released != .min, row.status != .deleted {
      let over = (Milliseconds(released) + 2) * Days.milliseconds
      if over > now { ends.append(over) }
    }
    if row.status != .deleted {
      ends += employments(of: Int(row.contact)).compactMap(\.overEverywhere).filter { $0 > now }
    }
    return ends.min()
  }

  /// Updates whether anything of a user has time limits, and when to check it.
  ///
  /// - Parameter new: the limits of what has changed; nil if it is gone.
  mutating func noteLimits(of serial: Int, _ new: TimeLimits?, at now: Milliseconds) {
    guard users[serial].flags.contains(.hasLimits) || new?.isNone == false else { return }
    let filed = filed(user: serial)
    let hasLimits =
      allAccess(of: serial).contains { !$0.limits.isNone } || grants(of: serial).contains { !$0.limits.isNone }
      || users.withDetails(of: serial) { Details.field(UserTag.membershipLimits, in: $0) != nil }
    if hasLimits { users[serial].flags.insert(.hasLimits) } else { users[serial].flags.remove(.hasLimits) }
    refile(filed)
    watchEnds(of: serial, after: now)
  }

  mutating func watchEnds(of serial: Int, after now: Milliseconds) {
    let ends = watchedEnds(of: serial, after: now)
    if ends.isEmpty { return }
    // Setting limits again and again leaves stale keys behind; this many are kept before they are swept.
    if self.ends.count >= endsToSweep {
      self.ends = []
      watchAllEnds()
    }
    for end in ends { self.ends.insert(Self.key(end, serial)) }
  }

  /// What comes next of all, and what next ends that has to be carried out.
  private func watchedEnds(of serial: Int, after now: Milliseconds) -> Set<Milliseconds> {
    Set([nextEnd(of: serial, after: now), nextEnd(of: serial, after: .max)].compactMap { $0 })
  }

  /// Rebuilds the heap from the rows.
  mutating func watchAllEnds() {
    var keys: [UInt64] = []
    for serial in 1..<(users.last + 1) where users[serial].isUsed {
      for end in watchedEnds(of: serial, after: .min) { keys.append(Self.key(end, serial)) }
    }
    endsToSweep = max(1024, 2 * keys.count)
    ends = Heap(keys)
  }

  /// For invariant checks: the keys in the heap, and the keys that a user should have.
  var watchedEnds: Set<UInt64> { Set(ends.unordered) }
  func nextEndKey(of serial: Int) -> UInt64? { nextEnd(of: serial, after: .max).map { Self.key($0, serial) } }
}

extension PartitionState {
  /// Users of whom something has ended and must be carried out, at most `limit`.
  public mutating func dueUsers(at now: Milliseconds, limit: Int) -> [UserID] {
    var due: [UserID] = []
    // Ends are watched by the full second, rounded up: of the last one some have come and some have not.
    var later: [UInt64] = []
    while due.count < limit, later.count < Limits.endsOfSecond, let next = people.ends.min,
      Milliseconds(next >> 32) * 1000 <= now + 999
    {
      people.ends.removeMin()
      let serial = Int(next & 0xffff_ffff)
      guard people.users.contains(serial), people.users[serial].isUsed else { continue }
      let second = Milliseconds(next >> 32) * 1000
      if second > now, people.nextEnd(of: serial, after: second - 1000).map({ $0 > now }) ?? true {
        later.append(next)
        continue
      }
      let id: UserID = id(serial)
      // Who has several ends has them here between those of others.
      if !due.contains(id) { due.append(id) }
    }
    for key in later { people.ends.insert(key) }
    return due
  }

  /// Schedules users again after they were due: for what ends next or, if the log did not take the change, for the same
  /// end.
  public mutating func putBack(_ due: [UserID], at now: Milliseconds) {
    for id in due { if let serial = serial(of: id) { people.watchEnds(of: serial, after: now) } }
  }

  /// When `dueUsers` should be asked next: at most a second before something ends.
  public var nextUserEnd: Milliseconds? { people.ends.min.map { Milliseconds($0 >> 32) * 1000 - 999 } }
}

extension Turn {
  /// Ends for good what has ended of these users, and what depended on it.
  public func decideEnds(of ids: [UserID], holding cells: [HeldPartition]) -> Outcome {
    home = nil
    others = cells
    return attempt { () throws(Halt) in
      var people: [UserReference] = []
      // A change is made once, whatever was asked.
      for id in ids {
        if let user = try self.user(id), !people.contains(where: { $0.id == user.id }) { people.append(user) }
      }
      for user in people { try self.endRights(of: user) }
      try self.endWhatLostItsRight(of: people)
      try self.endRequestsThatLostTheirRight(of: people)
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
    // Leaving a workspace may have taken some of them already.
    let left = changes.reduce(user.grants) { grants, change in
      guard let change = change.known as? any GrantChange, change.user == user.id else { return grants }
      return change.changed(grants)
    }
    let ended = left.filter { $0.limits.hasEnded(at: now) }
    if !ended.isEmpty { try revoke(ended, from: user, having: left, isLeaving: true) }
  }

  /// Removes a membership with everything that depends on it, except sessions, which end by themselves.
  ///
  /// - Parameter end: when the membership ended by itself; its accesses then show that time.
  /// - Returns: the products whose access was disabled.
  @discardableResult
  func leave(
    _ workspace: Workspace, _ user: UserReference, ending end: Milliseconds? = nil
  ) throws(Halt) -> [ProductID] {
    try stopTimers(of: user, in: workspace.id, at: end)
    var closed: [ProductID] = []
    for access in user.cell.state.people.allAccess(of: user.serial) where access.isEnabled {
      guard directory.product(access.product)?.workspace == workspace.id else { continue }
      var disabled = access
      disabled.isEnabled = false
      disabled.limits = end.map { access.limits.ending(at: $0) } ?? .none
      emit(AccessSet(user.id, old: access, new: disabled))
      closed.append(access.product)
    }
    for employment in user.employments where employment.workspace == workspace.id {
      emit(EmploymentSet(user.contactID, old: employment, new: nil))
    }
    for link in user.management where link.workspace == workspace.id { emit(ManagementRemoved(user.id, link)) }
    try revoke(user.grants.filter { directory.workspace(of: $0.scope) == workspace.id }, from: user, isLeaving: true)
    emit(WorkspaceLeft(user.id, workspace.id, limits: user.limits(ofMembership: workspace.id)))
    return closed
  }
}
