/// One row of a list of people: a user, or a contact with or without a login.
public protocol ListedPerson: SendableMetatype {
  /// The fields of such a list.
  static var fields: [(name: String, field: ListField)] { get }
  /// The fields that it shows by default.
  static var standardFields: [ListField] { get }
  /// The field that has the id of the row.
  static var identity: ListField { get }
  /// When a row was created; nil if it is not in use.
  static func created(_ serial: Int, in cell: HeldPartition) -> Milliseconds?
  /// The last row of a partition.
  static func last(in cell: HeldPartition) -> Int
  /// The index of what the rows have in common, and whether being listed is nothing else than having a status.
  static func facets(in cell: HeldPartition) -> FacetIndex
  static var hasExactFacets: Bool { get }
  /// How many rows of a partition are listed to whoever may see all of them, if that is known without counting.
  static func listed(in cell: HeldPartition) -> Int?
  /// The row of a contact; nil where such a list has none of it.
  static func row(ofContact serial: Int, in cell: HeldPartition) -> Int?

  init(_ cell: HeldPartition, _ serial: Int, _ viewer: ListViewer)

  var rawID: UInt64 { get }
  /// Whether the row is in use, and shown to the viewer.
  func isListed(includingDeleted: Bool) -> Bool

  /// The value of a number, time, day or flag field; nil if it is not set.
  func number(_ field: ListField) -> Int64?
  /// The day of a point in time for this person, near a day with which it will be compared.
  func day(of time: Milliseconds, near other: Int32) -> Int32
  /// Calls `body` with the text of a field; empty if it is not set.
  func withText<Result>(_ field: ListField, _ body: (UnsafeRawBufferPointer) -> Result) -> Result
  /// The words of a multi-word field.
  func words(_ field: ListField) -> [String]
  func customText(_ field: CustomListField) -> String

  func hasRole(_ role: Role) -> Bool
  /// Whether a role over a workspace itself is in force today.
  func hasRole(_ role: Role, over workspace: WorkspaceID) -> Bool
  func isMember(of workspace: WorkspaceID) -> Bool
  func mayEnter(_ product: ProductID) -> Bool
  /// Whether an account is the person's main one today.
  func hasMainAccount(_ account: Account) -> Bool
  /// Whether an account of a workspace, or one of a group, employs the person today.
  func isEmployed(by scope: EmployerScope, in workspace: WorkspaceID) -> Bool
}

extension ListedPerson {
  /// The value of an added number, day or flag field.
  func customNumber(_ field: CustomListField) -> Int64? {
    let text = customText(field)
    return field.kind == .day ? TimeText.dayNumber(text).map(Int64.init) : Int64(text)
  }

  /// Writes the field's name and value.
  public func write(_ field: ListField, to reply: inout Reply) {
    reply.text(field.name)
    switch field.kind {
    case .number, .time: reply.optional(number(field))
    case .flag: if let flag = number(field) { reply.flag(flag == 1) } else { reply.null() }
    case .day: reply.optional(number(field).map { TimeText.text(ofDay: Int32($0)) })
    case .text: withText(field) { if $0.isEmpty { reply.null() } else { reply.text($0) } }
    case .words:
      let words = words(field)
      reply.array(words.count)
      for word in words { reply.text(word) }
    }
  }

  /// The bytes by which a field sorts.
  public func sortKey(_ field: ListField) -> ContiguousArray<UInt8> {
    switch field.kind {
    case .number, .time, .day, .flag:
      guard let number = number(field) else { return ListPlace.unset }
      // With the sign bit flipped, big-endian bytes sort like the numbers.
      let bits = UInt64(bitPattern: number) ^ 1 << 63
      return withUnsafeBytes(of: bits.bigEndian) { ContiguousArray($0) }
    case .text:
      let key = withText(field) { SearchText.with($0) { ContiguousArray($0.drop(while: SearchText.isSpace)) } }
      return key.isEmpty ? ListPlace.unset : key
    case .words: return []
    }
  }
}
