/// What a command concerns, after looking up its words.
struct Target {
  enum Where {
    /// Depends on the permission: identity in the home workspace, everything else wherever the user is a member.
    case person
    case site(Site)
  }

  let site: Where
  /// The person concerned there.
  var user: UserReference?
  /// Others to whom it belongs: the actor of an impersonation.
  var owners: [UserID] = []

  init(_ user: UserReference) {
    site = .person
    self.user = user.ofPerson
  }

  init(_ site: Site, _ user: UserReference? = nil, owners: [UserID] = []) {
    self.site = .site(site)
    self.user = user?.ofPerson
    self.owners = owners
  }

  func site(for permission: Permission, at now: Milliseconds) -> Site {
    switch site {
    case .site(let site): return site
    case .person:
      guard let user else { return .server }
      if permission.domain == .identity { return user.home.map { .workspace($0) } ?? .server }
      return .anyOf(user.memberships(notEndedAt: now))
    }
  }

  /// Whether it is a side's own.
  func isOwn(_ side: Side) -> Bool {
    guard let person = side.person else { return false }
    return user.map(side.isOneself) ?? false || owners.contains(person.id)
  }
}

extension Turn {
  /// The target of a command's words; nil if something does not exist and the body has to report that.
  func target(_ ground: Ground) throws(Halt) -> Target? {
    switch ground {
    case .server: return Target(.server)
    case .anything: return nil
    case .user(let word), .handover(let word, _): return Target(try user(word))
    case .contact(let word): return target(of: try contact(at: word))
    case .linked(let word):
      let contact = try contactOfPerson(word)
      return Target(.workspace(try workspace().id), contact.user)
    case .personOf(let word): return try recordedTarget(recordedPerson(word))
    case .recorded(let word):
      let user = try recordedUser(word)
      return try isLimited && !knows(user) ? Target(.workspace(workspace().id), user) : Target(user)
    case .link(let word):
      let link = try link(word)
      return Target(.workspace(link.row.workspace), try lead(from: link.contact).newestLogin)
    case .newContact, .namedWorkspace: return Target(.workspace(try workspace().id))
    case .member(let word):
      let user = try user(word)
      return Target(.workspace(try workspace().id), user)
    case .membership(let workspace, let word):
      let user = try user(word)
      return Target(.workspace(try self.workspace(at: workspace).id), user)
    case .access(let word, let product):
      let user = try user(word)
      return Target(site(of: try self.product(product)), user)
    case .login(let word, let product):
      guard let user = try userIfAny(word) else { return nil }
      read(directory.lsn)
      return target(ofLogin: user, to: productID(self.word(product)).flatMap { directory.product($0) })
    case .loginAt(let word, let product):
      return try isAboutThePast() ? nil : target(.login(user: word, product: product))
    case .product(let word):
      return Target(site(of: try product(word)))
    case .workspace(let word): return Target(.workspace(try workspace(at: word).id))
    case .newProduct(let word): return Target(.workspace(try workspace(ofProductNamed: word).id))
    case .newUser:
      let home = try workspaceOfNewUser().id
      if let account = try mainAccountOfNewUser(), account.workspace == home { return Target(site(of: account)) }
      return Target(.workspace(home))
    case .newAccount: return Target(.workspace(try workspace().id))
    case .account(let word): return Target(site(of: try account(word)))
    case .group(let word): return Target(site(of: try group(word)))
    case .employment(let word, let account):
      let user = try user(word)
      return Target(site(of: try self.account(account)), user)
    case .management(let word, let target):
      let user = try user(word)
      return Target(try siteOfManaged(target), user)
    case .session(let word):
      guard let (cell, slot) = try session(word) else { return nil }
      let row = cell.state.sessions[slot]
      return Target(
        site(of: row), holder(cell, slot),
        owners: cell.state.sessions.impersonation(ofSlot: slot).map { [$0.actor] } ?? [])
    case .apiKey(let word): return try apiKey(word).map { Target($0.user) }
    case .entry(let word):
      guard let (cell, serial) = try entry(word) else { return nil }
      return Target(.workspace(cell.state.time.entries[serial].workspace), try person(ofEntry: serial, in: cell))
    case .scope: return Target(site(of: try optionScope()))
    case .workspaceOrEverywhere: return Target(has("WORKSPACE") ? .workspace(try workspace().id) : .server)
    }
  }

  /// The target of a question about a login.
  func target(ofLogin user: UserReference, to product: Product?) -> Target {
    guard let product, user.isMember(of: product.workspace) else { return Target(user) }
    return Target(site(of: product), user)
  }

  func site(of product: Product) -> Site { .product(product.id, of: product.workspace) }

  func site(of session: SessionRow) -> Site {
    session.product == 0 ? .workspace(session.workspace) : .product(session.product, of: session.workspace)
  }

  func site(of scope: Scope) -> Site {
    switch scope {
    case .workspace(let id): .workspace(id)
    case .product(let id): .product(id, of: directory.product(id)?.workspace ?? mainWorkspace)
    case .account(let id, let workspace): .account(id, of: workspace)
    case .group(let id, let workspace): .group(id, of: workspace)
    case .everywhere: .server
    }
  }
}
