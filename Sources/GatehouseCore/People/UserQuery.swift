/// The conditions of a list of people, and which of them the principal may see.
public struct ListFilter<Row: ListedPerson> {
  public let conditions: [UserCondition]
  private let includesDeleted: Bool
  /// Who is looking, and what they may see.
  let viewer: ListViewer

  /// - Parameter gathered: keeps the conditions from one partition to the next, as long as the directory is the same.
  init(_ turn: Turn, _ gathered: inout Gathered) throws(Halt) {
    turn.read(turn.directory.lsn)
    if let known = gathered.conditions, known.directory === turn.directory {
      conditions = known.list
    } else {
      conditions = try Self.conditions(turn)
      gathered.conditions = (turn.directory, conditions)
    }
    includesDeleted = conditions.contains(where: \.asksForDeleted)
    viewer = gathered.viewer(turn)
  }

  init(_ turn: Turn) throws(Halt) {
    var gathered = Gathered()
    try self.init(turn, &gathered)
  }

  private static func conditions(_ turn: Turn) throws(Halt) -> [UserCondition] {
    let given = try turn.options("WHERE")
    guard given.count <= Limits.conditionsOfList else {
      throw .refused(.limit("conditions: WHERE is given at most \(Limits.conditionsOfList) times"))
    }
    var conditions: [UserCondition] = []
    for words in given { conditions.append(try UserCondition(words[0], words[1], words[2], turn, among: Row.fields)) }
    return conditions
  }

  /// Whether every user who is not deleted passes.
  public var isOpen: Bool { conditions.isEmpty && viewer.isFree }

  /// The rows of a partition to look at; nil if the indexes tell nothing, so that it is every row.
  func selection(in cell: HeldPartition) -> PeopleSelection? {
    guard includesDeleted else { return PeopleSelection(conditions, viewer, Row.self, in: cell) }
    // A condition says that the status is *deleted*. Contacts have no status.
    return Row.hasExactFacets ? PeopleSelection(deletedOf: Row.self, in: cell) : nil
  }

  /// Whether rows in the order of the list are better read by its index than looked at all: where many meet the
  /// conditions.
  ///
  /// - Parameter selection: that of the partition.
  func goesByOrder(_ selection: PeopleSelection?) -> Bool {
    !includesDeleted && selection.map { $0.rows.count > Limits.rowsOfSlice } ?? true
      && conditions.allSatisfy { $0.isOfManyOrIndexed(for: viewer) }
  }

  /// The rows to look at while a partition is held this time.
  ///
  /// - Parameters:
  ///   - selection: that of the partition.
  ///   - first: the row to begin with.
  func rows(
    of cell: HeldPartition, _ selection: PeopleSelection?, from first: Int = 1, _ gathered: inout Gathered
  ) -> [Int] {
    guard let selection else { return Array(gathered.slice(from: first, through: Row.last(in: cell))) }
    var rows = selection.rows.first(Limits.rowsOfSlice + 1, from: max(first, gathered.nextRow))
    gathered.comeBack(at: rows.count > Limits.rowsOfSlice ? rows.removeLast() : 0)
    return rows
  }

  /// How many of a partition pass, where the indexes tell it without a look at more than a slice of rows; nil where they do
  /// not. A page far down a list passes over whole partitions with it.
  ///
  /// - Parameter selection: that of the partition.
  func count(in cell: HeldPartition, _ selection: PeopleSelection?) -> Int? {
    if isOpen { return Row.listed(in: cell) }
    guard var selection else { return nil }
    let certain = selection.takeCertain(Row.self, in: cell)
    let doubtful = selection.rows.first(Limits.rowsOfSlice + 1, from: 1)
    guard doubtful.count <= Limits.rowsOfSlice else { return nil }
    return certain + doubtful.count { passes(Row(cell, $0, viewer)) }
  }

  /// The rows of a partition that pass, for a jump to a position; nil where the indexes do not tell.
  ///
  /// - Parameter selection: that of the partition.
  func settled(in cell: HeldPartition, _ selection: PeopleSelection?) -> SettledRows? {
    guard Row.hasExactFacets, !includesDeleted else { return nil }
    if isOpen { return .all }
    return selection?.settled(Row.self, in: cell) { passes(Row(cell, $0, viewer)) }.map(SettledRows.among)
  }

  enum SettledRows {
    case all
    case among(SerialBits)
  }

  public func passes(_ row: Row) -> Bool {
    row.isListed(includingDeleted: includesDeleted) && conditions.allSatisfy { $0.holds(for: row) }
  }
}

extension Turn {
  /// A field of a list by its name; one that a workspace has added by its own name, or as `workspace/name`.
  func listField(_ name: String, among fields: [(name: String, field: ListField)]) throws(Halt) -> ListField {
    let name = name.folded
    if let found = fields.first(where: { $0.name == name }) { return found.field }
    let known = isLimited ? reach(of: .userRead).intersection(knownWorkspaces) : .all
    read(directory.lsn)
    let parts = name.split(separator: "/", maxSplits: 1)
    let found = directory.tables.fields.fields(named: String(parts.last ?? "")).filter { field in
      known.contains(field.workspace)
        && (parts.count < 2 || directory.workspace(field.workspace).name == parts[0])
    }
    guard found.count < 2 else {
      let names = found.map { "\(directory.workspace($0.workspace).name)/\($0.name)" }
      throw .refused(.syntax("several workspaces have a field \(name); name one: \(names.joined(separator: ", "))"))
    }
    guard let field = found.first else {
      throw .refused(
        .syntax("no field '\(name)'; fields are \(fields.map(\.name).joined(separator: ", "))"))
    }
    return .custom(CustomListField(field, name: name))
  }
}

/// The sort order, cursor and fields of a list.
public struct ListPage<Row: ListedPerson> {
  /// Where the previous page ended.
  private enum Cursor {
    case start
    case after(ListPlace)
  }

  public let sort: ListField?
  let isDescending: Bool
  public let count: Int
  /// How many to pass over first.
  let offset: Int
  public let fields: [ListField]
  private let cursor: Cursor

  public init(_ turn: Turn) throws(Halt) {
    sort = try turn.option("SORT").map { (name) throws(Halt) in try Self.sortField(name, turn) }
    isDescending = turn.has("DESC")
    if isDescending, sort == nil { throw .refused(.syntax("DESC needs SORT field")) }
    count = try turn.listCount()
    offset = try turn.integer("OFFSET", in: 0...Int(Int32.max)) ?? 0
    var fields: [ListField] = []
    for name in try turn.options("FIELDS").first ?? [] {
      let field = try turn.listField(name, among: Row.fields)
      guard !fields.contains(field) else { throw .refused(.syntax("field \(field.name) is given twice")) }
      fields.append(field)
    }
    self.fields = fields.isEmpty ? Row.standardFields : fields
    cursor = try Self.cursor(try turn.option("CURSOR", limit: Self.cursorBytes) ?? "0", isSorted: sort != nil)
  }

  private static func sortField(_ name: String, _ turn: Turn) throws(Halt) -> ListField {
    let field = try turn.listField(name, among: Row.fields)
    guard field.kind != .words else { throw .refused(.syntax("a list cannot be sorted by \(field.name)")) }
    return field
  }

  // MARK: Cursors

  /// The longest cursor: a sort key in hexadecimal, a hyphen and an id.
  private static var cursorBytes: Int { 2 * SearchText.growth * Limits.textBytes + 32 }

  private static func cursor(_ text: String, isSorted: Bool) throws(Halt) -> Cursor {
    if text == "0" { return .start }
    let parts = text.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
    if isSorted == (parts.count == 2), let id = parts.last.flatMap({ UInt64($0) }), id > 0 {
      if !isSorted { return .after(ListPlace(key: [], id: id)) }
      if let key = bytes(parts[0]) { return .after(ListPlace(key: key, id: id)) }
    }
    throw unknownCursor
  }

  private static var unknownCursor: Halt { .refused(.syntax("CURSOR does not come from a list in this order")) }

  private static func bytes(_ hexadecimal: Substring) -> ContiguousArray<UInt8>? {
    let digits = Array(hexadecimal.utf8)
    guard digits.count % 2 == 0 else { return nil }
    var bytes = ContiguousArray<UInt8>()
    for index in stride(from: 0, to: digits.count, by: 2) {
      guard let byte = UInt8(String(decoding: digits[index...index + 1], as: UTF8.self), radix: 16) else { return nil }
      bytes.append(byte)
    }
    return bytes
  }

  /// The cursor that continues after an item.
  public func cursor(after item: Gathered.Item) -> String {
    guard sort != nil else { return String(item.id) }
    let key = item.key.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
    return "\(key)-\(item.id)"
  }

  /// The first serial number of a partition that an unsorted list has not shown yet; nil if all were shown. Such a list
  /// goes by partition, then by serial number.
  public func firstSerial(in cell: HeldPartition) throws(Halt) -> Int? {
    guard case .after(let place) = cursor else { return 1 }
    let partitioning = cell.state.partitioning
    let id = Identifier<Row>(raw: place.id)
    let reached = partitioning.partition(of: id)
    guard cell.index == reached else { return cell.index < reached ? nil : 1 }
    // The cursor was not ours if its id was never given out.
    let serial = partitioning.serial(of: id)
    guard serial > 0, serial <= Row.last(in: cell) else { throw Self.unknownCursor }
    return serial + 1
  }

  // MARK: Order

  /// The place of the last item of the page before; nil where there is none.
  var placeBefore: ListPlace? {
    guard case .after(let place) = cursor else { return nil }
    return place
  }

  public func isBefore(
    _ a: (key: ContiguousArray<UInt8>, id: UInt64), _ b: (key: ContiguousArray<UInt8>, id: UInt64)
  ) -> Bool {
    let (a, b) = isDescending ? (b, a) : (a, b)
    if a.key == b.key { return a.id < b.id }
    return a.key.lexicographicallyPrecedes(b.key)
  }

  /// Whether an item comes after a place; nil is the beginning.
  func isAfter(_ place: ListPlace?, _ item: (key: ContiguousArray<UInt8>, id: UInt64)) -> Bool {
    guard let place else { return true }
    return isBefore((place.key, place.id), item)
  }

  public func item(_ row: Row, key: ContiguousArray<UInt8>) -> Gathered.Item {
    var reply = Reply()
    reply.map(fields.count)
    for field in fields { row.write(field, to: &reply) }
    return Gathered.Item(key: key, id: row.rawID, reply: reply)
  }
}
