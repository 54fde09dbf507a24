/// What keeps an account or a group from being deleted: people employed there, and roles and links that name it. The
/// command holds all partitions, and looks into the index of each.
extension Turn {
  func requireUnreferred(_ account: Account, in cells: [HeldPartition]) throws(Halt) {
    var employees = Referring()
    var others = Referring()
    for cell in cells {
      // That nobody refers to it is read of the whole partition.
      read(cell.state.lsn)
      for contact in cell.state.people.referrers[.employees(account.id)] {
        // Whether the employment has ended depends on the person's time zone.
        let today = cell.state.people.zone(
          ofContact: Int(contact), elseOf: directory.workspace(account.workspace), directory.zones
        ).zone.rules.day(at: now)
        let isOver = cell.state.people.employments(of: Int(contact)).allSatisfy {
          $0.account != account.id || $0.hasEnded(on: today)
        }
        if !isOver { note(&employees, cell, contact: Int(contact)) }
      }
      note(&others, cell, users: cell.state.people.referrers[.ofAccount(account.id)])
    }
    if employees.count > 0 {
      throw .refused(
        .rule(
          "account", "\(employees) \(employees.count == 1 ? "is" : "are") employed at \(account.name)",
          instead: "end that first with EMPLOY.END user account"))
    }
    try refuse(others, "account", account.name)
  }

  func requireUnreferred(_ group: AccountGroup, in cells: [HeldPartition]) throws(Halt) {
    var others = Referring()
    for cell in cells {
      read(cell.state.lsn)
      note(&others, cell, users: cell.state.people.referrers[.ofGroup(group.id)])
    }
    try refuse(others, "group", group.name)
  }

  private func refuse(_ others: Referring, _ what: String, _ name: String) throws(Halt) {
    guard others.count > 0 else { return }
    throw .refused(
      .rule(
        what, "\(others) \(others.count == 1 ? "has" : "have") a role or a management link over \(name)",
        instead: "take that away first with ROLE.REVOKE or MANAGE.REMOVE"))
  }

  private func note(_ referring: inout Referring, _ cell: HeldPartition, users: ContiguousArray<UInt32>) {
    // Who refers in several ways stands there several times, one after the other.
    var last: UInt32?
    for serial in users where serial != last {
      last = serial
      let user = UserReference(id: cell.state.id(Int(serial)), cell: cell, serial: Int(serial))
      referring.note { mayName(user) ? user.username : nil }
    }
  }

  private func note(_ referring: inout Referring, _ cell: HeldPartition, contact: Int) {
    let serial = cell.state.people.newestLogin(ofContact: contact)
    referring.note {
      guard serial != 0 else { return nil }
      let user = UserReference(id: cell.state.id(serial), cell: cell, serial: serial)
      return mayName(user) ? user.username : nil
    }
  }
}

/// How many refer to something, and some of their names: `12 (ana, bob, …)`.
struct Referring: CustomStringConvertible {
  private(set) var count = 0
  private var names: [String] = []

  /// - Parameter name: of one more; nil where the caller does not know them.
  mutating func note(_ name: () -> String?) {
    count += 1
    if names.count < Limits.referrersNamed, let name = name() { names.append(name) }
  }

  var description: String {
    if names.isEmpty { return "\(count)" }
    return "\(count) (\(names.joined(separator: ", "))\(count > names.count ? ", …" : ""))"
  }
}
