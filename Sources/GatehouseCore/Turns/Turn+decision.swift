/// The result of a decision.
public enum Outcome {
  /// The reply is complete; `changes` must be logged and committed before it leaves.
  case decided
  /// Hold these owners and decide again.
  case needs(OwnerSet)
  /// Do the turn's `neededWork` without holding owners, and decide again.
  case needsWork
  /// A bound would not hold after a dry run. The caller answers, once nothing is held.
  case refused(CounterViolation)
}

/// Runs the body of a command.
extension Turn {
  /// Runs the command's body over its home partition.
  public func decide(home cell: HeldPartition?) -> Outcome {
    home = cell
    if !others.isEmpty { others.removeAll(keepingCapacity: true) }
    if directoryCell != nil { directoryCell = nil }
    return decide()
  }

  /// Runs the body again over all owners that it asked for.
  public func decide(holding cells: [HeldPartition], directory cell: DirectoryCell?) -> Outcome {
    home = nil
    others = cells
    directoryCell = cell
    if let cell { directory = cell.state.view }
    return decide()
  }

  private func decide() -> Outcome {
    guard let body = decision else { preconditionFailure("\(spec.name) does not decide") }
    return attempt { () throws(Halt) in
      try self.authorise()
      if self.gate.isWrite, !self.chosen.isEmpty {
        // A repeated command gets its first answer even if the caller has lost the right since, perhaps by that very
        // command.
        try self.decideOnce { (turn) throws(Halt) in
          try turn.enforceIfLimited()
          try body(turn)
          if turn.demand != nil { try turn.waitForApproval() }
        }
      } else {
        try self.enforceIfLimited()
        try body(self)
        if self.demand != nil { try self.waitForApproval() }
      }
      if self.gate.isWrite {
        try self.addConsequences()
        if !self.chosen.isEmpty, self.isDryRun { try self.preview() }
      }
      if self.authorityKey != nil { self.noteUseOfKey() }
    }
  }

  /// Adds what follows from the changes by itself.
  @inline(__always)
  private func addConsequences() throws(Halt) {
    // Fast path: changes of sessions and timers alone have no traits.
    if !traits.isEmpty {
      try requireLastingHolders()
      try endMailedSecrets()
      try endWhatLostItsRight()
      try tellLowSeats()
    }
    if withDirectory({ $0.tellsManagers }) { try tellManagers() }
  }

  /// Runs a step of a decision from a clean slate; a refusal becomes the reply.
  @inline(__always)
  func attempt(_ step: () throws(Halt) -> Void) -> Outcome {
    wipeSlate()
    do throws(Halt) {
      try step()
    } catch {
      return abandon(error)
    }
    return lapsed.isEmpty ? .decided : endingLapsed()
  }

  private func wipeSlate() {
    reply.reset()
    if !changes.isEmpty { dropChanges() }
    if !bounds.isEmpty { bounds.removeAll(keepingCapacity: true) }
    if !seen.isEmpty { seen.removeAll(keepingCapacity: true) }
    if !taken.isEmpty { taken.removeAll(keepingCapacity: true) }
    if !lapsed.isEmpty { lapsed.removeAll(keepingCapacity: true) }
    forgetEnded()
    if hasRefusal { hasRefusal = false }
    if hasAdmission { hasAdmission = false }
    if !wrongGuess.isEmpty { wrongGuess.removeAll() }
    if demand != nil { demand = nil }
    if askedFor != nil { askedFor = nil }
    if named != nil { named = nil }
    if !tried.isEmpty { tried.removeAll() }
    if approval != nil { approval = nil }
    isVersionChecked = false
    horizon = 0
  }

  /// Ends a decision that failed.
  private func abandon(_ halt: Halt) -> Outcome {
    dropChanges()
    if approval != nil { approval = nil }
    switch halt {
    case .needs(let owners): return .needs(owners)
    case .work(let work):
      neededWork = work
      hasWork = true
      return .needsWork
    case .bound(let violation):
      forgetDecision()
      return .refused(violation)
    case .refused(let refusal):
      forgetEnded()
      if isDryRun { forgetDecision() }
      bounds.removeAll(keepingCapacity: true)
      answer(refusal)
      return lapsed.isEmpty ? .decided : endingLapsed()
    }
  }

  /// Drops what was decided, and the answer, so that something else can be.
  func dropDecision() {
    dropChanges()
    bounds.removeAll(keepingCapacity: true)
    taken.removeAll(keepingCapacity: true)
    forgetEnded()
    hasRefusal = false
    hasAdmission = false
    wrongGuess.removeAll()
    reply.reset()
  }

  private func forgetEnded() { if !endedSessions.isEmpty { endedSessions.removeAll(keepingCapacity: true) } }

  /// Sessions that lost their right end even if the command is refused.
  private func endingLapsed() -> Outcome {
    do throws(Halt) {
      for (id, cause) in lapsed { try endSession(id, cause) }
      return .decided
    } catch {
      guard case .needs(let owners) = error else { preconditionFailure("ending a session was refused") }
      dropChanges()
      return .needs(owners)
    }
  }

  /// Whether the command runs with less than a service's full authority.
  public var needsAuthorising: Bool { authority != nil || connection.isBound }

  /// Finds the principal of the command.
  @inline(__always)
  private func authorise() throws(Halt) {
    // A body can find the principal too (`IMPERSONATE.START`). What it has found must not count when the decision is made
    // again.
    if userPrincipal != nil { forgetPrincipal() }
    if authorityKey != nil { authorityKey = nil }
    if needsAuthorising { try findSides() }
  }

  private func forgetPrincipal() {
    userPrincipal = nil
    sides = []
  }

  private func findSides() throws(Halt) {
    sides = serviceSides()
    guard let authority else { return }
    let user = try principal(of: authority)
    if gate.isWrite, !spec.isForTemporary { try requireLastingPassword(user) }
    userPrincipal = user
    sides = user.sides
  }

  /// Refuses the command if the principal lacks what it needs.
  @inline(__always)
  private func enforceIfLimited() throws(Halt) {
    if isLimited { try enforceNeed() }
  }

  /// Finds only the principal and the people whom the words name, for commands that read many partitions. Both stay for the
  /// rest of the command.
  public func prepare(holding cells: [HeldPartition]) -> Outcome {
    home = nil
    others = cells
    return attempt { () throws(Halt) in
      try self.authorise()
      try self.enforceIfLimited()
      try self.findPeople()
    }
  }

  /// The partition where finding the principal starts; nil if the command runs for the service.
  public var authorityPartition: Int? {
    guard let authority else { return nil }
    if let id = SecretText.session(of: authority) { return partitioning.partition(of: id) }
    return SecretText.apiKey(of: authority).map { partitioning.partition(of: $0) } ?? 0
  }

  /// `IFVERSION`: refuses the command if the version has changed. The command's entry in the table says that it takes it.
  public func checkVersion(_ version: UInt32) throws(Halt) {
    assert(!spec.withheld.contains("IFVERSION"), "\(spec.name) checks a version that it does not take")
    isVersionChecked = true
    guard let wanted = try integer("IFVERSION", in: 0...Int(UInt32.max)) else { return }
    guard wanted == Int(version) else {
      throw .refused(Refusal(.stale, "version \(version), not \(wanted); read it again"))
    }
  }
}
