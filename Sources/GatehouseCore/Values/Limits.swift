/// The bounds that keep one request, one user or one workspace from growing without end.
public enum Limits {
  public static let usernameBytes = 256
  public static let nameBytes = 64
  public static let textBytes = 4096
  /// A field of a person, each of which is a word or a line: a name, a department, a work schedule.
  public static let fieldBytes = 256
  public static let reasonBytes = 1024
  public static let idempotencyKeyBytes = 128
  /// Mails of one partition that wait to be sent. What would queue one more is refused.
  public static let mailsOfPartition = 100_000
  /// Answers that one partition remembers under `IDEM` keys. A command with another key is refused.
  public static let answersOfPartition = 250_000
  /// How long an answer is remembered under its `IDEM` key.
  public static let idempotencyLife: Milliseconds = 24 * 3600 * 1000
  public static let workspaces = 1_000_000
  public static let products = 1_000_000
  public static let poolsOfProduct = 255
  public static let seatsMost = 1_000_000_000
  public static let services = 10_000
  public static let workspacesOfService = 100
  /// Roles that are defined, dropped ones among them: a number is given once, and has 16 bits.
  public static let roles = 60_000
  /// … for one workspace, or for everywhere.
  public static let rolesOfWorkspace = 1_000
  public static let productsOfUser = 1000
  public static let grantsOfUser = 1000
  public static let membershipsOfUser = 1000
  public static let sessionsOfUser = 1000
  /// Impersonations in force that one login has begun.
  public static let impersonationsOfSession = 100
  /// Items a list answers with when `COUNT` is not given, and at most.
  public static let listDefault = 100
  public static let listMost = 10_000
  /// Rows that a scan looks at before it leaves the partition to others for a moment.
  public static let rowsOfSlice = 256
  /// Contacts that are entered in the index of words before the partition is left to others for a moment.
  public static let wordsOfSlice = 48
  public static let wordsOfSearch = 16
  /// What a search answers with when `LIMIT` is not given.
  public static let searchDefault = 20
  /// Rows that a list or a count between `MULTI` and `EXEC` looks at: it cannot leave the partitions in between.
  public static let rowsOfTransaction = 100_000
  /// Conditions that one list or count looks at.
  public static let conditionsOfList = 100
  /// The times that commands accept: from 1970 up to the year 9999.
  public static let latestTime: Milliseconds = 253_402_300_799_999
  /// How far ahead of the server's clock a timer may start or stop.
  public static let futureTolerance: Milliseconds = 5 * 60 * 1000
  public static let entryVersions = 1000
  public static let projectBytes = 256
  /// Records of the audit trail that are read for a page where not all may be shown.
  public static let recordsOfTrail = 2048
  /// Patterns are compared with names of commands and settings, which are short and many.
  public static let patternBytes = 128
  public static let patterns = 64
}
