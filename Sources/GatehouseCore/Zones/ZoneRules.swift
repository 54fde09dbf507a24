/// A time zone's offsets from UTC over time, and the rule for the future.
///
/// Made from a file of the IANA database (TZif, RFC 9636); the core is given the bytes and reads no file.
public struct ZoneRules: Sendable, Equatable {
  /// The times at which the offset changes, in seconds since 1970, ascending.
  private let transitions: ContiguousArray<Int64>
  /// The offset from each of them on, in seconds east of UTC.
  private let offsets: ContiguousArray<Int32>
  /// The offset before the first.
  private let first: Int32
  /// The rule after the last, if the zone has one.
  private let rule: ZoneRule?

  init(first: Int32, transitions: ContiguousArray<Int64>, offsets: ContiguousArray<Int32>, rule: ZoneRule?) {
    precondition(transitions.count == offsets.count)
    self.first = first
    self.transitions = transitions
    self.offsets = offsets
    self.rule = rule
  }

  /// UTC itself, which needs no database.
  public static let utc = ZoneRules(first: 0, transitions: [], offsets: [], rule: nil)

  /// Seconds east of UTC at a point in time, given in seconds since 1970.
  public func offset(at seconds: Int64) -> Int64 {
    guard let last = transitions.last, seconds < last else {
      if let rule { return rule.offset(at: seconds) }
      return Int64(offsets.last ?? first)
    }
    var low = 0
    var high = transitions.count
    while low < high {
      let middle = (low + high) / 2
      if transitions[middle] <= seconds { low = middle + 1 } else { high = middle }
    }
    return Int64(low == 0 ? first : offsets[low - 1])
  }

  /// The local calendar day at a point in time, in days since 1970-01-01.
  public func day(at time: Milliseconds) -> Int32 {
    let seconds = time.dividedDown(by: 1000)
    return Int32(clamping: (seconds + offset(at: seconds)).dividedDown(by: 86_400))
  }

  /// The first moment of a local calendar day, to the second. Of a day that the zone has left out, it is that of the next.
  public func start(ofDay day: Int32) -> Milliseconds {
    // No zone was ever 16 hours away from UTC.
    var low = Int64(day) * 86_400 - 57_600
    var high = Int64(day) * 86_400 + 57_600
    while low < high {
      let middle = low + (high - low) / 2
      if self.day(at: middle * 1000) < day { low = middle + 1 } else { high = middle }
    }
    return low * 1000
  }
}

extension Int64 {
  /// The quotient rounded down, also for negative numbers.
  func dividedDown(by divisor: Int64) -> Int64 { self >= 0 ? self / divisor : (self - divisor + 1) / divisor }
}

/// Why the bytes are not a valid zone.
public struct ZoneError: Error, Equatable, CustomStringConvertible {
  public let description: String

  init(_ description: String) { self.description = description }
}
