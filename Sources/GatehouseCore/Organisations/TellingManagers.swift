/// L9: who manages somebody is told by mail what happens to them, if the workspace's policy `manager.notices` wants it.
///
/// Managers of a user are those whose management links name the user, an account that employs the user today, or a group
/// of such accounts; the role *manager* by itself makes nobody one. What concerns somebody's identity is told in the home
/// workspace alone, a booking in the workspace where it is, an impersonation in those where it counts; only links of that workspace count, and
/// only managers who are members of it (W4). Nobody is told of what they did themselves, or approved.
///
/// A command that is about more than `Limits.peopleOfNotices` people tells nobody: a bulk edit would flood the managers,
/// and the trail has it all. Of the managers of one person at most `Limits.managersOfNotice` are told, those nearest to
/// the person first.
extension Turn {
  /// Queues the notices of the command's changes.
  func tellManagers() throws(Halt) {
    let happenings = try managedHappenings()
    guard !happenings.isEmpty, Set(happenings.map(\.user)).count <= Limits.peopleOfNotices else { return }
    var kinds: [Referrers.Kind] = []
    for kind in happenings.flatMap(\.referredTo) where !kinds.contains(kind) { kinds.append(kind) }
    let ids = try foundLately(.managers(ManagerSearch(kinds))).map { UserID(raw: $0) }
    try hold(ids.map { partitioning.partition(of: $0) })
    var managers: [UserReference] = []
    for id in Set(ids).sorted() { if let user = try user(id), user.row.status.mayLogIn { managers.append(user) } }
    for happening in happenings { try tell(managers, of: happening) }
  }

  private func tell(_ managers: [UserReference], of happening: ManagedHappening) throws(Halt) {
    let workspace = happening.workspace
    // What a second person has approved is done by the one who asked for it (B13), as in the record.
    let doer = recordHeader.author
    let doers = [recordHeader.actor, approval?.approver].compactMap { $0 }
    let told =
      managers
      .filter { $0.id != happening.user && !doers.contains($0.id) && $0.isMember(of: workspace, at: now) }
      .compactMap { manager in happening.distance(of: manager.management).map { (manager, distance: $0) } }
      .sorted { ($0.distance, $0.0.id) < ($1.distance, $1.0.id) }
      .prefix(Limits.managersOfNotice)
    if told.isEmpty { return }
    let cell = try cell(partitioning.partition(of: happening.user))
    var actor = try name(of: doer, in: workspace)
    if let approval { actor += " (approved by \(try name(of: .user(approval.approver), in: workspace)))" }
    for (manager, _) in told {
      // A notice is not worth refusing what it tells of.
      guard cell.state.outbox.hasRoom(for: workspace, at: now) else { return }
      try queueMail(
        happening.kind, about: happening.user, in: cell, of: workspace, to: address(of: manager),
        addressee: manager.id,
        facts: happening.facts + [
          (.actor, actor), (.manager, fullName(of: manager, in: workspace)),
          (.language, manager.cell.state.people.text(.language, of: manager.contact)),
        ])
    }
  }

  // MARK: What has happened

  private func managedHappenings() throws(Halt) -> [ManagedHappening] {
    var found: [ManagedHappening] = []
    var created: Set<UserID> = []
    for change in changes {
      switch change {
      case .sessionOpened(let opened):
        guard let actor = try opened.impersonation.flatMap({ (begun) throws(Halt) in try user(begun.actor) }),
          let target = try user(opened.user)
        else { continue }
        let places = directory.placesOfImpersonation(
          in: opened.workspace, isBound: opened.isBound, actor: actor, target: target, at: now)
        for place in places {
          try add(
            .managedImpersonated, .impersonated, opened.user, place, [(.end, TimeText.text(of: opened.expires))],
            to: &found)
        }
      case .partition(let change as UserCreated):
        created.insert(change.user)
        let home = change.workspaces.first ?? mainWorkspace
        guard tells(.created, in: home) else { continue }
        let former = try contact(change.contact).map { (contact) throws(Halt) in try wholePerson(contact) } ?? []
        found.append(
          ManagedHappening(
            kind: .managedCreated, user: change.user, logins: former.flatMap(\.logins).map(\.id), workspace: home,
            accounts: try accounts(ofNew: change.contact, in: home), directory, facts: []))
      case .partition(let change as StatusSet):
        guard change.old != change.new, !created.contains(change.user), let user = try user(change.user),
          let home = user.home, !isAnonymising(user), !isMerging(user)
        else { continue }
        let isDeleted = change.new == .deleted
        try add(
          isDeleted ? .managedDeleted : .managedStatus, isDeleted ? .deleted : .status, change.user, home,
          [(.oldStatus, "\(change.old.name)"), (.newStatus, "\(change.new.name)")], to: &found)
      case .partition(let change as LinkAdded):
        try addBooking(.managedBooked, change.contact, change.kind, change.reference, change.workspace, to: &found)
      case .partition(let change as LinkRemoved):
        try addBooking(.managedUnbooked, change.contact, change.kind, change.reference, change.workspace, to: &found)
      default: continue
      }
    }
    return found
  }

  /// Whether the command clears the data of a user: whoever is told of the status could not be told whose it is.
  private func isAnonymising(_ user: UserReference) -> Bool {
    changes.contains { $0.as(ContactAnonymised.self)?.contact == user.contactID }
  }

  /// Whether the command makes a user one with another: nobody is deleted by that.
  private func isMerging(_ user: UserReference) -> Bool {
    changes.contains { $0.as(ContactsMerged.self)?.dropUser == user.id }
  }

  private func tells(_ notice: ManagerNotice, in workspace: WorkspaceID) -> Bool {
    directory.workspace(workspace).policies.managerNotices.contains(notice.rawValue)
  }

  private func addBooking(
    _ kind: Mail.Kind, _ id: ContactID, _ link: LinkKind, _ reference: String, _ workspace: WorkspaceID,
    to found: inout [ManagedHappening]
  ) throws(Halt) {
    guard link == .booking || link == .delegate, let user = try contact(id)?.user else { return }
    try add(kind, .booking, user.id, workspace, [(.record, "\(link.name) \(reference)")], to: &found)
  }

  private func add(
    _ kind: Mail.Kind, _ notice: ManagerNotice, _ id: UserID, _ workspace: WorkspaceID, _ facts: [(MailFact, String)],
    to found: inout [ManagedHappening]
  ) throws(Halt) {
    guard tells(notice, in: workspace), let user = try user(id) else { return }
    found.append(
      ManagedHappening(
        kind: kind, user: id, logins: try logins(ofPerson: user).map(\.id), workspace: workspace,
        accounts: Employers(user, in: directory, at: now).accounts(in: workspace), directory, facts: facts))
  }

  /// The accounts that employ somebody today whose login this command makes: of the employments that the contact had,
  /// and those that the command gives or alters.
  private func accounts(ofNew id: ContactID, in workspace: WorkspaceID) throws(Halt) -> [AccountID] {
    let person = try contact(id)
    var list = person.map { $0.cell.state.people.employments(of: $0.serial) } ?? []
    for change in changes.compactMap({ $0.as(EmploymentSet.self) }) where change.contact == id {
      list = Employment.list(list, with: change.new, insteadOf: change.old)
    }
    let created = changes.compactMap { $0.as(ContactCreated.self) }.first { $0.contact == id }
    let timezone = person?.text(.timezone) ?? created?.fields.first { $0.field == .timezone }?.text ?? ""
    let today = zone(named: timezone, elseOf: directory.workspace(workspace)).rules.day(at: now)
    return Employers(settled: list.filter { $0.contains(today) }).accounts(in: workspace)
  }
}

/// What managers can be told of: the words of the policy `manager.notices`.
enum ManagerNotice: String, CaseIterable {
  case created, status, deleted, impersonated, booking
}

/// Something that has happened to somebody, and who may be told because of a link.
private struct ManagedHappening {
  let kind: Mail.Kind
  let user: UserID
  let workspace: WorkspaceID
  let facts: [(MailFact, String)]
  /// All logins of the person: a link to any of them is one to the person (L13, S12).
  private let logins: Set<UserID>
  private let accounts: [AccountID]
  private let groups: [GroupID]

  init(
    kind: Mail.Kind, user: UserID, logins: [UserID], workspace: WorkspaceID, accounts: [AccountID],
    _ directory: Directory, facts: [(MailFact, String)]
  ) {
    self.kind = kind
    self.user = user
    self.logins = Set(logins + [user])
    self.workspace = workspace
    self.accounts = accounts
    self.facts = facts
    groups = accounts.compactMap(directory.account).flatMap { directory.groups(of: $0) }.map(\.id)
  }

  var referredTo: [Referrers.Kind] {
    logins.sorted().map { .ofUser($0) } + accounts.map { .ofAccount($0) } + groups.map { .ofGroup($0) }
  }

  /// How near somebody with these links is: 0 by a link to the user, 1 to an account, 2 to a group; nil without one.
  func distance(of links: [ManagementLink]) -> Int? {
    links.compactMap { link -> Int? in
      guard link.workspace == workspace else { return nil }
      switch link.target {
      case .user(let id): return logins.contains(id) ? 0 : nil
      case .account(let id): return accounts.contains(id) ? 1 : nil
      case .group(let id): return groups.contains(id) ? 2 : nil
      }
    }.min()
  }
}

/// Looks for those whose management links name a user, an account or a group.
public struct ManagerSearch: Sendable, Equatable {
  private let kinds: [Referrers.Kind]

  init(_ kinds: [Referrers.Kind]) { self.kinds = kinds }

  /// How many of those who refer to one thing are looked at in a partition; of more, not all could be told.
  private static let looks = 4 * Limits.managersOfNotice

  func find(in cell: HeldPartition, _ ids: inout [UInt64]) {
    for kind in kinds {
      for serial in cell.state.people.referrers[kind].prefix(Self.looks) {
        guard cell.state.people.management(of: Int(serial)).contains(where: { $0.referredTo == kind }) else { continue }
        ids.append((cell.state.id(Int(serial)) as UserID).raw)
      }
    }
  }
}
