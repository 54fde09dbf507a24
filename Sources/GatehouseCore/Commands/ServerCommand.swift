/// The commands that the server itself runs, because they concern connections, clocks or files.
public enum ServerCommand: Sendable {
  case ping, echo, hello, auth, quit, reset, select, time, help, info, dbsize
  case multi, exec, discard, watch, unwatch
  case bgsave, save, lastsave, shutdown, monitor, role, waitaof, compact
  case client(Client)
  case command(Command)
  case config(Config)
  case slowlog(SlowLog)
  case latency(Latency)
  case memory(Memory)
  case encryption(Encryption)
  case node(Node)
  case sentinel(Sentinel)
  case subscribe(Subscribed), unsubscribe(Subscribed)
  case moduleList
  /// The list of subcommands.
  case subcommands
  /// A command that needs a subcommand.
  case none

  public enum Client: Sendable { case id, getName, setName, setInfo, lastLSN, info, list, kill, noEvict, noTouch }
  public enum Command: Sendable { case all, count, info, docs, list, keys }
  public enum Config: Sendable { case get, set, resetStatistics, rewrite }
  public enum SlowLog: Sendable { case get, length, reset }
  public enum Latency: Sendable { case histogram, latest, history, reset, doctor }
  public enum Memory: Sendable { case usage, statistics, doctor }
  public enum Encryption: Sendable { case status, rotate, on, off }
  public enum Node: Sendable { case list, hash, keys, promote, resign, leave, backup, read, release }
  public enum Subscribed: Sendable { case channels, patterns }
  public enum Sentinel: Sendable { case masters, master, address, replicas, sentinels, myID }

  /// How a command is treated between `MULTI` and `EXEC`.
  public enum InTransaction: Sendable {
    case queued
    /// It concerns the transaction or the connection itself.
    case atOnce
    /// It would delay or end the commands after it, or change their authority.
    case refused
  }

  public var inTransaction: InTransaction {
    switch self {
    case .multi, .exec, .discard, .watch, .quit, .reset: .atOnce
    case .node(.promote), .node(.resign), .node(.leave), .node(.backup), .node(.read), .node(.release): .refused
    case .save, .shutdown, .compact, .encryption, .monitor, .subscribe, .unsubscribe, .auth, .hello: .refused
    case .ping, .echo, .select, .time, .help, .info, .dbsize, .unwatch, .bgsave, .lastsave, .role,
      .waitaof, .client, .command, .config, .slowlog, .latency, .memory, .moduleList,
      .subcommands, .none, .node, .sentinel:
      .queued
    }
  }
}

extension CommandSpec {
  /// How the command is treated between `MULTI` and `EXEC`.
  public var inTransaction: ServerCommand.InTransaction {
    if case .server(let command) = body { command.inTransaction } else { .queued }
  }
}
