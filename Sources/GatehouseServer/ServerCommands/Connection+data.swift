import GatehouseCore
import GatehouseStorage
import Synchronization
import Logging

/// Commands about the data as a whole: snapshots, compaction, stopping.
extension Connection {
  func databaseSize() {
    later { context in
      let figures = await context.stateFigures()
      var reply = Reply()
      reply.integer(figures.users)
      return (reply, figures.lsn)
    }
  }

  func backgroundSave() {
    let context = lane.services!
    if context.persistence.status.isSaving {
      return refuse(.syntax("Background save already in progress"))
    }
    context.start { _ = try? await context.persistence.save(context) }
    answer { $0.status(.savingStarted) }
  }

  func save() {
    later { context in
      var reply = Reply()
      do {
        try await context.persistence.save(context)
        reply.ok()
      } catch {
        reply.error(Refusal(.busy, "no snapshot was taken: \(error)").text)
      }
      return (reply, 0)
    }
  }

  func compact() {
    later { context in
      var reply = Reply()
      do {
        let done = try await context.persistence.compact(context, everything: true)
        if done.damage.isEmpty { reply.show(done) } else { reply.error(Refusal(damage: done).text) }
      } catch  where isDamage(error) {
        reply.error(Refusal.syntax("the log was not archived: \(error)").text)
      } catch {
        reply.error(Refusal(.busy, "the log was not archived: \(error)").text)
      }
      return (reply, 0)
    }
  }

  func shutDown(_ request: Arguments) {
    if request.count > 1, !["nosave", "save"].contains(request.string(1).lowercased()) {
      return refuse(.syntax("syntax error; SHUTDOWN takes SAVE, NOSAVE or nothing"))
    }
    let takesSnapshot = request.count > 1 && request.string(1).lowercased() == "save"
    let context = lane.services!
    flow.obstruct()
    context.start {
      if takesSnapshot { _ = try? await context.persistence.save(context) }
      context.facts.stop()
    }
  }
}

/// What the state contains, summed over all partitions.
struct StateFigures: Sendable {
  var users = 0
  var contacts = 0
  var sessions = 0
  var impersonations = 0
  var apiKeys = 0
  var secondFactors = 0
  /// Logins that wait for a second factor.
  var challenges = 0
  var timers = 0
  var entries = 0
  var mails = 0
  var deadMails = 0
  /// Replies kept under `IDEM` keys.
  var answers = 0
  var lsn: LSN = 0
}

extension ServerContext {
  /// Reads one partition once no other thread holds it.
  func read<Result: Sendable>(
    _ index: Int, _ body: @Sendable (borrowing PartitionState) -> Result
  ) async -> Result {
    await partitions[index].read(body)
  }

  /// The user with a name, and the last change that this depends on.
  func user(named name: String) async -> (id: UserID?, lsn: LSN) {
    let key = NameKey(name, partitioning)
    let folded = Array(FoldedName(name).text.utf8)
    let (holders, lsn) = await read(key.partition) { state in
      let found = folded.withUnsafeBytes { state.holders(folded: $0, hash: key.hash) }
      return (found, found.count > 1 ? state.lsn : state.lsn(of: found.first?.user))
    }
    guard holders.count > 1 else { return (holders.first?.user, lsn) }
    var live: Set<UserID> = []
    var newest = lsn
    for holder in holders {
      let (isLive, lsn) = await read(partitioning.partition(of: holder.user)) { state in
        let row = state.serial(of: holder.user).map { state.people.users[$0] }
        return (row.map { $0.status != .deleted } ?? false, state.lsn(of: holder.user))
      }
      if isLive { live.insert(holder.user) }
      newest = max(newest, lsn)
    }
    return (holders.meant(by: name) { live.contains($0) }, newest)
  }

  func stateFigures() async -> StateFigures {
    var sum = StateFigures()
    for index in partitions.indices {
      let part = await read(index) { state in
        var figures = StateFigures()
        figures.users = state.people.liveUsers
        figures.contacts = state.people.contacts.last
        figures.sessions = state.sessions.count
        figures.impersonations = state.sessions.impersonations.values.reduce(0) { $0 + $1.count }
        figures.apiKeys = state.apiKeys.count
        figures.secondFactors = state.secondFactors.factors.count
        figures.challenges = state.secondFactors.challenges.count
        figures.timers = state.time.timers.count
        figures.entries = state.time.entries.last
        figures.mails = state.outbox.count - state.outbox.deadCount
        figures.deadMails = state.outbox.deadCount
        figures.answers = state.answers.kept.count
        figures.lsn = state.lsn
        return figures
      }
      sum.users += part.users
      sum.contacts += part.contacts
      sum.sessions += part.sessions
      sum.impersonations += part.impersonations
      sum.apiKeys += part.apiKeys
      sum.secondFactors += part.secondFactors
      sum.challenges += part.challenges
      sum.timers += part.timers
      sum.entries += part.entries
      sum.mails += part.mails
      sum.deadMails += part.deadMails
      sum.answers += part.answers
      sum.lsn = max(sum.lsn, part.lsn)
    }
    return sum
  }

  /// The metrics of all lanes and fronts together.
  func metrics() async -> CommandMetrics {
    var sum = frontMetrics.withLock { $0 }
    for lane in lanes {
      let part = await lane.loop.submit {
        var metrics = lane.metrics
        metrics.admissions = lane.turn.admissions.tally
        return metrics
      }
      sum.add(part)
    }
    return sum
  }

  func resetMetrics() async {
    frontMetrics.withLock { $0.reset() }
    for lane in lanes {
      await lane.loop.submit {
        lane.metrics.reset()
        lane.turn.admissions.reset()
      }
    }
    for ring in refusals { ring.resetCounts() }
    holdFigures.reset()
    facts.requests.reset()
  }

  /// Applies what is not read from the configuration each time it is used.
  func configurationChanged(_ configuration: ServerConfiguration) {
    // All loggers of the server share one handler with one level.
    var logger = logger
    logger.logLevel = configuration.logLevel
    logger.notice("configuration changed")
  }
}

extension PartitionState {
  /// The last change of a user; if the user is not in this partition, the last change of anything here.
  func lsn(of user: UserID?) -> LSN {
    guard let user, partitioning.partition(of: user) == index, let serial = serial(of: user) else { return lsn }
    return people.users[serial].lsn
  }
}

extension Refusal {
  /// What a compaction could not archive, and what it did nevertheless.
  fileprivate init(damage done: Persistence.Compaction) {
    self.init(
      .syntax,
      "the history is damaged: \(done.damage.joined(separator: "; ")); all else is archived through record "
        + "\(done.archivedThrough), with \(done.segmentsRemoved) segments removed from the log; "
        + "`gatehousectl verify` tells where the damage is")
  }
}

extension Reply {
  fileprivate mutating func show(_ done: Persistence.Compaction) {
    map(5)
    text("snapshot")
    integer(done.snapshotLSN)
    text("archived-through")
    integer(done.archivedThrough)
    text("segments-removed")
    integer(done.segmentsRemoved)
    text("archives")
    integer(done.archives)
    text("expired")
    integer(done.expired)
  }
}
