import GatehouseCore

/// The reference of all commands as one page of Markdown. It is generated from the command table, so it cannot promise
/// what the server does not do.
enum ReferencePage {
  /// The command that regenerates the committed page.
  static let regeneration = "swift run gatehouse reference > Sources/GatehouseCore/Documentation.docc/Commands.md"

  static var text: String {
    var sections = [introduction]
    for group in CommandSpec.Group.allCases {
      let commands = CommandTable.all.filter { $0.group == group }.flatMap { [$0] + $0.subcommands }
      guard !commands.isEmpty else { continue }
      sections.append("## \(title(of: group))\n")
      sections += commands.map(section)
    }
    sections += [words, errors, policies, profiles, limits]
    return sections.joined(separator: "\n")
  }

  private static let introduction = """
    # Commands

    Every command of Gatehouse: how it is written, what it answers, and who may run it.

    <!-- Made by `gatehouse reference` from the command table. Change the table, then run:
    \(regeneration) -->

    ## How commands are written

    A command is one line, such as `LOGIN.CHECK ana payroll`, or one array of the protocol of Redis. Names and the words
    of options may be in any case. In what follows, lower-case words stand for values, `[…]` may be left out, and `…`
    may be repeated; options come after the other arguments, in any order, and unknown ones are refused. Where the last
    argument may be repeated, options may also stand before and between its values.

    | value | how it is written |
    | --- | --- |
    | user | the username in any case (full Unicode case folding and NFC: `Straße` is `STRASSE`), or `#id` |
    | product | `name` in the workspace `main`, or `workspace/name` |
    | account, group | a name of the workspace that `WORKSPACE` names, else of `main`; or `workspace/name`, or `#id` |
    | time | unix milliseconds, or RFC 3339 such as `2026-03-01T09:30:00Z`; where `FROM` and `UNTIL` limit what somebody has, and for `AT` of LOGIN.EXPLAIN, also a day: `FROM` and `AT` mean its beginning, `UNTIL` its end |
    | day | `2026-03-01`: from midnight to midnight in the person's time zone, else in the workspace's (policy `timezone`); a time stands for the day that it falls on there |
    | time zone | a name of the IANA database in any case: `Europe/Prague` |
    | duration | milliseconds, or `90s`, `15m`, `8h`, `30d` |

    Maps are maps in RESP3, and arrays of field and value in turn in RESP2. Times are answered in unix milliseconds,
    missing values as null, flags as 1 or 0. Long lists are `[cursor, items]`: ask again with `CURSOR cursor` until it
    is `0`.

    Every write takes four more options, except where its entry says without. `REASON text` is recorded with the change. `IDEM key`, an idempotency key, makes
    it safe to retry: for a day, the same key with the same arguments gets the first answer again and changes nothing. Where
    somebody of whom the answer could tell was anonymised or purged since, it is `CONFLICT`, and nothing is done either.
    `IFVERSION n` refuses with `STALE` if what is to be changed has another version by now; a command that is not about one
    thing with a version refuses it. `DRYRUN` decides
    as always, with all refusals, changes nothing, and answers with a map: `changes` as in the audit, `logins` (maps
    `user, username, product, before, after`: who would lose or gain a login; `logins-left-out` says for how many more
    people) and `seats` (maps `product, type, before, after, bought-before, bought-after`), each as far as the caller may
    see it, and `names` as in the audit, of the people in the changes. What the command would make has no id yet: it stands as `new` in `changes`, and `user` is null in `logins`. No
    id is taken, no key is remembered and no use of a session is noted. Commands of the server, such as `CONFIG SET` and
    `BGSAVE`, write nothing of the accounts and refuse it.

    Where the policy `approval.needs` asks for two people, a write through `AS` is decided, and then kept: it answers with a
    map `approval, needs, workspace`, and is done when somebody else gives `APPROVAL.GRANT approval`. A trial of it has the
    same as `approval` (a map `needs, workspace`) in front. A repeat under the same `IDEM` key gets the same answer as long as
    the request waits, and then `CONFLICT`. What has a secret in its words, or answers one, cannot wait.

    A permission counts where a command uses it, and where it does in passing what the permission is for: `role.grant` where
    `PRODUCT.ENABLE` or `USER.CREATE` makes or unmakes an administrator, `MANAGE.ADD` or `USER.CREATE` gives an account or
    a group to a manager, and `WORKSPACE.MEMBER` lets somebody with rights stay longer; `member.manage` where `PRODUCT.ENABLE`,
    `ROLE.GRANT`, `USER.COPYACCESS` or `USER.CREATE` makes somebody a member of another workspace;
    `contact.set` where `USER.RENAME` changes the e-mail address and `USER.CREATE` an existing contact; `user.delete` for
    `USER.MERGE`; `user.rename`, `contact.set`, `user.set` and `user.status` for `USER.ANONYMISE`. Where one of several
    permissions is enough, as for `LOGIN.UNLOCK`, the policy has to name all that the person holds. Services by themselves do
    not wait, nor do people who change what is their own.

    Decisions and data are never simple strings, because some clients turn those into `true`; only `OK`, `PONG`, `RESET`,
    `QUEUED` and `Background saving started` are.

    Between `MULTI` and `EXEC` commands are queued. `EXEC` carries them out as one: no other command runs in between, each
    sees the changes of those before it, and after a crash there is all of it or nothing. It answers with an array of their
    answers. A command that is refused or has `DRYRUN` changes nothing, and the others go on. If a command was refused
    while queueing (unknown, malformed, or not allowed to the service), `EXEC` does nothing and answers `EXECABORT`. If
    the log does not take the whole, it does nothing and answers another error. `DISCARD`, `RESET` and the end of the
    connection drop the queued commands.

    ## Who may do what

    A connection acts for a service and with its rights. `AS session-token COMMAND …` runs one command on the authority
    of a user's session, or of an impersonation. The command then needs the right of the service **and** the permission
    of the user **and**, in an impersonation, the permission of the impersonator.

    Users hold permissions through roles, each granted over a scope: everywhere, a workspace, a product, or the people of
    an account or of an account group. The owner of a workspace holds all permissions in it; an administrator of a
    product lets its people in and assigns its licences. Without a grant everybody has their own record, time and
    sessions. `PERMISSION.LIST` names the permissions, and what a user holds where.

    One workspace alone, the user's home, governs the user's identity (username, contact, status, password, deletion):
    the one in which the user was created, until `USER.MOVEHOME` hands the user over. Other workspaces that the user is a
    member of govern what the user has there: membership, products, licences, roles, time, sessions of their products.

    One workspace never sees another's data. Whatever the caller may not see is left out of answers, lists, counts and
    the audit trail, and is answered as if it did not exist. The same holds for services that are bound to workspaces, and
    for those that are bound to products: of a workspace they know these alone, and its people.

    """

  private static func title(of group: CommandSpec.Group) -> String {
    switch group {
    case .login: "Login"
    case .session: "Sessions"
    case .key: "API keys"
    case .impersonation: "Impersonation"
    case .timer: "Timers and entries"
    case .people: "People"
    case .organisation: "Organisation"
    case .mail: "Mails"
    case .audit: "Audit trail and feed"
    case .service: "Services"
    case .connection: "Connection"
    case .server: "Server"
    }
  }

  // MARK: One command

  private static func section(_ command: CommandSpec) -> String {
    var text = "### \(command.spokenName)\n\n\(command.summary).\n\n```\n\(usage(of: command))\n```\n\n"
    text += "- Answers: \(command.reply)\n"
    text += "- Effect: \(effect(of: command))\n"
    text += "- Service rights: \(rights(of: command))\n"
    text += "- Needs: \(command.needText)\n"
    let own = ownArguments(of: command)
    guard !own.isEmpty else { return text }
    text += "\n| argument | type | given |\n| --- | --- | --- |\n"
    for argument in own { text += "| `\(bare(argument))` | \(type(of: argument)) | \(presence(of: argument)) |\n" }
    return text
  }

  private static func effect(of command: CommandSpec) -> String {
    guard case .write = command.effect else { return "read" }
    let withheld = Argument.everyWrite.compactMap(\.token).filter { token in
      !command.arguments.contains { $0.token == token }
    }
    return "write" + (withheld.isEmpty ? "" : ", without " + withheld.map { "`\($0)`" }.joined(separator: " and "))
  }

  /// Without the options that every write accepts, which the introduction explains.
  private static func usage(of command: CommandSpec) -> String {
    ([command.spokenName] + ownArguments(of: command).map(\.usage)).joined(separator: " ")
  }

  private static func ownArguments(of command: CommandSpec) -> [Argument] {
    guard case .write = command.effect else { return command.arguments }
    return command.arguments.filter { argument in
      !argument.isOptional || !Argument.everyWrite.contains { $0.token == argument.token && argument.token != nil }
    }
  }

  private static func bare(_ argument: Argument) -> String {
    var usage = argument.usage
    if usage.hasSuffix("…") { usage.removeLast() }
    if usage.hasPrefix("["), usage.hasSuffix("]") { usage = String(usage.dropFirst().dropLast()) }
    return usage
  }

  private static func type(of argument: Argument) -> String {
    switch argument.kind {
    case .string, .key, .pattern: "text"
    case .integer: "integer"
    case .double: "number"
    case .time: "time"
    case .flag: "flag"
    case .choice: "one of \(argument.choices.joined(separator: ", "))"
    case .block: "\(argument.parts.count) values"
    }
  }

  private static func presence(of argument: Argument) -> String {
    if argument.isVariadic { return argument.isOptional ? "any number of times" : "once or more" }
    if argument.repeats { return "any number of times" }
    return argument.isOptional ? "may be left out" : "always"
  }

  private static func rights(of command: CommandSpec) -> String {
    if command.isOpen { return "none, and asked before authentication too" }
    let names = command.rights.names
    return names.isEmpty ? "none" : names.map { "`\($0)`" }.joined(separator: " and ")
  }
}
