/// What the login rules would have read at an earlier moment (B1): whom the name meant, the person, the product and its
/// workspace. `Fact` says where the past of each comes from:
///
/// | what the rules read | its past |
/// | --- | --- |
/// | whom the name means, and whom somebody leads to who was merged | `holder`, `username`, `successor` |
/// | whether user and product exist | when they were created, which the rows say |
/// | status | `status` |
/// | access with its licence and time limits | `access` |
/// | the time limits of the membership | `membership` |
/// | hire and release date, time zone | `field` |
/// | the product's licence types | `pools` |
/// | the workspace's policies | `setting` |
///
/// Names of products and workspaces never change. Time zones are those that the machine knows today.
struct PastLogin {
  let moment: Milliseconds
  private(set) var user: PersonFacts?
  private(set) var product: Product?
  private(set) var workspace: Workspace?
  /// Whether the dates of the person were cleared since (L6), and so are not shown.
  private(set) var hidesDates = false

  /// - Throws: `Halt.work` until the log was read for all that it takes.
  init(_ turn: Turn, at moment: Milliseconds, name word: Int, _ product: Product?) throws(Halt) {
    self.moment = moment
    var reader = PastReader(turn, moment)
    if let product, product.created <= moment {
      self.product = product
      reader.want(product)
    }
    let reference = try reader.user(word, self.product)
    let changes = try reader.changes()
    describeProduct(changes, turn.directory)
    guard let reference else { return }
    var facts = PersonFacts(reference)
    facts.takeBack(changes, reference, self.product)
    hidesDates = reference.contactReference.isAnonymised && reader.hasClearedDates(reference, changes)
    user = facts
  }

  private mutating func describeProduct(_ changes: PastChanges, _ directory: Directory) {
    guard let now = product else { return }
    if let first = changes.after[.pools(now.id)]?.as(PoolSet.self), let licence = now.licence(first.type) {
      // Pools are never removed, so those there were are the first of them.
      product?.pools.removeSubrange((Int(licence) - 1)...)
    }
    var then = directory.workspace(now.workspace)
    for key in PastReader.settings {
      if let first = changes.after[.setting(now.workspace, key)]?.as(WorkspaceSet.self) { then.set(key, to: first.old) }
    }
    workspace = then
  }
}

extension PersonFacts {
  fileprivate mutating func takeBack(_ changes: PastChanges, _ user: UserReference, _ product: Product?) {
    if let first = changes.after[.status(id)]?.as(StatusSet.self) { status = first.old }
    if let product {
      if let first = changes.after[.access(id, product.id)]?.as(AccessSet.self) {
        accesses.removeAll { $0.product == product.id }
        if let old = first.old { accesses.append(old) }
      }
      switch changes.after[.membership(id, product.workspace)]?.known {
      case let first as MembershipLimited: membershipLimits[product.workspace] = first.old
      case let first as WorkspaceLeft: membershipLimits[product.workspace] = first.limits
      default: break
      }
    }
    for field in PastReader.fields {
      let value: String
      switch changes.after[.field(contact, field)]?.known {
      case let first as ContactSet: value = first.old
      case is ContactAnonymised: value = changes.until[.field(contact, field)]?.known?.text(of: field) ?? ""
      default: continue
      }
      ContactSet(contact, field, old: "", new: value).apply(to: &self)
    }
  }
}

extension Change {
  /// What it makes of a contact's field; empty if it clears it.
  fileprivate func text(of field: ContactField) -> String {
    switch self {
    case let change as ContactSet: change.new
    case let change as ContactCreated: change.fields.first { $0.field == field }?.text ?? ""
    default: ""
    }
  }
}

/// Asks the log for what one login was decided by, step by step: each answer can lead to the next question.
private struct PastReader {
  /// What the rules read of a contact, and of a workspace.
  static let fields = ContactField.allCases.filter(\.isOfEmployment)
  static let settings = ["policy.login.within-employment", "policy.timezone"]

  let turn: Turn
  let moment: Milliseconds
  private var work: ReadPast

  init(_ turn: Turn, _ moment: Milliseconds) {
    self.turn = turn
    self.moment = moment
    work = ReadPast(moment)
  }

  func changes() throws(Halt) -> PastChanges { try turn.outcome(ofReading: work) }

  mutating func want(_ product: Product) {
    work.want(firstAfter: .pools(product.id), version: UInt32(product.pools.count))
    let workspace = turn.directory.workspace(product.workspace)
    for key in Self.settings { work.want(firstAfter: .setting(workspace.id, key), version: workspace.version) }
  }

  private mutating func want(_ user: UserReference, _ product: Product?) {
    let version = user.row.version
    work.want(firstAfter: .status(user.id), version: version)
    if let product {
      work.want(firstAfter: .access(user.id, product.id), version: version)
      work.want(firstAfter: .membership(user.id, product.workspace), version: version)
    }
    for field in Self.fields {
      work.want(firstAfter: .field(user.contactID, field), version: user.contactReference.row.version)
    }
  }

  /// The user that a word meant, and who may have been known by another name since; nil if there was none.
  ///
  /// Who has the name today and was known by another then is found as well, unless the name was somebody else's.
  mutating func user(_ word: Int, _ product: Product?) throws(Halt) -> UserReference? {
    guard let named = try namedUser(word, product) else { return nil }
    guard let kept = try successor(of: named, product) else { return nil }
    let known = !turn.isLimited || turn.knows(kept) ? kept : turn.knows(named) ? named : nil
    guard let user = known else { return nil }
    try wantClearedDates(of: user)
    return user
  }

  // MARK: Names

  private mutating func namedUser(_ word: Int, _ product: Product?) throws(Halt) -> UserReference? {
    let today = try turn.anyUser(word).flatMap { $0.row.created <= moment ? $0 : nil }
    if let today { want(today, product) }
    guard turn.word(word).first != UInt8(ascii: "#") else { return today }
    let name = turn.arguments.string(word).folded
    if let today {
      work.want(firstAfter: .username(today.id), version: today.row.version)
      let renamed = try changes().after[.username(today.id)]?.as(UserRenamed.self)
      let hadName = renamed.map { $0.old.folded == name } ?? true
      if hadName, try !isDeleted(today) { return today }
    }
    // Somebody else may have had it, as a deleted user's name can be given again.
    work.want(lastUntil: .holder(name))
    guard let id = try changes().until[.holder(name)]?.known?.taker(of: name), id != today?.id,
      let holder = try turn.user(id), !holder.contactReference.isAnonymised
    else { return today }
    want(holder, product)
    return holder
  }

  // MARK: Merged people

  /// The one to whom a user led then; the user itself if to nobody. See `Turn.successor`.
  private mutating func successor(of user: UserReference, _ product: Product?) throws(Halt) -> UserReference? {
    var found = user
    var seen: Set<UserID> = [user.id]
    while try isDeleted(found) {
      work.want(firstAfter: .successor(found.id), version: found.row.version)
      let next: UserID?
      switch try changes().after[.successor(found.id)]?.known {
      case is ContactsMerged: next = nil
      case let parted as ContactsParted: next = parted.keepUser
      default: next = found.cell.state.people.successor(ofUser: found.serial)
      }
      guard let next, seen.insert(next).inserted, let user = try turn.user(next) else { break }
      want(user, product)
      found = user
    }
    guard found.id != user.id, try isDeleted(found) else { return found }
    for login in found.contactReference.logins where login.row.created <= moment {
      want(login, product)
      if try !isDeleted(login) { return login }
    }
    return found
  }

  private func isDeleted(_ user: UserReference) throws(Halt) -> Bool {
    let first = try changes().after[.status(user.id)]?.as(StatusSet.self)
    return (first?.old ?? user.status) == .deleted
  }

  // MARK: Cleared people

  /// Anonymising does not say what it cleared, so what was there stands in the last change before.
  private mutating func wantClearedDates(of user: UserReference) throws(Halt) {
    guard user.contactReference.isAnonymised else { return }
    let changes = try changes()
    for field in Self.fields where changes.after[.field(user.contactID, field)]?.as(ContactAnonymised.self) != nil {
      work.want(lastUntil: .field(user.contactID, field))
    }
  }

  func hasClearedDates(_ user: UserReference, _ changes: PastChanges) -> Bool {
    Self.fields.contains { changes.after[.field(user.contactID, $0)] != nil }
  }
}

extension Change {
  /// Who has a name after this change of who has it; nil if nobody.
  fileprivate func taker(of name: String) -> UserID? {
    switch self {
    case let change as UserCreated: change.user
    case let change as UserRenamed: change.new.folded == name ? change.user : nil
    case let change as UsernameRegained: change.user
    default: nil
    }
  }
}
