import GatehouseCore
import GatehouseStorage
import GatehouseWire

// The result of a compaction, or of a dry run, as text and as JSON, in the same words for both.

extension OfflineCompaction.Report {
  var text: String {
    var lines: [String] = []
    if destroyedKeys > 0 { lines.append("destroyed \(Figures.count(destroyedKeys, "key")) of forgotten people") }
    lines += snapshots.map { "took a snapshot of record \($0)" }
    lines += compaction.archived.map { "archived \(Figures.records($0.records)), \(Figures.bytes($0.fileBytes))" }
    if !compaction.removed.isEmpty { lines.append("removed \(Figures.count(compaction.removed.count, "segment"))") }
    lines += compaction.setAside.map { "set aside, damaged: \(ShownText.line($0))" }
    lines += compaction.expired.map {
      "deleted \(ShownText.line($0.name)), \(Figures.records($0.records)): their retention is over"
    }
    if lines.isEmpty { lines = ["nothing to do"] }
    return lines.map { $0 + "\n" }.joined()
  }

  var json: String {
    compactionJSON(
      isDryRun: false, lastLSN: lastLSN, snapshots: snapshots, destroyedKeys: destroyedKeys,
      archived: compaction.archived.map {
        CompactionFile(name: DiskPath.name(of: $0.path), records: $0.records, bytes: $0.fileBytes)
      }, removed: compaction.removed,
      damage: compaction.damage, expired: compaction.expired, warnings: compaction.warnings)
  }
}

extension CompactionPlan {
  var text: String {
    var lines = snapshots.map { "would take a snapshot of record \($0)" }
    lines += archived.map { "would archive \(Figures.records($0.records)), \(Figures.bytes($0.bytes)) of log" }
    if !removed.isEmpty { lines.append("would remove \(Figures.count(removed.count, "segment"))") }
    lines += setAside.map { "would set aside, damaged: \(ShownText.line($0))" }
    lines += expired.map {
      "would delete \(ShownText.line($0.name)), \(Figures.records($0.records)): their retention is over"
    }
    if lines.isEmpty { lines = ["nothing to do"] }
    return lines.map { $0 + "\n" }.joined()
  }

  var json: String {
    compactionJSON(
      isDryRun: true, lastLSN: lastLSN, snapshots: snapshots, destroyedKeys: 0, archived: archived, removed: removed,
      damage: damage,
      expired: expired, warnings: warnings)
  }
}

private func compactionJSON(
  isDryRun: Bool, lastLSN: UInt64, snapshots: [UInt64], destroyedKeys: Int, archived: [CompactionFile],
  removed: [String], damage: [String], expired: [CompactionFile], warnings: [String]
) -> String {
  func value(_ file: CompactionFile) -> RESPValue {
    var object = JSONObject()
    object.add("name", file.name)
    object.add("first", file.records.lowerBound)
    object.add("last", file.records.upperBound)
    object.add("bytes", file.bytes)
    return object.value
  }
  var object = JSONObject()
  object.add("dry-run", isDryRun)
  object.add("last", lastLSN)
  object.add("snapshots", snapshots.map { .integer(Int64(clamping: $0)) })
  if !isDryRun { object.add("destroyed-keys", UInt64(destroyedKeys)) }
  object.add("archived", archived.map(value))
  object.add("segments", texts: removed)
  object.add("damage", texts: damage)
  object.add("expired", expired.map(value))
  object.add("warnings", texts: warnings)
  return object.line
}
