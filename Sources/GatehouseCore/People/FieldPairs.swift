/// The fields and values of `USER.SET` and `CONTACT.SET`, each field once.
struct FieldPairs {
  var contact: [ContactText] = []
  var user: [(field: UserField, value: String)] = []
  /// Fields added by workspaces.
  var custom: [(field: FieldDefinition, value: String)] = []

  init() {}

  var isEmpty: Bool { contact.isEmpty && user.isEmpty && custom.isEmpty }

  /// - Parameters:
  ///   - isBulk: whether `status` may be among them, which is the caller's.
  ///   - isShared: whether they are set of several users: what must differ from user to user is refused.
  init(
    _ turn: Turn, over person: ContactReference, isBulk: Bool = false, isShared: Bool = false
  ) throws(Halt) {
    for pair in try turn.pairs(of: "field") {
      let name = try turn.text(pair.name, "field", limit: Limits.nameBytes).folded
      if isBulk, name == "status" { continue }
      if isShared, name == UserField.reference.name {
        throw .refused(
          .syntax("reference differs from user to user; set it with USER.SET user reference value", of: name))
      }
      let text = try turn.text(pair.value, name)
      if let field = ContactField(name: name) {
        guard !contact.contains(where: { $0.field == field }) else { throw Self.twice(name) }
        contact.append(ContactText(field, try turn.value(text, of: field)))
      } else if let field = UserField(name: name) {
        guard !user.contains(where: { $0.field == field }) else { throw Self.twice(name) }
        user.append((field, try Turn.value(text, of: field)))
      } else if let field = try turn.field(named: name, among: person.workspaces) {
        guard !custom.contains(where: { $0.field.id == field.id }) else { throw Self.twice(name) }
        custom.append((field, try turn.value(text, of: field)))
      } else {
        throw unknown(name, of: person, turn)
      }
    }
  }

  private static func twice(_ name: String) -> Halt { .refused(.syntax("field \(name) is given twice", of: name)) }

  private func unknown(_ name: String, of person: ContactReference, _ turn: Turn) -> Halt {
    switch name {
    case "username": return .refused(.syntax("username is changed with USER.RENAME user username", of: name))
    case "status": return .refused(.syntax("status is changed with USER.STATUS user status", of: name))
    default:
      let known = turn.isLimited ? turn.knownWorkspaces : .all
      let added = person.workspaces.filter(known.contains).flatMap { turn.directory.fields(of: $0) }
      let all =
        ContactField.allCases.map(\.name) + UserField.allCases.map(\.name)
        + added.map { turn.fieldName($0, home: person.workspaces.first) }
      return .refused(.syntax("no field '\(name)'; fields are \(all.joined(separator: ", "))", of: name))
    }
  }

  /// L10: people edit their own personal data. The rest is for administrators, and authority over the subscription for
  /// super administrators (S5).
  func authorise(over person: ContactReference, _ turn: Turn) throws(Halt) {
    guard turn.isLimited else { return }
    let target = turn.target(of: person)
    // A workspace's own fields are set by whoever may set the card there, whatever the person's home is (W3).
    for workspace in Set(custom.map(\.field.workspace)) {
      try turn.require([.contactSet, .memberManage], over: Target(.workspace(workspace), person.user))
      if let user = person.user { try turn.requireMoreThanManaging(user, to: .contactSet, over: .workspace(workspace)) }
    }
    let setsEmail = contact.contains { $0.field == .email }
    if setsEmail { try turn.requireOwnLogin(toChange: .email) }
    if !contact.isEmpty {
      let isPersonal = contact.allSatisfy(\.field.isPersonal)
      try turn.require([.contactSet], over: target, own: isPersonal ? .contactSet : nil)
      // T8: fields that products share are anybody's who administers one; the address opens the login, and the days of
      // employment can end it.
      if setsEmail, let user = target.user { try turn.requireAddressing(user) }
      if let user = person.user, contact.contains(where: { $0.field.isDay }),
        user.memberships.contains(where: { turn.directory.workspace($0).policies.withinEmployment })
      {
        try turn.requireTakingOver(user, by: [.contactSet])
      }
      if !isPersonal, let user = person.user {
        try turn.requireMoreThanManaging(user, to: .contactSet, over: target.site(for: .contactSet, at: turn.now))
      }
    }
    if user.contains(where: { $0.field == .authority }) {
      try turn.require([.authoritySet], over: target)
    }
    if user.contains(where: { $0.field != .authority }) { try turn.require([.userSet], over: target) }
  }

  /// Turns points in time into days: in the zone given in the same command, else in the person's.
  mutating func settleDays(of person: ContactReference, _ turn: Turn) {
    guard contact.contains(where: { $0.field.isDay }) else { return }
    let zone = turn.zone(
      named: value(.timezone, over: person), elseOf: turn.directory.workspace(person.home ?? mainWorkspace))
    contact = contact.map { $0.field.isDay ? ContactText($0.field, Turn.day($0.text, in: zone)) : $0 }
  }

  /// The value that a field will have.
  private func value(_ field: ContactField, over person: ContactReference) -> String {
    contact.first { $0.field == field }?.text ?? person.text(field)
  }

  /// The rules that concern several fields, or what a workspace requires (S4).
  func check(_ person: ContactReference, _ turn: Turn) throws(Halt) {
    try turn.requireNotAnonymised(person)
    if contact.contains(where: { $0.field.isDay }) {
      try Turn.checkEmployment(hired: value(.hired, over: person), released: value(.released, over: person))
    }
    // Only users need the required fields; a contact without a login may lack them.
    guard person.row.user != 0 else { return }
    var cleared = contact.filter { $0.text.isEmpty }.map(\.field.name)
    cleared += user.filter { $0.value.isEmpty }.map(\.field.name)
    let emptied = custom.filter { $0.value.isEmpty }.map(\.field)
    guard !cleared.isEmpty || !emptied.isEmpty else { return }
    turn.read(turn.directory.lsn)
    // W5: only the home's requirements apply.
    let home = turn.directory.workspace(person.home ?? mainWorkspace)
    let mandatory = emptied.first { $0.isMandatory && $0.workspace == home.id }?.name
    guard let field = mandatory ?? cleared.first(where: { home.policies.requiredFields.contains($0) }) else { return }
    throw .refused(
      .rule("user.required-fields", "\(home.name) requires \(field)", instead: "give it another value", of: field))
  }
}

extension Turn {
  /// Sets the fields of a contact that differ. Those of the card show in every product (T8).
  /// - Returns: how many change.
  func emit(_ pairs: FieldPairs, over person: ContactReference) -> Int {
    var count = 0
    for (field, new) in pairs.custom {
      let old = person.cell.state.people.custom(field.id, of: person.serial)
      guard old != new else { continue }
      emit(CustomFieldSet(person.id, field, old: old, new: new))
      count += 1
    }
    let own = count
    for new in pairs.contact {
      let old = person.text(new.field)
      guard old != new.text else { continue }
      emit(ContactSet(person.id, new.field, old: old, new: new.text))
      count += 1
    }
    if count > own, let user = person.user { noteProducts(of: user) }
    return count
  }

  /// The target of a command about a contact: its login, else the contact in the workspace that governs it.
  func target(of person: ContactReference) -> Target {
    person.newestLogin.map { Target($0) } ?? Target(person.home.map { .workspace($0) } ?? .server)
  }
}
