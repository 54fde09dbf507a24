internal import Glibc
internal import Synchronization

/// The log's files: frames are written at the end of the current segment, and the next one is begun when it is full.
/// For one thread at a time.
final class SegmentSink: LogSink {
  private let core: LogCore
  private var file: any DiskFile
  private var segment: UInt64
  private var offset: UInt64
  /// The segment's own alignment: an older segment may have been begun with other options.
  private var alignment: UInt64
  private var lastHash: Hash128
  private(set) var appended: UInt64
  private var isSynced = true
  /// Where writing can restart: everything before is durable, and the committer still has everything after.
  private var synced: Mark

  private struct Mark {
    var offset: UInt64
    var lastHash: Hash128
    var lsn: UInt64
  }

  /// The open segment, and how far it is written.
  private struct Position {
    var file: any DiskFile
    var segment: UInt64
    var offset: UInt64
    var alignment: UInt64
  }

  /// Continues at the end of a log that is completely synced.
  static func open(_ core: LogCore, continuing end: LogEnd) throws(DiskError) -> SegmentSink {
    SegmentSink(core, continuing: end, at: try position(core, end))
  }

  private init(_ core: LogCore, continuing end: LogEnd, at position: Position) {
    self.core = core
    lastHash = end.lastHash
    appended = end.lastLSN
    file = position.file
    segment = position.segment
    offset = position.offset
    alignment = position.alignment
    synced = Mark(offset: position.offset, lastHash: end.lastHash, lsn: end.lastLSN)
    core.spares.withLock { $0.unfilledStart = position.offset }
    noteSegment()
  }

  /// The last segment if it has room, else a new one.
  private static func position(_ core: LogCore, _ end: LogEnd) throws(DiskError) -> Position {
    let next = end.lastLSN + 1
    if let segment = end.segment {
      let file = try core.location.disk.openFile(core.location.path(LogFormat.segmentName(segment)), .write)
      try cutTail(of: file, at: end.offset, isTorn: end.tornBytes > 0, core.options)
      // A segment without a record is continued even if it is full of clean-end frames, because a new one would have
      // the same name.
      if end.offset < core.options.segmentBytes || segment == next {
        return Position(file: file, segment: segment, offset: end.offset, alignment: end.alignment)
      }
      file.close()
    }
    let spare = try firstSpare(core)
    let file = try begin(
      next, from: spare, core, after: end.lastHash, dataKey: core.location.cipher.current?.number ?? 0)
    if spare == LogFormat.reserveName { core.spares.withLock { $0.reserve = .absent } }
    return Position(
      file: file, segment: next, offset: LogFormat.segmentStart, alignment: core.options.alignment)
  }

  /// A file for the segment that a start needs. On a full disk, it is the reserve of an earlier start.
  private static func firstSpare(_ core: LogCore) throws(DiskError) -> String {
    do throws(DiskError) {
      try core.makeSegmentFile(LogFormat.urgentName, fills: false)
      return LogFormat.urgentName
    } catch {
      guard error.isShortage, core.spares.withLock({ $0.take(\.reserve) }) else { throw error }
      return LogFormat.reserveName
    }
  }

  /// Cuts off torn writes, and allocates the segment's full size again.
  private static func cutTail(
    of file: any DiskFile, at offset: UInt64, isTorn: Bool, _ options: LogOptions
  ) throws(DiskError) {
    if isTorn, !options.sabotage.contains(.keepTornTail) {
      try file.truncate(to: offset)
      try file.sync()
    }
    do throws(DiskError) {
      try uninterrupted { () throws(DiskError) in try file.allocate(max(options.segmentBytes, offset)) }
    } catch {
      // A full disk is handled when a frame needs the space.
      guard error.isShortage else { throw error }
    }
  }

  /// Turns a spare file into a segment. Its header is durable before it gets its name, and both are before any frame.
  private static func begin(
    _ lsn: UInt64, from spare: String, _ core: LogCore, after hash: Hash128, dataKey: UInt32
  ) throws(DiskError) -> any DiskFile {
    let location = core.location
    let path = location.path(spare)
    let file = try location.disk.openFile(path, .write)
    let header = SegmentHeader(
      alignment: UInt32(core.options.alignment), folderID: location.folderID, firstLSN: lsn,
      epoch: core.epoch.load(ordering: .acquiring), previousHash: hash, dataKey: dataKey)
    try header.encoded().withUnsafeBufferPointer { bytes throws(DiskError) in
      try file.writeAll(UnsafeRawBufferPointer(bytes), at: 0)
    }
    if !core.options.sabotage.contains(.skipSync) { try file.sync() }
    file.close()
    let segment = location.path(LogFormat.segmentName(lsn))
    try location.disk.rename(path, to: segment)
    do throws(DiskError) {
      if !core.options.sabotage.contains(.skipDirectorySync) {
        try location.disk.syncDirectory(location.directory)
      }
      // Opened again, so that errors name the segment and not the spare.
      return try location.disk.openFile(segment, .write)
    } catch {
      // Before a retry the spare gets its old name back: syncing the directory again after a failed sync would prove
      // nothing.
      if error.isShortage { try location.disk.rename(segment, to: path) }
      throw error
    }
  }

  // MARK: Writing

  func write(_ frame: SealedFrame) throws(LogFault) {
    let header = frame.header
    precondition(header.firstLSN == appended + 1, "frames are written in order")
    let sabotage = core.options.sabotage
    let align = { sabotage.contains(.unalignedFrames) ? 1 : self.alignment }
    let count = LogFormat.aligned(UInt64(header.frameLength), align())
    if offset + count > core.options.segmentBytes || (header.type == .records && isBetterLeft) { try rotate() }
    let bytes = frame.bytes(alignedTo: align())
    do throws(DiskError) {
      try file.writeAll(bytes, at: offset)
    } catch {
      if error.isShortage {
        try retryWithReserve(bytes, error)
      } else if !sabotage.contains(.ignoreWriteErrors) {
        throw .broken(error)
      }
    }
    offset += UInt64(bytes.count)
    lastHash = header.hash
    appended += UInt64(header.recordCount)
    isSynced = false
    core.statistics.withLock { statistics in
      statistics.frames += 1
      statistics.records += UInt64(header.recordCount)
      statistics.rawBytes += UInt64(header.bodyLength)
      statistics.storedBytes += UInt64(bytes.count)
      statistics.currentSegmentBytes = offset
    }
  }

  /// Frees the reserve's space and writes the frame again.
  private func retryWithReserve(_ bytes: UnsafeRawBufferPointer, _ first: DiskError) throws(LogFault) {
    try giveUpReserve(first)
    do throws(DiskError) {
      try file.writeAll(bytes, at: offset)
    } catch {
      throw error.isShortage ? .full(error) : .broken(error)
    }
  }

  /// Frees the reserve's space on a full disk.
  private func giveUpReserve(_ first: DiskError) throws(LogFault) {
    core.beginShortage(first)
    guard first.trouble == .noSpace, core.spares.withLock({ $0.take(\.reserve) }) else { throw .full(first) }
    do throws(DiskError) {
      try core.location.disk.remove(core.location.path(LogFormat.reserveName))
    } catch {
      guard error.isShortage else { throw .broken(error) }
      core.spares.withLock { $0.putBack(LogFormat.reserveName) }
      throw .full(error)
    }
    core.spares.withLock { $0.reserve = .absent }
  }

  /// If a sync failed only for lack of room, everything written since the last sync is dropped and will be written
  /// again: another sync of the same writes would prove nothing.
  func sync() throws(LogFault) {
    guard !isSynced else { return }
    let sabotage = core.options.sabotage
    let start = MonotonicClock.now()
    do throws(DiskError) {
      if !sabotage.contains(.skipSync) { try file.sync() }
    } catch {
      if error.isShortage, case .always = core.options.durability {
        goBack()
        core.beginShortage(error)
        throw .full(error)
      } else if sabotage.contains(.retrySync) {
        do throws(DiskError) { try file.sync() } catch { throw .broken(error) }
      } else if !sabotage.contains(.ignoreWriteErrors) {
        throw .broken(error)
      }
    }
    noteSynced()
    let end = MonotonicClock.now()
    core.statistics.withLock { $0.noteSync(nanoseconds: end > start ? end - start : 0) }
  }

  private func noteSynced() {
    isSynced = true
    synced = Mark(offset: offset, lastHash: lastHash, lsn: appended)
  }

  private func goBack() {
    offset = synced.offset
    lastHash = synced.lastHash
    appended = synced.lsn
    isSynced = true
  }

  // MARK: Rotation

  /// Whether the current segment was not filled with zeros and a filled one is ready. On a full disk the space at hand
  /// is used up first.
  private var isBetterLeft: Bool {
    core.options.fillsSegments && core.spares.withLock { $0.unfilledStart != nil && $0.next == .ready }
      && core.staging.withLock { $0.state == .open }
  }

  /// Seals the current segment, if it has a record, and begins the next.
  func rotate() throws(LogFault) {
    guard appended >= segment else { return }
    // The next segment's existence proves that everything before it is durable.
    try sync()
    while true {
      let spare = try takeSpare()
      do throws(DiskError) {
        let next = try Self.begin(
          appended + 1, from: spare, core, after: lastHash,
          dataKey: core.location.cipher.current?.number ?? 0)
        return goOn(in: next, from: spare)
      } catch {
        guard error.isShortage else { throw .broken(error) }
        // A spare that could not become a segment for lack of room is still a spare.
        core.spares.withLock { $0.putBack(spare) }
        try giveUpReserve(error)
      }
    }
  }

  private func goOn(in next: any DiskFile, from spare: String) {
    let sealed = SegmentInfo(firstLSN: segment, lastLSN: appended, bytes: offset)
    file.close()
    file = next
    segment = appended + 1
    offset = LogFormat.segmentStart
    alignment = core.options.alignment
    noteSynced()
    let isFilled = spare == LogFormat.nextName && core.options.fillsSegments
    core.spares.withLock { spares in
      if spare == LogFormat.nextName { spares.next = .absent }
      if spare == LogFormat.reserveName { spares.reserve = .absent }
      spares.sealed.append(sealed)
      spares.unfilledStart = isFilled ? nil : offset
    }
    core.statistics.withLock { $0.rotations += 1 }
    noteSegment()
    core.keeperBell.ring()
  }

  /// A file for the next segment: the one made ahead; else a new one; else, on a full disk, the reserve.
  private func takeSpare() throws(LogFault) -> String {
    if core.spares.withLock({ $0.take(\.next) }) { return LogFormat.nextName }
    do throws(DiskError) {
      try core.makeSegmentFile(LogFormat.urgentName, fills: false)
      return LogFormat.urgentName
    } catch {
      guard error.isShortage else { throw .broken(error) }
      core.beginShortage(error)
      guard core.spares.withLock({ $0.take(\.reserve) }) else { throw .full(error) }
      return LogFormat.reserveName
    }
  }

  private func noteSegment() {
    core.statistics.withLock { statistics in
      statistics.currentSegment = segment
      statistics.currentSegmentBytes = offset
    }
  }

  /// Frees the unused rest of the segment.
  func close() throws(DiskError) {
    try file.truncate(to: offset)
    try file.sync()
    file.close()
  }
}
