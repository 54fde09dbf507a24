import GatehouseCore
import GatehouseStorage
import Logging

/// The audit trail and compaction, which read and write files and so run off the lane.
extension Connection {
  func auditList() {
    let query: AuditQuery
    do {
      query = try auditQuery()
    } catch {
      return refuse(error)
    }
    let lastWrite = lastWrite
    later { context in
      let trail = AuditTrail(context)
      do {
        let page = try await trail.page(query, through: await trail.durable(after: lastWrite))
        let directory = context.gate.directory
        var reply = Reply()
        reply.show(page, names: await trail.names(of: page.events), query.reach, directory)
        return (reply, trail.horizon)
      } catch {
        return (context.readingFailed(error), trail.horizon)
      }
    }
  }

  private func auditQuery() throws(Halt) -> AuditQuery {
    let turn = lane.turn
    var query = AuditQuery(reach: AuditReach(turn))
    query.user = try turn.option("USER")
    query.actor = try turn.option("ACTOR")
    query.from = try turn.time("FROM")
    query.to = try turn.time("TO")
    query.cursor = try turn.cursor(of: 1)?.numbers[0]
    query.count = try turn.listCount()
    return query
  }

  func auditVerify() {
    let from: Int
    do {
      from = try lane.turn.integer("FROM", in: 1...Int.max) ?? 1
    } catch {
      return refuse(error)
    }
    let lastWrite = lastWrite
    later { context in
      let last = await AuditTrail(context).durable(after: lastWrite)
      let folder = context.folder
      do {
        let report = try await context.persistence.readings.run {
          ChainWalk.run(folder, from: UInt64(from), through: last)
        }
        guard let report else { throw Refusal(.busy, "the trail is being read by others; try again") }
        if let problem = report.problem {
          context.logger.error("the log is damaged", metadata: ["problem": "\(problem)"])
        }
        var reply = Reply()
        reply.show(report, in: folder)
        return (reply, 0)
      } catch {
        return (context.readingFailed(error), 0)
      }
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
}

extension Refusal {
  /// What a compaction could not archive, and what it has done all the same.
  fileprivate init(damage done: Persistence.Compaction) {
    self.init(
      .syntax,
      "the history is damaged: \(done.damage.joined(separator: "; ")); all else is archived through record "
        + "\(done.archivedThrough), with \(done.segmentsRemoved) segments removed from the log; "
        + "`gatehousectl verify` tells where the damage is")
  }
}

extension ServerContext {
  /// What to answer where the history cannot be read.
  fileprivate func readingFailed(_ error: any Error) -> Reply {
    var reply = Reply()
    if let refusal = error as? Refusal {
      reply.error(refusal.text)
    } else {
      logger.error("the trail cannot be read", metadata: ["error": "\(error)"])
      // The error names files of the machine, which are nobody's business but the operator's.
      reply.error(Refusal.syntax("the trail cannot be read; the server's log says why").text)
    }
    return reply
  }
}

extension Reply {
  /// `[cursor, items]`.
  fileprivate mutating func show(
    _ page: AuditTrail.Page, names: [UserID: String], _ reach: AuditReach, _ directory: Directory
  ) {
    array(2)
    text(page.next.map(String.init) ?? ListCursor.end)
    array(page.events.count)
    for event in page.events { show(event, names, reach, directory) }
  }

  private mutating func show(
    _ event: AuditTrail.Event, _ names: [UserID: String], _ reach: AuditReach, _ directory: Directory
  ) {
    let header = event.part.header
    map(8)
    text("lsn")
    integer(event.lsn)
    text("time")
    integer(header.time)
    text("actor")
    optional(header.actor.flatMap { names[$0] })
    text("subject")
    optional(header.subject.flatMap { names[$0] })
    text("service")
    optional(header.service == 0 ? nil : directory.service(header.service)?.name ?? "\(header.service)")
    text("command")
    text(header.command)
    text("reason")
    optional(header.reason.isEmpty ? nil : header.reason)
    text("changes")
    array(event.part.changes.count)
    for change in event.part.changes { show(reach.text(of: change, in: directory)) }
  }

  private mutating func show(_ change: ChangeText) {
    map(3)
    text("change")
    text(change.kind)
    text("entity")
    text(change.entity)
    text("fields")
    array(change.fields.count)
    for field in change.fields {
      map(3)
      text("name")
      text(field.name)
      text("old")
      optional(field.old)
      text("new")
      optional(field.new)
    }
  }

  fileprivate mutating func show(_ report: ChainWalk.Report, in folder: DataFolder) {
    map(6)
    text("ok")
    flag(report.problem == nil)
    text("from")
    integer(report.from)
    text("through")
    integer(report.through)
    text("frames")
    integer(report.frames)
    text("records")
    integer(report.records)
    text("problem")
    // Files are named as `gatehousectl` names them, from the data folder on.
    optional(report.problem?.replacing("\(folder.path)/", with: ""))
  }

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
