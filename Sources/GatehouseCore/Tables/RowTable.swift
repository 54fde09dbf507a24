/// A row of fixed size that may have details of variable size beside it.
package protocol TableRow: BitwiseCopyable, Sendable {
  /// Where the row's details lie in its page. The table's business: nobody else writes it.
  var details: DetailRange { get set }
  /// The row of a serial number that is not in use.
  static var vacant: Self { get }
}

/// A run of bytes in the details of a page.
package struct DetailRange: BitwiseCopyable, Sendable {
  var offset: UInt32 = 0
  var count: UInt32 = 0

  package init() {}
}

/// Rows by serial number, from 1, in pages.
///
/// A page holds its rows and, packed one after the other, their details: no row owns a heap object, so a
/// million rows cost their bytes and little more. Copying a table copies one array of page references;
/// changing a row of a copy then copies one page, flat memory without reference counts. That is what makes
/// a snapshot of live state cheap.
package struct RowTable<Row: TableRow>: Sendable {
  struct Page: Sendable {
    var rows: ContiguousArray<Row>
    var details: ContiguousArray<UInt8> = []
    /// Bytes of `details` that no row refers to any more.
    var waste = 0
  }

  private static var shift: Int { 6 }
  static var pageSize: Int { 1 << shift }

  private(set) var pages: ContiguousArray<Page> = []

  /// The largest serial number in use so far; the next new row takes the one above.
  package private(set) var last = 0

  package init() {}

  package func contains(_ serial: Int) -> Bool { serial > 0 && serial <= last }

  /// The row of a serial number up to `last`.
  package subscript(serial: Int) -> Row {
    @inline(__always) get {
      precondition(contains(serial))
      let index = serial - 1
      return pages[index >> Self.shift].rows[index & (Self.pageSize - 1)]
    }
    @inline(__always) _modify {
      precondition(contains(serial))
      let index = serial - 1
      yield &pages[index >> Self.shift].rows[index & (Self.pageSize - 1)]
    }
  }

  /// Makes room up to `serial`, with vacant rows, and puts `row` there, keeping no details.
  package mutating func put(_ row: Row, at serial: Int) {
    precondition(serial > 0)
    while last < serial {
      if last & (Self.pageSize - 1) == 0 {
        // The rows of a page come one by one: a page that is sized at once never grows.
        var rows = ContiguousArray<Row>()
        rows.reserveCapacity(Self.pageSize)
        pages.append(Page(rows: rows))
      }
      pages[last >> Self.shift].rows.append(.vacant)
      last += 1
    }
    var row = row
    row.details = DetailRange()
    let index = serial - 1
    Self.replace(&pages[index >> Self.shift], index & (Self.pageSize - 1), row)
  }

  private static func replace(_ page: inout Page, _ place: Int, _ row: Row) {
    page.waste += Int(page.rows[place].details.count)
    page.rows[place] = row
  }

  /// Changes a row in one go; each access to a row asks twice whether its page is shared with a snapshot.
  @inline(__always)
  package mutating func update(_ serial: Int, _ change: (inout Row) -> Void) { change(&self[serial]) }

  /// Appends a page of rows whose details lie in `details`; only the last page may have room left.
  mutating func append(_ rows: ContiguousArray<Row>, details: UnsafeRawBufferPointer) {
    precondition(last & (Self.pageSize - 1) == 0)
    var page = Page(rows: rows)
    page.details.append(contentsOf: details)
    pages.append(page)
    last += rows.count
  }

  // MARK: Details

  /// Calls `body` with the details of a row: empty where it has none.
  @inline(__always)
  package func withDetails<Result>(of serial: Int, _ body: (UnsafeRawBufferPointer) -> Result) -> Result {
    let range = self[serial].details
    return pages[(serial - 1) >> Self.shift].details.withUnsafeBytes { bytes in
      body(UnsafeRawBufferPointer(rebasing: bytes[Int(range.offset)..<Int(range.offset + range.count)]))
    }
  }

  /// A copy of the details of a row.
  package func details(of serial: Int) -> Details { withDetails(of: serial) { Details($0) } }

  /// Replaces the details of a row.
  package mutating func setDetails(of serial: Int, _ bytes: ContiguousArray<UInt8>) {
    discardDetails(of: serial)
    guard !bytes.isEmpty else { return }
    let pageIndex = (serial - 1) >> Self.shift
    makeRoom(bytes.count, in: pageIndex)
    var range = DetailRange()
    range.offset = UInt32(pages[pageIndex].details.count)
    range.count = UInt32(bytes.count)
    pages[pageIndex].details.append(contentsOf: bytes)
    self[serial].details = range
  }

  private mutating func discardDetails(of serial: Int) {
    let count = Int(self[serial].details.count)
    guard count > 0 else { return }
    pages[(serial - 1) >> Self.shift].waste += count
    self[serial].details = DetailRange()
  }

  /// Sees to it that `count` more bytes fit. A page grows by an eighth, not by doubling, for memory is
  /// what a million users are measured by; what is wasted is squeezed out whenever the page must grow.
  private mutating func makeRoom(_ count: Int, in pageIndex: Int) {
    let used = pages[pageIndex].details.count
    guard used + count > pages[pageIndex].details.capacity else { return }
    let live = used - pages[pageIndex].waste + count
    var packed = ContiguousArray<UInt8>()
    let filled = pages[pageIndex].rows.count
    // A page that is still filling up is sized for the rows to come, by the average of those it has.
    let expected = filled < Self.pageSize ? live * min(Self.pageSize, filled * 2) / filled : live
    packed.reserveCapacity(expected + expected / 8 + 32)
    for index in pages[pageIndex].rows.indices {
      let range = pages[pageIndex].rows[index].details
      guard range.count > 0 else { continue }
      let start = packed.count
      packed.append(contentsOf: pages[pageIndex].details[Int(range.offset)..<Int(range.offset + range.count)])
      pages[pageIndex].rows[index].details.offset = UInt32(start)
    }
    pages[pageIndex].details = packed
    pages[pageIndex].waste = 0
  }
}
