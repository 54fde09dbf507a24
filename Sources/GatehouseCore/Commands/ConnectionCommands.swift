extension CommandTable {
  private static func server(
    _ name: String, _ group: CommandSpec.Group, _ summary: String, _ arguments: [Argument] = [], reply: String,
    rights: ServiceRights = [], needs need: Need? = nil, secrets: Set<Int> = [],
    subcommands: [CommandSpec] = [], _ command: ServerCommand
  ) -> CommandSpec {
    CommandSpec(
      name, group, summary, arguments, reply: reply, rights: rights,
      needs: need ?? (group == .server ? serverNeed(rights) : .service()), route: .connection, secrets: secrets,
      subcommands: subcommands, body: .server(command))
  }

  /// A command that shows or changes the server concerns more than one workspace.
  private static func serverNeed(_ rights: ServiceRights) -> Need {
    if rights.contains(.admin) { return .service(.serverManage) }
    return .service(rights.contains(.read) ? .serverRead : nil)
  }

  /// A command whose second word selects what it does. Each gets a subcommand `HELP`.
  private static func server(
    _ name: String, _ group: CommandSpec.Group, _ summary: String, reply: String = "what its subcommands answer",
    takes arguments: [Argument] = [.word("subcommand"), .words("arguments", isOptional: true)],
    _ body: ServerCommand = .none, subcommands: [Subcommand]
  ) -> CommandSpec {
    let help = Subcommand("HELP", "What the subcommands do", reply: "an array of lines", .subcommands)
    let all = subcommands + [help]
    return server(
      name, group, summary, arguments, reply: reply,
      subcommands: all.map { part in
        server(
          "\(name)|\(part.name)", group, part.summary, part.arguments, reply: part.reply, rights: part.rights,
          needs: part.need, part.command)
      }, body)
  }

  /// A subcommand that is not yet part of a command.
  private struct Subcommand {
    let name: String
    let summary: String
    let arguments: [Argument]
    let reply: String
    let rights: ServiceRights
    let need: Need?
    let command: ServerCommand

    init(
      _ name: String, _ summary: String, _ arguments: [Argument] = [], reply: String, rights: ServiceRights = [],
      needs need: Need? = nil, _ command: ServerCommand
    ) {
      self.name = name
      self.summary = summary
      self.arguments = arguments
      self.reply = reply
      self.rights = rights
      self.need = need
      self.command = command
    }
  }

  static let connectionCommands: [CommandSpec] = [
    CommandSpec(
      "AS", .connection, "Run one command with the rights of a session",
      [.word("session-token"), .words("command")],
      reply: "what the command answers; the service needs the right that the command needs without `AS`", rights: [],
      needs: .service(), route: .connection, secrets: [1], body: .prefix),
    CommandSpec(
      "MINLSN", .connection, "Run one command once a record is applied here, to read one's own writes from a follower",
      [.word("lsn", .integer), .words("command")],
      reply: "what the command answers; `MASTERDOWN` if the record does not come within min-lsn-wait", rights: [],
      needs: .service(), route: .connection, body: .minimum),
    server(
      "PING", .connection, "Answer, or echo a message", [.optionalWord("message")], reply: "`PONG` or the message",
      .ping),
    server("ECHO", .connection, "Answer with the message", [.word("message")], reply: "the message", .echo),
    server(
      "HELLO", .connection, "Choose the protocol version, authenticate, name the connection",
      [.words("arguments", isOptional: true)], reply: "a map about the server", .hello),
    server(
      "AUTH", .connection, "Authenticate the connection as a service; the secret alone identifies it",
      [.word("name-or-secret"), .words("secret", isOptional: true)], reply: "`OK`", secrets: [1, 2], .auth),
    server("QUIT", .connection, "Close the connection", reply: "`OK`", .quit),
    server("RESET", .connection, "Forget the connection's authentication, name and protocol", reply: "`RESET`", .reset),
    server(
      "SELECT", .connection, "For Redis clients: there is only database 0", [.word("index", .integer)], reply: "`OK`",
      .select),
    server(
      "MULTI", .connection, "Begin a transaction: commands are queued until EXEC", reply: "`OK`", rights: .read, .multi),
    server(
      "EXEC", .connection,
      "Run the queued commands as one: isolated from others, and all or none",
      reply: "an array of their answers; `EXECABORT` if queueing one was refused, and then none runs", rights: .read,
      .exec),
    server("DISCARD", .connection, "Discard the queued commands", reply: "`OK`", rights: .read, .discard),
    server(
      "WATCH", .connection, "For Redis clients: there is nothing to watch, use IFVERSION, which writes take",
      [.words("key")], reply: "always an error", rights: .read, .watch),
    server("UNWATCH", .connection, "For Redis clients: nothing is watched", reply: "`OK`", rights: .read, .unwatch),
    server(
      "CLIENT", .connection, "Connections",
      subcommands: [
        Subcommand("ID", "The connection's number", reply: "an integer", .client(.id)),
        Subcommand("GETNAME", "The connection's name", reply: "the name, or null", .client(.getName)),
        Subcommand(
          "SETNAME", "Name the connection, without blanks", [.word("name")], reply: "`OK`", .client(.setName)),
        Subcommand(
          "SETINFO", "Name the client's library: LIB-NAME or LIB-VER", [.word("attribute"), .word("text")],
          reply: "`OK`",
          .client(.setInfo)),
        Subcommand(
          "LASTLSN", "The number of the last record that the connection has written, for MINLSN on a follower",
          reply: "an integer, 0 if it has written none", .client(.lastLSN)),
        Subcommand("INFO", "Facts about the connection", reply: "a line of `field=value`", .client(.info)),
        Subcommand(
          "LIST", "Facts about all connections, or about those of a TYPE or with an ID",
          [.words("filter", isOptional: true)], reply: "a line of `field=value` for each",
          needs: .service(.serverRead), .client(.list)),
        Subcommand(
          "KILL",
          "Close the connection of an address, or those that match all of ID, ADDR, LADDR, TYPE, USER, MAXAGE; "
            + "SKIPME no includes this one",
          [.words("filter")], reply: "how many; `OK` for an address alone", rights: .admin,
          needs: .service(.serverManage), .client(.kill)),
        Subcommand(
          "NO-EVICT", "For Redis clients: no connection is evicted; ON or OFF", [.word("switch")], reply: "`OK`",
          .client(.noEvict)),
        Subcommand(
          "NO-TOUCH", "For Redis clients: nothing is evicted; ON or OFF", [.word("switch")], reply: "`OK`",
          .client(.noTouch)),
      ]),
    server(
      "SENTINEL", .connection, "Where the leader is, as Redis Sentinel tells it",
      subcommands: [
        Subcommand("MASTERS", "The leader", reply: "an array of one map", rights: .read, .sentinel(.masters)),
        Subcommand(
          "MASTER", "The leader of a cluster", [.word("name")], reply: "a map", rights: .read, .sentinel(.master)),
        Subcommand(
          "GET-MASTER-ADDR-BY-NAME", "The leader's address", [.word("name")],
          reply: "an array of host and port; null if no node leads", rights: .read, .sentinel(.address)),
        Subcommand(
          "REPLICAS", "The followers", [.word("name")], reply: "an array of maps", rights: .read, .sentinel(.replicas)),
        Subcommand(
          "SLAVES", "The followers, under their earlier name", [.word("name")], reply: "an array of maps",
          rights: .read, .sentinel(.replicas)),
        Subcommand(
          "SENTINELS", "The other nodes, each of which answers for the cluster", [.word("name")],
          reply: "an array of maps", rights: .read, .sentinel(.sentinels)),
        Subcommand("PING", "Answer", reply: "`PONG`", .ping),
        Subcommand("MYID", "This node's number", reply: "40 hexadecimal digits", rights: .read, .sentinel(.myID)),
      ]),
    server(
      "SUBSCRIBE", .connection,
      "Be told who leads from now on: the channel is `+switch-master`, as of Redis Sentinel, and others stay silent",
      [.words("channel")],
      reply: "for each channel an array `subscribe, channel, subscriptions`, a push in RESP3; then at each change an "
        + "array `message, channel, text`, whose text is the cluster's name and the host and port of the old and the new "
        + "leader. In RESP2 a subscriber may only send these commands, PING, QUIT and RESET",
      rights: .read, .subscribe(.channels)),
    server(
      "UNSUBSCRIBE", .connection, "End some or all subscriptions to channels", [.words("channel", isOptional: true)],
      reply: "for each an array `unsubscribe, channel, subscriptions`", rights: .read, .unsubscribe(.channels)),
    server(
      "PSUBSCRIBE", .connection, "Be told who leads from now on, if a pattern matches `+switch-master`",
      [.words("pattern")],
      reply: "as of SUBSCRIBE; messages are arrays `pmessage, pattern, channel, text`", rights: .read,
      .subscribe(.patterns)),
    server(
      "PUNSUBSCRIBE", .connection, "End some or all subscriptions to patterns", [.words("pattern", isOptional: true)],
      reply: "for each an array `punsubscribe, pattern, subscriptions`", rights: .read, .unsubscribe(.patterns)),
  ]

  static let serverCommands: [CommandSpec] = [
    server("TIME", .server, "The server's clock", reply: "an array of seconds and microseconds", .time),
    server(
      "COMMAND", .server, "The command table", reply: "an array of all commands, as COMMAND INFO shows them",
      takes: [.words("subcommand", isOptional: true)], .command(.all),
      subcommands: [
        Subcommand("COUNT", "How many commands there are", reply: "an integer", .command(.count)),
        Subcommand(
          "INFO", "The facts that clients need about some or all commands", [.words("name", isOptional: true)],
          reply: "an array of ten elements for each, null for an unknown one", .command(.info)),
        Subcommand(
          "DOCS", "The documentation of some or all commands", [.words("name", isOptional: true)],
          reply: "a map by name", .command(.docs)),
        Subcommand(
          "LIST", "The names, or with FILTERBY PATTERN those that match", [.words("filter", isOptional: true)],
          reply: "an array of names", .command(.list)),
        Subcommand(
          "GETKEYS", "For Redis clients: no command has keys", [.words("command")], reply: "always an error",
          .command(.keys)),
        Subcommand(
          "GETKEYSANDFLAGS", "For Redis clients: no command has keys", [.words("command")], reply: "always an error",
          .command(.keys)),
      ]),
    server(
      "HELP", .server, "What a command does and its syntax", [.words("name", isOptional: true)], reply: "text",
      .help),
    server(
      "INFO", .server, "The server's figures", [.words("section", isOptional: true)], reply: "text in sections",
      rights: .read, .info),
    server(
      "CONFIG", .server, "Settings",
      subcommands: [
        Subcommand(
          "GET", "The settings whose names match; many also have the names that tools for Redis use",
          [.words("pattern")], reply: "a map of name and value", rights: .read, .config(.get)),
        Subcommand(
          "SET", "Change settings of the running server, all or none, under any name that GET shows",
          [.word("name"), .word("value"), .words("more", isOptional: true)], reply: "`OK`", rights: .admin,
          .config(.set)),
        Subcommand("RESETSTAT", "Reset the statistics", reply: "`OK`", rights: .admin, .config(.resetStatistics)),
        Subcommand(
          "REWRITE", "For Redis clients: the server does not write its configuration", reply: "always an error",
          rights: .admin, .config(.rewrite)),
      ]),
    server("DBSIZE", .server, "How many users there are", reply: "an integer", rights: .read, .dbsize),
    server(
      "BGSAVE", .server, "Take a snapshot in the background", [.optionalWord("schedule")],
      reply: "`Background saving started`",
      rights: .admin, .bgsave),
    server("SAVE", .server, "Take a snapshot and answer when it is done", reply: "`OK`", rights: .admin, .save),
    server(
      "LASTSAVE", .server, "When the newest snapshot was taken",
      reply: "unix seconds; the server's start if there is none", rights: .read, .lastsave),
    server(
      "COMPACT", .server, "Take a snapshot and move the log that it covers into the archive",
      reply: "a map of what was done; or an error that names what is damaged, after everything else was moved",
      rights: .admin, .compact),
    server(
      "ENCRYPTION", .server, "The encryption of the data folder",
      subcommands: [
        Subcommand(
          "STATUS", "Whether what is written is encrypted, under which key, and what is still in clear",
          reply: "a map; bytes by the number of the data key, 0 for what is in clear", rights: .admin,
          .encryption(.status)),
        Subcommand(
          "ROTATE",
          "Read the master key again from where the settings say, wrap the keys of the folder with it, and begin a new "
            + "data key; with `rewrite` also encrypt with it what was written before",
          [.optionalWord("rewrite")], reply: "a map: the id of the master key, the number of the data key",
          rights: .admin, .encryption(.rotate)),
        Subcommand(
          "ON", "Encrypt what is written from now on, after OFF", reply: "a map, as of ROTATE", rights: .admin,
          .encryption(.on)),
        Subcommand(
          "OFF", "Leave what is written from now on in clear", reply: "a map, as of ROTATE", rights: .admin,
          .encryption(.off)),
      ]),
    server(
      "SHUTDOWN", .server, "Stop the server; the log is synced in any case", [.optionalWord("save")],
      reply: "nothing: the connection closes", rights: .admin, .shutdown),
    // Metrics exporters read the slow log, and have no right but READ.
    server(
      "SLOWLOG", .server, "The slowest commands",
      subcommands: [
        Subcommand(
          "GET", "The newest, 10 by default, -1 for all; without secrets",
          [.optionalWord("count", .integer)],
          reply: "an array of arrays: number, unix seconds, microseconds, words, address and name of the client",
          rights: .read, .slowlog(.get)),
        Subcommand("LEN", "How many there are", reply: "an integer", rights: .read, .slowlog(.length)),
        Subcommand("RESET", "Clear the slow log", reply: "`OK`", rights: .admin, .slowlog(.reset)),
      ]),
    server(
      "LATENCY", .server, "How long commands take",
      subcommands: [
        Subcommand(
          "HISTOGRAM", "Latency histograms of some or all commands", [.words("command", isOptional: true)],
          reply: "a map by name of maps `calls, histogram_usec`", rights: .read, .latency(.histogram)),
        Subcommand(
          "LATEST", "For Redis clients: there are no events", reply: "an empty array", rights: .read,
          .latency(.latest)),
        Subcommand(
          "HISTORY", "For Redis clients: there are no events", [.word("event")], reply: "an empty array", rights: .read,
          .latency(.history)),
        Subcommand(
          "RESET", "For Redis clients: there are no events", [.words("event", isOptional: true)], reply: "0",
          rights: .read, .latency(.reset)),
        Subcommand("DOCTOR", "A diagnosis", reply: "text", rights: .read, .latency(.doctor)),
      ]),
    server(
      "MONITOR", .server, "Every command as it arrives, without secrets", reply: "status lines without end",
      rights: .admin, .monitor),
    server(
      "MEMORY", .server, "Memory use",
      subcommands: [
        Subcommand(
          "USAGE", "The bytes used by a user with contact and sessions",
          [.word("user"), .words("options", isOptional: true)],
          reply: "an integer, or null", rights: .read, .memory(.usage)),
        Subcommand("STATS", "Figures of the process", reply: "a map", rights: .read, .memory(.statistics)),
        Subcommand("DOCTOR", "A diagnosis", reply: "text", rights: .read, .memory(.doctor)),
      ]),
    server(
      "ROLE", .server, "The server's place in replication",
      reply: "`master`, an offset and an array of followers, each host, port and offset; or `slave`, the leader's host "
        + "and port, the state of the link, and an offset",
      rights: .read, needs: .service(), .role),
    server(
      "NODE.LIST", .server, "The nodes that share the log, as far as they were heard of lately",
      reply: "an array of maps, this node first; empty without --replication", rights: .read,
      needs: .permission(.serverRead, over: .server), .node(.list)),
    server(
      "NODE.HASH", .server, "The hash of the chain at a record, to compare nodes with each other",
      [.optionalWord("lsn", .integer)],
      reply: "a map `lsn, hash`, of the last frame that ends at the record or before it; without one, the last of all",
      rights: .read, .node(.hash)),
    server(
      "NODE.KEYS", .server, "The node's keys, to compare nodes with each other; `gatehousectl cluster verify` does",
      reply:
        "a map `lsn, store, generation, nodes, destroyed, keys, ring, master, data-key, data-keys`: the last record; the "
        + "id of the store of people's keys, how often it was changed, how many nodes it has, and hashes of which keys are "
        + "destroyed and of those that are left, which tell nothing of them; then the ids of the encryption's key ring and "
        + "master key, and the numbers of the data key of new files and of all. What there is not is null",
      rights: .admin, .node(.keys)),
    server(
      "NODE.PROMOTE", .server,
      "Have another node lead; with FORCE, asked of that node itself, without waiting for the leader to agree",
      [.word("name"), .optionalWord("force")],
      reply:
        "`OK` once that node leads, or, from the leader, once it hands over; else an error that says why it does not",
      rights: .admin, .node(.promote)),
    server(
      "NODE.RESIGN", .server, "Stop to lead, so that another node does",
      reply: "`OK` once it hands over; else an error that says why it does not", rights: .admin, .node(.resign)),
    server(
      "NODE.LEAVE", .server, "Leave the cluster, and stop the server", reply: "`OK`, then the server stops",
      rights: .admin, .node(.leave)),
    server(
      "NODE.BACKUP", .server,
      "Begin a backup of the server's data folder as of now, to be fetched with NODE.READ; `gatehousectl backup` does",
      reply:
        "a map `id, folder, first, last, bytes, files`: the records that it has, and for each file an array of name "
        + "and size. The server holds it until NODE.RELEASE, until nobody has read of it for a minute, or for six hours; "
        + "it holds two at a time",
      rights: .admin, .node(.backup)),
    server(
      "NODE.READ", .server, "A piece of a file of a backup",
      [.word("id"), .word("file", .integer), .word("offset", .integer), .optionalWord("count", .integer)],
      reply:
        "an array of the bytes and their hash, the first 32 hexadecimal digits of a SHA-256. A file is named by its "
        + "place in the list, from 0 on; without a count, and at most, a piece has 262,144 bytes",
      rights: .admin, .node(.read)),
    server(
      "NODE.RELEASE", .server, "Let the server let go of a backup", [.word("id")], reply: "`OK`", rights: .admin,
      .node(.release)),
    server(
      "MODULE", .server, "For Redis clients: there are no modules",
      subcommands: [Subcommand("LIST", "The modules", reply: "an empty array", .moduleList)]),
    server(
      "WAITAOF", .server, "Wait until this connection's writes are durable",
      [.word("local", .integer), .word("replicas", .integer), .word("timeout", .integer)],
      reply: "an array of two integers", rights: .read, needs: .service(), .waitaof),
  ]

  /// The server's own task of ending sessions whose time is up; not in the table, because no client may send it.
  static let expiry = CommandSpec(
    "SESSION.EXPIRE", .session, "End sessions whose time is up", reply: "", effect: .write, rights: .all,
    needs: .service(), route: .everywhere, body: .server(.ping))

  /// The same for accesses and memberships.
  static let ending = CommandSpec(
    "ACCESS.EXPIRE", .organisation, "End accesses and memberships whose time is up", reply: "", effect: .write,
    rights: .all, needs: .service(), route: .everywhere, body: .server(.ping))

  /// The same for the keys of people who were anonymised.
  static let forgetting = CommandSpec(
    "USER.FORGET", .people, "Record that the keys of anonymised people were destroyed", reply: "", effect: .write,
    rights: .all, needs: .service(), route: .everywhere, body: .server(.ping))
}
