import GatehouseCore
import GatehouseStorage
import Glibc
import Logging

/// Reads the audit trail from the log and its archive.
extension ReadTrail: ServerWork {
  func perform(_ context: ServerContext, after lastWrite: LSN) throws -> TrailPage {
    let durable = context.waitUntilDurable(lastWrite)
    let last = min(cursor ?? durable, durable)
    guard last > 0 else { return TrailPage() }
    var query = History.Query(1...last, about: keys)
    query.marks = Dictionary(keys.map { ($0, RecordKey.mark(of: $0)) }) { one, _ in one }.compactMapValues { $0 }
    if !keys.allSatisfy(RecordKey.isOfPeople) { query.indexedSince = 2 }
    if from != nil || to != nil {
      let times = (UInt64(clamping: from ?? 0), to.map { UInt64(clamping: $0) } ?? .max)
      guard times.0 <= times.1 else { return TrailPage() }
      query.times = times.0...times.1
    }
    var page = TrailPage()
    let history = context.history
    try history.forEachNewestFirst(query) { lsn, bytes in
      var reader = ByteReader(bytes)
      let record = try Record(from: &reader, history.seals)
      let parts = record.parts.filter { part in
        if !actors.isEmpty, !part.isDone(byAny: actors) { return false }
        return record.others.isEmpty || keys.isEmpty || part.keys.contains { keys.contains($0) }
      }
      if parts.isEmpty { return true }
      // The parts of one record took effect together, so they stay on one page.
      if page.events.count >= count {
        page.next = lsn
        return false
      }
      page.events += parts.reversed().map { TrailEvent(lsn: lsn, part: $0) }
      return true
    }
    return page
  }
}

extension ReadHead: ServerWork {
  func perform(_ context: ServerContext, after lastWrite: LSN) throws -> TrailHead {
    let last = context.waitUntilSynced(context.waitUntilDurable(lastWrite))
    let head = try History(context.folder, keys: RecordIndex.keys(of: context.folder)).head(through: last)
    return TrailHead(lsn: head.lsn, hash: "\(head.hash)")
  }
}

extension VerifyTrail: ServerWork {
  func perform(_ context: ServerContext, after lastWrite: LSN) throws -> TrailReport {
    let noted = head.flatMap { head in Hash128(head.hash).map { LogHead(lsn: head.lsn, hash: $0) } }
    let report = ChainWalk.run(
      context.folder, from: from, through: context.waitUntilDurable(lastWrite), against: noted)
    if let problem = report.problem {
      context.logger.error("the log is damaged", metadata: ["problem": "\(problem)"])
    }
    return TrailReport(
      from: report.from, through: report.through, frames: report.frames, records: report.records,
      deletedThrough: report.deletedThrough,
      // Paths are shown relative to the data folder, as `gatehousectl` shows them.
      problem: report.problem?.replacing("\(context.folder.path)/", with: ""))
  }
}

extension ServerContext {
  /// Waits until a record is durable or will not become so, on a thread that may block.
  ///
  /// - Returns: the last durable record.
  func waitUntilDurable(_ lsn: LSN) -> LSN {
    while log.durableLSN < lsn, !isLogStuck, !isStopping { usleep(1000) }
    return log.durableLSN
  }

  /// Waits until a record is synced. With interval durability, records count as durable before they are synced, and a
  /// crash could still take them back.
  ///
  /// - Returns: the last synced record.
  fileprivate func waitUntilSynced(_ lsn: LSN) -> LSN {
    if log.syncedLSN < lsn { log.requestSync() }
    while log.syncedLSN < lsn, !isLogStuck, !isStopping { usleep(1000) }
    return log.syncedLSN
  }
}
