/// A fixed-size row that may have variable-size details.
public protocol TableRow: BitwiseCopyable, Sendable {
  /// Where the row's details are in its page. Only the table writes it.
  var details: DetailRange { get set }
  /// The row of a serial number that is not in use.
  static var vacant: Self { get }
}

/// A run of bytes in the details of a page.
public struct DetailRange: BitwiseCopyable, Sendable {
  var offset: UInt32 = 0
  var count: UInt32 = 0

  public init() {}
}

/// Rows by serial number, from 1, in pages.
///
/// A page holds its rows and, packed one after another, their details. No row owns a heap object, so a million rows
/// cost little more than their bytes. Copying a table (`copy()`) copies one array of page references; changing a row of
/// a copy then copies one page, flat memory without reference counts (copy-on-write). That makes snapshots of live
/// state cheap.
public struct RowTable<Row: TableRow>: ~Copyable, Sendable {
  // Cache locality: the fields that every access to a row needs come first.
  var pages: ContiguousArray<RowPage<Row>> = []
  /// The largest serial number used so far; the next new row gets the one after it.
  public private(set) var last = 0
  /// How often the table was copied. A page written to since the last copy is not shared, so its reference count need
  /// not be checked.
  private(set) var epoch = 0
  /// What vacant rows keep, for pages that were freed, by page.
  var vacancies: [Int: ContiguousArray<UInt64>] = [:]
  /// The page that was last checked for whether it can be freed.
  var sweep = 0
  private let isByAddress = ByAddress()

  public init() {}

  /// A copy of the table that shares all pages until either is changed (copy-on-write).
  public mutating func copy() -> RowTable {
    epoch += 1
    var copy = RowTable()
    copy.pages = pages
    copy.last = last
    copy.epoch = epoch
    copy.vacancies = vacancies
    return copy
  }

  public func contains(_ serial: Int) -> Bool { serial > 0 && serial <= last }

  /// The row of a serial number up to `last`. By address, because a getter copies the whole row for a look at one field.
  public subscript(serial: Int) -> Row {
    @inline(__always) unsafeAddress { address(of: serial) }
    @inline(__always) unsafeMutableAddress {
      precondition(contains(serial))
      return pages[Self.pageIndex(serial)].mutableAddress(of: Self.indexInPage(serial), epoch)
    }
  }

  /// The address of a row, valid until the table is next changed.
  @inline(__always)
  func address(of serial: Int) -> UnsafePointer<Row> {
    precondition(contains(serial))
    return pages[Self.pageIndex(serial)].address(of: Self.indexInPage(serial))
  }

  @inline(__always)
  static func pageIndex(_ serial: Int) -> Int { (serial - 1) >> RowPage<Row>.shift }

  @inline(__always)
  static func indexInPage(_ serial: Int) -> Int { (serial - 1) & (RowPage<Row>.size - 1) }

  /// How many rows of a page are in use.
  func filled(_ page: Int) -> Int { min(RowPage<Row>.size, last - page * RowPage<Row>.size) }

  /// Extends the table to `serial` with vacant rows, and stores `row` there without details.
  public mutating func put(_ row: Row, at serial: Int) {
    precondition(serial > 0)
    while last < serial {
      if Self.indexInPage(last + 1) == 0 { pages.append(RowPage(epoch)) }
      last += 1
    }
    pages[Self.pageIndex(serial)].replace(Self.indexInPage(serial), with: row, epoch)
  }

  /// Changes a row in one access; each access checks whether its page is shared with a snapshot.
  @inline(__always)
  public mutating func update(_ serial: Int, _ change: (inout Row) -> Void) { change(&self[serial]) }

  /// Appends a page of rows whose details are in `details`; only the last page may be incomplete.
  mutating func append(_ rows: ContiguousArray<Row>, details: UnsafeRawBufferPointer) {
    precondition(Self.indexInPage(last + 1) == 0)
    pages.append(RowPage(rows, details: details, epoch))
    last += rows.count
  }

  // MARK: Details

  /// Calls `body` with the details of a row; empty if it has none.
  @inline(__always)
  public func withDetails<Result>(of serial: Int, _ body: (UnsafeRawBufferPointer) -> Result) -> Result {
    precondition(contains(serial))
    return pages[Self.pageIndex(serial)].withDetails(of: Self.indexInPage(serial), body)
  }

  /// A copy of the details of a row.
  public func details(of serial: Int) -> Details { withDetails(of: serial) { Details($0) } }

  /// Replaces the details of a row.
  public mutating func setDetails(of serial: Int, _ bytes: ContiguousArray<UInt8>) {
    bytes.withUnsafeBytes { setDetails(of: serial, $0) }
  }

  /// - Parameter bytes: must not be those of a row of this table, because they may move.
  public mutating func setDetails(of serial: Int, _ bytes: UnsafeRawBufferPointer) {
    precondition(contains(serial))
    let page = Self.pageIndex(serial)
    pages[page].setDetails(of: Self.indexInPage(serial), bytes, filled: filled(page), epoch)
  }
}
