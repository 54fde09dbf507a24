/// Wrong guesses by source: a token bucket for each, in a table of fixed size.
///
/// A source may make a minute's guesses at once. Then each waits for the next token, and for an address each wait is twice
/// as long as the one before, up to five minutes; a step is forgiven after two minutes without one. So whoever goes on
/// guessing from one address gets about a guess in two minutes. The waits of a service do not grow, because its honest
/// users wait with whoever guesses.
///
/// The table is set-associative: a source has its place in one set of eight, which it shares with others by a keyed hash.
/// A new one takes the place of the one that has the least to forget. So nobody gets rid of waits by guessing from many
/// other addresses: those push each other out first.
public struct GuessTable: Sendable {
  private struct Row: Sendable {
    /// 0 if nothing is in the row.
    var fingerprint: UInt64 = 0
    var updated: Milliseconds = 0
    var waitsUntil: Milliseconds = 0
    /// Guesses of the minute that were made.
    var spent = 0.0
    /// How often in a row the wait has doubled.
    var strikes = 0.0
    var kind = GuessSource.Kind.address
  }

  static let rowsOfSet = 8
  static let longestWait: Milliseconds = 5 * 60_000
  /// After how long without a wait one doubling is forgiven.
  static let forgiveness: Milliseconds = 2 * 60_000

  private var rows: ContiguousArray<Row>
  private let key: HashKey
  public var limits: GuessLimits

  /// - Parameters:
  ///   - capacity: the number of sources, rounded up to a power of two of sets.
  ///   - key: random, so that nobody knows which sources share a set.
  public init(capacity: Int, key: HashKey, limits: GuessLimits) {
    var sets = 1
    while sets * Self.rowsOfSet < capacity { sets *= 2 }
    rows = ContiguousArray(repeating: Row(), count: sets * Self.rowsOfSet)
    self.key = key
    self.limits = limits
  }

  public var capacity: Int { rows.count }

  /// How many sources have guessed wrong lately.
  public var count: Int { rows.count { $0.fingerprint != 0 } }

  /// How long a guess from a source has to wait.
  ///
  /// - Parameter pending: wrong guesses from it that are not yet counted.
  public func wait(_ source: GuessSource, after pending: Int, at now: Milliseconds) -> Milliseconds {
    let limit = limit(source.kind)
    guard limit.perMinute > 0 else { return 0 }
    var row = place(of: source).index.map { rows[$0] } ?? Row()
    row.kind = source.kind
    decay(&row, to: now)
    if row.waitsUntil > now { return row.waitsUntil - now }
    return pending > 0 && row.spent + Double(pending) >= Double(limit.perMinute) ? Self.token(limit) : 0
  }

  /// Counts a wrong guess from a source.
  public mutating func count(_ source: GuessSource, at now: Milliseconds) {
    let limit = limit(source.kind)
    guard limit.perMinute > 0 else { return }
    let (found, fingerprint, set) = place(of: source)
    let index = found ?? leastGuilty(in: set, at: now)
    var row = rows[index]
    if found == nil {
      row = Row()
      row.fingerprint = fingerprint
      row.kind = source.kind
      row.updated = now
    }
    decay(&row, to: now)
    row.spent = min(row.spent + 1, Double(limit.perMinute))
    if row.spent == Double(limit.perMinute) {
      var wait = Self.token(limit)
      if source.kind == .address {
        wait = min(Self.longestWait, Milliseconds((Double(wait) * exponential(row.strikes)).rounded()))
        row.strikes += 1
      }
      row.waitsUntil = now + wait
    }
    rows[index] = row
  }

  // MARK: -

  private func limit(_ kind: GuessSource.Kind) -> GuessLimit {
    switch kind {
    case .service: limits.service
    case .address: limits.address
    }
  }

  /// How long it takes until one more guess may be made.
  private static func token(_ limit: GuessLimit) -> Milliseconds {
    max(1, 60_000 / Milliseconds(limit.perMinute))
  }

  /// 2 to the power of the nearest whole number.
  private func exponential(_ strikes: Double) -> Double { Double(1 << min(Int(strikes.rounded()), 30)) }

  private func place(of source: GuessSource) -> (index: Int?, fingerprint: UInt64, set: Range<Int>) {
    let fingerprint = source.fingerprint(key) | 1
    let first = Int(truncatingIfNeeded: fingerprint >> 32) & (rows.count / Self.rowsOfSet - 1) * Self.rowsOfSet
    let set = first..<first + Self.rowsOfSet
    return (set.first { rows[$0].fingerprint == fingerprint }, fingerprint, set)
  }

  /// Takes time into account: strikes are forgiven, and then tokens come back.
  private func decay(_ row: inout Row, to now: Milliseconds) {
    let elapsed = max(0, now - row.updated)
    row.updated = max(row.updated, now)
    guard elapsed > 0 else { return }
    let needed = row.strikes * Double(Self.forgiveness)
    row.strikes = max(0, (needed - Double(elapsed)) / Double(Self.forgiveness))
    // A bucket does not fill while there is something to forgive: the first guess after a wait would be free.
    let filling = max(0, Double(elapsed) - needed)
    row.spent = max(0, row.spent - filling * Double(limit(row.kind).perMinute) / 60_000)
  }

  /// The row of a set that has the least to forget.
  private func leastGuilty(in set: Range<Int>, at now: Milliseconds) -> Int {
    var best = set.lowerBound
    var least = (Double.infinity, Double.infinity)
    for index in set {
      var row = rows[index]
      if row.fingerprint == 0 { return index }
      decay(&row, to: now)
      let guilt = (row.strikes, row.spent)
      if guilt < least { (best, least) = (index, guilt) }
    }
    return best
  }
}
