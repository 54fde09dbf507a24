/// What keeps a record from being taken back: what was changed again since, and what rests on it.
extension Undoing {
  /// Refuses if what the record changed was changed again since, or something else rests on it.
  func checkUntouched() throws(Halt) {
    for user in try users() where user.contactReference.isAnonymised {
      throw built("contact #\(user.contactID.raw) was anonymised")
    }
    for change in part.changes {
      switch change.known {
      case let change as StatusSet: try check(change)
      case let change as ContactSet:
        guard let contact = try turn.contact(change.contact) else { continue }
        try expect(change.new, contact.text(change.field), change.field.name, contact)
      case let change as CustomFieldSet:
        guard let contact = try turn.contact(change.contact) else { continue }
        guard let field = turn.directory.field(change.field), !field.isDropped else {
          throw built("a field that it set was dropped since")
        }
        try expect(
          change.new, contact.cell.state.people.custom(field.id, of: contact.serial), field.name, contact)
      case let change as UserSet:
        guard let user = try turn.user(change.user) else { continue }
        try expect(
          change.new, user.cell.state.people.text(change.field, of: user.serial), change.field.name,
          user.contactReference)
      case let change as AccessSet:
        guard let user = try turn.user(change.user), let product = (change.old ?? change.new)?.product else { continue }
        guard user.access(to: product) == change.new else {
          throw built("the access of \(user.username) to a product was changed since")
        }
      case let change as EmploymentSet:
        guard let contact = try turn.contact(change.contact), let employment = change.old ?? change.new,
          turn.knownWorkspaces.contains(employment.workspace), !isUntouched(change, of: contact)
        else { continue }
        throw built(
          "the employment of \(name(of: contact)) at \(turn.directory.accountName(employment.account)) was changed since"
        )
      case let change as ContactsMerged: try check(change)
      default: continue
      }
    }
  }

  /// Whether an employment is as the record left it.
  func isUntouched(_ change: EmploymentSet, of contact: ContactReference) -> Bool {
    let now = contact.cell.state.people.employments(of: contact.serial)
    return now.first { $0.account == (change.old ?? change.new)?.account } == change.new
  }

  func name(of contact: ContactReference) -> String {
    contact.newestLogin?.username ?? "contact #\(contact.id.raw)"
  }

  private func expect(_ new: String, _ now: String, _ field: String, _ contact: ContactReference) throws(Halt) {
    guard new != now else { return }
    throw built("\(field) of \(name(of: contact)) was changed since")
  }

  private func check(_ change: StatusSet) throws(Halt) {
    guard let user = try turn.user(change.user) else { return }
    guard user.row.status == change.new else {
      throw built("the status of \(user.username) was changed since, to \(user.row.status.name)")
    }
    guard change.new == .deleted else { return }
    let contact = user.contactReference
    if let newest = contact.logins.first, newest.id != user.id {
      throw built("contact #\(contact.id.raw) got another login since, \(newest.username)")
    }
    let isMergedHere = part.changes.contains { $0.as(ContactsMerged.self)?.drop == contact.id }
    if !isMergedHere, let other = user.cell.state.people.successor(ofContact: user.contact) {
      throw built("contact #\(contact.id.raw) was merged into contact #\(other.raw) since")
    }
    if try turn.holder(ofNewName: user.username, besides: user.id) != nil {
      throw built("the username \(user.username) was given to somebody else since")
    }
    let reference = user.cell.state.people.text(.reference, of: user.serial)
    try turn.requireUnique(reference: reference, of: user.id, in: user.home)
    try checkExternalIDs(of: user)
  }

  /// Refuses to take somebody back whose external identifier another user of the workspace has got since.
  private func checkExternalIDs(of user: UserReference) throws(Halt) {
    let held = user.cell.state.people.externalIDs(of: user.serial)
    if held.isEmpty { return }
    for cell in try turn.everything() {
      // The absence is read from the whole partition.
      turn.read(cell.state.lsn)
      for external in held where cell.state.user(withExternalID: external.text, in: external.workspace) != nil {
        throw built("an \(ProvisionedValue.externalID) of \(user.username) was given to somebody else since")
      }
    }
  }

  private func check(_ change: ContactsMerged) throws(Halt) {
    guard let keep = try turn.contact(change.keep), let drop = try turn.contact(change.drop) else { return }
    guard drop.cell.state.people.successor(ofContact: drop.serial) == keep.id else {
      throw built("contact #\(drop.id.raw) leads elsewhere by now")
    }
    if let next = keep.cell.state.people.successor(ofContact: keep.serial) {
      throw built("contact #\(keep.id.raw) was merged into contact #\(next.raw) since")
    }
  }

  /// Refuses if something rests on a membership that it would take back, or on the merge of two people.
  func checkUnbuilt() throws(Halt) {
    for change in part.changes {
      guard let joined = change.as(WorkspaceJoined.self), let user = try turn.user(joined.user) else { continue }
      let workspace = turn.directory.workspace(joined.workspace)
      try guarded(user) { () throws(Halt) in try turn.require(.memberManage, over: .workspace(workspace.id), of: user) }
      guard user.isMember(of: workspace.id) else {
        throw built("\(user.username) is not a member of \(workspace.name) any more")
      }
      if let what = try built(on: workspace, by: user) {
        throw built("\(user.username), who would not be a member of \(workspace.name) any more, \(what)")
      }
    }
    for change in part.changes.compactMap({ $0.as(ContactsMerged.self) }) { try checkUnbuilt(change) }
  }

  /// Refuses to part two people if it is not known any more whose something is, or if one of them would escape what the
  /// other was given for both.
  private func checkUnbuilt(_ merged: ContactsMerged) throws(Halt) {
    guard let keep = try turn.contact(merged.keep), let drop = try turn.contact(merged.drop) else { return }
    guard let kept = keep.user else { throw built("\(name(of: keep)) was deleted since") }
    let returned = part.changes.lazy.compactMap { $0.as(StatusSet.self) }.first { change in
      change.new == .deleted && drop.logins.contains { $0.id == change.user }
    }
    if let returned, returned.old.mayLogIn, !kept.row.status.mayLogIn, kept.row.lsn > lsn {
      throw built(
        "\(kept.username) is \(kept.row.status.name) since, and \(name(of: drop)) would be \(returned.old.name)")
    }
    let cell = keep.cell
    let known = turn.knownWorkspaces
    let contact = UInt32(keep.serial)
    let hasTime =
      cell.state.time.orders.of(contact).contains { order in
        known.contains(order.workspace) && order.serials.contains { cell.state.time.entries[Int($0)].lsn > lsn }
      }
      || cell.state.timers(of: kept.serial).contains { known.contains($0.workspace) && $0.timer.lsn > lsn }
    if hasTime { throw built("\(kept.username), who was one with \(name(of: drop)), has time recorded since") }
    let isLinked = (cell.state.links.ofContact[contact] ?? []).contains { link in
      let row = cell.state.links.rows[Int(link)]
      return known.contains(row.workspace) && row.lsn > lsn
    }
    if isLinked { throw built("\(kept.username), who was one with \(name(of: drop)), has linked records since") }
  }

  /// What a user has in a workspace besides what this record gave, as a verb and its object.
  private func built(on workspace: Workspace, by user: UserReference) throws(Halt) -> String? {
    if workspace.owner == user.id { return "owns it" }
    if user.home == workspace.id { return "is at home there" }
    if let grant = user.grants.first(where: { turn.directory.workspace(of: $0.scope) == workspace.id }) {
      return "has the role \(turn.directory.name(of: grant.role)) there"
    }
    let given = part.changes.compactMap { $0.as(AccessSet.self) }.filter { $0.user == user.id }.compactMap(
      \.new?.product)
    for access in user.cell.state.people.allAccess(of: user.serial) where access.isEnabled {
      guard let product = turn.directory.product(access.product), product.workspace == workspace.id,
        !given.contains(product.id)
      else { continue }
      return "has access to \(turn.directory.productName(product))"
    }
    let employers = part.changes.compactMap { $0.as(EmploymentSet.self) }.filter { $0.contact == user.contactID }
      .compactMap(\.new?.account)
    for employment in user.employments where employment.workspace == workspace.id {
      guard !employers.contains(employment.account) else { continue }
      return "is employed at \(turn.directory.accountName(employment.account))"
    }
    if user.management.contains(where: { $0.workspace == workspace.id }) { return "manages somebody there" }
    let cell = user.cell
    if cell.state.timers(of: user.serial).contains(where: { $0.workspace == workspace.id }) {
      return "has a timer running there"
    }
    let contact = UInt32(user.contact)
    let entries = cell.state.time.orders.of(contact).filter { $0.workspace == workspace.id }.flatMap(\.serials)
    if entries.contains(where: { cell.state.time.entries[Int($0)].lsn > lsn }) {
      return "has time recorded there since"
    }
    let links = cell.state.links.ofContact[contact] ?? []
    let isLinked = links.contains { link in
      let row = cell.state.links.rows[Int(link)]
      return row.workspace == workspace.id && row.lsn > lsn
    }
    return isLinked ? "has linked records there since" : nil
  }
}
