extension CommandTable {
  @Sendable static func userSet(_ turn: Turn) throws(Halt) {
    let user = try turn.user(1)
    var pairs = try FieldPairs(turn)
    try turn.requireNotDeleted(user)
    try turn.checkVersion(turn.version(of: user))
    try pairs.authorise(over: user, turn)
    pairs.settleDays(of: user, turn)
    try pairs.check(user, turn)
    let contact: ContactID = user.cell.state.id(user.contact)
    var count = 0
    var isShared = false
    for (field, new) in pairs.contact {
      let old = user.cell.state.people.text(field, of: user.contact)
      guard old != new else { continue }
      turn.emit(ContactSet(contact, field, old: old, new: new))
      count += 1
      isShared = true
    }
    for (field, new) in pairs.user {
      let old = user.cell.state.people.text(field, of: user.serial)
      guard old != new else { continue }
      if field == .reference {
        try turn.requireUnique(reference: new, of: user.id, in: user.home)
      }
      turn.emit(UserSet(user.id, field, old: old, new: new))
      count += 1
    }
    if isShared { turn.noteProducts(of: user) }
    turn.reply.integer(count)
  }

  @Sendable static func userRename(_ turn: Turn) throws(Halt) {
    let new = try turn.newUsername(2)
    let user = try turn.user(1)
    try turn.refuseImpersonation("a username")
    try turn.requireNotDeleted(user)
    try turn.checkVersion(turn.version(of: user))
    let old = user.username
    turn.reply.ok()
    guard old != new else { return }
    if let holder = try turn.holder(ofNewName: 2, besides: user.id) {
      throw .refused(turn.taken(new, by: holder))
    }
    for name in [old, new] { _ = try turn.cell(NameKey(name, turn.partitioning).partition) }
    turn.emit(UserRenamed(user.id, old: old, new: new))
    let email = user.cell.state.people.text(.email, of: user.contact)
    var recipient = email
    if EntityNames.isEmail(new) {
      recipient = new
      if email != new {
        turn.emit(ContactSet(user.cell.state.id(user.contact), .email, old: email, new: new))
        turn.noteProducts(of: user)
      }
    }
    guard !recipient.isEmpty else { return }
    try turn.queueMail(.usernameChanged, about: user.id, in: user.cell, to: recipient, "\(old) is now \(new)")
  }

  @Sendable static func userStatus(_ turn: Turn) throws(Halt) {
    let new = try turn.status(try turn.text(2, "status"))
    let user = try turn.user(1)
    try turn.requireNotDeleted(user)
    try turn.checkVersion(turn.version(of: user))
    guard new != .deleted else {
      throw .refused(
        .rule(
          "status", "a user is deleted with a reason and by its own rules", instead: "use USER.DELETE user REASON text")
      )
    }
    let old = user.row.status
    turn.reply.ok()
    guard old != new else { return }
    if !new.mayLogIn {
      turn.requireAnotherSuperAdministrator(than: user)
      // Locking keeps intruders out and is undone in a moment: an owner can be locked, but not put away.
      if new != .locked { try turn.requireNotOwner(user) }
    }
    turn.emit(StatusSet(user.id, old: old, new: new))
  }
}

extension Turn {
  /// T8: notes which products a change of shared data reaches.
  public func noteProducts(of user: UserReference) {
    let products = user.cell.state.people.allAccess(of: user.serial).filter(\.isEnabled).map(\.product)
    if !products.isEmpty { emit(Noted(user.id, .productsTouched(products))) }
  }
}

/// The fields and values of `USER.SET`, each field once.
private struct FieldPairs {
  private(set) var contact: [(field: ContactField, value: String)] = []
  private(set) var user: [(field: UserField, value: String)] = []

  init(_ turn: Turn) throws(Halt) {
    let words = turn.positional.dropFirst()
    guard words.count % 2 == 0 else {
      throw .refused(.syntax("every field needs a value: field value [field value …]"))
    }
    for word in stride(from: words.lowerBound, to: words.upperBound, by: 2) {
      let name = try turn.text(word, "field", limit: Limits.nameBytes).folded
      let text = try turn.text(word + 1, name)
      if let field = ContactField(name: name) {
        guard !contact.contains(where: { $0.field == field }) else { throw Self.twice(name) }
        contact.append((field, try turn.value(text, of: field)))
      } else if let field = UserField(name: name) {
        guard !user.contains(where: { $0.field == field }) else { throw Self.twice(name) }
        user.append((field, try Turn.value(text, of: field)))
      } else {
        throw Self.unknown(name)
      }
    }
  }

  private static func twice(_ name: String) -> Halt { .refused(.syntax("field \(name) is given twice")) }

  private static func unknown(_ name: String) -> Halt {
    switch name {
    case "username": return .refused(.syntax("username is changed with USER.RENAME user username"))
    case "status": return .refused(.syntax("status is changed with USER.STATUS user status"))
    default:
      let all = ContactField.allCases.map(\.name) + UserField.allCases.map(\.name)
      return .refused(.syntax("no field '\(name)'; fields are \(all.joined(separator: ", "))"))
    }
  }

  /// L10: everybody edits their own personal data; what the employer decides is an administrator's to set, and
  /// authority over the subscription a super administrator's (S5).
  func authorise(over target: UserReference, _ turn: Turn) throws(Halt) {
    guard turn.isLimited else { return }
    if contact.contains(where: { $0.field == .email }) { try turn.refuseImpersonation("an e-mail address") }
    if !contact.isEmpty {
      let isPersonal = contact.allSatisfy(\.field.isPersonal)
      try turn.require([.contactSet], over: Target(target), own: isPersonal ? .contactSet : nil)
    }
    if user.contains(where: { $0.field == .authority }) {
      try turn.refuseImpersonation("authority over the subscription")
      try turn.require([.authoritySet], over: Target(target))
    }
    if user.contains(where: { $0.field != .authority }) { try turn.require([.userSet], over: Target(target)) }
  }

  /// Makes days of moments: in the zone that is given with them, else in the one that the person has.
  mutating func settleDays(of target: UserReference, _ turn: Turn) {
    guard contact.contains(where: { $0.field.isDay }) else { return }
    let cell = target.cell
    let name = contact.first { $0.field == .timezone }?.value ?? cell.state.people.text(.timezone, of: target.contact)
    let zone = turn.zone(named: name, elseOf: turn.directory.workspace(target.home ?? mainWorkspace))
    for place in contact.indices where contact[place].field.isDay {
      contact[place].value = Turn.day(contact[place].value, in: zone)
    }
  }

  /// The rules that look at several fields, or at what a workspace requires (S4).
  func check(_ target: UserReference, _ turn: Turn) throws(Halt) {
    func value(_ field: ContactField) -> String {
      contact.first { $0.field == field }?.value ?? target.cell.state.people.text(field, of: target.contact)
    }
    if contact.contains(where: { $0.field.isDay }) {
      try Turn.checkEmployment(hired: value(.hired), released: value(.released))
    }
    var cleared = contact.filter { $0.value.isEmpty }.map(\.field.name)
    cleared += user.filter { $0.value.isEmpty }.map(\.field.name)
    guard !cleared.isEmpty else { return }
    turn.read(turn.directory.lsn)
    // W5: what other workspaces require of their own people is not asked.
    let home = turn.directory.workspace(target.home ?? mainWorkspace)
    guard let field = cleared.first(where: { home.policies.requiredFields.contains($0) }) else { return }
    throw .refused(
      .rule("user.required-fields", "\(home.name) requires \(field)", instead: "give it another value"))
  }
}
