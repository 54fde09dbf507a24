import GatehouseStorage
import GatehouseWire

// What a compaction has done, or would do, in words and as JSON: the same words for both.

extension OfflineCompaction.Report {
  var text: String {
    var lines = snapshots.map { "took a snapshot of record \($0)" }
    lines += compaction.archived.map { "archived \(Figures.records($0.records)), \(Figures.bytes($0.fileBytes))" }
    if !compaction.removed.isEmpty { lines.append("removed \(Figures.count(compaction.removed.count, "segment"))") }
    lines += compaction.expired.map { "deleted \(Figures.records($0.records)): their retention is over" }
    if lines.isEmpty { lines = ["nothing to do"] }
    return lines.map { $0 + "\n" }.joined()
  }

  var json: String {
    compactionJSON(
      isDryRun: false, lastLSN: lastLSN, snapshots: snapshots,
      archived: compaction.archived.map { ($0.records, $0.fileBytes) }, removed: compaction.removed,
      expired: compaction.expired.map { ($0.records, $0.fileBytes) }, warnings: compaction.warnings)
  }
}

extension CompactionPlan {
  var text: String {
    var lines = snapshots.map { "would take a snapshot of record \($0)" }
    lines += archived.map { "would archive \($0.name), \(Figures.records($0.records)), \(Figures.bytes($0.bytes))" }
    lines += expired.map { "would delete \($0.name), \(Figures.records($0.records)): their retention is over" }
    if lines.isEmpty { lines = ["nothing to do"] }
    return lines.map { $0 + "\n" }.joined()
  }

  var json: String {
    compactionJSON(
      isDryRun: true, lastLSN: lastLSN, snapshots: snapshots, archived: archived.map { ($0.records, $0.bytes) },
      removed: archived.map(\.name), expired: expired.map { ($0.records, $0.bytes) }, warnings: [])
  }
}

private func compactionJSON(
  isDryRun: Bool, lastLSN: UInt64, snapshots: [UInt64], archived: [(ClosedRange<UInt64>, UInt64)], removed: [String],
  expired: [(ClosedRange<UInt64>, UInt64)], warnings: [String]
) -> String {
  func value(_ file: (records: ClosedRange<UInt64>, bytes: UInt64)) -> RESPValue {
    var object = JSONObject()
    object.add("first", file.records.lowerBound)
    object.add("last", file.records.upperBound)
    object.add("bytes", file.bytes)
    return object.value
  }
  var object = JSONObject()
  object.add("dry-run", isDryRun)
  object.add("last", lastLSN)
  object.add("snapshots", snapshots.map { .integer(Int64(clamping: $0)) })
  object.add("archived", archived.map(value))
  object.add("segments", texts: removed)
  object.add("expired", expired.map(value))
  object.add("warnings", texts: warnings)
  return object.line
}
