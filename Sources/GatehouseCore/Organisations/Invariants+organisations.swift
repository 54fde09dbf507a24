extension InvariantChecker {
  /// Employments, management links and the index of who refers to what.
  func checkOrganisations(_ state: borrowing PartitionState) {
    expect(
      state.people.referrers == state.people.foundReferrers(),
      "partition \(state.index) finds others who refer to accounts and groups than there are")
    for serial in 1..<(state.people.contacts.last + 1) where state.people.contacts[serial].isUsed {
      let label = "contact \(serial) of partition \(state.index)"
      checkEmployments(state.people.employments(of: serial), label)
    }
    for serial in 1..<(state.people.users.last + 1) where state.people.users[serial].isUsed {
      checkReferences(state, serial, shown(state, user: serial))
    }
  }

  private func checkEmployments(_ employments: [Employment], _ label: String) {
    expect(Set(employments.map(\.account)).count == employments.count, "\(label) is employed at one account twice")
    for employment in employments {
      expect(
        GuestAccount.workspace(of: employment.account) == nil
          && view.account(employment.account)?.workspace == employment.workspace,
        "\(label) is employed at an account that is not there")
      if let from = employment.from, let to = employment.to {
        expect(from <= to, "an employment of \(label) ends before it begins")
      }
    }
    for workspace in Set(employments.map(\.workspace)) {
      let mains = employments.count { $0.workspace == workspace && $0.isMain }
      expect(mains == 1, "\(label) has \(mains) main employments in one workspace")
    }
  }

  private func checkReferences(_ state: borrowing PartitionState, _ serial: Int, _ name: String) {
    let links = state.people.management(of: serial)
    let scopes = state.people.grants(of: serial).map(\.scope) + links.compactMap(\.scope)
    var refers = !links.isEmpty
    for scope in scopes {
      switch scope {
      case .account(let id, let workspace):
        refers = true
        let account = view.account(id)
        expect(
          account?.workspace == workspace && account?.isDeleted == false,
          "\(name) has power over an account that is not there")
      case .group(let id, let workspace):
        refers = true
        let group = view.group(id)
        expect(
          group?.workspace == workspace && group?.isDeleted == false, "\(name) has power over a group that is not there"
        )
      case .everywhere, .workspace, .product: break
      }
    }
    expect(
      state.people.users[serial].flags.contains(.refersToOrganisations) == refers,
      "\(name) is marked wrongly as to accounts and groups")
    for (index, link) in links.enumerated() {
      expect(!links[..<index].contains(link), "\(name) has a management link twice")
      expect(isWorkspace(link.workspace), "\(name) has a management link in a workspace that is not there")
      if case .user(let id) = link.target { expect(user(id) != nil, "\(name) looks after a user who is not there") }
    }
  }
}
