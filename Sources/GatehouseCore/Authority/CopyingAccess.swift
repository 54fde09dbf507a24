/// L21: gives one user the roles of another, each in its scope. `DRYRUN` shows the difference first.
extension CommandTable {
  static let copyCommands: [CommandSpec] = [
    CommandSpec(
      "USER.COPYACCESS", .organisation, "Give a user the roles of another, in their scopes, and the same main role",
      [.word("from"), .word("to"), .flag("REPLACE")],
      reply:
        "a map `granted, revoked`, arrays of `role scope`; REPLACE takes away what the other does not have. Refused"
        + " if the caller could not grant or revoke one of them, and then nothing is changed",
      effect: .write, isVersioned: true, rights: .admin, needs: .permission(.roleGrant, over: .user(2)),
      route: .user(2),
      body: .decide(copyAccess))
  ]

  @Sendable private static func copyAccess(_ turn: Turn) throws(Halt) {
    let to = try turn.user(2)
    let from = try turn.user(1)
    try turn.require([.userRead], over: Target(from), own: .userRead)
    try turn.requireNotDeleted(to)
    try turn.checkVersion(turn.version(of: to))
    guard from.id != to.id else { throw .refused(.syntax("from and to are one user; name two")) }
    turn.read(turn.directory.lsn)
    // What the caller cannot see is not copied, and not taken away either (W4).
    let wanted = UserCard(from, turn.seen(of: from), turn).grants
      .filter { !$0.limits.hasEnded(at: turn.now) }
    let held = UserCard(to, turn.seen(of: to), turn).grants
    var granted: [Grant] = []
    for grant in wanted {
      var grant = grant
      let old = held.first { $0.isSame(as: grant) }
      grant.isMain = grant.isMain && turn.mayBeMain(grant, of: to)
      if old?.limits == grant.limits, old?.isMain == grant.isMain || !grant.isMain { continue }
      try turn.requireGranting(grant, to: to)
      if grant.role == .superAdministrator, !to.row.status.mayLogIn { throw .refused(Turn.superMustLogIn) }
      granted.append(grant)
    }
    let revoked = turn.has("REPLACE") ? held.filter { old in !wanted.contains { $0.isSame(as: old) } } : []
    for grant in revoked {
      try turn.requireRevoking(grant, from: to)
      if grant.role == .superAdministrator { turn.requireAnotherSuperAdministrator(than: to) }
    }
    guard to.grants.count + granted.count <= Limits.grantsOfUser else {
      throw .refused(.limit("roles: a user has at most \(Limits.grantsOfUser)"))
    }
    try turn.revoke(revoked, from: to, isLeaving: true)
    if !granted.isEmpty, !granted.contains(where: \.isMain), held.isEmpty,
      let main = granted.firstIndex(where: { turn.mayBeMain($0, of: to) })
    {
      granted[main].isMain = true
    }
    if granted.contains(where: \.isMain) { turn.endMain(of: to, except: granted + revoked) }
    // The main one last: it takes the mark from whichever has it.
    for grant in granted.sorted(by: { !$0.isMain && $1.isMain }) {
      if let workspace = turn.directory.workspace(of: grant.scope) { try turn.join(to, workspace) }
      turn.emit(RoleGranted(to.id, grant, held: held.first { $0.isSame(as: grant) }))
    }
    turn.reply.map(2)
    for (name, grants) in [("granted", granted), ("revoked", revoked)] {
      turn.reply.text(name)
      turn.reply.array(grants.count)
      for grant in grants { turn.reply.text("\(turn.directory.name(of: grant.role)) \(turn.text(of: grant.scope))") }
    }
  }
}
