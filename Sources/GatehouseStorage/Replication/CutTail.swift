internal import struct GatehouseCore.RawBuffer

/// Records that were cut off a folder's log because the other nodes do not have them: nobody was ever told that they are
/// durable.
package struct CutTail: Sendable, Equatable {
  /// Where their frames are kept, as they were.
  package var path: String
  package var firstLSN: UInt64
  /// One less than the first if only frames without records were cut off.
  package var lastLSN: UInt64
  package var frames: Int
}

extension DataFolder {
  /// Cuts the log off behind a frame, and keeps what was cut.
  ///
  /// The order makes a crash in between harmless: first the frames are kept elsewhere; then the witness and the manifest
  /// say less; then the log ends earlier, its newest segment first. The next start compares again, and goes on.
  ///
  /// - Parameters:
  ///   - position: the end of the last frame that stays.
  ///   - now: names the file, in unix milliseconds.
  func cutLog(_ chain: LocalChain, after place: Int, at now: UInt64) throws -> CutTail {
    precondition(isOwned)
    guard let position = chain.position(place), let end = chain.last else { preconditionFailure("nothing is cut") }
    for entry in try SnapshotCatalog(self).entries() {
      let reader = try SnapshotCatalog(self).open(entry)
      defer { reader.close() }
      guard reader.largestLSN <= position.lsn else {
        throw RecoveryError.behind(snapshot: reader.largestLSN, log: position.lsn)
      }
    }
    let kept = try keepFrames(after: position, now)
    try note { mark in
      let durable = mark?.durableLSN ?? 0
      mark?.durableLSN = min(durable, position.lsn)
    }
    if let witness = try WitnessFile.read(logLocation), witness.durableLSN > position.lsn {
      try WitnessFile.create(logLocation, Witness(epoch: witness.epoch, durableLSN: position.lsn))
    }
    for lsn in try LogListing(logLocation).segments.reversed() where lsn > position.segment {
      try disk.remove(logLocation.path(LogFormat.segmentName(lsn)))
      try disk.syncDirectory(logPath)
    }
    let file = try disk.openFile(logLocation.path(LogFormat.segmentName(position.segment)), .write)
    defer { file.close() }
    try file.truncate(to: position.offset)
    try file.sync()
    return CutTail(
      path: kept, firstLSN: position.lsn + 1, lastLSN: end.lsn, frames: chain.count(after: place))
  }

  /// Writes the frames behind a position to a file of their own.
  private func keepFrames(after position: LocalChain.Position, _ now: UInt64) throws -> String {
    let directory = DiskPath.join(path, FolderName.cut)
    if !disk.exists(directory) {
      try disk.createDirectory(directory)
      try disk.syncDirectory(path)
    }
    let name = LogFormat.segmentName(position.lsn + 1).dropLast(4) + "-\(now).frames"
    let target = DiskPath.join(directory, String(name))
    var bytes: [UInt8] = []
    for lsn in try LogListing(logLocation).segments where lsn >= position.segment {
      let segment = try OpenSegment(logLocation, lsn)
      defer { segment.file.close() }
      var scanner = SegmentScanner(segment, folderID: manifest.folderID)
      while case .frame(let frame) = try scanner.next() {
        if lsn > position.segment || frame.offset >= position.offset { bytes += frame.bytes }
      }
    }
    try disk.replaceFile(target, with: bytes)
    return target
  }

  /// The files with what was cut off, oldest first.
  package var cutTails: [String] {
    let directory = DiskPath.join(path, FolderName.cut)
    return ((try? disk.list(directory)) ?? []).filter { $0.hasSuffix(".frames") }.sorted()
      .map { DiskPath.join(directory, $0) }
  }
}
