/// What the manifest says of the log and its archive. If all of `log/` is replaced by an older copy or removed, nothing
/// inside it can tell, so a little is recorded outside.
///
/// The mark is written when the log is opened, when a segment is complete, when the log is closed, and before an
/// archive is deleted because its retention is over. In between it may lag behind the log, but it never runs ahead.
package struct LogMark: Sendable, Equatable {
  /// The newest epoch, which counts how often the log was opened; 0 before the first time.
  package var epoch: UInt64 = 0
  /// The first record that archive and log keep. Only a retention, or a copy without history, moves it.
  package var firstLSN: UInt64 = 1
  /// A durable record: the log reaches at least this far.
  package var durableLSN: UInt64 = 0
  /// Whether the log was closed cleanly after that record, and not opened since.
  package var isClosed = false
  /// Whether other nodes have a part in the log. What is here may then be less than what was acknowledged, and a record
  /// that is written here alone parts the log from theirs.
  package var isShared = false

  package init(
    epoch: UInt64 = 0, firstLSN: UInt64 = 1, durableLSN: UInt64 = 0, isClosed: Bool = false, isShared: Bool = false
  ) {
    self.epoch = epoch
    self.firstLSN = firstLSN
    self.durableLSN = durableLSN
    self.isClosed = isClosed
    self.isShared = isShared
  }

  mutating func keep(from lsn: UInt64) { firstLSN = max(firstLSN, lsn) }

  mutating func reach(_ lsn: UInt64) { durableLSN = max(durableLSN, lsn) }

  /// Whether `other` was written later.
  func isBefore(_ other: LogMark) -> Bool {
    (epoch, durableLSN, firstLSN) < (other.epoch, other.durableLSN, other.firstLSN)
      || (epoch == other.epoch && !isClosed && other.isClosed)
  }
}

// MARK: - Writing the mark

extension DataFolder {
  /// Opens the log for writing at the end that recovery has found, and records in the manifest that it is in use.
  /// - Parameter first: the first record that archive and log keep, as recovery has found it.
  /// - Parameter isFollowing: whether the log takes the frames of another node at first.
  /// - Throws: `LogError`, or `FolderError` if the manifest cannot be written, or the log is shared and does not follow.
  package func openLog(
    continuing end: LogEnd, keptFrom first: UInt64, options: LogOptions = LogOptions(),
    handlers: LogHandlers = LogHandlers(), isFollowing: Bool = false, isDriven: Bool = false
  ) throws -> LogWriter {
    if !isFollowing { try requireOwnLog() }
    var handlers = handlers
    let onSealed = handlers.onSealed
    handlers.onSealed = { [self] segment in
      // If this fails, the older mark stays: it lags behind, but is true.
      if let last = segment.lastLSN { try? note { $0?.reach(last) } }
      onSealed(segment)
    }
    let log = try LogWriter(
      logLocation, continuing: end, options: options, handlers: handlers, isFollowing: isFollowing, isDriven: isDriven)
    // A folder of a version without marks keeps all that it has.
    let kept = logMark?.firstLSN ?? first
    do throws(DiskError) {
      try note { mark in
        mark = LogMark(
          epoch: max(mark?.epoch ?? 0, log.epoch), firstLSN: kept, durableLSN: max(mark?.durableLSN ?? 0, end.lastLSN),
          isShared: isFollowing || mark?.isShared ?? false)
      }
    } catch {
      // On a full disk the older mark stays: the server should still start and answer reads.
      guard error.isShortage else {
        log.close()
        throw FolderError(error, path: path)
      }
    }
    return log
  }

  /// Has the log take records instead of another node's frames, in an epoch of its own.
  package func lead(_ log: LogWriter, _ leadership: any Leadership) throws(DiskError) {
    try log.lead(leadership)
    // If this fails, the older mark stays: it lags behind, but is true.
    try? note { $0?.epoch = leadership.epoch }
  }

  /// Records that other nodes have a part in the log.
  package func noteShared() throws(DiskError) { try note { $0?.isShared = true } }

  /// Records that other nodes have no part in the log any more: this folder has left them for good.
  package func leaveShared() throws(DiskError) { try note { $0?.isShared = false } }

  /// Refuses to write records into a log that other nodes have a part in, unless it is done together with them.
  package func requireOwnLog() throws(FolderError) {
    if logMark?.isShared ?? false { throw .shared(path: path) }
  }

  /// Closes the log, and records in the manifest where it ends.
  package func closeLog(_ log: LogWriter) {
    log.close()
    guard case .closed = log.state else { return }
    let (last, isClosed) = (log.syncedLSN, log.hasCleanEnd)
    // If this fails, the older mark stays: it lags behind, but is true.
    try? note { mark in
      mark?.reach(last)
      mark?.isClosed = isClosed
    }
  }
}

// MARK: - Checking the log against the mark

extension DataFolder {
  /// Why the log that was found cannot be the one that was written here; nil if nothing contradicts it.
  /// - Parameter archive: the gapless end of the archive.
  func objection(hasSegments: Bool, _ witness: Witness?, _ archive: ArchiveReach) -> RecoveryError? {
    // An archive is made from a log, and in versions without marks a folder had a log from its first start on.
    if !hasSegments, archive.records != nil || (witness == nil && logMark?.epoch != 0) {
      return .emptied(path: path, made: logMark?.durableLSN, archived: archive.records)
    }
    guard let mark = logMark, let witness, witness.epoch < mark.epoch else { return nil }
    return .setBack(
      path: path, log: "was last opened in epoch \(witness.epoch)", manifest: "epoch \(mark.epoch)")
  }

  /// The same check for a log that ends with the record `last`.
  func objection(toEnd last: UInt64) -> RecoveryError? {
    guard let mark = logMark, last < mark.durableLSN else { return nil }
    return .setBack(path: path, log: "ends with record \(last)", manifest: "durable record \(mark.durableLSN)")
  }
}
