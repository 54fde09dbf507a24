extension CommandTable {
  static let inviteCommands: [CommandSpec] = [
    CommandSpec(
      "USER.INVITE", .people, "Queue another invitation for a user", [.word("user"), .option("MESSAGE", "text")],
      reply: "`OK`; refused while the status is deleted, locked or inactive, and where the contact has no e-mail",
      effect: .write, isVersioned: true, rights: .admin, needs: .permission(.credentialSet, over: .user(1)),
      route: .user(1),
      body: .decide(userInvite))
  ]

  @Sendable private static func userInvite(_ turn: Turn) throws(Halt) {
    let user = try turn.user(1)
    let message = try turn.option("MESSAGE") ?? ""
    try turn.requireNotDeleted(user)
    try turn.checkVersion(turn.version(of: user))
    guard user.row.status.mayBeInvited else {
      throw .refused(
        .rule(
          "status", "\(user.username) is \(user.row.status.name)",
          instead: "set a status that may log in first with USER.STATUS user active"))
    }
    let address = turn.address(of: user)
    guard !address.isEmpty else {
      throw .refused(
        .rule(
          "email", "\(user.username) has no e-mail to send an invitation to",
          instead: "give one first with USER.SET user email address"))
    }
    try turn.queueMail(
      .invitation, about: user.id, in: user.cell, of: user.home ?? mainWorkspace, to: address, message: message)
    turn.reply.ok()
  }
}

extension Status {
  /// Whether somebody of this status gets invitations: who may log in, or will once somebody lets them.
  var mayBeInvited: Bool {
    switch self {
    case .active, .new, .import, .temporary, .pending: true
    case .inactive, .locked, .deleted: false
    }
  }
}
