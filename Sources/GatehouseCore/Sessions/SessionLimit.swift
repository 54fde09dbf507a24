/// B12: the policy `session.max` of a workspace caps how many logins a user has there at a time. Whoever logs in once more
/// is let in, and the login that was used least lately ends in the same record.
///
/// Each workspace counts its own: what it allows tells nothing of the others (W4). A service that is bound to products
/// counts and ends those of its products alone: the others are none of its business (W6). Impersonations do not count:
/// they are somebody else's doing.
extension Turn {
  /// Ends as many logins of a user as are too many beside one that has just been opened.
  func endLeastUsed(of user: UserReference, in workspace: WorkspaceID, beyond most: Int) throws(Halt) {
    guard user.row.sessionCount >= most else { return }
    read(user.cell.state.lsn)
    var live: [(id: SessionID, row: SessionRow)] = []
    for id in user.cell.state.sessionIDs(of: user.serial) {
      guard let slot = user.cell.state.slot(of: id) else { continue }
      let row = user.cell.state.sessions[slot]
      if row.kind == .login, row.workspace == workspace, row.isLive(at: now), isOfService(row) {
        live.append((id, row))
      }
    }
    guard live.count >= most else { return }
    live.sort { ($0.row.lastSeen, $0.row.created, $0.id) < ($1.row.lastSeen, $1.row.created, $1.id) }
    for (id, _) in live.prefix(live.count - most + 1) { try endSession(id, .displaced) }
  }
}
