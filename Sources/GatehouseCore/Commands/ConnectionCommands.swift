extension CommandTable {
  private static func server(
    _ name: String, _ group: CommandSpec.Group, _ summary: String, _ arguments: [Argument] = [], reply: String,
    rights: ServiceRights = [], users: CommandSpec.UserRule = .nobody, secrets: Set<Int> = [], _ command: ServerCommand
  ) -> CommandSpec {
    CommandSpec(
      name, group, summary, arguments, reply: reply, rights: rights, users: users, route: .connection,
      secrets: secrets, body: .server(command))
  }

  static let connectionCommands: [CommandSpec] = [
    CommandSpec(
      "AS", .connection, "Run one command on the authority of a session",
      [.word("session-token"), .words("command")], reply: "what the command answers", rights: [],
      users: .nobody, route: .connection, secrets: [1], body: .prefix),
    server(
      "PING", .connection, "Answer, or echo a message", [.optionalWord("message")], reply: "`PONG` or the message",
      .ping),
    server("ECHO", .connection, "Answer with the message", [.word("message")], reply: "the message", .echo),
    server(
      "HELLO", .connection, "Choose the protocol version, authenticate, name the connection",
      [.words("arguments", isOptional: true)], reply: "a map about the server", .hello),
    server(
      "AUTH", .connection, "Authenticate the connection as a service", [.word("name"), .optionalWord("secret")],
      reply: "`OK`", secrets: [1, 2], .auth),
    server("QUIT", .connection, "Close the connection", reply: "`OK`", .quit),
    server("RESET", .connection, "Forget the connection's authentication, name and protocol", reply: "`RESET`", .reset),
    server(
      "SELECT", .connection, "For Redis clients: only database 0 is there", [.word("index", .integer)], reply: "`OK`",
      .select),
    server(
      "CLIENT", .connection, "About connections: ID, GETNAME, SETNAME, SETINFO, INFO, LIST, KILL, NO-EVICT",
      [.word("subcommand"), .words("arguments", isOptional: true)], reply: "depends on the subcommand", .client),
  ]

  static let serverCommands: [CommandSpec] = [
    server("TIME", .server, "The server's clock", reply: "an array of seconds and microseconds", .time),
    server(
      "COMMAND", .server, "The command table: COUNT, INFO, DOCS, LIST",
      [.words("subcommand", isOptional: true)], reply: "depends on the subcommand", .command),
    server(
      "HELP", .server, "What a command does and how it is written", [.words("name", isOptional: true)], reply: "text",
      .help),
    server(
      "INFO", .server, "The server's figures", [.words("section", isOptional: true)], reply: "text in sections",
      rights: .read, .info),
    server(
      "CONFIG", .server, "Settings: GET, SET, RESETSTAT", [.word("subcommand"), .words("arguments", isOptional: true)],
      reply: "depends on the subcommand", rights: .read, .config),
    server("DBSIZE", .server, "How many users there are", reply: "an integer", rights: .read, .dbsize),
    server(
      "BGSAVE", .server, "Take a snapshot in the background", [.optionalWord("schedule")], reply: "a status line",
      rights: .admin, .bgsave),
    server("SAVE", .server, "Take a snapshot and answer when it is done", reply: "`OK`", rights: .admin, .save),
    server(
      "LASTSAVE", .server, "When the newest snapshot was taken",
      reply: "unix seconds; the server's start where there is none", rights: .read, .lastsave),
    server(
      "COMPACT", .server, "Take a snapshot and move what it covers into the archive", reply: "a map of what was done",
      rights: .admin, .compact),
    server(
      "SHUTDOWN", .server, "Stop the server; the log is synced in any case", [.optionalWord("save")],
      reply: "nothing: the connection closes", rights: .admin, .shutdown),
    server(
      "SLOWLOG", .server, "The slowest commands: GET, LEN, RESET",
      [.word("subcommand"), .words("arguments", isOptional: true)],
      reply: "depends on the subcommand", rights: .admin, .slowlog),
    server(
      "LATENCY", .server, "Latency: HISTOGRAM, LATEST, HISTORY, RESET, DOCTOR",
      [.word("subcommand"), .words("arguments", isOptional: true)], reply: "depends on the subcommand", rights: .read,
      .latency),
    server(
      "MONITOR", .server, "Every command as it comes, without secrets", reply: "status lines without end",
      rights: .admin, .monitor),
    server(
      "MEMORY", .server, "Memory: USAGE user, STATS", [.word("subcommand"), .words("arguments", isOptional: true)],
      reply: "depends on the subcommand", rights: .read, .memory),
    server("ROLE", .server, "The server's place in replication", reply: "an array", rights: .read, .role),
    server(
      "MODULE", .server, "For Redis clients: LIST is empty",
      [.word("subcommand"), .words("arguments", isOptional: true)], reply: "an array", .module),
    server(
      "WAITAOF", .server, "Wait until this connection's writes are durable",
      [.word("local", .integer), .word("replicas", .integer), .word("timeout", .integer)],
      reply: "an array of two integers", rights: .read, .waitaof),
    server(
      "AUDIT.LIST", .audit, "The audit trail, newest first",
      [
        .option("USER", "user"), .option("ACTOR", "user"), .option("FROM", "time"), .option("TO", "time"),
        .option("CURSOR", "cursor"), .option("COUNT", "n", .integer),
      ],
      reply: "`[cursor, items]`; maps `lsn, time, actor, subject, service, command, reason, changes`", rights: .admin,
      users: .administrator, .auditList),
    server(
      "AUDIT.VERIFY", .audit, "Walk the chain of hashes of the log and its archive", [.option("FROM", "lsn", .integer)],
      reply: "a map `ok, from, through, frames, records, problem`", rights: .admin, users: .superAdministrator,
      .auditVerify),
  ]

  /// The server's own work of ending sessions whose time is up; not in the table, for nobody can ask for it.
  static let expiry = CommandSpec(
    "SESSION.EXPIRE", .session, "End sessions whose time is up", reply: "", effect: .write, rights: .all,
    users: .nobody,
    route: .everywhere, body: .server(.ping))
}
