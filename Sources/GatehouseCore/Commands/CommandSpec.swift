/// A command as data. Look-up, arity and permission checks, routing, `COMMAND`, `HELP`, metrics and the reference are
/// all derived from it.
public final class CommandSpec: Sendable {
  /// In upper case, `NOUN.VERB` or a Redis name; a subcommand includes its command, as in `CLIENT|LIST`.
  public let name: String
  public let group: Group
  /// One line, without a full stop.
  public let summary: String
  public let arguments: [Argument]
  /// The reply, for the reference.
  public let reply: String
  public let effect: Effect
  /// The right that a service needs to run the command.
  public let rights: ServiceRights
  /// What else it needs: of the user whose session follows `AS`, and of a service that is bound.
  public let need: Need
  public let route: Route
  /// What the command reads or writes besides the routed user; a hint for prefetching.
  public let touches: Lookahead.Touched
  public let body: Body
  /// The indexes of words that `MONITOR` and `SLOWLOG` must not show; options may have others (`secretWords`).
  public let secrets: Set<Int>
  /// The options of every write that the command does not take: `IFVERSION` where it is not about one thing with a version,
  /// `IDEM` where words are passwords, because the log would
  /// keep a digest of them; `DRYRUN` where trying would be a guess that costs nothing.
  let withheld: Set<String>
  /// Whether it is a write that a session takes which a temporary password has opened (P13).
  let isForTemporary: Bool
  /// What of it only somebody may do who has logged in as themselves, whatever words it has.
  let ownLogin: OwnLogin?
  /// Whether its secrets are typed, as passwords are. One with spaces that was not quoted goes on in the words behind it.
  public var hasTypedSecrets: Bool {
    if case .server(.auth) = body { return true }
    return !secrets.isEmpty && withheld.contains("IDEM")
  }
  /// Whether it can be tried with `DRYRUN`.
  public var takesDryRun: Bool { effect == .write && !withheld.contains("DRYRUN") }
  /// Commands selected by the second word.
  public let subcommands: [CommandSpec]

  public init(
    _ name: String, _ group: Group, _ summary: String, _ arguments: [Argument] = [], reply: String,
    effect: Effect = .read, isVersioned: Bool = false, rights: ServiceRights = .read, needs need: Need, route: Route,
    touches: Lookahead.Touched = .nothing, secrets: Set<Int> = [],
    withholds withheld: Set<String> = [],
    isForTemporary: Bool = false, ownLogin: OwnLogin? = nil,
    subcommands: [CommandSpec] = [],
    body: Body
  ) {
    self.name = name
    self.group = group
    self.summary = summary
    let withheld = isVersioned ? withheld : withheld.union(["IFVERSION"])
    // A command can replace one of them, for example to make the reason mandatory.
    let common = Argument.everyWrite.filter { common in
      !withheld.contains(common.token ?? "") && !arguments.contains { $0.token == common.token }
    }
    self.withheld = withheld
    self.isForTemporary = isForTemporary
    self.ownLogin = ownLogin
    self.arguments = effect == .write ? arguments + common : arguments
    self.reply = reply
    self.effect = effect
    self.rights = rights
    self.need = need
    self.route = route
    self.touches = touches
    self.secrets = secrets
    self.subcommands = subcommands
    self.body = body
    if case .decide(let decide) = body { decision = decide } else { decision = nil }
    switch body {
    case .prefix, .minimum: isPrefix = true
    case .decide, .gather, .server: isPrefix = false
    }
    switch body {
    case .server(.hello), .server(.auth), .server(.quit), .server(.reset): isOpen = true
    default: isOpen = false
    }
    let options = self.arguments.filter { $0.token != nil }
    self.options = options
    tokens = options.compactMap(\.token)
    mandatory = options.indices.filter { !options[$0].isOptional }
    let positional = self.arguments.filter { $0.token == nil }
    // The second word of a subcommand's name counts as a required word.
    let nameWords = name.contains("|") ? 1 : 0
    required = nameWords + positional.count { !$0.isOptional }
    isVariadic = positional.contains { $0.isVariadic }
    wordsOfRepetition = positional.last.map { max(1, $0.parts.count) } ?? 1
    positionalMost = isVariadic ? .max : nameWords + positional.count
    fixed = nameWords + positional.count { !$0.isOptional && !$0.isVariadic }
  }

  public enum Group: String, Sendable, CaseIterable {
    case login, session, impersonation, key, timer, people, organisation, mail, audit, service, connection, server
  }

  public enum Effect: Sendable {
    case read
    case write
  }

  /// Where a command starts.
  public enum Route: Sendable, BitwiseCopyable {
    /// At the connection or the server; no partition is entered.
    case connection
    /// In the partition of the user that word `n` names; if there are more owners, the decision asks for them.
    case user(Int)
    /// In the partition of the session whose token or id is word `n`.
    case session(Int)
    /// In the partition of the API key that word `n` is or names by its id.
    case key(Int)
    /// In the partition of the entity whose numeric id is word `n`.
    case identifier(Int)
    /// With a view of the directory, which every thread has; a command that changes the directory asks for it.
    case directory
    /// In every partition, one after another.
    case everywhere
  }

  public enum Body: Sendable {
    case decide(@Sendable (Turn) throws(Halt) -> Void)
    /// Reads partition after partition into one result, from which `finish` makes the reply.
    case gather(
      collect: @Sendable (Turn, HeldPartition, inout Gathered) throws(Halt) -> Void,
      finish: @Sendable (Turn, inout Gathered) throws(Halt) -> Void)
    case server(ServerCommand)
    /// `AS`: the words after it are another command.
    case prefix
    /// `MINLSN`: the same.
    case minimum
  }

  // MARK: Derived

  /// The body of a `decide` command.
  public let decision: (@Sendable (Turn) throws(Halt) -> Void)?
  /// Whether it is allowed before authentication.
  public let isOpen: Bool
  /// Whether another command begins at the third word: `AS`, `MINLSN`.
  public let isPrefix: Bool

  /// The arguments that start with a keyword.
  public let options: [Argument]
  /// Their names, which requests are compared with.
  let tokens: [String]
  /// The indexes in `options` of the mandatory ones.
  public let mandatory: [Int]
  /// The number of required positional words, without the command's name but with a subcommand's.
  public let required: Int
  /// … of which these stand in front of all options. Options may stand between words that repeat, and before them.
  public let fixed: Int
  /// Whether the last positional words repeat.
  public let isVariadic: Bool
  /// How many words each repetition has.
  let wordsOfRepetition: Int
  /// The largest number of positional words, counted the same way.
  public let positionalMost: Int

  /// Redis' arity: it counts the name, and is negative if more words may follow.
  public var arity: Int {
    let least = 1 + required + mandatory.reduce(0) { $0 + 1 + options[$1].valueCount }
    return options.isEmpty && positionalMost == required ? least : -least
  }

  /// The name as clients write it: `CLIENT LIST`.
  public var spokenName: String { name.split(separator: "|").joined(separator: " ") }

  /// The name as Redis and its tools write it: `client|list`.
  public var fullName: String { name.lowercased() }

  /// `LOGIN.CHECK user product [AT time]`.
  public var usage: String { ([spokenName] + arguments.map(\.usage)).joined(separator: " ") }
}

/// The facts of a command that every request checks, flat, so that reading them needs no reference counting.
struct CommandGate: BitwiseCopyable {
  let route: CommandSpec.Route
  let touches: Lookahead.Touched
  let rights: ServiceRights
  /// See `CommandSpec`.
  let required: Int
  let hasMandatoryOptions: Bool
  let isOpen: Bool
  let isPrefix: Bool
  /// Whether this is `MINLSN`.
  let isMinimum: Bool
  /// Whether the words after the name select the actual command: `AS`, and commands with subcommands.
  let isChoosing: Bool
  let isWrite: Bool
  /// Whether it takes `DRYRUN`.
  let isTriable: Bool
  /// Whether `AS` may precede it.
  let isForUsers: Bool
  /// Whether a service that is bound to workspaces or products may run it.
  let isForBound: Bool

  init(_ spec: CommandSpec) {
    route = spec.route
    touches = spec.touches
    rights = spec.rights
    required = spec.required
    hasMandatoryOptions = !spec.mandatory.isEmpty
    isOpen = spec.isOpen
    isPrefix = spec.isPrefix
    if case .minimum = spec.body { isMinimum = true } else { isMinimum = false }
    isChoosing = spec.isPrefix || !spec.subcommands.isEmpty
    isWrite = spec.effect == .write
    isTriable = spec.takesDryRun
    isForUsers = spec.need.isForUsers
    isForBound = spec.need.isOfServer == nil
  }
}
