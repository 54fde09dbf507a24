/// The cursor of a list: the sort key of the last item shown, as numbers.
///
/// Keyset pagination, not an offset: items added or removed meanwhile neither repeat nor skip others.
public struct ListCursor: Sendable, Equatable {
  public let numbers: [UInt64]

  public init(_ numbers: [UInt64]) { self.numbers = numbers }

  /// `12-5-1`.
  public var text: String { numbers.map(String.init).joined(separator: "-") }

  /// The cursor at the start and at the end of a list.
  public static let end = "0"

  public init?(_ text: String, count: Int) {
    let parts = text.split(separator: "-", omittingEmptySubsequences: false).map { UInt64($0) }
    guard parts.count == count, parts.allSatisfy({ $0 != nil }) else { return nil }
    numbers = parts.compactMap { $0 }
  }
}

extension Turn {
  /// The cursor of a list whose keys have `count` numbers; nil at the start.
  public func cursor(of count: Int) throws(Halt) -> ListCursor? {
    guard let text = try option("CURSOR"), text != ListCursor.end else { return nil }
    guard let cursor = ListCursor(text, count: count) else {
      throw .refused(.syntax("CURSOR does not come from this list; begin with 0"))
    }
    return cursor
  }
}
