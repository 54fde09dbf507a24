@testable import GatehouseCore

extension CoreHarness {
  /// Does the work that a decision needs, like the server: the trail is read from the records.
  func perform(_ work: any Work) -> any Sendable {
    switch work {
    case let work as ReadTrail:
      var page = TrailPage()
      for (index, record) in records.enumerated().reversed().prefix(work.count) {
        page.events += record.parts.reversed().map { TrailEvent(lsn: LSN(index + 1), part: $0) }
      }
      return FinishedWork(work, .success(page))
    case let work as ReadRefusals:
      return FinishedWork(work, .success(refusals.kept.reversed().filter { $0.time >= work.since }))
    case let work as ReadHead:
      return FinishedWork(work, .success(TrailHead(lsn: lsn, hash: String(repeating: "0", count: 32))))
    case let work as VerifyTrail:
      return FinishedWork(
        work, .success(TrailReport(from: work.from, through: lsn, frames: lsn, records: lsn, problem: nil)))
    default: preconditionFailure("nobody knows how to do \(work)")
    }
  }
}
