/// One command as data: what look-up, arity and permission checks, routing, `COMMAND`, `HELP`, metrics and
/// the reference are all derived from.
public final class CommandSpec: Sendable {
  /// Upper case, `NOUN.VERB` or a Redis name; a subcommand with its command, as in `CLIENT|LIST`.
  public let name: String
  public let group: Group
  /// One line, without a full stop.
  public let summary: String
  public let arguments: [Argument]
  /// What the command answers, for the reference.
  public let reply: String
  public let effect: Effect
  /// What a service needs to run the command by itself.
  public let rights: ServiceRights
  /// What it needs besides: of the user whose session stands after `AS`, and of a service that is bound to workspaces.
  public let need: Need
  public let route: Route
  public let body: Body
  /// Words whose text must not appear in `MONITOR` and `SLOWLOG`.
  public let secrets: Set<Int>
  /// Commands that are chosen by the second word.
  public let subcommands: [CommandSpec]

  public init(
    _ name: String, _ group: Group, _ summary: String, _ arguments: [Argument] = [], reply: String,
    effect: Effect = .read, rights: ServiceRights = .read, needs need: Need, route: Route,
    secrets: Set<Int> = [], subcommands: [CommandSpec] = [],
    body: Body
  ) {
    self.name = name
    self.group = group
    self.summary = summary
    // A command that says more about one of them, such as that a reason is needed, brings its own.
    let common = Argument.everyWrite.filter { common in !arguments.contains { $0.token == common.token } }
    self.arguments = effect == .write ? arguments + common : arguments
    self.reply = reply
    self.effect = effect
    self.rights = rights
    self.need = need
    self.route = route
    self.secrets = secrets
    self.subcommands = subcommands
    self.body = body
    if case .decide(let decide) = body { decision = decide } else { decision = nil }
    if case .prefix = body { isPrefix = true } else { isPrefix = false }
    switch body {
    case .server(.hello), .server(.auth), .server(.quit), .server(.reset): isOpen = true
    default: isOpen = false
    }
    let options = self.arguments.filter { $0.token != nil }
    self.options = options
    mandatory = options.indices.filter { !options[$0].isOptional }
    let positional = self.arguments.filter { $0.token == nil }
    // The second word of a subcommand's name counts as one that must be there.
    let nameWords = name.contains("|") ? 1 : 0
    required = nameWords + positional.count { !$0.isOptional }
    positionalMost = positional.contains { $0.isVariadic } ? .max : nameWords + positional.count
  }

  public enum Group: String, Sendable, CaseIterable {
    case login, session, impersonation, timer, people, organisation, audit, service, connection, server
  }

  public enum Effect: Sendable {
    case read
    case write
  }

  /// Where a command begins.
  public enum Route: Sendable, BitwiseCopyable {
    /// At the connection or the server.
    case connection
    /// The partition of the user that word `n` names; with several owners the decision asks for the others.
    case user(Int)
    /// The partition of the session whose token or id is word `n`.
    case session(Int)
    /// The partition of the entity whose plain id is word `n`.
    case identifier(Int)
    /// Where the directory is read, which is anywhere; whoever changes it asks for it.
    case directory
    /// Every partition, one after the other.
    case everywhere
  }

  public enum Body: Sendable {
    case decide(@Sendable (Turn) throws(Halt) -> Void)
    /// Reads partition after partition into one result, which `finish` makes the reply of.
    case gather(
      collect: @Sendable (Turn, HeldPartition, inout Gathered) throws(Halt) -> Void,
      finish: @Sendable (Turn, inout Gathered) throws(Halt) -> Void)
    case server(ServerCommand)
    /// `AS`: what follows is a command of its own.
    case prefix
  }

  // MARK: Derived

  /// The body of a command that decides.
  public let decision: (@Sendable (Turn) throws(Halt) -> Void)?
  /// Whether it may be asked before authentication.
  public let isOpen: Bool
  /// Whether this is `AS`.
  public let isPrefix: Bool

  /// The arguments that are introduced by a word of their own.
  public let options: [Argument]
  /// The places in `options` of those that must be given.
  public let mandatory: [Int]
  /// Positional words that must be there, without the command's name; a subcommand's name is one of them.
  public let required: Int
  /// Positional words at most, counted the same way.
  public let positionalMost: Int

  /// As Redis counts: the name included, negative where more may follow.
  public var arity: Int {
    let least = 1 + required + mandatory.reduce(0) { $0 + 1 + options[$1].valueCount }
    return options.isEmpty && positionalMost == required ? least : -least
  }

  /// As a client writes it: `CLIENT LIST`.
  public var spokenName: String { name.split(separator: "|").joined(separator: " ") }

  /// As Redis and its tools write it: `client|list`.
  public var fullName: String { name.lowercased() }

  /// `LOGIN.CHECK user product [AT time]`.
  public var usage: String { ([spokenName] + arguments.map(\.usage)).joined(separator: " ") }
}

/// What every request of a command is asked, flat, so that asking counts no reference.
struct CommandGate: BitwiseCopyable {
  let route: CommandSpec.Route
  let rights: ServiceRights
  /// As in `CommandSpec`.
  let required: Int
  let hasMandatoryOptions: Bool
  let isOpen: Bool
  let isPrefix: Bool
  /// Whether the words that follow the name choose the command that is meant: `AS`, and commands with subcommands.
  let isChoosing: Bool
  let isWrite: Bool
  /// Whether `AS` may stand in front of it.
  let isForUsers: Bool
  /// Whether a service that is bound to workspaces may run it.
  let isForBound: Bool

  init(_ spec: CommandSpec) {
    route = spec.route
    rights = spec.rights
    required = spec.required
    hasMandatoryOptions = !spec.mandatory.isEmpty
    isOpen = spec.isOpen
    isPrefix = spec.isPrefix
    isChoosing = spec.isPrefix || !spec.subcommands.isEmpty
    isWrite = spec.effect == .write
    isForUsers = spec.need.isForUsers
    isForBound = spec.need.isOfServer == nil
  }
}

/// One argument of a command.
public struct Argument: Sendable {
  /// The types of `COMMAND DOCS`.
  public enum Kind: String, Sendable {
    case string, integer, double, key, pattern
    case time = "unix-time"
    case flag = "pure-token"
    case choice = "oneof"
    case block
  }

  public let name: String
  public let kind: Kind
  /// The word that introduces an option; nil for a positional argument.
  public let token: String?
  public let isOptional: Bool
  public let repeats: Bool
  /// Takes all words that follow.
  public let isVariadic: Bool
  /// The names of an option's values, when there are several.
  public let parts: [String]
  /// The words of a choice.
  public let choices: [String]
  /// The option's first value says how many follow.
  public let isCounted: Bool

  private init(
    _ name: String, _ kind: Kind, token: String? = nil, isOptional: Bool = false, repeats: Bool = false,
    isVariadic: Bool = false, parts: [String] = [], choices: [String] = [], isCounted: Bool = false
  ) {
    self.name = name
    self.kind = kind
    self.token = token
    self.isOptional = isOptional
    self.repeats = repeats
    self.isVariadic = isVariadic
    self.parts = parts
    self.choices = choices
    self.isCounted = isCounted
  }

  /// A word that must be there.
  public static func word(_ name: String, _ kind: Kind = .string) -> Argument { Argument(name, kind) }

  /// A word that may be there, after all that must.
  public static func optionalWord(_ name: String, _ kind: Kind = .string) -> Argument {
    Argument(name, kind, isOptional: true)
  }

  /// One word or more, up to the end.
  public static func words(_ name: String, isOptional: Bool = false) -> Argument {
    Argument(name, .string, isOptional: isOptional, repeats: true, isVariadic: true)
  }

  /// `TOKEN value`.
  public static func option(
    _ token: String, _ name: String, _ kind: Kind = .string, repeats: Bool = false
  ) -> Argument {
    Argument(name, kind, token: token, isOptional: true, repeats: repeats)
  }

  /// `TOKEN value` that must be given.
  public static func mandatory(_ token: String, _ name: String, _ kind: Kind = .string) -> Argument {
    Argument(name, kind, token: token)
  }

  /// `TOKEN a b …`.
  public static func option(_ token: String, parts: [String], repeats: Bool = false) -> Argument {
    Argument(token.lowercased(), .block, token: token, isOptional: true, repeats: repeats, parts: parts)
  }

  /// `TOKEN n x1 … xn`.
  public static func counted(_ token: String, _ name: String) -> Argument {
    Argument(name, .string, token: token, isOptional: true, isCounted: true)
  }

  /// An option without a value.
  public static func flag(_ token: String) -> Argument {
    Argument(token.lowercased(), .flag, token: token, isOptional: true)
  }

  /// What every write takes.
  public static let everyWrite: [Argument] = [
    .option("REASON", "text"), .option("IDEM", "key"), .option("IFVERSION", "version", .integer),
    .flag("DRYRUN"),
  ]

  /// The number of words after the token; for counted options the number is itself among the words.
  public var valueCount: Int {
    if kind == .flag { return 0 }
    return parts.isEmpty ? 1 : parts.count
  }

  public var usage: String {
    guard let token else {
      let shown = isVariadic ? "\(name)…" : name
      return isOptional ? "[\(shown)]" : shown
    }
    var shown = token
    if isCounted {
      shown += " n \(name)…"
    } else if kind != .flag {
      shown += " " + (parts.isEmpty ? name : parts.joined(separator: " "))
    }
    return isOptional ? "[\(shown)]" + (repeats ? "…" : "") : shown
  }
}

/// What partitions contribute to the answer of a command that reads all of them.
public struct Gathered: Sendable {
  /// A list's item with the key it is sorted by.
  public struct Item: Sendable {
    public let key: ContiguousArray<UInt8>
    public let id: UInt64
    public let reply: Reply
    public let impersonation: ListedImpersonation?

    public init(
      key: ContiguousArray<UInt8>, id: UInt64, reply: Reply, impersonation: ListedImpersonation? = nil
    ) {
      self.key = key
      self.id = id
      self.reply = reply
      self.impersonation = impersonation
    }
  }

  public var count = 0
  public var items: [Item] = []
  /// The logins that began impersonations, which items of other partitions are about.
  public var logins: [SessionID: ListedLogin] = [:]
  /// Sessions that were found to have lost their right. They are to end before the list is answered.
  public var lapsed: [SessionID] = []
  /// Set when the partitions that follow need not be asked.
  public var isComplete = false
  /// The largest LSN that was read.
  public var horizon: LSN = 0
  /// The row of the partition's table to go on with; 0 where the partition is done.
  public private(set) var nextRow = 0
  /// What a search asks for, once it is read.
  var query: SearchQuery?

  public init() {}

  /// Has the scan leave the partition for a moment and come back; with row 0, go on to the next one.
  mutating func comeBack(at row: Int) { nextRow = row }

  /// Puts an item in the order of its key among those there are, of which the first `most` stay.
  mutating func insert(_ item: Item, most: Int) {
    let place = items.firstIndex { item.key.lexicographicallyPrecedes($0.key) } ?? items.count
    items.insert(item, at: place)
    if items.count > most { items.removeLast() }
  }

  /// Whether the partition at hand has not been looked at before.
  public var isAtStart: Bool { nextRow == 0 }

  /// The rows to look at while the partition is held this time; the scan leaves it then, and comes back for the rest.
  ///
  /// - Parameters:
  ///   - first: the row to begin with.
  ///   - last: the last row of the table.
  public mutating func slice(from first: Int = 1, through last: Int) -> Range<Int> {
    let start = max(first, nextRow)
    let end = min(start + Limits.rowsOfSlice, last + 1)
    nextRow = end <= last ? end : 0
    return start..<max(start, end)
  }
}
