/// A part of the feed: durable records in order, and where to read on.
public struct FeedPage: Sendable {
  public var events: [TrailEvent]
  /// The last record that was looked at: what follows it comes next.
  public var last: LSN
  /// How much of `ReadFeed.block` is left, in milliseconds.
  public var patience: Milliseconds

  public init(events: [TrailEvent], last: LSN, patience: Milliseconds) {
    self.events = events
    self.last = last
    self.patience = patience
  }
}

/// Reads the records after one, oldest first, and waits for one where there is none yet.
///
/// The reader filters what it is given. If it is left with nothing and has patience left, it asks to read on; so a reader
/// who may see little is not answered for what others do.
public struct ReadFeed: Work {
  public typealias Outcome = Result<FeedPage, Refusal>

  /// Records after this one; nil for those after the newest.
  public var after: LSN?
  public var count = Limits.listDefault
  /// Only records with one of these keys (`RecordKey`); all if empty.
  public var keys: [UInt64] = []
  /// Only records with a change of one of these kinds; all if empty.
  public var types: Set<UInt8> = []
  /// How long to wait for a record, in milliseconds.
  public var block: Milliseconds = 0
  /// Where to go on, if a part has been read for the same command already, and how long it may still wait.
  public private(set) var position: LSN?
  public private(set) var patience: Milliseconds?

  public init() {}

  /// The record to read after.
  public var start: LSN? { position ?? after }
  public var remaining: Milliseconds { patience ?? block }

  func continued(after page: FeedPage) -> ReadFeed {
    var next = self
    next.position = page.last
    next.patience = page.patience
    return next
  }

  /// Whether this reads on for what `other` has asked for.
  func belongs(to other: ReadFeed) -> Bool {
    var own = self
    own.position = other.position
    own.patience = other.patience
    return own == other
  }
}

extension Turn {
  /// What was read of the feed for this command, and the work that read it.
  func outcome(ofReading work: ReadFeed) throws(Halt) -> (page: FeedPage, work: ReadFeed) {
    guard let done = finishedWorks.last(ReadFeed.self), done.work.belongs(to: work) else { throw .work(work) }
    return try (done.outcome.mapError { Halt.refused($0) }.get(), done.work)
  }
}
