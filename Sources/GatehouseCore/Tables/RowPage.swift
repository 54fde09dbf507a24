/// The rows of one page, and their details packed one after another.
///
/// A value like an array: a copy shares the memory until either is changed (copy-on-write). Unlike in an array, the
/// rows start at a cache line, and neither a count nor a reference count next to them is checked: the table checks its
/// own, and knows which pages a copy may share. So with a million users a login check fetches one cache line for the
/// row and one for the name, which is what its time consists of.
struct RowPage<Row: TableRow>: Sendable {
  static var shift: Int { 6 }
  static var size: Int { 1 << shift }

  private var owner = RowMemory<Row>()
  /// The table's epoch in which the rows were last known not to be shared.
  private var epoch: Int
  /// The address of the owner's rows.
  private nonisolated(unsafe) var rows: UnsafeMutablePointer<Row>
  private var details = DetailBytes()
  /// Bytes of `details` to which no row refers any more.
  private var waste = 0

  /// A page of vacant rows.
  init(_ epoch: Int) {
    rows = owner.rows
    self.epoch = epoch
  }

  /// A page of rows that refer to `details`.
  init(_ rows: some Collection<Row>, details: UnsafeRawBufferPointer, _ epoch: Int) {
    self.init(epoch)
    for (index, row) in rows.enumerated() {
      precondition(Int(row.details.offset) + Int(row.details.count) <= details.count)
      self.rows[index] = row
    }
    self.details.append(details)
  }

  /// The row at an index below `size`, which the table has checked.
  @inline(__always)
  subscript(index: Int) -> Row { rows[index] }

  /// The address of a row.
  @inline(__always)
  func address(of index: Int) -> UnsafePointer<Row> { UnsafePointer(rows + index) }

  /// The address of a row that will be changed, in memory that is not shared.
  @inline(__always)
  mutating func mutableAddress(of index: Int, _ epoch: Int) -> UnsafeMutablePointer<Row> {
    if epoch != self.epoch { own(epoch) }
    return rows + index
  }

  private mutating func own(_ epoch: Int) {
    if !isKnownUniquelyReferenced(&owner) {
      owner = RowMemory(copying: owner)
      rows = owner.rows
    }
    self.epoch = epoch
  }

  // MARK: Details

  /// Calls `body` with the details of a row; empty if it has none.
  @inline(__always)
  func withDetails<Result>(of index: Int, _ body: (UnsafeRawBufferPointer) -> Result) -> Result {
    // Not bounds-checked: ranges come only from this type, and the check would fetch the cache line with the array's
    // count.
    let range = rows[index].details
    assert(Int(range.offset) + Int(range.count) <= details.count)
    return body(
      UnsafeRawBufferPointer(start: details.first.map { $0 + Int(range.offset) }, count: Int(range.count)))
  }

  /// Replaces a row; the new one has no details.
  mutating func replace(_ index: Int, with row: Row, _ epoch: Int) {
    discardDetails(of: index, epoch)
    let target = self.mutableAddress(of: index, epoch)
    target.pointee = row
    target.pointee.details = DetailRange()
  }

  /// Replaces the details of a row.
  ///
  /// - Parameter filled: how many rows of the page are in use.
  mutating func setDetails(of index: Int, _ bytes: UnsafeRawBufferPointer, filled: Int, _ epoch: Int) {
    discardDetails(of: index, epoch)
    guard !bytes.isEmpty else { return }
    makeRoom(bytes.count, filled, epoch)
    var range = DetailRange()
    range.offset = UInt32(details.count)
    range.count = UInt32(bytes.count)
    details.append(bytes)
    self.mutableAddress(of: index, epoch).pointee.details = range
  }

  private mutating func discardDetails(of index: Int, _ epoch: Int) {
    let count = Int(rows[index].details.count)
    guard count > 0 else { return }
    waste += count
    self.mutableAddress(of: index, epoch).pointee.details = DetailRange()
  }

  /// Makes room for `count` more bytes. A page grows by an eighth instead of doubling, because a million users are
  /// measured by memory; unused bytes are squeezed out whenever the page grows.
  private mutating func makeRoom(_ count: Int, _ filled: Int, _ epoch: Int) {
    guard details.count + count > details.capacity else { return }
    let live = details.count - waste + count
    // While a page is filling up, room is made for the rows to come, by the average size of those it has.
    let expected = filled < Self.size ? live * min(Self.size, filled * 2) / filled : live
    var packed = DetailBytes(capacity: expected + expected / 8 + 32)
    for index in 0..<filled {
      guard rows[index].details.count > 0 else { continue }
      let start = packed.count
      withDetails(of: index) { packed.append($0) }
      self.mutableAddress(of: index, epoch).pointee.details.offset = UInt32(start)
    }
    details = packed
    waste = 0
  }
}

/// The details of a page with their address, for the same reason.
private struct DetailBytes: Sendable {
  private var bytes: ContiguousArray<UInt8> = []
  private(set) nonisolated(unsafe) var first: UnsafeRawPointer?

  init() {}

  init(capacity: Int) { bytes.reserveCapacity(capacity) }

  var count: Int { bytes.count }
  var capacity: Int { bytes.capacity }

  mutating func append(_ more: UnsafeRawBufferPointer) {
    bytes.append(contentsOf: more)
    first = bytes.withUnsafeBytes { $0.baseAddress }
  }
}

/// The memory of a page's rows.
private final class RowMemory<Row: TableRow>: @unchecked Sendable {
  let rows: UnsafeMutablePointer<Row>

  init() {
    rows = Self.allocate()
    rows.initialize(repeating: .vacant, count: RowPage<Row>.size)
  }

  init(copying other: RowMemory) {
    rows = Self.allocate()
    rows.initialize(from: other.rows, count: RowPage<Row>.size)
  }

  deinit { rows.deallocate() }

  private static func allocate() -> UnsafeMutablePointer<Row> {
    let bytes = UnsafeMutableRawPointer.allocate(
      byteCount: RowPage<Row>.size * MemoryLayout<Row>.stride, alignment: 64)
    return bytes.bindMemory(to: Row.self, capacity: RowPage<Row>.size)
  }
}
