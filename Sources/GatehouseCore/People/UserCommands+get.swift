extension CommandTable {
  @Sendable static func userGet(_ turn: Turn) throws(Halt) {
    let user = try turn.user(1)
    turn.read(turn.directory.lsn)
    let seen = turn.seen(of: user)
    let card = UserCard(user, seen, turn)
    // Opening and ending sessions does not change the user's LSN, so that a login check need not wait for it.
    let sessions = try turn.sessionsInForce(of: user).count { seen.contains(user.cell.state.sessions[$0]) }
    let row = user.row
    turn.reply.map(19 + ContactField.allCases.count + UserField.allCases.count)
    turn.reply.text("id")
    turn.reply.integer(user.id.raw)
    turn.reply.text("username")
    turn.reply.text(user.username)
    turn.reply.text("status")
    turn.reply.text(row.status.name)
    turn.reply.text("contact")
    turn.reply.integer((user.cell.state.id(user.contact) as ContactID).raw)
    turn.reply.text("name")
    turn.reply.text(card.fullName)
    for field in ContactField.allCases { turn.show(field.name, user.contactReference.text(field)) }
    for field in UserField.allCases {
      if field.flag != nil {
        turn.reply.text(field.name)
        turn.reply.flag(card.text(field) == "1")
      } else {
        turn.show(field.name, card.text(field))
      }
    }
    turn.showCustomFields(of: user.contactReference, seen, home: card.home)
    showProvisioned(card, turn)
    showRoles(card, turn)
    turn.reply.text("home")
    turn.reply.optional(card.home.map { turn.directory.workspace($0).name })
    turn.reply.text("workspaces")
    let workspaces = card.workspaces
    turn.reply.array(workspaces.count)
    for id in workspaces { turn.reply.text(turn.directory.workspace(id).name) }
    turn.reply.text("account")
    turn.reply.optional(card.mainAccount.map { turn.directory.accountName($0) })
    turn.reply.text("groups")
    let groups = card.groups
    turn.reply.array(groups.count)
    for group in groups { turn.reply.text(turn.directory.groupName(group)) }
    turn.reply.text("products")
    showProducts(card, turn)
    turn.reply.text("created")
    turn.reply.integer(row.created)
    turn.reply.text("last-login")
    turn.reply.optional(card.lastLogin == 0 ? nil : card.lastLogin)
    turn.reply.text("sessions")
    turn.reply.integer(sessions)
    turn.reply.text("version")
    turn.reply.integer(turn.version(of: user))
    turn.reply.text("last-change")
    turn.reply.optional(card.lastChange)
  }

  private static func showProvisioned(_ card: UserCard, _ turn: Turn) {
    let values = card.provisioned
    turn.reply.text("provisioned")
    turn.reply.map(values.count)
    for value in values {
      turn.reply.text("\(turn.directory.workspace(value.workspace).name)/\(value.name)")
      turn.reply.text(value.text)
    }
  }

  private static func showRoles(_ card: UserCard, _ turn: Turn) {
    turn.reply.text("main-role")
    turn.reply.optional(card.mainRole.map { turn.directory.name(of: $0) })
    turn.reply.text("roles")
    turn.show(card.grants)
  }

  /// The products of the user's workspaces with the access to each; one without access is shown as disabled (T5).
  private static func showProducts(_ card: UserCard, _ turn: Turn) {
    let accesses = card.accesses
    let shown = Set(card.products).union(accesses.map(\.product))
    let products = shown.sorted().compactMap { turn.directory.product($0) }
    turn.reply.array(products.count)
    for product in products {
      let access = accesses.first { $0.product == product.id }
      turn.reply.map(6)
      turn.reply.text("product")
      turn.reply.text(turn.directory.productName(product))
      turn.reply.text("enabled")
      turn.reply.flag(
        access?.isOpen(at: turn.now) ?? false && !card.user.isShutOut(of: product.workspace, at: turn.now))
      turn.reply.text("admin")
      turn.reply.flag(access?.isAdministrator ?? false)
      turn.reply.text("licence")
      turn.reply.optional(access.flatMap { product.licenceName($0.licence) })
      turn.reply.text("from")
      turn.reply.optional(access?.limits.from)
      turn.reply.text("until")
      turn.reply.optional(access?.limits.until)
    }
  }
}

extension Turn {
  /// The map `fields`: what the workspaces that are seen have added, by name; null where the person has no value.
  func showCustomFields(of person: ContactReference, _ seen: Reach, home: WorkspaceID?) {
    let fields = person.workspaces.filter(seen.contains).flatMap { directory.fields(of: $0) }
    let values = fields.isEmpty ? [] : person.cell.state.people.customValues(of: person.serial)
    reply.text("fields")
    reply.map(fields.count)
    for field in fields {
      show(fieldName(field, home: home), values.first { $0.field == field.id }?.text ?? "")
    }
  }

  /// A field of a map; null if it is not set.
  func show(_ name: String, _ text: String) {
    reply.text(name)
    reply.optional(text.isEmpty ? nil : text)
  }
}
