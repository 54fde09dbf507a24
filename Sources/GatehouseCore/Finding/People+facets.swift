/// The facets of people, as their rows have them.
extension People {
  /// Those of a login; a deleted one has nothing but its status.
  func facets(ofUser serial: Int) -> [Facet] {
    let row = users[serial]
    guard row.isUsed else { return [] }
    guard row.status != .deleted else { return [.status(.deleted)] }
    var facets: [Facet] = [.status(row.status)]
    for workspace in memberships(of: serial) { facets.append(.workspace(workspace)) }
    for access in allAccess(of: serial) where access.isEnabled { facets.append(.product(access.product)) }
    for grant in grants(of: serial) where !facets.contains(.role(grant.role)) { facets.append(.role(grant.role)) }
    if row.flags.contains(.hasLimits) { facets.append(.limited) }
    let employments = employments(of: Int(row.contact))
    guard employments.allSatisfy({ isSettled($0, of: Int(row.contact)) }) else { return facets + [.dated] }
    for workspace in memberships(of: serial) {
      facets.append(.mainAccount(Employers(settled: employments).mainAccount(in: workspace)))
    }
    return facets
  }

  /// Whether an employment is in force from now on, in whatever time zone: it has no end, and began before the person was
  /// made.
  private func isSettled(_ employment: Employment, of contact: Int) -> Bool {
    guard employment.to == nil else { return false }
    guard let from = employment.from else { return true }
    return Milliseconds(from) + 2 < contacts[contact].created / Days.milliseconds
  }

  /// Those of a contact: the workspaces of its newest login, else the one in which it was created.
  func facets(ofContact serial: Int) -> [Facet] {
    guard contacts[serial].isUsed else { return [] }
    let login = newestLogin(ofContact: serial)
    if login != 0 { return memberships(of: login).map(Facet.workspace) }
    return home(ofContact: serial).map { [.workspace($0)] } ?? []
  }

  /// Files people who are not filed yet, so few that the partition is not held for long.
  /// - Returns: whether all are filed.
  mutating func filePeople(most: Int) -> Bool {
    if areFiled { return true }
    for _ in 0..<most where userFacets.last < users.last {
      let next = userFacets.last + 1
      userFacets.fileNext(facets(ofUser: next), created: users[next].isUsed ? users[next].created : nil)
    }
    for _ in 0..<most where contactFacets.last < contacts.last {
      let next = contactFacets.last + 1
      contactFacets.fileNext(facets(ofContact: next), created: contacts[next].isUsed ? contacts[next].created : nil)
    }
    return areFiled
  }

  var areFiled: Bool { userFacets.last >= users.last && contactFacets.last >= contacts.last }

  // MARK: Changes

  /// The facets of a person before a change of the rows.
  struct Filed {
    fileprivate let user: Int
    fileprivate let contact: Int
    fileprivate let userFacets: [Facet]
    fileprivate let contactFacets: [Facet]
  }

  /// What is to be filed anew after a change of a user; nil if the user is not filed yet.
  func filed(user serial: Int) -> Filed? { filed(user: serial, contact: Int(users[serial].contact)) }

  func filed(contact serial: Int) -> Filed? { filed(user: newestLogin(ofContact: serial), contact: serial) }

  func filed(user: Int, contact: Int) -> Filed? {
    let hasUser = user != 0 && user <= userFacets.last
    let hasContact = contact != 0 && contact <= contactFacets.last
    guard hasUser || hasContact else { return nil }
    return Filed(
      user: hasUser ? user : 0, contact: hasContact ? contact : 0,
      userFacets: hasUser ? facets(ofUser: user) : [], contactFacets: hasContact ? facets(ofContact: contact) : [])
  }

  mutating func refile(_ filed: Filed?) {
    guard let filed else { return }
    if filed.user != 0 {
      userFacets.refile(filed.user, from: filed.userFacets, to: facets(ofUser: filed.user))
    }
    if filed.contact != 0 {
      contactFacets.refile(filed.contact, from: filed.contactFacets, to: facets(ofContact: filed.contact))
    }
  }
}

extension Gathered {
  /// Files some of the people of a partition; if not all are filed then, the scan comes back to where it is.
  mutating func hasFiledPeople(of cell: HeldPartition) -> Bool {
    if cell.state.people.filePeople(most: Limits.filedOfSlice) { return true }
    comeBack(at: max(1, nextRow))
    return false
  }
}

extension PartitionState {
  /// Files some of the people who are not filed yet.
  public mutating func filePeople() { _ = people.filePeople(most: Limits.filedOfSlice) }
}
