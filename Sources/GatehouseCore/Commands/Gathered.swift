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
  /// Links of people who were merged into others, by the link's id: the others are looked up once all links are found.
  var mergedLinks: [UInt64: MergedLink] = [:]
  /// The parsed query of a search.
  var query: SearchQuery?
  /// The conditions of a list, with the directory in which their names were looked up.
  var conditions: (directory: Directory, list: [UserCondition])?
  /// Who looks at the people of a list.
  private var knownViewer: ListViewer?
  /// Users with exactly the username of a search who live in another partition than the name leads to.
  var namesakes: Set<UserID> = []
  /// How far a sorted list is that passes over some (`OFFSET`), and is read from behind them.
  var progress: SortedProgress?
  /// The first rows of a sorted list so far.
  var first: FirstRows?
  /// The last row that a sorted list has read in the partition, and the rows that it has found there, if it was left in
  /// between.
  var lastPlace: ListPlace?
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

  /// Whether all partitions are to be read once more, after which the command finishes again.
  private var isToBeReadAgain = false

  mutating func readAgain() { isToBeReadAgain = true }

  /// Begins to read all partitions once more, if that is asked for.
  public mutating func beginsAgain() -> Bool {
    defer { isToBeReadAgain = false }
    return isToBeReadAgain
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
