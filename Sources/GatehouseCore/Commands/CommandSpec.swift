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
  /// The options of every write that the command does not take: `IDEM` where words are passwords, because the log would
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
    effect: Effect = .read, rights: ServiceRights = .read, needs need: Need, route: Route,
    touches: Lookahead.Touched = .nothing, secrets: Set<Int> = [],
    withholds withheld: Set<String> = [],
    isForTemporary: Bool = false, ownLogin: OwnLogin? = nil,
    subcommands: [CommandSpec] = [],
    body: Body
  ) {
    self.name = name
    self.group = group
    self.summary = summary
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
  /// The keyword of an option; nil for a positional argument.
  public let token: String?
  public let isOptional: Bool
  public let repeats: Bool
  /// Takes all remaining words.
  public let isVariadic: Bool
  /// The names of an option's values, or of the words of one repetition, if there are several.
  public let parts: [String]
  /// The allowed words of a choice.
  public let choices: [String]
  /// The option's first value is the number of values that follow.
  public let isCounted: Bool
  /// Whether its values are secret.
  let secrecy: Secrecy

  enum Secrecy: Equatable {
    case open
    case secret
    /// … if one of these words is in the command: the names of secret columns of rows.
    case secretBeside(Set<String>)
  }

  private init(
    _ name: String, _ kind: Kind, token: String? = nil, isOptional: Bool = false, repeats: Bool = false,
    isVariadic: Bool = false, parts: [String] = [], choices: [String] = [], isCounted: Bool = false,
    secrecy: Secrecy = .open
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
    self.secrecy = secrecy
  }

  /// A required word.
  public static func word(_ name: String, _ kind: Kind = .string) -> Argument { Argument(name, kind) }

  /// An optional word, after all required ones.
  public static func optionalWord(_ name: String, _ kind: Kind = .string) -> Argument {
    Argument(name, kind, isOptional: true)
  }

  /// One word or more, up to the end; options may stand before and between them.
  public static func words(_ name: String, isOptional: Bool = false) -> Argument {
    Argument(name, .string, isOptional: isOptional, repeats: true, isVariadic: true)
  }

  /// Pairs of a name and a value, up to the end. Options may stand before and between pairs, but not inside: a value may
  /// be any text, also one that is spelled like an option.
  public static func pairs(_ name: String, _ value: String) -> Argument {
    Argument("\(name) \(value)", .block, isOptional: true, repeats: true, isVariadic: true, parts: [name, value])
  }

  /// `TOKEN value`.
  public static func option(
    _ token: String, _ name: String, _ kind: Kind = .string, repeats: Bool = false
  ) -> Argument {
    Argument(name, kind, token: token, isOptional: true, repeats: repeats)
  }

  /// `TOKEN value`, of which the value is secret.
  static func secretOption(_ token: String, _ name: String) -> Argument {
    Argument(name, .string, token: token, isOptional: true, secrecy: .secret)
  }

  /// A mandatory `TOKEN value`.
  public static func mandatory(_ token: String, _ name: String, _ kind: Kind = .string) -> Argument {
    Argument(name, kind, token: token)
  }

  /// `TOKEN a b …`.
  public static func option(_ token: String, parts: [String], repeats: Bool = false) -> Argument {
    Argument(token.lowercased(), .block, token: token, isOptional: true, repeats: repeats, parts: parts)
  }

  /// `TOKEN n x1 … xn`.
  ///
  /// - Parameter names: words beside which the values are secret.
  public static func counted(
    _ token: String, _ name: String, isOptional: Bool = true, secretBeside names: Set<String> = []
  ) -> Argument {
    Argument(
      name, .string, token: token, isOptional: isOptional, isCounted: true,
      secrecy: names.isEmpty ? .open : .secretBeside(names))
  }

  /// An option without a value.
  public static func flag(_ token: String) -> Argument {
    Argument(token.lowercased(), .flag, token: token, isOptional: true)
  }

  /// The options of every write.
  public static let everyWrite: [Argument] = [
    .option("REASON", "text"), .option("IDEM", "key"), .option("IFVERSION", "version", .integer),
    .flag("DRYRUN"),
  ]

  /// The number of words after the keyword; for counted options, the count is one of the words.
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

/// What the partitions contribute to the reply of a command that reads all of them.
public struct Gathered: Sendable {
  /// A list's item with its sort key.
  public struct Item: Sendable {
    public let key: ContiguousArray<UInt8>
    public let id: UInt64
    public let reply: Reply
    public let impersonation: ListedImpersonation?
    /// Who made what the item is about, where the list shows it.
    let author: Author?
    /// As whom, in an impersonation.
    let subject: UserID?
    /// The workspace of what the item is about.
    let workspace: WorkspaceID
    /// The request for approval that the item is about.
    let request: ApprovalRequest?

    init(
      key: ContiguousArray<UInt8>, id: UInt64, reply: Reply, impersonation: ListedImpersonation? = nil,
      author: Author? = nil, subject: UserID? = nil, workspace: WorkspaceID = 0, request: ApprovalRequest? = nil
    ) {
      self.key = key
      self.id = id
      self.reply = reply
      self.impersonation = impersonation
      self.author = author
      self.subject = subject
      self.workspace = workspace
      self.request = request
    }
  }

  public var count = 0
  public var items: [Item] = []
  /// Logins that began impersonations; items from other partitions refer to them.
  public var logins: [SessionID: ListedLogin] = [:]
  /// Sessions found to have lost their right. They must end before the list is answered.
  public var lapsed: [SessionID] = []
  /// Set when the remaining partitions need not be read.
  public var isComplete = false
  /// The largest LSN read.
  public var horizon: LSN = 0
  /// The row at which to continue in the partition; 0 when the partition is done.
  public private(set) var nextRow = 0
  /// The position of the last item read in a partition that is read by positions and not by rows; nil at its start.
  private(set) var position: ListCursor?
  /// How many items this partition has given so far, if it is read by positions.
  private(set) var found = 0
  /// How many items a list has passed over so far (`OFFSET`).
  var skipped = 0
  /// People named in the answer. They may be in any partition, so the driver looks them up once `finish` has put them
  /// into `unnamed`, and finishes again. nil for a user that does not exist.
  var people: [UserID: NamedPerson?] = [:]
  public internal(set) var unnamed: Set<UserID> = []
  /// The same by partition, once they are being looked up.
  private var unnamedByPartition: [Int: [UserID]]?
  /// The parsed query of a search.
  var query: SearchQuery?
  /// The conditions of a list, with the directory in which their names were looked up.
  var conditions: (directory: Directory, list: [UserCondition])?
  /// Who looks at the people of a list.
  private var knownViewer: ListViewer?
  /// The word of a search by whose terms its answer is sorted.
  var ordering: Int?
  /// Users with exactly the username of a search who live in another partition than the name leads to.
  var namesakes: Set<UserID> = []
  /// The first rows of a sorted list so far.
  var first: FirstRows?
  /// The rows that a sorted list has found in the partition, if it was left in between.
  var seen: Set<UInt64> = []
  /// The rows whose replies are written, by id, once the first of all partitions are known; nil until then.
  var written: [UInt64: Reply]?
  /// What is to be looked at once more when all partitions were read, by partition, and how.
  private(set) var rest: (partitions: Set<Int>, look: @Sendable (Turn, HeldPartition, inout Gathered) -> Void)?
  /// Whether an exact match is among the items of a search.
  var hasExact = false
  /// The last entry of the word index that a search has read in the partition, if it was left in between.
  var lastEntry: WordIndex.Entry?

  public init() {}

  /// Who looks at the people of a list, the same from one partition to the next as long as the directory is.
  mutating func viewer(_ turn: Turn) -> ListViewer {
    if let knownViewer, knownViewer.directory === turn.directory { return knownViewer }
    let viewer = ListViewer(turn)
    knownViewer = viewer
    return viewer
  }

  /// Has some partitions looked at once more, after which the command finishes again.
  mutating func look(
    again partitions: Set<Int>, _ look: @escaping @Sendable (Turn, HeldPartition, inout Gathered) -> Void
  ) {
    if !partitions.isEmpty { rest = (partitions, look) }
  }

  /// Whether something is left to be looked up before the answer is whole.
  public var isUnfinished: Bool { !unnamed.isEmpty || rest != nil }

  /// The partitions that have it.
  public func unfinished(_ partitioning: Partitioning) -> Set<Int> {
    Set(unnamed.map { partitioning.partition(of: $0) }).union(rest?.partitions ?? [])
  }

  /// Takes those of a partition out of the people who are to be looked up.
  mutating func takeUnnamed(of partition: Int, _ partitioning: Partitioning) -> [UserID] {
    if unnamed.isEmpty { return [] }
    var groups = unnamedByPartition ?? Dictionary(grouping: unnamed) { partitioning.partition(of: $0) }
    // Moved out, so that taking from it does not copy.
    unnamedByPartition = nil
    let taken = groups.removeValue(forKey: partition) ?? []
    unnamed.subtract(taken)
    unnamedByPartition = unnamed.isEmpty ? nil : groups
    return taken
  }

  /// Takes a partition out of the rest.
  mutating func takeRest(
    of partition: Int
  ) -> (@Sendable (Turn, HeldPartition, inout Gathered) -> Void)? {
    guard let look = rest?.look, rest?.partitions.remove(partition) != nil else { return nil }
    if rest?.partitions.isEmpty ?? false { rest = nil }
    return look
  }

  /// Lets the scan leave the partition for a moment and come back at a row; with row 0 it continues with the next
  /// partition.
  mutating func comeBack(at row: Int) { nextRow = row }

  /// Leaves a partition that is read by positions, to continue after this one; if nil, the partition is done.
  mutating func leave(at position: ListCursor?, found: Int) {
    self.position = position
    self.found = position == nil ? 0 : found
    nextRow = position == nil ? 0 : 1
  }

  /// Inserts an item by its key, and keeps the first `most` items.
  mutating func insert(_ item: Item, most: Int) {
    var (index, end) = (0, items.count)
    while index < end {
      let middle = (index + end) / 2
      if item.key.lexicographicallyPrecedes(items[middle].key) { end = middle } else { index = middle + 1 }
    }
    items.insert(item, at: index)
    if items.count > most { items.removeLast() }
  }

  /// Whether this is the first visit to the partition.
  public var isAtStart: Bool { nextRow == 0 }

  /// The rows to look at in this visit; the scan then leaves the partition, and comes back for the rest.
  ///
  /// - Parameters:
  ///   - first: the first row.
  ///   - last: the last row of the table.
  public mutating func slice(from first: Int = 1, through last: Int) -> Range<Int> {
    let start = max(first, nextRow)
    let end = min(start + Limits.rowsOfSlice, last + 1)
    nextRow = end <= last ? end : 0
    return start..<max(start, end)
  }
}
