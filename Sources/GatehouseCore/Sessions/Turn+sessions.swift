/// The sessions that words name.
extension Turn {
  /// The session of a token, if it has not ended. A wrong token with a live id finds nothing.
  public func session(token: UnsafeRawBufferPointer) throws(Halt) -> (cell: HeldPartition, slot: Int)? {
    guard let id = SecretText.session(of: token) else { return nil }
    let cell = try cell(partitioning.partition(of: id))
    guard let slot = cell.state.slot(of: id), cell.state.sessions[slot].token.matches(digest(token)) else {
      read(cell.state.lsn)
      return nil
    }
    read(cell.state.sessions[slot].lsn)
    let row = cell.state.sessions[slot]
    if isLimited, !isOfService(row) { return nil }
    guard try openersReach(cell, slot, { $0.contains(row) }) else { return nil }
    return (cell, slot)
  }

  /// Whether a session is in a workspace, or of a product, to which the service is bound.
  func isOfService(_ session: SessionRow) -> Bool {
    sides.allSatisfy { side in
      guard case .service = side.kind else { return true }
      return side.knownWorkspaces.contains(session)
    }
  }

  /// The session of a word that is a token or an id, if the caller may see it.
  public func session(_ index: Int) throws(Halt) -> (cell: HeldPartition, slot: Int)? {
    guard let (cell, slot) = try anySession(index) else { return nil }
    if isLimited, !mayFind(cell, slot) { return nil }
    return (cell, slot)
  }

  /// The session of a word that a command ends: by token or id, or with `TOKEN` by token alone.
  func sessionToEnd(_ index: Int) throws(Halt) -> (cell: HeldPartition, slot: Int)? {
    if has("TOKEN"), Self.identifier(arguments[index]) != nil { return nil }
    return try session(index)
  }

  private func mayFind(_ cell: HeldPartition, _ slot: Int) -> Bool {
    let site = site(of: cell.state.sessions[slot])
    let holder = holder(cell, slot)
    let actor = cell.state.sessions.impersonation(ofSlot: slot)?.actor
    return sides.allSatisfy { side in
      side.isBinding || side.isOneself(holder) || actor != nil && side.person?.id == actor
        || [.sessionRead, .sessionRevoke].contains {
          side.covers($0, over: site, of: holder, in: directory, at: now)
        }
    }
  }

  private func anySession(_ index: Int) throws(Halt) -> (cell: HeldPartition, slot: Int)? {
    let word = arguments[index]
    guard let raw = Self.identifier(word) else { return try session(token: word) }
    let id = SessionID(raw: raw)
    let cell = try cell(partitioning.partition(of: id))
    guard let slot = cell.state.slot(of: id) else {
      read(cell.state.lsn)
      return nil
    }
    read(cell.state.sessions[slot].lsn)
    return (cell, slot)
  }
}
