/// B12: the policy `session.max` of a workspace caps how many logins a user has there at a time. Whoever logs in once more
/// is let in, and the login that was used least lately ends in the same record.
///
/// Each workspace counts its own: what it allows tells nothing of the others (W4). Impersonations do not count: they are
/// somebody else's doing. A service ends only sessions that it knows: the limit makes no service of one product log people
/// out of another. So where all others are of other products, one more than the limit stays.
extension Turn {
  /// Ends as many logins of a user as are too many beside one that has just been opened.
  func endLeastUsed(of user: UserReference, in workspace: WorkspaceID, beyond most: Int) throws(Halt) {
    guard user.row.sessionCount >= most else { return }
    read(user.cell.state.lsn)
    var live: [(id: SessionID, row: SessionRow)] = []
    for id in user.cell.state.sessionIDs(of: user.serial) {
      guard let slot = user.cell.state.slot(of: id) else { continue }
      let row = user.cell.state.sessions[slot]
      if row.kind == .login, row.workspace == workspace, row.isLive(at: now) { live.append((id, row)) }
    }
    guard live.count >= most else { return }
    live.sort { ($0.row.lastSeen, $0.row.created, $0.id) < ($1.row.lastSeen, $1.row.created, $1.id) }
    let own = live.filter { isOfService($0.row) }
    for (id, _) in own.prefix(live.count - most + 1) { try endSession(id, .displaced) }
  }
}
