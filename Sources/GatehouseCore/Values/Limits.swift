/// The limits on what one request, one user or one workspace can make grow.
public enum Limits {
  public static let usernameBytes = 256
  /// Users who get the same username in turn, each after the one before was deleted.
  public static let holdersOfName = 1000
  public static let nameBytes = 64
  public static let textBytes = 4096
  /// A field of a person, which is a word or a line: a name, a department, a work schedule.
  public static let fieldBytes = 256
  public static let reasonBytes = 1024
  public static let idempotencyKeyBytes = 128
  /// Mails that may wait to be sent in one partition. More are refused.
  public static let mailsOfPartition = 100_000
  /// … of one workspace, so that a workspace whose mails nobody sends takes no room from the others.
  public static let mailsOfWorkspace = 50_000
  /// Dead letters that a partition keeps. The oldest make room for others.
  public static let deadMailsOfPartition = 10_000
  /// How long a mail is worth sending.
  public static let mailLife: Milliseconds = 7 * 86_400_000
  /// How long a dead letter is kept.
  public static let deadMailLife: Milliseconds = 30 * 86_400_000
  /// How often a mail is handed out before it is a dead letter.
  public static let mailAttempts = 10
  /// Mails that one `MAIL.NEXT` hands out.
  public static let mailsOfLease = 100
  /// Bytes of subjects and texts after which a `MAIL.NEXT` hands out no further mail. Whoever takes the mails of many
  /// workspaces would else have to take as much as one of them has written, in one answer or not at all.
  public static let mailBytesOfLease = 65_536
  public static let mailLease: ClosedRange<Milliseconds> = 1000...3_600_000
  public static let mailLeaseDefault: Milliseconds = 5 * 60_000
  public static let templates = TableLimit(ofWorkspace: 200, ofAll: 100_000, assured: 20)
  public static let subjectBytes = 256
  public static let templateBytes = 16_384
  /// The text of a mail with everything filled in. A template that could grow beyond it is refused.
  public static let mailTextBytes = 65_536
  /// … and its subject, of which no more than `MailTemplate.subjectCharacters` are kept.
  public static let mailSubjectBytes = 4096
  public static let placeholdersOfTemplate = 100
  /// Answers that one partition keeps under `IDEM` keys. A command with another key is refused.
  public static let answersOfPartition = 250_000
  /// … of one service, and those that find room whatever others keep, so that no service takes it from another.
  public static let answersOfService = 100_000
  public static let answersAssured = 1_000
  /// How long an answer is kept under its `IDEM` key.
  public static let idempotencyLife: Milliseconds = 24 * 3600 * 1000
  public static let workspaces = 1_000_000
  /// The largest number of a product: accesses and sessions have no room for more.
  public static let products = 1_000_000
  /// The rest is left to the first products of each workspace.
  public static let productShare = TableLimit(ofWorkspace: 10_000, ofAll: 900_000, assured: 100)
  public static let poolsOfProduct = 255
  public static let seatsMost = 1_000_000_000
  public static let services = 10_000
  /// The whole server's own count as those of a workspace.
  public static let webhooks = TableLimit(ofWorkspace: 20, ofAll: 1_000, assured: 2)
  /// Failures in a row after which a webhook is called failing.
  public static let webhookFailures: UInt32 = 8
  public static let workspacesOfService = 100
  public static let productsOfService = 100
  /// The name in a client certificate that stands for a service.
  public static let certificateNameBytes = 256
  /// How long a service's old secret may stay good beside the new one.
  public static let secretOverlap: Milliseconds = 90 * 86_400_000
  public static let serviceConnections = 1_000_000
  public static let serviceCommands = 1_000_000_000
  public static let serviceBytes = 1_000_000_000_000
  /// Roles that are defined, dropped ones among them: a name keeps its number for good. Those that can be granted anywhere
  /// count as those of a workspace.
  public static let roleNames = TableLimit(ofWorkspace: 10_000, ofAll: 1_000_000, assured: 100)
  /// … and not dropped.
  public static let rolesOfWorkspace = 1_000
  public static let fieldsOfWorkspace = 200
  /// Dropped ones among them: a number is given once.
  public static let fieldNumbers = TableLimit(ofWorkspace: 10_000, ofAll: 1_000_000, assured: 200)
  public static let choicesOfField = 200
  /// Deleted ones among them: a number is given once.
  public static let accounts = TableLimit(ofWorkspace: 1_000_000, ofAll: 10_000_000, assured: 1_000)
  public static let groups = TableLimit(ofWorkspace: 10_000, ofAll: 1_000_000, assured: 100)
  public static let accountsOfGroup = 10_000
  /// The name of an account or a group, in bytes.
  public static let titleBytes = 256
  public static let employmentsOfContact = 100
  public static let managementOfUser = 1000
  /// Names that a refusal tells of those who stand in the way.
  public static let referrersNamed = 5
  /// Rows of the directory that one page of a list looks at.
  public static let rowsOfDirectory = 10_000
  public static let productsOfUser = 1000
  public static let grantsOfUser = 1000
  public static let membershipsOfUser = 1000
  /// Homes of a user that the trail remembers; for what is older, the oldest of them counts.
  public static let formerHomes = 100
  public static let sessionsOfUser = 1000
  /// The name of a program from which somebody logs in, in bytes; longer ones are cut.
  public static let agentBytes = 256
  /// Users that one `USER.BULK` changes: they are held together, and the changes are one record.
  public static let usersOfBulk = 1000
  /// Rows of one `USER.CREATEMANY`, for the same reasons.
  public static let usersOfCreateMany = 1000
  /// Of these, how many with a password, which takes a core for some tens of milliseconds to hash.
  public static let passwordsOfCreateMany = 100
  /// A value of these rows: a cell may name everybody whom somebody looks after. What it says is limited as it is elsewhere.
  public static let cellBytes = 65_536
  /// Records about a user of which it is known that they were taken back, and for how long more are refused: as long as a
  /// policy may allow to take one back.
  public static let undosOfUser = 100
  public static let undoLife: Milliseconds = 366 * 86_400_000
  /// Commands of a person that wait for a second one, and those of a workspace among the users of one partition.
  public static let approvalsOfPerson = 100
  public static let approvalsOfWorkspace = 1000
  /// The words of such a command, together.
  public static let approvalBytes = 65_536
  public static let linksOfContact = 10_000
  /// The characters of a password. Longer ones are more likely a file than a password.
  public static let passwordCharacters = 8...256
  public static let passwordBytes = 1024
  /// A hash that another system has made: its text, and what a guess at the password may make the server do.
  public static let hashBytes = 512
  public static let hashMemory = 512 << 20
  /// The memory, times how often it is gone through.
  public static let hashMemoryPassed = 2 << 30
  /// r and p of scrypt and yescrypt.
  public static let hashBlockSize = 64
  public static let hashParallelism = 16
  /// … of PBKDF2.
  public static let hashIterations = 5_000_000
  /// … of sha-crypt, each of which hashes the whole password: about two seconds for one of 512 bytes.
  public static let hashRounds = 1_000_000
  /// The binary logarithm of bcrypt's rounds: about two seconds.
  public static let hashPower = 15
  /// How long the token of a reset mail can be redeemed, and how long after it another is mailed.
  public static let resetLife: Milliseconds = 20 * 60_000
  public static let resetPause: Milliseconds = 60_000
  /// How long a login waits for the second factor, and how long a second factor that was begun for being confirmed.
  static let challengeLife: Milliseconds = 5 * 60_000
  static let enrolmentLife: Milliseconds = 15 * 60_000
  /// Logins that wait for a second factor: of a user, and of one partition's users. The oldest make room.
  public static let challengesOfUser = 5
  public static let challengesOfPartition = 1000
  static let recoveryCodeBytes = 64
  /// API keys of a user that are active, and those that are kept, the ended ones among them.
  public static let activeKeysOfUser = 100
  public static let keysOfUser = 200
  /// How long both keys work when one replaces another, if nothing else is said.
  static let overlapOfKeys: Milliseconds = 86_400_000
  /// How exactly the log knows when a key was last used.
  static let useOfKey: Milliseconds = 3_600_000
  /// Names that no user has and whose guesses one partition remembers.
  public static let strangersOfPartition = 1000
  public static let attributesOfLink = 50
  /// What a provisioning system keeps of a user in one workspace, and the name of one of these.
  public static let attributesOfUser = 50
  public static let attributeBytes = 256
  /// Impersonations in force that one login began.
  public static let impersonationsOfSession = 100
  /// The items of a list page: the default, and the largest `COUNT`.
  public static let listDefault = 100
  public static let listMost = 10_000
  /// Rows that a scan reads before it leaves the partition for a moment.
  public static let rowsOfSlice = 256
  /// Contacts that are added to the word index before the scan leaves the partition for a moment.
  public static let wordsOfSlice = 8
  /// People who are taken into the order of a list before the scan leaves the partition for a moment.
  public static let orderedOfSlice = 20
  /// Rows that a sorted list passes over while it reads all partitions once (`OFFSET`).
  public static let passedAtOnce = 16_384
  /// People who are filed by what they have in common before the scan leaves the partition for a moment.
  public static let filedOfSlice = 64
  public static let wordsOfSearch = 16
  /// The default `LIMIT` of a search.
  public static let searchDefault = 20
  /// Rows that a list or count between `MULTI` and `EXEC` may read, because it cannot leave the partitions in between.
  public static let rowsOfTransaction = 100_000
  /// People who can lose a role, and sessions that can end by a setting, in one record.
  public static let lossesOfRecord = 10_000
  /// Users of a partition of whom something ends within one second and is looked at before its moment.
  public static let endsOfSecond = 4096
  /// Logins that a dry run lists; how many more there are it says by their number.
  public static let loginsOfDryRun = 1_000
  /// Conditions that one list or count looks at.
  public static let conditionsOfList = 100
  /// The latest time that commands accept: the end of the year 9999. The earliest is 1970.
  public static let latestTime: Milliseconds = 253_402_300_799_999
  /// How far in the future, by the server's clock, a timer may start or stop.
  public static let futureTolerance: Milliseconds = 5 * 60 * 1000
  public static let entryVersions = 1000
  public static let projectBytes = 256
  /// Records of the audit trail that are read for one page if some may not be shown.
  public static let recordsOfTrail = 2048
  /// People in the changes of one page of the trail or the feed whose names it tells.
  public static let namesOfTrail = 1000
  /// Items that one `FEED.READ` answers with, at most.
  public static let feedMost = 1000
  /// Records that one step of reading the feed looks at, so that a reader of little gives way to others.
  public static let recordsOfFeed: UInt64 = 65_536
  /// Bytes of records that one step hands to the reader.
  public static let feedBytes = 1 << 20
  /// People about whom a command may be whose managers are still told of it, and managers who are told of one of them.
  public static let peopleOfNotices = 10
  public static let managersOfNotice = 50
  /// Readers that wait for records.
  public static let feedReaders = 10_000
  /// Patterns are matched against names of commands and settings, which are short but many.
  public static let patternBytes = 128
  public static let patterns = 64
}
