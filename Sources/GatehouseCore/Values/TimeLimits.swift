/// The time limits of a grant, an access to a product or a membership, which end by themselves (B7).
public struct TimeLimits: Sendable, Equatable, BitwiseCopyable {
  // Plain numbers for both ends, so that without limits a login check costs two comparisons and no branch on a flag.
  private var first = Milliseconds.min
  private(set) var end = Milliseconds.max

  /// Without limits.
  public static let none = TimeLimits()

  private init() {}

  /// - Parameters:
  ///   - from: the first moment; nil means always.
  ///   - until: the first moment after the end; nil means for ever.
  public init(from: Milliseconds? = nil, until: Milliseconds? = nil) {
    first = from ?? .min
    end = until ?? .max
  }

  public var from: Milliseconds? { first == .min ? nil : first }
  public var until: Milliseconds? { end == .max ? nil : end }

  @inline(__always)
  public func contains(_ now: Milliseconds) -> Bool { now >= first && now < end }

  public func hasEnded(at now: Milliseconds) -> Bool { now >= end }

  public var isNone: Bool { self == .none }

  /// Whether some moment from now on lies within others, and not within these.
  func isShorter(than others: TimeLimits, at now: Milliseconds) -> Bool {
    others.end > now && (end < others.end || first > max(others.first, now))
  }

  /// From the first beginning to the last end; nil if there is a time between the two that lies within neither.
  func joined(with others: TimeLimits) -> TimeLimits? {
    guard max(first, others.first) <= min(end, others.end) else { return nil }
    let (from, until) = (min(first, others.first), max(end, others.end))
    return TimeLimits(from: from == .min ? nil : from, until: until == .max ? nil : until)
  }

  /// The same limits, ending no later than others.
  func ending(by others: TimeLimits) -> TimeLimits { TimeLimits(from: from, until: min(end, others.end)) }

  /// The same limits, ending no later than a moment.
  func ending(at moment: Milliseconds) -> TimeLimits { TimeLimits(from: from, until: min(end, moment)) }
}

extension TimeLimits: CustomStringConvertible {
  /// `from 2026-03-01T09:00:00.000Z, until 2026-04-01T00:00:00.000Z`; empty without limits.
  public var description: String {
    [("from", from), ("until", until)].compactMap { name, time in time.map { "\(name) \(TimeText.text(of: $0))" } }
      .joined(separator: ", ")
  }
}

// MARK: Coding

extension TimeLimits {
  /// Which ends follow: two bits, stored with what the limits belong to.
  var marks: UInt8 { (from == nil ? 0 : 1) | (until == nil ? 0 : 2) }
}

extension ByteWriter {
  /// The ends that `marks` announces.
  mutating func times(of limits: TimeLimits) {
    if let from = limits.from { signed(from) }
    if let until = limits.until { signed(until) }
  }

  mutating func limits(_ limits: TimeLimits) {
    byte(limits.marks)
    times(of: limits)
  }
}

extension ByteReader {
  mutating func limits(marked marks: UInt8) throws(CodingError) -> TimeLimits {
    TimeLimits(from: marks & 1 != 0 ? try signed() : nil, until: marks & 2 != 0 ? try signed() : nil)
  }

  mutating func limits() throws(CodingError) -> TimeLimits {
    let marks = try byte()
    guard marks < 4 else { throw failure("an unknown mark of time limits") }
    return try limits(marked: marks)
  }
}

enum LimitsForm: FieldForm {
  static func write(_ value: TimeLimits, to writer: inout ByteWriter) { writer.limits(value) }
  static func read(from reader: inout ByteReader) throws(CodingError) -> TimeLimits { try reader.limits() }

  /// `from` and `until`, if they are set or change.
  static func shown(
    _ name: String, old: TimeLimits?, new: TimeLimits?, in directory: Directory?
  ) -> [ChangeText.Field] {
    func field(_ name: String, _ end: (TimeLimits) -> Milliseconds?) -> ChangeText.Field? {
      let (before, after) = (old.flatMap(end), new.flatMap(end))
      if before == after { return nil }
      return ChangeText.Field(
        name: name, old: before.map { TimeText.text(of: $0) }, new: after.map { TimeText.text(of: $0) })
    }
    return [field("from", \.from), field("until", \.until)].compactMap { $0 }
  }
}

// MARK: Asking

extension Turn {
  /// The limits that `FROM` and `UNTIL` give, each a time, a day or `none`; an omitted one keeps its old value. Days are
  /// those of the person's time zone, else of the workspace's, and both count: `FROM` begins with its day, and `UNTIL` ends
  /// with its.
  func timeLimits(
    of user: UserReference, in workspace: WorkspaceID?, insteadOf old: TimeLimits = .none
  ) throws(Halt) -> TimeLimits {
    guard has("FROM") || has("UNTIL") else { return old }
    return try timeLimits(from: try option("FROM"), until: try option("UNTIL"), insteadOf: old) { () throws(Halt) in
      user.zone(elseOf: directory.workspace(workspace ?? user.home ?? mainWorkspace), directory.zones).zone
    }
  }

  /// - Parameters:
  ///   - from: nil for the old value.
  ///   - zone: that of the days.
  func timeLimits(
    from: String?, until: String?, insteadOf old: TimeLimits = .none, in zone: () throws(Halt) -> Zone
  ) throws(Halt) -> TimeLimits {
    func end(_ text: String?, _ token: String, _ old: Milliseconds?, daysLater: Int32) throws(Halt) -> Milliseconds? {
      guard let text else { return old }
      if text.lowercased() == "none" { return nil }
      guard let day = TimeText.dayNumber(text) else { return try Self.time(text, token, orDay: true) }
      // The last day ends after the last time there is, and in the east the first begins before the first.
      return min(max(0, try zone().rules.start(ofDay: day + daysLater)), Limits.latestTime)
    }
    let limits = TimeLimits(
      from: try end(from, "FROM", old.from, daysLater: 0), until: try end(until, "UNTIL", old.until, daysLater: 1))
    if let until = limits.until, until <= max(now, limits.from ?? .min) {
      throw .refused(.syntax("UNTIL must be after now, and after FROM"))
    }
    return limits
  }
}
