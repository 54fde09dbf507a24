/// Finds the changes that tell what facts were at an earlier moment, in the log and its archive.
public struct ReadPast: Work {
  public typealias Outcome = Result<PastChanges, Refusal>

  public let moment: Milliseconds
  /// Facts whose first change after the moment is wanted, each with the version of what it is about. If that has another
  /// version by the time the log was read, it changed meanwhile, and the log must be read again.
  public private(set) var after: [Fact: UInt32] = [:]
  /// Facts whose last change until the moment is wanted.
  public private(set) var until: Set<Fact> = []
  /// The record through which the decision has read the state; the log must be read through it, too.
  public fileprivate(set) var through: LSN = 0

  init(_ moment: Milliseconds) { self.moment = moment }

  mutating func want(firstAfter fact: Fact, version: UInt32) { after[fact] = version }
  mutating func want(lastUntil fact: Fact) { until.insert(fact) }

  /// Whether the outcome of this has all that `other` asks for.
  fileprivate func covers(_ other: ReadPast) -> Bool {
    moment == other.moment && other.until.isSubset(of: until) && other.after.allSatisfy { after[$0.key] == $0.value }
  }

  /// Asks for what `other` has asked for as well.
  fileprivate mutating func add(_ other: ReadPast) {
    guard moment == other.moment else { return }
    after.merge(other.after) { own, _ in own }
    until.formUnion(other.until)
  }
}

/// The changes found. A fact without one did not change.
public struct PastChanges: Sendable {
  public var after: [Fact: AnyChange] = [:]
  public var until: [Fact: AnyChange] = [:]

  public init() {}
}

extension Turn {
  /// What the log says of the facts; a decision may ask for more once it knows that.
  func outcome(ofReading work: ReadPast) throws(Halt) -> PastChanges {
    let done = finishedWorks.last(ReadPast.self)
    guard let done, done.work.covers(work) else {
      var work = work
      // What a part of the decision has asked for already is asked for again, or the two would take turns for ever.
      if let done { work.add(done.work) }
      work.through = horizon
      throw .work(work)
    }
    return try done.outcome.mapError { Halt.refused($0) }.get()
  }
}

/// Picks the first change of each of some facts from records that are read in one direction.
public struct FactSearch {
  private var wanted: [Fact: UInt64] = [:]
  private let isNewestFirst: Bool
  public private(set) var found: [Fact: AnyChange] = [:]

  public init(_ facts: some Sequence<Fact>, isNewestFirst: Bool) {
    for fact in facts { wanted[fact] = RecordKey.of(fact) }
    self.isNewestFirst = isNewestFirst
  }

  /// The keys of records that may still have something.
  public var keys: Set<UInt64> { Set(wanted.values) }

  public var isOver: Bool { wanted.isEmpty }

  /// - Returns: whether it had something that was looked for.
  public mutating func look(at record: Record) -> Bool {
    let before = wanted.count
    let changes = record.parts.flatMap(\.changes)
    for change in isNewestFirst ? changes.reversed() : changes {
      for fact in change.known?.facts ?? [] where wanted.removeValue(forKey: fact) != nil { found[fact] = change }
    }
    return wanted.count < before
  }
}
