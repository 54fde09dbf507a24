internal import Glibc

/// Why a folder was not copied. Each text says what to do about it.
package enum CopyError: Error, Equatable {
  case notEmpty(path: String)
  case inside(path: String, source: String)
  case unfinished(path: String)
  /// The state as of a record cannot be restored. `first` is the first record from which all later ones exist,
  /// `earliest` the earliest state that can be restored.
  case unreachable(lsn: UInt64, first: UInt64, snapshots: [UInt64], earliest: RecordMoment? = nil)
  /// The source has no such record: it is too late, or too early.
  case noSuchRecord(wanted: Restore.Point, last: RecordMoment?, RecordMoment?)
  /// No sound snapshot is old enough. `last` is the last record wanted, `snapshots` are those that exist.
  case noSnapshot(last: UInt64?, snapshots: [UInt64])
  /// The source is damaged. `snapshot` is set if a snapshot is newer than the damage, so that the records after it can
  /// be copied.
  case damaged(reason: String, snapshot: UInt64?)
  /// The copy differs from what was copied.
  case unsound([Verification.Problem])
  /// Some of these data keys, which the copy needs, were retired while it was made.
  case keysChanged([UInt32])
  /// Files of the source came and went whenever it was looked at.
  case unsettled
  /// The log has too many segments to hold all of them open.
  case crowded(segments: Int)
  /// A file that is handed out piece by piece is not what it was.
  case gone(file: String)
  /// What another machine hands out is not what it should be.
  case foreign(String)
  case noRoom(path: String, needed: UInt64, free: UInt64)
  /// A folder that is made beside it cannot take its name.
  case mounted(path: String)
}

extension CopyError: CustomStringConvertible {
  package var description: String {
    switch self {
    case .notEmpty(let path):
      "\(path) is there and not empty; name a folder that is not there yet: nothing is ever overwritten"
    case .inside(let path, let source): "\(path) is inside \(source); name a folder elsewhere, best on another disk"
    case .unfinished(let path): "\(path) is what an interrupted copy has left; delete it, then start again"
    case .unreachable(let lsn, let first, let snapshots, let earliest):
      "the state as of record \(lsn) cannot be had: archive and log begin with record \(first), and "
        + (snapshots.isEmpty
          ? "there is no sound snapshot"
          : "the snapshots are of records \(snapshots.map(String.init).joined(separator: ", "))")
        + Self.reach(from: earliest) + "; name a later point, or use an older backup"
    case .noSuchRecord(let wanted, let last, let earliest):
      Self.absence(of: wanted)
        + (last.map { ": the last one is \($0)" } ?? ": there is none at all") + Self.reach(from: earliest)
    case .noSnapshot(let last, let snapshots):
      (last.map { "there is no sound snapshot of record \($0) or before" } ?? "there is no sound snapshot")
        + (snapshots.isEmpty
          ? "" : ": the snapshots are of records \(snapshots.map(String.init).joined(separator: ", "))")
        + "; copy the history too, or use another backup"
    case .damaged(let reason, let snapshot):
      "the source is damaged: \(reason)"
        + (snapshot.map {
          "; the state is sound all the same: `backup --without-history` and `restore --from-snapshot` copy the snapshot "
            + "of record \($0) and what came after it"
        } ?? "; `gatehousectl verify` tells all damage, and `restore --until` copies what comes before it")
    case .unsound(let problems):
      "the copy is not sound and was not kept: " + problems.prefix(4).map(\.description).joined(separator: "; ")
        + "; see to the disk that it was written to"
    case .keysChanged(let numbers):
      "the keys were changed while the folder was copied: no key ring has all of the data keys "
        + numbers.map(String.init).joined(separator: ", ") + " that the copy needs; start again"
    case .unsettled: "files of the folder came and went whenever it was looked at; start again"
    case .crowded(let segments):
      "the log has \(segments) segments, too many to hand out at once; have it compacted first (COMPACT)"
    case .gone(let file): "\(file) was deleted or replaced while it was copied; start again"
    case .foreign(let what): "what is handed out is not a data folder as this program knows it: \(what)"
    case .mounted(let path):
      "\(path) is where a file system is mounted, and the folder is made beside it and renamed; name a folder inside it"
    case .noRoom(let path, let needed, let free):
      "\(path) needs \(needed) bytes, and there are \(free) free; make room, or name a folder on another disk"
    }
  }
}

extension CopyError {
  private static func absence(of point: Restore.Point) -> String {
    switch point {
    case .end: "there is no record"
    case .lsn(let lsn): "there is no record \(lsn)"
    case .time(let time): "there is no record of \(RecordMoment.text(of: time)) or before"
    }
  }

  private static func reach(from earliest: RecordMoment?) -> String {
    earliest.map { ", and the earliest that can be had is \($0)" } ?? ""
  }
}

/// Progress of a copy: in bytes, or in records for the search and the verification.
package struct CopyProgress: Sendable, Equatable {
  package enum Part: Sendable {
    /// Searching for the record at a point in time; `done` is the LSN reached.
    case search
    case snapshots
    case log
    case archive
    case verification
  }

  package var part: Part
  package var done: UInt64
}

/// The folder that a copy is made in, under a temporary name until it is complete and durable.
struct CopyTarget {
  let folder: DataFolder
  private let unfinished: UnfinishedFolder
  private let source: DataFolder
  /// The keys of people as of the copy's beginning: whoever is forgotten meanwhile may not be so in what is copied.
  private let keyFile: SealedKeyFile?
  private let ring: CopyRing

  init(path: String, source: DataFolder) throws {
    let disk = source.disk
    unfinished = UnfinishedFolder(path, disk: disk)
    let (real, realSource) = (disk.realPath(ofNew: unfinished.path), disk.realPath(ofNew: source.path))
    guard real != realSource, !real.hasPrefix(realSource + "/") else {
      throw CopyError.inside(path: unfinished.path, source: source.path)
    }
    try unfinished.checkName()
    // First: what is read after it and is sealed with a key of it can be opened with it.
    ring = try CopyRing(source)
    let opening = KeyStoreOpening(path: source.path, disk: disk, cipher: source.cipher)
    keyFile = try opening.newest(source.manifest)
    let keys = try opening.look(source.manifest)
    // What the source's manifest says of its log may not be true of the copy's.
    var manifest = source.manifest
    manifest.log = LogMark()
    folder = DataFolder(
      path: unfinished.temporary, disk: disk, manifest: manifest, cipher: source.cipher, keys: keys)
    self.source = source
    try unfinished.make()
  }

  /// Gives the copy the keys of people and its key ring, once all files are there.
  ///
  /// - Returns: the copy as whoever opens it will see it.
  func settleKeys() throws -> DataFolder {
    // First, because the ring must have the data key that they are sealed with, too.
    if let keyFile {
      for name in [FolderName.keysCopy, FolderName.keys] {
        try folder.disk.replaceFile(DiskPath.join(folder.path, name), with: keyFile.bytes)
      }
    }
    return try ring.settle(folder, of: source)
  }

  /// Gives the copy its final name, once everything in it is durable.
  /// - Parameters:
  ///   - log: what the copy's manifest says of its log.
  ///   - copy: what `settleKeys` has returned.
  func finish(_ log: LogMark, _ copy: DataFolder) throws {
    var copied = copy.manifest
    copied.log = log
    try unfinished.finish(copied.encoded())
  }

  /// Copies a file that does not change any more, and syncs it.
  func copy(_ source: String, to name: String, _ progress: (UInt64) throws -> Void) throws {
    let disk = folder.disk
    let from = try disk.openFile(source, .read)
    defer { from.close() }
    let to = try disk.openFile(DiskPath.join(folder.path, name), .create)
    defer { to.close() }
    var buffer = [UInt8](repeating: 0, count: 1 << 20)
    var offset: UInt64 = 0
    while true {
      let count = try buffer.withMutableRawBytes { bytes throws(DiskError) in
        let count = try from.readAll(into: bytes, at: offset)
        try to.writeAll(UnsafeRawBufferPointer(rebasing: bytes[..<count]), at: offset)
        return count
      }
      if count == 0 { break }
      offset += UInt64(count)
      try progress(UInt64(count))
    }
    try to.sync()
  }

  /// Deletes files that were copied.
  func remove(_ subfolder: String, where isUnwanted: (String) -> Bool = { _ in true }) throws(DiskError) {
    let path = DiskPath.join(folder.path, subfolder)
    for name in try folder.disk.list(path) where isUnwanted(name) {
      try folder.disk.remove(DiskPath.join(path, name))
    }
  }

  /// Deletes the copy after a failure, because half a copy is useless.
  func discard() { unfinished.discard() }
}
