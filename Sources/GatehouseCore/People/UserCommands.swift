extension CommandTable {
  static let peopleCommands: [CommandSpec] = [
    CommandSpec(
      "USER.CREATE", .people, "Add a user, with a new contact or as a new login of an existing one",
      [
        .word("username"), .option("WORKSPACE", "workspace"), .option("CONTACT", "#id"), .option("STATUS", "status"),
        .option("PRODUCT", "product", repeats: true),
        .option("LICENCE", parts: ["product", "type"], repeats: true), .option("ROLE", "role", repeats: true),
        .flag("WITHIN"), .option("ACCOUNT", "account"), .option("INITIALS", "initials"),
        .option("REFERENCE", "reference"), .option("DIVISION", "division"),
        .flag("AUTHORITY"), .flag("RESTRICT-BOOKINGS"),
        .flag("NOINVITE"), .option("MESSAGE", "text"), .flag("ACCEPT-BILLING"),
      ] + NewUserPassword.options + ContactCard.options + [GivenFields.option, GivenAttributes.option]
        + NewUserTies.options,
      reply: "a map `id, contact, username, status`; the first ROLE is the main one, LICENCE also enables its product,"
        + " ACCOUNT is the main account, over whose people the role manager then holds; other roles that the server's"
        + " operator gives hold everywhere, or WITHIN the workspace alone. PASSWORD is temporary, as with PASSWORD.SET;"
        + " PASSWORD-HASH is one of another system, as with PASSWORD.IMPORT. Each needs `credential.set` too."
        + " PROVISION is what USER.PROVISION sets in the home. EMPLOYED, ACCESS, GRANT and MANAGES are what EMPLOY.ADD,"
        + " PRODUCT.ENABLE, ROLE.GRANT and MANAGE.ADD give, with the same rights and refusals: the days and times are given"
        + " as there, `none` for an end that is open; the state of an access is ADMIN or REGULAR, or OFF or OFF-ADMIN for a"
        + " disabled one that keeps a licence or who administers it; a scope is one word as"
        + " ROLE.LIST shows it (`'account Widgets'`), `workspace` alone that of the user; without ACCOUNT the first"
        + " EMPLOYED is the main one",
      effect: .write, rights: .admin, needs: .permission(.userCreate, over: .newUser), route: .user(1),
      body: .decide(userCreate)),
    CommandSpec(
      "USER.GET", .people, "All that is known of a user", [.word("user")],
      reply:
        "a map: `id, username, status, contact, name`, the fields of contact and user, `fields` (a map of those that"
        + " workspaces have added), `provisioned` (a map of what provisioning systems keep, by `workspace/attribute`),"
        + " `main-role, roles, home,"
        + " workspaces, account, groups, products` (`account` is the main account of today; `workspaces`, `groups` and"
        + " `products` are arrays, `roles` is one as `ROLE.LIST user` answers), `created, last-login, sessions,"
        + " version, last-change` (of what the home governs, for who sees the home). Data of workspaces that the caller may not see is left out; the fields of the user"
        + " are the home's",
      needs: .permission(.userRead, over: .user(1), own: .userRead), route: .user(1), body: .decide(userGet)),
    CommandSpec(
      "USER.SET", .people, "Set fields of a user and its contact, all or none",
      [.word("user"), .word("field"), .word("value"), .pairs("field", "value")],
      reply: "how many fields changed; an empty value clears a field", effect: .write, isVersioned: true,
      rights: .admin,
      needs: .permissions([.contactSet, .userSet, .authoritySet, .memberManage], over: .user(1), own: .contactSet),
      route: .user(1),
      body: .decide(userSet)),
    CommandSpec(
      "USER.RENAME", .people,
      "Change the username, and with it the contact's e-mail if the new name is an address",
      [.word("user"), .word("username")],
      reply: "`OK`; a notice to the contact's address, the new one if it changed, waits in the mail queue",
      effect: .write, isVersioned: true, rights: .admin,
      needs: .permission(.userRename, over: .user(1)), route: .user(1), body: .decide(userRename)),
    CommandSpec(
      "USER.STATUS", .people, "Set the status; one that may not log in ends all sessions",
      [.word("user"), .word("status")],
      reply: "`OK`; statuses are active, new, import, temporary, inactive, pending, locked", effect: .write,
      isVersioned: true,
      rights: .admin, needs: .permission(.userStatus, over: .user(1)), route: .user(1), body: .decide(userStatus)),
    CommandSpec(
      "USER.MOVEHOME", .people, "Make another workspace the user's home, which governs the login",
      [.word("user"), .word("workspace"), .flag("ACCEPT-BILLING")],
      reply:
        "`OK`; the user must be a member of it. The trail of the old home keeps what happened while it was the home. What"
        + " the old home asks of whoever deletes a user or changes who somebody is (`user.needs-authority`,"
        + " `user.needs-billing-acceptance`, `approval.needs`), it asks of whoever moves the user, and so does the new one"
        + " of whoever adds one. Resets and passwords that the old one has mailed end",
      effect: .write, isVersioned: true, rights: .admin, needs: .permission(.userMove, over: .handover(user: 1, to: 2)),
      route: .user(1), body: .decide(userMoveHome)),
    CommandSpec(
      "USER.DELETE", .people, "Delete the login; the contact, its entries and the history stay",
      [.word("user"), .option("WORKSPACE", "workspace"), .flag("ACCEPT-BILLING")],
      reply: "`OK`; the policies of the user's home apply; WORKSPACE may name only the home",
      effect: .write, isVersioned: true,
      rights: .admin, needs: .permission(.userDelete, over: .user(1)), route: .user(1), body: .decide(userDelete)),
  ]
}
