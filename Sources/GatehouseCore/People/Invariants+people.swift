extension People {
  static func check(_ state: borrowing PartitionState, _ checker: InvariantChecker) {
    checker.checkPeople(state)
    checker.checkNames(state)
    checker.checkOrganisations(state)
  }
}

extension InvariantChecker {
  /// Users, their contacts, grants, access and memberships.
  fileprivate func checkPeople(_ state: borrowing PartitionState) {
    var live = 0
    var referenced = 0
    var external = 0
    var addresses = 0
    let watched = state.people.watchedEnds
    for serial in 1..<(state.people.users.last + 1) where state.people.users[serial].isUsed {
      let row = state.people.users[serial]
      let name = shown(state, user: serial)
      expect(row.lsn <= state.lsn, "\(name) is newer than its partition")
      guard state.people.contacts.contains(Int(row.contact)), state.people.contacts[Int(row.contact)].isUsed else {
        expect(false, "\(name) has no contact")
        continue
      }
      if row.status != .deleted {
        live += 1
        expect(
          state.people.contacts[Int(row.contact)].user == UInt32(serial), "\(name) is not the live user of its contact")
      }
      if !state.people.text(.reference, of: serial).isEmpty { referenced += 1 }
      external += state.people.externalIDs(of: serial).count
      addresses += state.people.keptAddresses(of: serial).count
      expect(
        state.people.logins(ofContact: Int(row.contact)).contains(serial), "\(name) is no login that its contact knows")
      checkGrants(state, serial, name)
      checkLimits(state, serial, name, watched)
      checkAccess(state, serial, name)
      let memberships = state.people.memberships(of: serial)
      expect(Set(memberships).count == memberships.count, "\(name) is a member of a workspace twice")
      expect(memberships.allSatisfy(isWorkspace), "\(name) is a member of a workspace that is not there")
      expect(row.status.mayLogIn || row.sessionCount == 0, "\(name) may not log in and has sessions")
    }
    checkFacets(state)
    checkOrders(state)
    expect(
      live == state.people.liveUsers,
      "partition \(state.index) counts \(state.people.liveUsers) live users, not \(live)")
    expect(
      referenced == state.people.references.count,
      "partition \(state.index) finds \(state.people.references.count) references, not \(referenced)")
    expect(
      external == state.people.externalIDs.count,
      "partition \(state.index) finds \(state.people.externalIDs.count) external ids, not \(external)")
    expect(
      addresses == state.people.keptAddresses.count,
      "partition \(state.index) finds \(state.people.keptAddresses.count) kept addresses, not \(addresses)")
    for serial in 1..<(state.people.contacts.last + 1) where state.people.contacts[serial].isUsed {
      let row = state.people.contacts[serial]
      expect(row.lsn <= state.lsn, "contact \(serial) of partition \(state.index) is newer than its partition")
      for login in state.people.logins(ofContact: serial) {
        expect(
          state.people.users.contains(login) && state.people.users[login].isUsed
            && state.people.users[login].contact == UInt32(serial),
          "contact \(serial) of partition \(state.index) names a login that is not its own")
      }
      checkMerges(state, serial)
      let (hired, released) = (state.people.text(.hired, of: serial), state.people.text(.released, of: serial))
      expect(
        (try? Turn.checkEmployment(hired: hired, released: released)) != nil,
        "contact \(serial) of partition \(state.index) is released before being hired")
      guard row.user != 0 else { continue }
      let isLive =
        state.people.users.contains(Int(row.user)) && state.people.users[Int(row.user)].contact == UInt32(serial)
        && state.people.users[Int(row.user)].status != .deleted
      expect(isLive, "contact \(serial) of partition \(state.index) names a live user that is not its own")
    }
  }

  /// What lists and counts find people by is what the rows have.
  private func checkFacets(_ state: borrowing PartitionState) {
    var users = FacetIndex()
    while users.last < state.people.userFacets.last {
      let next = users.last + 1
      let created = state.people.users[next].isUsed ? state.people.users[next].created : nil
      users.fileNext(state.people.facets(ofUser: next), created: created)
    }
    expect(
      users.sets == state.people.userFacets.sets, "partition \(state.index) files users by other facets than they have")
    expect(
      users.disorder <= state.people.userFacets.disorder,
      "users of partition \(state.index) were created in another order than lists take them to be")
    var contacts = FacetIndex()
    while contacts.last < state.people.contactFacets.last {
      let next = contacts.last + 1
      let created = state.people.contacts[next].isUsed ? state.people.contacts[next].created : nil
      contacts.fileNext(state.people.facets(ofContact: next), created: created)
    }
    expect(
      contacts.disorder <= state.people.contactFacets.disorder,
      "contacts of partition \(state.index) were created in another order than lists take them to be")
    expect(
      contacts.sets == state.people.contactFacets.sets,
      "partition \(state.index) files contacts by other facets than they have")
  }

  /// An order of lists that is complete has everybody, and each in their place.
  private func checkOrders(_ state: borrowing PartitionState) {
    for order in state.people.orders.inUse {
      guard let index = state.people.orders[order], index.isComplete(through: state.people.contacts.last) else {
        continue
      }
      var wanted: [(key: ContiguousArray<UInt8>, row: Int, contact: Int)] = []
      for contact in 1..<(state.people.contacts.last + 1) where state.people.contacts[contact].isUsed {
        if order.isOfUsers, state.people.contacts[contact].user == 0 { continue }
        let key = state.people.sortKey(ofContact: contact, in: order)
        wanted.append((key, state.people.row(ofContact: contact, in: order), contact))
      }
      wanted.sort { $0.key == $1.key ? $0.row < $1.row : $0.key.lexicographicallyPrecedes($1.key) }
      expect(
        (0..<index.count).map { index[$0].contact } == wanted.map { $0.contact },
        "partition \(state.index) has people in another order (\(order)) than their rows have")
    }
  }

  /// L13: whoever was merged leads to somebody who lists them, and nobody leads to themselves.
  private func checkMerges(_ state: borrowing PartitionState, _ serial: Int) {
    let id: ContactID = state.id(serial)
    for merged in state.people.merged(into: serial) {
      let found = contact(merged)
      expect(
        found.map { $0.cell.state.people.successor(ofContact: $0.serial) != nil } ?? false,
        "contact #\(merged.raw) was merged into contact #\(id.raw) and leads nowhere")
    }
    guard var next = state.people.successor(ofContact: serial) else { return }
    var seen: Set<ContactID> = [id]
    while seen.insert(next).inserted, let (cell, serial) = contact(next) {
      guard let further = cell.state.people.successor(ofContact: serial) else {
        return expect(
          cell.state.people.merged(into: serial).contains(id),
          "contact #\(id.raw) leads to contact #\(next.raw), which does not list it")
      }
      next = further
    }
    expect(false, "contact #\(id.raw) was merged into somebody who is not there, or into itself")
  }

  private func contact(_ id: ContactID) -> (cell: PartitionCell, serial: Int)? {
    partition(of: id).flatMap { cell in cell.state.serial(of: id).map { (cell, $0) } }
  }

  private func checkGrants(_ state: borrowing PartitionState, _ serial: Int, _ name: String) {
    let row = state.people.users[serial]
    let grants = state.people.grants(of: serial)
    expect(RoleSet(grants) == row.roles, "\(name) has other roles than grants")
    expect(grants.count { $0.isMain } <= 1, "\(name) has more than one main role")
    for (index, grant) in grants.enumerated() {
      expect(!grants[..<index].contains { $0.isSame(as: grant) }, "\(name) has the role \(grant.role.name) twice")
    }
    for grant in grants where grant.role.isDefined {
      expect(view.definition(of: grant.role)?.isDropped == false, "\(name) has a role that is not there")
    }
    if grants.contains(where: { $0.role == .superAdministrator && $0.scope == .everywhere }) {
      superAdministrators[state.id(serial)] = row.status.mayLogIn
    }
  }

  /// Rows with time limits are marked, and their next end is in the heap.
  private func checkLimits(
    _ state: borrowing PartitionState, _ serial: Int, _ name: String, _ watched: Set<UInt64>
  ) {
    let memberships = state.people.users.withDetails(of: serial) {
      Details.field(UserTag.membershipLimits, in: $0) != nil
    }
    let hasLimits =
      memberships || state.people.grants(of: serial).contains { !$0.limits.isNone }
      || state.people.allAccess(of: serial).contains { !$0.limits.isNone }
    expect(
      hasLimits == state.people.users[serial].flags.contains(.hasLimits),
      "\(name) has the wrong mark for time limits")
    let limited = state.people.membershipLimits(of: serial)
    expect(
      limited.keys.allSatisfy { state.people.isMember(serial, of: $0) },
      "\(name) has limits of a membership that does not exist")
    if let key = state.people.nextEndKey(of: serial) {
      expect(watched.contains(key), "the next end of \(name) is not watched")
    }
  }

  private func checkAccess(_ state: borrowing PartitionState, _ serial: Int, _ name: String) {
    let list = state.people.allAccess(of: serial)
    expect(Set(list.map(\.product)).count == list.count, "\(name) has two accesses to one product")
    for access in list {
      guard let product = view.product(access.product) else {
        expect(false, "\(name) has access to a product that is not there")
        continue
      }
      expect(Int(access.licence) <= product.pools.count, "\(name) has a licence that is not there")
      guard access.isEnabled else { continue }
      expect(state.people.users[serial].status != .deleted, "\(name) is deleted and may enter \(product.name)")
      expect(
        state.people.isMember(serial, of: product.workspace),
        "\(name) may enter \(product.name) of a workspace of others")
      seats[SeatKey(product: access.product, licence: 0), default: 0] += 1
      if access.licence != 0 { seats[SeatKey(product: access.product, licence: access.licence), default: 0] += 1 }
    }
  }

  /// Every live username leads to its user, so no two are the same.
  fileprivate func checkNames(_ state: borrowing PartitionState) {
    var named = 0
    state.people.names.forEach { _ in named += 1 }
    expect(named == state.people.names.count, "partition \(state.index) miscounts its names")
    var indexed: [Int] = []
    state.people.names.forEach { indexed.append($0) }
    expect(Set(indexed).count == indexed.count, "partition \(state.index) has a user twice in its index of names")
    for serial in indexed {
      let isRight =
        state.people.users.contains(serial)
        && NameKey(state.people.username(serial), state.partitioning).partition == state.index
      expect(isRight, "partition \(state.index) has a name in its index that belongs elsewhere")
    }
    checkOtherNames(state)
    for serial in 1..<(state.people.users.last + 1) where state.people.users[serial].isUsed {
      let username = state.people.username(serial)
      let key = NameKey(username, state.partitioning)
      let label = shown(state, user: serial)
      expect(!username.isEmpty, "\(label) has no username")
      expect(state.people.users[serial].nameHash == key.hash, "\(label) has the hash of another name")
      guard state.people.users[serial].status != .deleted, partitions.indices.contains(key.partition) else { continue }
      var folded = FoldedName(username).text
      let found = folded.withUTF8 { partitions[key.partition].state.holders(folded: .init($0), hash: key.hash) }
      expect(found.contains { $0.user == state.id(serial) }, "\(label) is not whom the username leads to")
    }
  }

  /// Names that lead to a user of another partition, or to several.
  private func checkOtherNames(_ state: borrowing PartitionState) {
    expect(
      !state.people.hasUnsettledNames, "the names of partition \(state.index) are those of another version of Unicode")
    for (name, holders) in state.people.otherNames {
      for holder in holders {
        let found = user(holder.user)
        expect(
          found.map { $0.cell.state.people.username($0.serial) == holder.name } ?? false,
          "the name \(holder.name) leads to user #\(holder.user.raw), who has another")
        expect(FoldedName(holder.name).text == name, "the name \(holder.name) is kept under \(name)")
      }
      var folded = name
      let isGivenAgain = folded.withUTF8 {
        state.people.localUser(folded: .init($0), hash: NameKey(name, state.partitioning).hash) != nil
      }
      let isOfOthers =
        isGivenAgain || holders.count > 1
        || holders.first.map { user($0.user)?.cell.index != state.index } ?? false
      expect(isOfOthers, "the name \(name) of a user of its own partition is kept as another's")
      expect(Set(holders.map(\.user)).count == holders.count, "the name \(name) leads to one user twice")
      expect(
        NameKey(name, state.partitioning).partition == state.index, "the name \(name) is kept in another partition")
    }
  }
}
