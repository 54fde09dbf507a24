/// The conditions of a list of users, and which users the principal may see.
public struct UserFilter {
  public let conditions: [UserCondition]
  private let includesDeleted: Bool
  /// Who is looking, and what they may see.
  let viewer: ListViewer

  public init(_ turn: Turn) throws(Halt) {
    turn.read(turn.directory.lsn)
    var conditions: [UserCondition] = []
    let given = try turn.options("WHERE")
    guard given.count <= Limits.conditionsOfList else {
      throw .refused(.limit("conditions: WHERE is given at most \(Limits.conditionsOfList) times"))
    }
    for words in given { conditions.append(try UserCondition(words[0], words[1], words[2], turn)) }
    self.conditions = conditions
    includesDeleted = conditions.contains(where: \.asksForDeleted)
    viewer = ListViewer(turn)
  }

  /// Whether every user who is not deleted passes.
  public var isOpen: Bool { conditions.isEmpty && viewer.isFree }

  public func passes(_ user: ListedUser) -> Bool {
    let row = user.cell.state.people.users[user.serial]
    guard row.isUsed, includesDeleted || row.status != .deleted else { return false }
    if !viewer.isFree, !viewer.shows(user.reference) { return false }
    return conditions.allSatisfy { $0.holds(for: user) }
  }
}

/// The sort order, cursor and fields of a list.
public struct ListPage {
  /// Where the previous page ended.
  private enum Cursor {
    case start
    case after(key: ContiguousArray<UInt8>, id: UInt64)
  }

  public let sort: ListField?
  private let isDescending: Bool
  public let count: Int
  public let fields: [ListField]
  private let cursor: Cursor

  private static let standard: [ListField] = [
    .id, .contact, .username, .ofContact(.first), .ofContact(.last), .ofContact(.email), .status,
  ]

  public init(_ turn: Turn) throws(Halt) {
    sort = try turn.option("SORT").map { (name) throws(Halt) in try Self.sortField(name) }
    isDescending = turn.has("DESC")
    if isDescending, sort == nil { throw .refused(.syntax("DESC needs SORT field")) }
    count = try turn.listCount()
    var fields: [ListField] = []
    for name in try turn.options("FIELDS").first ?? [] {
      guard let field = ListField(name: name.folded) else { throw UserCondition.unknown(name) }
      guard !fields.contains(field) else { throw .refused(.syntax("field \(field.name) is given twice")) }
      fields.append(field)
    }
    self.fields = fields.isEmpty ? Self.standard : fields
    cursor = try Self.cursor(try turn.option("CURSOR", limit: Self.cursorBytes) ?? "0", isSorted: sort != nil)
  }

  private static func sortField(_ name: String) throws(Halt) -> ListField {
    guard let field = ListField(name: name.folded) else { throw UserCondition.unknown(name) }
    guard field.kind != .words else { throw .refused(.syntax("a list cannot be sorted by \(field.name)")) }
    return field
  }

  // MARK: Cursors

  /// The longest cursor: a sort key in hexadecimal, a hyphen and an id.
  private static var cursorBytes: Int { 2 * CaseFolding.growth * Limits.textBytes + 32 }

  private static func cursor(_ text: String, isSorted: Bool) throws(Halt) -> Cursor {
    if text == "0" { return .start }
    let parts = text.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
    if isSorted == (parts.count == 2), let id = parts.last.flatMap({ UInt64($0) }), id > 0 {
      if !isSorted { return .after(key: [], id: id) }
      if let key = bytes(parts[0]) { return .after(key: key, id: id) }
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
    guard case .after(_, let raw) = cursor else { return 1 }
    let partitioning = cell.state.partitioning
    let id = UserID(raw: raw)
    let reached = partitioning.partition(of: id)
    guard cell.index == reached else { return cell.index < reached ? nil : 1 }
    // The cursor was not ours if its id was never given out.
    let serial = partitioning.serial(of: id)
    guard cell.state.people.users.contains(serial) else { throw Self.unknownCursor }
    return serial + 1
  }

  // MARK: Order

  public func isBefore(
    _ a: (key: ContiguousArray<UInt8>, id: UInt64), _ b: (key: ContiguousArray<UInt8>, id: UInt64)
  ) -> Bool {
    let (a, b) = isDescending ? (b, a) : (a, b)
    if a.key == b.key { return a.id < b.id }
    return a.key.lexicographicallyPrecedes(b.key)
  }

  public func isAfterCursor(_ item: (key: ContiguousArray<UInt8>, id: UInt64)) -> Bool {
    guard case .after(let key, let id) = cursor else { return true }
    return isBefore((key, id), item)
  }

  public func item(_ user: ListedUser, key: ContiguousArray<UInt8>) -> Gathered.Item {
    var reply = Reply()
    reply.map(fields.count)
    for field in fields { user.write(field, to: &reply) }
    return Gathered.Item(key: key, id: user.id.raw, reply: reply)
  }
}
