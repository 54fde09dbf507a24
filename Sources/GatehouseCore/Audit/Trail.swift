/// An event of the audit trail: the changes of one command. All commands of an `EXEC` share one record.
public struct TrailEvent: Sendable {
  public let lsn: LSN
  public let part: RecordPart

  public init(lsn: LSN, part: RecordPart) {
    self.lsn = lsn
    self.part = part
  }
}

/// A page of events, newest first, and where the next page begins; nil if there is none.
public struct TrailPage: Sendable {
  public var events: [TrailEvent] = []
  public var next: LSN?

  public init() {}
}

/// Reads a page of the audit trail from the log and its archive.
public struct ReadTrail: Work {
  public typealias Outcome = Result<TrailPage, Refusal>

  /// Only records with one of these keys (`RecordKey`); all if empty.
  public var keys: [UInt64] = []
  /// Only what one of these logins did; what anybody did if empty.
  public var actors: Set<UserID> = []
  /// Only records from or until this time, in unix milliseconds.
  public var from: Milliseconds?
  public var to: Milliseconds?
  /// The record to start from, going back; nil for the newest.
  public var cursor: LSN?
  public var count = Limits.listDefault

  public init() {}
}

/// The newest record, and a hash that proves it and all records before it.
public struct TrailHead: Sendable, Equatable {
  public let lsn: LSN
  /// 32 hexadecimal digits.
  public let hash: String

  public init(lsn: LSN, hash: String) {
    self.lsn = lsn
    self.hash = hash
  }
}

/// Reads the head of the log.
public struct ReadHead: Work {
  public typealias Outcome = Result<TrailHead, Refusal>

  public init() {}
}

/// Verifies the hash chain of the log and its archive.
public struct VerifyTrail: Work {
  public typealias Outcome = Result<TrailReport, Refusal>

  /// The first record to check.
  public let from: LSN
  /// A head noted elsewhere, to check the chain against.
  public let head: TrailHead?

  public init(from: LSN, against head: TrailHead? = nil) {
    self.from = from
    self.head = head
  }
}

/// The result of verifying the chain.
public struct TrailReport: Sendable, Equatable {
  /// The first record that was checked: the first of the file that has the record asked for.
  public let from: LSN
  /// The last record up to which everything is sound.
  public let through: LSN
  public let frames: UInt64
  public let records: UInt64
  /// The last record that was deleted because its retention was over; nil where there is none. What is missing beyond it
  /// is a problem.
  public let deletedThrough: LSN?
  /// What is wrong, and where; nil if nothing is.
  public let problem: String?

  public init(
    from: LSN, through: LSN, frames: UInt64, records: UInt64, deletedThrough: LSN? = nil, problem: String?
  ) {
    self.deletedThrough = deletedThrough
    self.from = from
    self.through = through
    self.frames = frames
    self.records = records
    self.problem = problem
  }
}
