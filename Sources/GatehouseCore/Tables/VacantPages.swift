/// A row whose serial number is given out again once the row is vacant.
public protocol ReusableRow: TableRow {
  var isUsed: Bool { get }
  /// All that a vacant row still says.
  var vacancy: UInt64 { get }
  /// The vacant row that says so.
  init(vacancy: UInt64)
}

/// Pages on which nothing is in use are given back: of each row eight bytes are kept, of a session's a fourteenth.
///
/// Whoever reads such a row by subscript finds a vacant one, as on any page. What it still says is `vacantRow`'s to tell,
/// and `reuse` brings the page back before a row of it is used again.
extension RowTable where Row: ReusableRow {
  /// Looks at some pages, going on where it stopped the last time, and gives back those on which nothing is in use.
  ///
  /// - Parameter limit: how many pages are looked at.
  mutating func giveBackVacantPages(limit: Int) {
    // The last page may be about to fill.
    let full = last / RowPage<Row>.size
    for _ in 0..<min(limit, full) {
      sweep = sweep + 1 < full ? sweep + 1 : 0
      guard vacancies[sweep] == nil, pages[sweep].isVacant else { continue }
      vacancies[sweep] = pages[sweep].vacancies
      pages[sweep] = vacantPage
    }
  }

  /// A row that is not in use, with all that it says.
  func vacantRow(_ serial: Int) -> Row {
    if let kept = kept(of: serial) { return Row(vacancy: kept) }
    return self[serial]
  }

  /// Puts a row in a place that was in use before, or at the end.
  mutating func reuse(_ serial: Int, for row: Row) {
    if !vacancies.isEmpty, contains(serial), let kept = vacancies.removeValue(forKey: Self.pageIndex(serial)) {
      pages[Self.pageIndex(serial)] = RowPage(
        kept.map { Row(vacancy: $0) }, details: .init(start: nil, count: 0), epoch)
    }
    put(row, at: serial)
  }

  private func kept(of serial: Int) -> UInt64? {
    if vacancies.isEmpty { return nil }
    return vacancies[Self.pageIndex(serial)]?[Self.place(serial)]
  }

  /// One page of vacant rows stands for all that were given back. It is of no epoch: a row that was written to by mistake
  /// would be written to in a page of its own.
  private var vacantPage: RowPage<Row> {
    vacancies.keys.first { $0 != sweep }.map { pages[$0] } ?? RowPage(-1)
  }
}

extension RowPage where Row: ReusableRow {
  fileprivate var isVacant: Bool { (0..<Self.size).allSatisfy { !self[$0].isUsed } }

  fileprivate var vacancies: ContiguousArray<UInt64> { ContiguousArray((0..<Self.size).map { self[$0].vacancy }) }
}
