extension CommandTable {
  @Sendable static func userGet(_ turn: Turn) throws(Halt) {
    let user = try turn.user(1)
    try turn.requireOver(user)
    turn.read(turn.directory.lsn)
    // Sessions come and go without a mark on the user, so that a login check need not wait for them.
    let sessions = try turn.sessionsInForce(of: user).count
    let row = user.row
    let workspaces = user.cell.state.memberships(of: user.serial)
    turn.reply.map(13 + ContactField.allCases.count + UserField.allCases.count)
    turn.reply.text("id")
    turn.reply.integer(user.id.raw)
    turn.reply.text("username")
    turn.reply.text(user.username)
    turn.reply.text("status")
    turn.reply.text(row.status.name)
    turn.reply.text("contact")
    turn.reply.integer((user.cell.state.id(user.contact) as ContactID).raw)
    turn.reply.text("name")
    turn.reply.text(turn.fullName(of: user, in: workspaces.first ?? mainWorkspace))
    for field in ContactField.allCases { show(field.name, user.cell.state.text(field, of: user.contact), turn) }
    for field in UserField.allCases {
      if let flag = field.flag {
        turn.reply.text(field.name)
        turn.reply.flag(row.flags.contains(flag))
      } else {
        show(field.name, user.cell.state.text(field, of: user.serial), turn)
      }
    }
    showRoles(user, turn)
    turn.reply.text("workspaces")
    turn.reply.array(workspaces.count)
    for id in workspaces { turn.reply.text(turn.directory.workspace(id).name) }
    turn.reply.text("products")
    showProducts(user, turn)
    turn.reply.text("created")
    turn.reply.integer(row.created)
    turn.reply.text("last-login")
    turn.reply.optional(row.lastLogin == 0 ? nil : row.lastLogin)
    turn.reply.text("sessions")
    turn.reply.integer(sessions)
    turn.reply.text("version")
    turn.reply.integer(row.version)
  }

  private static func show(_ name: String, _ text: String, _ turn: Turn) {
    turn.reply.text(name)
    turn.reply.optional(text.isEmpty ? nil : text)
  }

  private static func showRoles(_ user: UserReference, _ turn: Turn) {
    let grants = user.cell.state.grants(of: user.serial)
    turn.reply.text("main-role")
    turn.reply.optional(grants.first(where: \.isMain)?.role.name)
    var roles: [Role] = []
    for grant in grants where !roles.contains(grant.role) { roles.append(grant.role) }
    turn.reply.text("roles")
    turn.reply.array(roles.count)
    for role in roles { turn.reply.text(role.name) }
  }

  /// The products of the user's workspaces and what access there is: where none was given it shows as
  /// disabled (T5).
  private static func showProducts(_ user: UserReference, _ turn: Turn) {
    let workspaces = user.cell.state.memberships(of: user.serial)
    let accesses = user.cell.state.allAccess(of: user.serial)
    let shown = Set(workspaces.flatMap { turn.directory.products(of: $0) }).union(accesses.map(\.product))
    let products = shown.sorted().compactMap { turn.directory.product($0) }
    turn.reply.array(products.count)
    for product in products {
      let access = accesses.first { $0.product == product.id }
      turn.reply.map(4)
      turn.reply.text("product")
      turn.reply.text(turn.directory.productName(product))
      turn.reply.text("enabled")
      turn.reply.flag(access?.isEnabled ?? false)
      turn.reply.text("admin")
      turn.reply.flag(access?.isAdministrator ?? false)
      turn.reply.text("licence")
      turn.reply.optional(access.flatMap { product.licenceName($0.licence) })
    }
  }
}

extension Turn {
  /// The name that heads a user, in the order that a workspace chooses.
  public func fullName(of user: UserReference, in workspace: WorkspaceID) -> String {
    PersonName(
      first: user.cell.state.text(.first, of: user.contact), middle: user.cell.state.text(.middle, of: user.contact),
      last: user.cell.state.text(.last, of: user.contact)
    ).text(format: directory.workspace(workspace).policies.nameFormat)
  }
}
