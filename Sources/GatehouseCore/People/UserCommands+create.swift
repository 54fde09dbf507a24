extension CommandTable {
  @Sendable static func userCreate(_ turn: Turn) throws(Halt) {
    let username = try turn.newUsername(1)
    let new = try NewUser(turn)
    try new.authorise(turn)
    if let holder = try turn.holder(ofNewName: 1) {
      throw .refused(turn.taken(username, by: holder))
    }
    // Who is there already is not added: nobody is asked to pay for that.
    try turn.requireConsent(of: new.workspace)
    let home = try turn.cell(turn.nameKey(1).partition)
    let cell = try new.contactCell(turn) ?? home
    let contact = try new.emitContact(username, in: cell, turn)
    // Checked last, because it may need all partitions (S4).
    let reference = new.fields.first { $0.field == .reference }?.text ?? ""
    try turn.requireUnique(reference: reference, of: nil, in: new.workspace.id)
    try new.attributes.check(nil, in: new.workspace, turn)
    let user = turn.newUser(in: cell)
    turn.emit(
      UserCreated(
        user: user, contact: contact.id, username: username, status: new.status, workspaces: [new.workspace.id],
        fields: new.fields))
    // Other workspaces are told of the member, and not of the login, which is the home's (W4).
    for workspace in new.workspaces.dropFirst() {
      // S5, S6, S10, B13: it is what WORKSPACE.MEMBER does.
      try turn.requireConsent(of: turn.directory.workspace(workspace))
      turn.noteUse([.memberManage], over: Target(.workspace(workspace)))
      turn.emit(WorkspaceJoined(user, workspace))
    }
    _ = new.attributes.emit(over: user, nil, in: new.workspace.id, turn)
    for (product, access) in new.accesses { turn.setAccess(of: user, to: product, from: nil, to: access) }
    if let person = try turn.contact(contact.id) { turn.endEmployments(of: person, outside: new.workspaces) }
    try new.emitEmployments(of: contact.id, in: cell, turn)
    for grant in new.grants { turn.emit(RoleGranted(user, grant)) }
    for link in new.ties.links { turn.emit(ManagementAdded(user, link)) }
    if turn.has("ACCEPT-BILLING") {
      for workspace in new.workspaces { turn.emit(Noted(user, .billingAccepted(workspace))) }
    }
    if new.invites, !contact.email.isEmpty {
      try turn.queueMail(
        .invitation, about: user, in: cell, of: new.workspace.id, to: contact.email, message: new.message)
    }
    // Last, because it takes long.
    if let password = new.password {
      try password.emit(turn, of: user, related: [username] + contact.texts, in: new.workspace)
    }
    turn.showNewUser(user, contact.id, username, new.status)
  }
}

/// The parsed and checked words of `USER.CREATE`.
private struct NewUser {
  let workspace: Workspace
  let contact: ContactID?
  let status: Status
  let card: ContactCard
  let given: GivenFields
  let attributes: GivenAttributes
  let fields: [UserText]
  private(set) var accesses: [(product: Product, access: ProductAccess)] = []
  private(set) var grants: [Grant] = []
  /// The main account (L22).
  let account: Account?
  let ties: NewUserTies
  private(set) var workspaces: [WorkspaceID]
  let invites: Bool
  let message: String
  let password: NewUserPassword?

  init(_ turn: Turn) throws(Halt) {
    let products = try turn.options("PRODUCT")
    workspace = try turn.workspaceOfNewUser()
    contact = try Self.contact(turn)
    status = try Self.status(turn)
    card = try ContactCard(turn, in: workspace)
    given = try GivenFields(turn, in: workspace)
    attributes = try GivenAttributes(optionsOf: turn)
    fields = try Self.userFields(turn)
    message = try turn.option("MESSAGE") ?? ""
    password = try NewUserPassword(turn)
    invites = !turn.has("NOINVITE") && status.mayBeInvited
    workspaces = [workspace.id]
    account = try turn.mainAccountOfNewUser()
    ties = try Self.ties(turn, in: workspace, card, of: contact)
    if turn.has("NOINVITE"), turn.has("MESSAGE") {
      throw .refused(.syntax("MESSAGE is the text of the invitation, which NOINVITE suppresses; give one of them"))
    }
    if turn.has("MESSAGE"), !invites {
      throw .refused(
        .syntax("MESSAGE is the text of the invitation, and who is \(status.name) is not invited; leave it out"))
    }
    for name in products { try add(try turn.product(named: name[0], ofNewUserIn: workspace), licence: 0, turn) }
    for (product, access) in ties.accesses {
      try add(product, licence: 0, turn)
      accesses[accesses.count - 1].access = access
    }
    for values in try turn.options("LICENCE") {
      let product = try turn.product(named: values[0], ofNewUserIn: workspace)
      guard let licence = product.licence(values[1]), values[1] != Product.everyAccess else {
        throw .refused(.notFound("licence type \(values[1]) of the product \(turn.directory.productName(product))"))
      }
      try add(product, licence: licence, turn)
    }
    if let account, !workspaces.contains(account.workspace) {
      throw .refused(
        .syntax("ACCOUNT is of the workspace \(turn.directory.workspace(account.workspace).name); name that one"))
    }
    if let other = ties.workspaces.first(where: { !workspaces.contains($0) }) {
      throw .refused(
        .syntax(
          "EMPLOYED and MANAGES are about workspaces of the user, and not about \(turn.directory.workspace(other).name);"
            + " name that with WORKSPACE, or one of its products"))
    }
    grants = try turn.givenGrants(in: workspace.id, account)
    for grant in ties.grants { try add(grant, turn) }
  }

  /// Adds a role with a scope of its own. The first of the home, or that holds everywhere, is the main one (L11, W2).
  private mutating func add(_ grant: Grant, _ turn: Turn) throws(Halt) {
    var grant = grant
    let place = turn.directory.workspace(of: grant.scope)
    guard !grants.contains(where: { $0.isSame(as: grant) }) else {
      throw .refused(
        .syntax(
          "GRANT \(turn.directory.name(of: grant.role)) \(turn.text(of: grant.scope)) is given twice", of: "GRANT"))
    }
    if let place, !workspaces.contains(place) {
      throw .refused(
        .syntax(
          "GRANT is over what a workspace of the user has, and not \(turn.directory.workspace(place).name); name that"
            + " with WORKSPACE, or one of its products", of: "GRANT"))
    }
    if let fault = turn.directory.fault(of: grant) { throw .refused(fault) }
    try turn.checkTimes(of: grant)
    guard grants.count < Limits.grantsOfUser else {
      throw .refused(.limit("roles: a user has at most \(Limits.grantsOfUser)"))
    }
    grant.isMain = !grants.contains(where: \.isMain) && (place == nil || place == workspace.id)
    grants.append(grant)
  }

  private static func ties(
    _ turn: Turn, in workspace: Workspace, _ card: ContactCard, of contact: ContactID?
  ) throws(Halt) -> NewUserTies {
    try NewUserTies(turn, in: workspace) { (place) throws(Halt) in
      let person = try contact.flatMap { (id) throws(Halt) in try turn.contact(id) }
      return turn.zone(named: card.value(.timezone, over: person), elseOf: turn.directory.workspace(place))
    }
  }

  private static func contact(_ turn: Turn) throws(Halt) -> ContactID? {
    guard let word = turn.optionWord("CONTACT") else { return nil }
    return try turn.id(word, "CONTACT") as ContactID
  }

  private static func status(_ turn: Turn) throws(Halt) -> Status {
    guard let name = try turn.option("STATUS") else { return .active }
    let status = try turn.status(name)
    guard status != .deleted else { throw .refused(.syntax("STATUS of a new user cannot be deleted")) }
    return status
  }

  private static func userFields(_ turn: Turn) throws(Halt) -> [UserText] {
    var texts: [UserText] = []
    for (token, field) in [("INITIALS", UserField.initials), ("REFERENCE", .reference), ("DIVISION", .division)] {
      guard let text = try turn.option(token) else { continue }
      let value = try Turn.value(text, of: field)
      if !value.isEmpty { texts.append(UserText(field, value)) }
    }
    if turn.has("AUTHORITY") { texts.append(UserText(.authority, "1")) }
    if turn.has("RESTRICT-BOOKINGS") { texts.append(UserText(.restrictBookings, "1")) }
    return texts
  }

  private mutating func add(_ product: Product, licence: UInt8, _ turn: Turn) throws(Halt) {
    if let index = accesses.firstIndex(where: { $0.product.id == product.id }) {
      guard licence != 0, accesses[index].access.licence == 0 else {
        throw .refused(.syntax("the product \(product.name) is given twice"))
      }
      accesses[index].access.licence = licence
    } else {
      accesses.append((product, ProductAccess(product: product.id, isEnabled: true, licence: licence)))
      if !workspaces.contains(product.workspace) { workspaces.append(product.workspace) }
      try turn.requireRoom(forProducts: accesses.count)
      try turn.requireRoom(forMemberships: workspaces.count)
    }
  }

  // MARK: Rules

  /// Whether the principal may add this user with these products and roles under these policies.
  func authorise(_ turn: Turn) throws(Halt) {
    for (product, access) in accesses {
      try turn.require(.productAccess, over: turn.site(of: product))
      if access.licence != 0 { try turn.require(.licenceAssign, over: turn.site(of: product)) }
      guard access.isAdministrator else { continue }
      try turn.requireOwnLogin(toChange: .administration)
      try turn.requireGiving(
        .productAdministrator, over: turn.site(of: product), until: access.limits.end, to: "say who administers it")
    }
    for grant in grants {
      try turn.requireGranting(grant)
      if grant.role == .superAdministrator, !status.mayLogIn { throw .refused(Turn.superMustLogIn) }
    }
    if turn.has("AUTHORITY") {
      try turn.require(.authoritySet, over: .workspace(workspace.id))
    }
    if let account { try turn.require(.employmentManage, over: turn.site(of: account)) }
    for employment in ties.employments {
      try turn.require(.employmentManage, over: .account(employment.account, of: employment.workspace))
    }
    if let contact {
      let employments = ties.employments + (account.map { [Employment($0.id, of: $0.workspace)] } ?? [])
      for employment in employments { try turn.requireNoGain(over: contact, by: employment, home: workspace.id) }
    }
    try password?.authorise(turn, in: workspace)
  }

  /// The partition of the existing contact, if one is named.
  func contactCell(_ turn: Turn) throws(Halt) -> HeldPartition? {
    guard let contact else { return nil }
    return try turn.cell(turn.partitioning.partition(of: contact))
  }

  /// Creates the contact or updates the existing one; returns it with its e-mail address and the texts that no password
  /// should be made of.
  func emitContact(
    _ username: String, in cell: HeldPartition, _ turn: Turn
  ) throws(Halt) -> (id: ContactID, email: String, texts: [String]) {
    var card = card
    guard let contact else {
      // P6: a username that is an e-mail address becomes the contact's, unless one is given.
      card.suggest(email: username)
      try card.settle(turn)
      try requireFields(of: nil, card, turn)
      let id = turn.emitContact(card, in: cell)
      given.emit(over: id, nil, turn)
      return (id, card[.email], Self.known.map { card[$0] })
    }
    guard let person = try turn.contact(contact), isKnown(person, turn) else {
      throw .refused(.notFound("contact #\(contact.raw)"))
    }
    try turn.requireNotAnonymised(person)
    if let successor = person.cell.state.people.successor(ofContact: person.serial) {
      throw .refused(
        .conflict("contact: #\(contact.raw) was merged into #\(successor.raw); use that one"))
    }
    if let user = person.user {
      throw .refused(
        .conflict("contact: #\(contact.raw) has the live user \(user.username); delete that one first"))
    }
    turn.noteHandingOver(from: person.home, to: workspace.id)
    // Nobody sets by the username what they may not set.
    let place = turn.target(of: person).site(for: .contactSet, at: turn.now)
    if person.text(.email).isEmpty, turn.allows(.contactSet, over: place) { card.suggest(email: username) }
    try card.settle(turn, over: person)
    let email = card.value(.email, over: person)
    try requireFields(of: person, card, turn)
    for new in card.texts {
      let old = person.text(new.field)
      guard old != new.text else { continue }
      if new.field == .email { try turn.requireOwnLogin(toChange: .email) }
      // The contact was there before: it is what CONTACT.SET does.
      try turn.require([.contactSet], over: turn.target(of: person))
      turn.emit(ContactSet(contact, new.field, old: old, new: new.text))
    }
    for workspace in given.workspaces(changing: person) {
      try turn.require([.contactSet, .memberManage], over: Target(.workspace(workspace)))
    }
    given.emit(over: contact, person, turn)
    return (contact, email, Self.known.map { card.value($0, over: person) })
  }

  /// What those who know a person try first as the password.
  private static let known: [ContactField] = [.first, .middle, .last, .email]

  /// Employs the contact: the account is the main one, else the first of a workspace. An existing contact may be employed
  /// already.
  func emitEmployments(of contact: ContactID, in cell: HeldPartition, _ turn: Turn) throws(Halt) {
    var given = ties.employments
    if let account {
      let place = given.firstIndex { $0.account == account.id }
      var main = place.map { given.remove(at: $0) } ?? Employment(account.id, of: account.workspace)
      main.isMain = true
      given.insert(main, at: 0)
    }
    guard !given.isEmpty else { return }
    let held = cell.state.serial(of: contact).map { cell.state.people.employments(of: $0) } ?? []
    let added = given.count { one in !held.contains { $0.account == one.account } }
    guard added == 0 || held.count + added <= Limits.employmentsOfContact else {
      throw .refused(.limit("employments: a contact has at most \(Limits.employmentsOfContact)"))
    }
    // Of an employment that loses the mark to another the trail says so once.
    var now = held
    var mains = Set((held + given).filter(\.isMain).map(\.workspace))
    for employment in given {
      let old = now.first { $0.account == employment.account }
      var new = employment
      let hasDays = ties.employments.contains { $0.account == employment.account }
      if !hasDays, let old, old.to == nil { new.from = old.from }
      new.isMain = employment.isMain || old?.isMain == true || mains.insert(employment.workspace).inserted
      guard new != old else { continue }
      turn.setEmployment(of: contact, from: old, to: new, among: held)
      now = Employment.list(now, with: new, insteadOf: old)
    }
  }

  /// Whether the principal may use an existing contact. The home of its last login governs it (W2); a new login
  /// elsewhere would move the person to another tenant.
  private func isKnown(_ contact: ContactReference, _ turn: Turn) -> Bool {
    guard turn.isLimited else { return true }
    return contact.home.map(turn.reach(of: .userCreate).contains) ?? false
  }

  /// S4, L2: checks what the workspace requires of a new user, and names everything that is missing at once.
  private func requireFields(of person: ContactReference?, _ card: ContactCard, _ turn: Turn) throws(Halt) {
    let missing = workspace.policies.missing(
      hasRole: !grants.isEmpty, ofContact: { card.value($0, over: person) },
      ofUser: { field in fields.first { $0.field == field }?.text ?? "" })
    let custom = given.missing(in: workspace, of: person, turn)
    guard !missing.isEmpty || !custom.isEmpty else { return }
    let words = missing.map { $0.uppercased() } + custom.map { "FIELD \($0) value" }
    throw .refused(
      .rule(
        "user.required-fields", "missing \((missing + custom).joined(separator: ", "))",
        instead: "give \(words.joined(separator: ", "))"))
  }
}

extension Turn {
  /// The roles that `ROLE` gives a new login.
  ///
  /// - Parameter account: the main account.
  func givenGrants(in home: WorkspaceID, _ account: Account? = nil) throws(Halt) -> [Grant] {
    var grants: [Grant] = []
    for name in try options("ROLE") {
      // Only the operator may give grants everywhere (W6).
      let isWide = !has("WITHIN") && allows(.roleGrant, over: .server)
      var scope: Scope = isWide ? .everywhere : .workspace(home)
      let role = try role(name[0], in: scope)
      // The main account is the framework of the main role: a manager manages its people (L22).
      if role == .manager, let account { scope = .account(account.id, of: account.workspace) }
      guard !grants.contains(where: { $0.role == role }) else {
        throw .refused(.syntax("ROLE \(directory.name(of: role)) is given twice"))
      }
      grants.append(Grant(role: role, scope: scope, isMain: grants.isEmpty))
    }
    return grants
  }

  /// The home of a new user: the workspace that is named, else the first product's, else the account's, else the one that
  /// governs the contact, else `main`.
  func workspaceOfNewUser() throws(Halt) -> Workspace {
    if has("WORKSPACE") { return try workspace() }
    if let name = (try options("PRODUCT") + (try options("ACCESS"))).first?.first {
      return directory.workspace(try product(named: name).workspace)
    }
    if let account = try mainAccountOfNewUser() { return directory.workspace(account.workspace) }
    if let word = optionWord("CONTACT"), let contact = try contact(try id(word, "CONTACT")), let home = contact.home,
      !isLimited || knows(contact) && knownWorkspaces.contains(home)
    {
      return directory.workspace(home)
    }
    return try workspace()
  }

  /// The account that `ACCOUNT` names, of the workspace that is named.
  func mainAccountOfNewUser() throws(Halt) -> Account? {
    guard let name = try option("ACCOUNT") else { return nil }
    let account = try account(named: name, in: has("WORKSPACE") ? try workspace().id : nil)
    // Who has no employer is in the Guest Account anyway.
    return GuestAccount.workspace(of: account.id) == nil ? account : nil
  }

  /// A status by its name.
  public func status(_ name: String) throws(Halt) -> Status {
    guard let status = Status(name: name) else {
      // Who is deleted was deleted by USER.DELETE.
      let all = Status.allCases.filter { $0 != .deleted }.map { "\($0.name)" }.joined(separator: ", ")
      throw .refused(.syntax("status must be one of \(all)"))
    }
    return status
  }
}
