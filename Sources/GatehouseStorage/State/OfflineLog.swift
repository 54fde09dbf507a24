package import GatehouseCore

/// The log of a folder that no server uses, for a few records of an operator's program. It is opened with the first one.
final class OfflineLog {
  private let folder: DataFolder
  private let end: LogEnd
  private let firstLSN: LSN
  private var writer: LogWriter?
  /// Of the newest record. No record is of an earlier time.
  private var newestTime: Milliseconds
  private(set) var lastLSN: LSN

  /// - Parameters:
  ///   - folder: owned by this process.
  ///   - end: as recovery has found it.
  ///   - first: the first record that archive and log keep.
  ///   - newest: the time of the newest record.
  init(_ folder: DataFolder, after end: LogEnd, keptFrom first: LSN, newest: Milliseconds?) {
    self.folder = folder
    self.end = end
    firstLSN = first
    newestTime = newest ?? 0
    lastLSN = end.lastLSN
  }

  deinit { close() }

  func close() {
    if let writer { folder.closeLog(writer) }
    writer = nil
  }

  private func opened() throws -> LogWriter {
    if let writer { return writer }
    let opened = try folder.openLog(continuing: end, keptFrom: firstLSN, isDriven: true)
    writer = opened
    return opened
  }

  /// Writes a record, durably.
  /// - Returns: the record, for the state to apply.
  @discardableResult
  func record(_ changes: [any Change], command: String, time: Milliseconds) throws -> (record: Record, lsn: LSN) {
    let log = try opened()
    var header = RecordHeader(
      time: max(time, newestTime), service: 0, actor: nil, subject: nil, connection: 0, command: command, reason: "")
    let carried = changes.map(\.carried)
    let lsn: LSN
    do throws(LogRefusal) {
      lsn = try log.append(&header, carried, folder.keys)
    } catch {
      throw OfflineCommand.NotLogged(description: "the log takes no record: \(error)")
    }
    _ = log.turn()
    guard log.durableLSN >= lsn else {
      throw OfflineCommand.NotLogged(description: "the record could not be written: \(log.state)")
    }
    newestTime = header.time
    lastLSN = lsn
    return (Record(header: header, changes: carried), lsn)
  }

  /// Begins a new segment, so that a compaction may move what is before it.
  func endSegment() throws {
    let log = try opened()
    log.rotate()
    _ = log.turn()
    guard case .open = log.state else {
      throw OfflineCommand.NotLogged(description: "the log's segment could not be ended: \(log.state)")
    }
  }
}

extension DataFolder {
  /// Records in the trail that the keys of the encryption were changed, if it does not tell so yet. For a folder that no
  /// server uses; a server does it when it starts, and of nodes that share a log the one that leads.
  /// - Throws: what `Recovery.open` throws, `CodingError`, `LogError`, `NotLogged`.
  package func recordKeyChange(clock: Milliseconds) throws {
    guard let change = unnotedKeyChange, !(logMark?.isShared ?? false) else { return }
    let recovery = try Recovery.open(self)
    defer { recovery.snapshot?.close() }
    var newest = recovery.snapshot.map { Milliseconds(clamping: $0.info.createdAt) }
    let seals = keys
    let end = try recovery.read { _, bytes in
      var reader = ByteReader(bytes)
      newest = try Record(from: &reader, seals).time
    }
    let log = OfflineLog(self, after: end, keptFrom: recovery.report.firstLSN, newest: newest)
    defer { log.close() }
    try log.record(change, clock: clock)
  }
}

extension OfflineLog {
  /// Records a change of the keys, and remembers in the ring that it is.
  func record(_ change: EncryptionChanged, clock: Milliseconds) throws {
    try record([change], command: "ENCRYPTION", time: clock)
    try folder.noteKeyChangeRecorded(change)
  }
}
