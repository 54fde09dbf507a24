/// What must not be lost by time alone is not lost by a day of employment either (L18, B7).
///
/// With the policy `login.within-employment` a release date ends the login. A workspace has an owner who may log in, and the
/// server a super administrator, so neither the owner nor the last such administrator gets a date by which the login ends,
/// nor a policy that makes their date count. This goes by what the decision changes, whichever command makes it.
extension Turn {
  func requireLastingHolders() throws(Halt) {
    guard traits.contains(.concernsSomebody) || traits.contains(.changesDirectory) else { return }
    var settings: [WorkspaceSet] = []
    if traits.contains(.changesDirectory) {
      settings = changes.compactMap { $0.as(WorkspaceSet.self) }.filter(\.affectsDays)
    }
    var people = traits.contains(.concernsSomebody) ? try peopleConcerned() : []
    people.removeAll { user in
      !user.roles.contains(.superAdministrator) && directory.workspaces(ownedBy: user.id).isEmpty
    }
    if settings.isEmpty, people.isEmpty { return }
    let outlook = Outlook(self)
    for user in people {
      let person = outlook.person(user)
      for id in outlook.directory.workspaces(ownedBy: user.id) {
        try requireLastingOwner(user, person, of: id, in: outlook)
      }
      if user.isLastingSuperAdministrator(in: directory, at: now),
        !person.isLastingSuperAdministrator(in: outlook.directory, at: now)
      {
        try requireLastingSuperAdministrator(in: outlook, than: user)
      }
    }
    for id in Set(settings.map(\.workspace)).sorted() {
      if let owner = try outlook.directory.workspace(id).owner.flatMap({ (id) throws(Halt) in try self.user(id) }) {
        try requireLastingOwner(owner, outlook.person(owner), of: id, in: outlook)
      }
    }
    if settings.contains(where: { $0.key == "policy.login.within-employment" }) {
      try requireLastingSuperAdministrator(in: outlook)
    }
  }

  /// Refuses where days end the login of a workspace's owner, and have not done so before.
  private func requireLastingOwner(
    _ user: UserReference, _ person: PersonFacts, of id: WorkspaceID, in outlook: Outlook
  ) throws(Halt) {
    guard person.isEndedByDays(asked: id, in: outlook.directory, at: now) else { return }
    let wasOwner = Int(id) <= directory.workspaces.count && directory.workspace(id).owner == user.id
    if wasOwner, user.isEndedByDays(asked: id, in: directory, at: now) { return }
    let isKnown = knownWorkspaces.contains(id)
    let what = isKnown ? "the workspace \(outlook.directory.workspace(id).name)" : "a workspace"
    throw .refused(
      .rule(
        "owner", "\(user.username) owns \(what), which lets nobody in outside the employment",
        instead: "clear the days of hire and release, or hand the workspace on to somebody else first"))
  }

  /// Refuses where no super administrator is left whose login no date ends, and one was there before.
  ///
  /// - Parameter lost: who is none any more; nil if a policy decides.
  private func requireLastingSuperAdministrator(in outlook: Outlook, than lost: UserReference? = nil) throws(Halt) {
    guard let counted = counters.counters(beside: directoryLSN) else { throw .needs(heldOwners) }
    read(counted.lsn)
    let ids = counted.superAdministrators.keys.sorted()
    try hold(ids.map { partitioning.partition(of: $0) })
    var lasted = false
    var last = lost
    for id in ids {
      guard let user = try user(id) else { continue }
      if outlook.person(user).isLastingSuperAdministrator(in: outlook.directory, at: now) { return }
      guard user.isLastingSuperAdministrator(in: directory, at: now) else { continue }
      lasted = true
      if last == nil { last = user }
    }
    guard lasted, let last else { return }
    throw .refused(
      Self.lastSuperAdministrator(
        last.username, isEndedByDays: outlook.person(last).isSuperAdministratorWhoMayLogIn))
  }

  /// L18: the refusal of what takes the last super administrator away.
  static func lastSuperAdministrator(_ name: String, isEndedByDays: Bool = false) -> Refusal {
    .rule(
      "last-super-administrator",
      "\(name) is the only super administrator" + (isEndedByDays ? " whose login no date ends" : ""),
      instead: "grant the role to somebody else first with ROLE.GRANT user super-administrator")
  }
}

extension WorkspaceSet {
  /// Whether it decides on which days somebody may log in, or for whom that matters.
  fileprivate var affectsDays: Bool {
    ["owner", "policy.login.within-employment", "policy.timezone"].contains(key)
  }
}

extension PersonView {
  /// Whether the days of employment keep the person out of a workspace, or will.
  fileprivate func isEndedByDays(asked id: WorkspaceID, in directory: Directory, at now: Milliseconds) -> Bool {
    directory.workspace(id).policies.withinEmployment
      && (released != .min || !isEmployed(at: now, asked: id, in: directory))
  }

  fileprivate var isSuperAdministratorWhoMayLogIn: Bool {
    status.mayLogIn && !roles.isPlain
      && grants.contains { $0.role == .superAdministrator && $0.scope == .everywhere }
  }

  /// Whether the person is a super administrator of the server, and the home lets them in for good.
  fileprivate func isLastingSuperAdministrator(in directory: Directory, at now: Milliseconds) -> Bool {
    isSuperAdministratorWhoMayLogIn
      && !isEndedByDays(asked: memberships.first ?? mainWorkspace, in: directory, at: now)
  }
}
