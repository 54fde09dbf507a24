/// An event of the audit trail: what one command changed. Those of an `EXEC` have one record.
public struct TrailEvent: Sendable {
  public let lsn: LSN
  public let part: RecordPart

  public init(lsn: LSN, part: RecordPart) {
    self.lsn = lsn
    self.part = part
  }
}

/// Some events, the newest first, and where the next page begins; nil where there is none.
public struct TrailPage: Sendable {
  public var events: [TrailEvent] = []
  public var next: LSN?

  public init() {}
}

/// Reads a page of the audit trail out of the log and its archive.
public struct ReadTrail: Work {
  public typealias Outcome = Result<TrailPage, Refusal>

  /// Only records under one of these keys (`RecordKey`); all where there is none.
  public var keys: [UInt64] = []
  /// Only what this user did.
  public var actor: UserID?
  /// Only records of this time and later, or earlier, in unix milliseconds.
  public var from: Milliseconds?
  public var to: Milliseconds?
  /// The record to begin with, going back; nil for the newest.
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

/// Walks the chain of hashes of the log and its archive.
public struct VerifyTrail: Work {
  public typealias Outcome = Result<TrailReport, Refusal>

  /// The record to begin with.
  public let from: LSN
  /// What was noted elsewhere, against which the chain is held.
  public let head: TrailHead?

  public init(from: LSN, against head: TrailHead? = nil) {
    self.from = from
    self.head = head
  }
}

/// What a walk along the chain has found.
public struct TrailReport: Sendable, Equatable {
  /// The first record that was checked: that of the file which has the one asked for.
  public let from: LSN
  /// The last record up to which all was well.
  public let through: LSN
  public let frames: UInt64
  public let records: UInt64
  /// What is wrong, and where; nil where nothing is.
  public let problem: String?

  public init(from: LSN, through: LSN, frames: UInt64, records: UInt64, problem: String?) {
    self.from = from
    self.through = through
    self.frames = frames
    self.records = records
    self.problem = problem
  }
}
