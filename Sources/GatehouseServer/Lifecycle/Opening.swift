import GatehouseCore
import GatehouseStorage
import Logging
import Synchronization

/// Opens a server's data: recovery, the log, and the owners.
struct Opening {
  let folder: DataFolder
  let partitioning: Partitioning
  let configuration: ServerConfiguration
  let zones: ZoneTable
  let hasher: PasswordHasher
  let logger: Logger
  /// Whether the log takes the frames of another node at first.
  var isFollowing = false
  /// Whether keys may be made anew: those of a node that follows are the leader's.
  var mayRenewKeys = true

  func open(_ lanes: [Lane], _ facts: ServerFacts) async throws -> ServerContext {
    let start = Clock.nanoseconds()
    if !isFollowing { try beAlone() }
    // On a thread of its own: it may take minutes, and Swift's threads are few.
    var (restored, end, report) = try await onOwnThread { try restore() }
    let seconds = Double(Clock.nanoseconds(since: start)) / 1e9
    logger.info(
      "data restored",
      metadata: [
        "snapshot": "\(report.snapshot?.lsn ?? 0)", "records": "\(restored.records)", "lsn": "\(end.lastLSN)",
        "seconds": "\(seconds)",
      ])
    if end.tornBytes > 0 {
      logger.warning(
        "the last write of the log was torn and has been cut off", metadata: ["bytes": "\(end.tornBytes)"])
    }
    warnOfNamesakes(restored)
    let isSetBack = try settleTime(facts.clock, restored.newestTime)
    restored.use(zones)
    let opened = Mutexed<ServerContext?>(nil)
    var handlers = LogHandlers()
    let feedReaders = FeedReaders()
    let durableWaits = DurableWaits()
    handlers.onDurable = { lsn in
      for lane in lanes { lane.wake() }
      feedReaders.wake()
      durableWaits.wake(through: lsn)
    }
    let logger = logger
    handlers.onStateChange = { state in
      if case .failed(let why) = state {
        // A node that has led and no longer does begins anew.
        let level = facts.node.role == .deposed ? Logger.Level.notice : .critical
        logger.log(level: level, "the log takes no more changes", metadata: ["error": "\(why)"])
        opened.withLock { $0?.noteLogFailure() }
      }
      let context = opened.withLock { $0 }
      if case .full = state, context?.log.isHeldBack ?? false {
        logger.error("changes are refused until the shared log has room again: see NODE.LIST for who lacks snapshots")
      } else if case .full = state {
        let error = context?.log.shortage
        let what = (error?.trouble ?? .noSpace).want.what
        logger.error(
          "\(what); changes are refused until there is room", metadata: ["error": "\(error?.description ?? "")"])
      }
      if case .open = state {
        logger.notice("the log takes changes again")
        context?.persistence.tryAgain()
      }
      // Replies that wait for records that will never be durable must learn of it.
      for lane in lanes { lane.wake() }
      durableWaits.wake(through: .max)
    }
    var options = logOptions
    // A lane must not wait for the network.
    if lanes.count == 1, !isFollowing { options.inlineRecords = Self.inlineRecords }
    let log = try folder.openLog(
      continuing: end, keptFrom: report.firstLSN, options: options, handlers: handlers, isFollowing: isFollowing)
    if isSetBack { try setBack(&restored, log, to: facts.clock.milliseconds) }
    let partitions = restored.partitions.map { Partition($0) }
    let persistence = Persistence()
    persistence.began(from: report.snapshot, in: folder, at: facts.started)
    let context = ServerContext(
      partitioning: partitioning, folder: folder, log: log, lanes: lanes, partitions: partitions,
      directory: restored.directory, facts: facts, persistence: persistence, feedReaders: feedReaders,
      durableWaits: durableWaits, hasher: hasher, logger: logger)
    opened.withLock { $0 = context }
    if let part = restored.firstSkipped { context.note(newer: part) }
    context.onEnd.withLock { $0 = { opened.withLock { $0 = nil } } }
    for lane in lanes { await lane.loop.submit { lane.begin(context) } }
    return context
  }

  /// Refuses a folder that is a node's, unless it is to leave the others.
  private func beAlone() throws {
    if configuration.follow == .alone, folder.logMark?.isShared ?? false {
      try folder.leaveShared()
      logger.warning("this folder leaves its cluster: what is written from now on is here alone")
    }
    try folder.requireOwnLog()
  }

  /// Warns of users who have the same name now that names are folded differently. The log gives their ids, because
  /// usernames may be e-mail addresses, which must not be logged.
  private func warnOfNamesakes(_ restored: Restoration) {
    if restored.hasSettledNames {
      logger.notice(
        "the Unicode tables that tell names apart have changed", metadata: ["unicode": "\(FoldedName.version)"])
    }
    let namesakes = restored.namesakes
    for holders in namesakes.prefix(Self.namesakesShown) {
      logger.warning(
        "users have one name in different spellings; each is found by the exact one and by #id; rename all but one",
        metadata: ["users": "\(holders.map { "#\($0.user.raw)" }.joined(separator: " "))"])
    }
    if namesakes.count > Self.namesakesShown {
      logger.warning(
        "more names are shared by several users; gatehousectl verify lists them",
        metadata: ["names": "\(namesakes.count)"])
    }
  }

  private static let namesakesShown = 20

  /// If the wall clock is behind the newest record, has the server's time continue from the record.
  ///
  /// - Returns: whether the wall clock is believed instead, so that time is set back.
  private func settleTime(_ clock: ServerClock, _ newest: Milliseconds?) throws(ClockConflict) -> Bool {
    let wall = max(0, Clock.wallMicroseconds() / 1000)
    guard let newest, newest > wall else { return false }
    let shown: Logger.Metadata = ["newest": "\(TimeText.text(of: newest))", "clock": "\(TimeText.text(of: wall))"]
    let isConflict = SteadyClock.isConflict(newest: newest, wall: wall)
    switch configuration.clockConflict {
    case .refuse: if isConflict { throw ClockConflict(newest: newest, clock: wall) }
    // Who says so believes the clock in smaller things, too; but not over what time servers correct.
    case .clock where newest - wall > Self.smallestConflict:
      logger.warning("time goes back to the clock, and all sessions end", metadata: shown)
      return true
    case .clock, .log: break
    }
    logger.warning("the clock is behind the newest record; the server's time goes on from there", metadata: shown)
    clock.advance(to: newest)
    return false
  }

  private static let smallestConflict: Milliseconds = 60_000

  /// Records that time is set back, and ends all sessions, whose deadlines are no longer believed.
  private func setBack(_ restored: inout Restoration, _ log: LogWriter, to time: Milliseconds) throws {
    var header = RecordHeader(
      time: time, service: 0, actor: nil, subject: nil, connection: 0, command: "CLOCK", reason: "")
    let change = ClockSet(old: restored.newestTime ?? time, new: time).carried
    do throws(LogRefusal) {
      let lsn = try log.append(&header, [change])
      restored.apply(Record(header: header, changes: [change]), lsn: lsn)
    } catch {
      throw StartFailure.io("cannot record that the clock was set back: \(error)")
    }
  }

  /// A single lane writes and syncs up to this many records itself instead of waking the log writer: they cost less of
  /// the lane's time than a sync takes.
  private static let inlineRecords = 64

  private var logOptions: LogOptions {
    var options = LogOptions()
    options.segmentBytes = UInt64(configuration.segmentBytes)
    options.maximumPendingBytes = configuration.logStagedLimit
    options.compressionLevel = configuration.compressionLevel
    if case .interval(let duration) = configuration.durability {
      options.durability = .interval(milliseconds: Int(duration.milliseconds))
    }
    return options
  }

  /// Loads the newest sound snapshot and replays the records after it.
  private func restore() throws -> (Restoration, LogEnd, RecoveryReport) {
    var recovery = try Recovery.open(folder, log: logOptions)
    defer { recovery.snapshot?.close() }
    for warning in recovery.report.warnings { logger.warning("\(warning)") }
    var restored = Restoration(folder)
    if let snapshot = recovery.snapshot { try restored.load(snapshot) }
    let end = try restored.replay(&recovery)
    if mayRenewKeys, try restored.renewKeys(at: max(0, Clock.wallMicroseconds() / 1000)) {
      logger.notice("ids or days whose keys were destroyed come again, and have new keys: data or clock was set back")
    }
    for person in restored.peopleWithoutKeys {
      logger.error(
        "somebody is there whose key was destroyed, and the next start forgets them; gatehousectl verify says what to do",
        metadata: ["person": "\(person)"])
    }
    return (restored, end, recovery.report)
  }
}

/// The newest record is so far ahead of the machine's clock that one of the two must be wrong, and `clock-conflict`
/// does not say which.
struct ClockConflict: Error, CustomStringConvertible {
  let newest: Milliseconds
  let clock: Milliseconds

  var description: String {
    "the newest record is of \(TimeText.text(of: newest)), over a day ahead of the clock, which says "
      + "\(TimeText.text(of: clock)); set the clock, or start once with --clock-conflict log to go on from the record's "
      + "time, or with --clock-conflict clock to go back to the clock's, which ends all sessions"
  }
}
