/// A row whose serial number is reused once the row is vacant.
public protocol ReusableRow: TableRow {
  var isUsed: Bool { get }
  /// Everything that a vacant row keeps.
  var vacancy: UInt64 { get }
  /// The vacant row that keeps this.
  init(vacancy: UInt64)
}

/// Frees pages without rows in use. Eight bytes of each row are kept, a fourteenth of a session's.
///
/// Reading such a row by subscript returns a vacant one, as on any page. `vacantRow` returns what it keeps, and `reuse`
/// restores the page before a row of it is used again.
extension RowTable where Row: ReusableRow {
  /// Checks some pages, continuing where it last stopped, and frees those without rows in use.
  ///
  /// - Parameter limit: how many pages to check.
  mutating func giveBackVacantPages(limit: Int) {
    // Not the last page, which may be about to fill.
    let full = last / RowPage<Row>.size
    for _ in 0..<min(limit, full) {
      sweep = sweep + 1 < full ? sweep + 1 : 0
      guard vacancies[sweep] == nil, pages[sweep].isVacant else { continue }
      vacancies[sweep] = pages[sweep].vacancies
      pages[sweep] = vacantPage
    }
  }

  /// A row that is not in use, with what it keeps.
  func vacantRow(_ serial: Int) -> Row {
    if let kept = kept(of: serial) { return Row(vacancy: kept) }
    return self[serial]
  }

  /// Stores a row under a serial number that was used before, or at the end.
  mutating func reuse(_ serial: Int, for row: Row) {
    if !vacancies.isEmpty, contains(serial), let kept = vacancies.removeValue(forKey: Self.pageIndex(serial)) {
      pages[Self.pageIndex(serial)] = RowPage(
        kept.map { Row(vacancy: $0) }, details: .init(start: nil, count: 0), epoch)
    }
    put(row, at: serial)
  }

  private func kept(of serial: Int) -> UInt64? {
    if vacancies.isEmpty { return nil }
    return vacancies[Self.pageIndex(serial)]?[Self.indexInPage(serial)]
  }

  /// One page of vacant rows represents all freed pages. It has no epoch, so that an erroneous write would go to a copy
  /// of its own.
  private var vacantPage: RowPage<Row> {
    vacancies.keys.first { $0 != sweep }.map { pages[$0] } ?? RowPage(-1)
  }
}

extension RowPage where Row: ReusableRow {
  fileprivate var isVacant: Bool { (0..<Self.size).allSatisfy { !self[$0].isUsed } }

  fileprivate var vacancies: ContiguousArray<UInt64> { ContiguousArray((0..<Self.size).map { self[$0].vacancy }) }
}
