/// How long to wait before trying again: twice as long after each failure, up to a quarter of an hour, and a random part of
/// it less, so that receivers that come back are not overrun by all webhooks at once.
enum Backoff {
  private static let first = 250
  private static let most = 900_000
  /// A receiver that asks for more is asked again after this long nevertheless.
  private static let mostAsked = 3_600

  /// - Parameters:
  ///   - failures: in a row, at least 1.
  ///   - asked: seconds that the receiver has asked for; 0 for none.
  ///   - chance: from 0 to 1.
  /// - Returns: milliseconds.
  static func milliseconds(after failures: UInt32, asked: Int, chance: Double) -> Int {
    let whole = failures > 20 ? most : min(most, first << Int(failures - 1))
    let own = whole / 2 + Int(Double(whole / 2) * chance)
    return max(own, min(asked, mostAsked) * 1000)
  }
}
