internal import Glibc

/// A data folder as of one record, held so that it can be handed out piece by piece while a server goes on using it.
///
/// It is made at once, whatever the folder's size: nothing is copied. The files that come and go within minutes, snapshots
/// and segments, stay open, so what is deleted meanwhile can still be read. Of the archive there may be thousands of files,
/// which only go when their retention ends or they are encrypted anew; each is opened when a piece of it is wanted, and
/// must still be the same file. Whoever takes the backup checks it as a whole.
package final class HeldBackup: Sendable {
  package struct File: Sendable {
    /// Relative to the folder.
    package let name: String
    package let size: UInt64
    fileprivate let source: Source
  }

  fileprivate enum Source: Sendable {
    case bytes([UInt8])
    case open(any DiskFile)
    case named(String, FileStatus.Identity)
  }

  /// The manifest comes first, then the keys, which tell whether the backup can be used at all.
  package let files: [File]
  package let folderID: Hash128
  package let firstLSN: UInt64
  package let lastLSN: UInt64
  package var bytes: UInt64 { files.reduce(0) { $0 + $1.size } }

  private let disk: any Disk

  /// How often files may come and go while the folder is looked at before that counts as a fault.
  private static let mostLooks = 16
  /// How many files may stay open: each takes a descriptor from the connections.
  private static let mostOpen = 256

  /// - Parameter durable: returns the last durable record. The backup ends with it, or with the last whole frame before.
  /// - Throws: `CopyError`, `FolderError`, `LogError` or `DiskError`.
  package init(_ folder: DataFolder, durable: () -> UInt64) throws {
    let least = durable()
    let pinned = try Pinned(folder, durable)
    let log: PinnedLog
    do {
      log = try PinnedLog(pinned, in: folder, least: least)
      if let hole = try ArchiveCatalog(folder).setAside().first {
        throw LogError(
          .corrupt, segment: DiskPath.name(of: hole.path), lsn: hole.records.lowerBound,
          "the segment was set aside because it is damaged")
      }
    } catch  where isDamage(error) {
      throw CopyError.damaged(reason: "\(error)", snapshot: nil)
    }
    var manifest = pinned.listing.manifest
    let first = try ArchiveReach(folder).firstLSN(before: log.firstLSN)
    manifest.log = LogMark(epoch: log.epoch, firstLSN: first, durableLSN: log.lastLSN)
    let witness = Witness(epoch: log.epoch, durableLSN: log.lastLSN)
    var files = [Self.small(FolderName.manifest, manifest.encoded())]
    files += pinned.listing.ring.map { Self.small($0.name, $0.bytes) }
    if let keys = pinned.listing.keys {
      files += [FolderName.keysCopy, FolderName.keys].map { Self.small($0, keys.bytes) }
    }
    files += pinned.snapshots
    files += log.files
    files.append(
      Self.small(
        DiskPath.join(FolderName.log, LogFormat.witnessName), WitnessFile.contents(witness, manifest.folderID)))
    files += pinned.archives
    self.files = files
    disk = folder.disk
    folderID = manifest.folderID
    firstLSN = first
    lastLSN = log.lastLSN
  }

  private static func small(_ name: String, _ bytes: [UInt8]) -> File {
    File(name: name, size: UInt64(bytes.count), source: .bytes(bytes))
  }

  /// Bytes of a file; fewer than asked for only at its end.
  ///
  /// - Throws: `CopyError.gone` if the file is not what it was, or `DiskError`.
  package func read(_ number: Int, at offset: UInt64, count: Int) throws -> [UInt8] {
    let file = files[number]
    precondition(offset <= file.size)
    let wanted = Int(min(UInt64(count), file.size - offset))
    switch file.source {
    case .bytes(let bytes): return Array(bytes[Int(offset)..<Int(offset) + wanted])
    case .open(let open): return try read(open, file, offset, wanted)
    case .named(let path, let identity):
      let open = try openAgain(path, identity, file)
      defer { open.close() }
      return try read(open, file, offset, wanted)
    }
  }

  private func openAgain(_ path: String, _ identity: FileStatus.Identity, _ file: File) throws -> any DiskFile {
    let open: any DiskFile
    do throws(DiskError) {
      open = try disk.openFile(path, .read)
    } catch  where error.code == ENOENT {
      throw CopyError.gone(file: file.name)
    }
    // It is closed with the last reference to it.
    guard try open.status().identity == identity else { throw CopyError.gone(file: file.name) }
    return open
  }

  private func read(_ open: any DiskFile, _ file: File, _ offset: UInt64, _ wanted: Int) throws -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: wanted)
    let count = try bytes.withMutableRawBytes { bytes throws(DiskError) in try open.readAll(into: bytes, at: offset) }
    guard count == wanted else { throw CopyError.gone(file: file.name) }
    return bytes
  }

  // MARK: As of one moment

  /// What is in a folder.
  private struct Listing: Equatable {
    struct RingFile: Equatable {
      var name: String
      var bytes: [UInt8]
    }

    var manifest: Manifest
    var ring: [RingFile]
    var keys: SealedKeyFile?
    var snapshots: [SnapshotCatalog.Entry]
    var segments: [UInt64]
    var archives: [ArchiveCatalog.Entry]

    init(_ folder: DataFolder) throws {
      manifest = try FolderOpening(path: folder.path, disk: folder.disk).lookAtManifest()
      // What it says of the log moves with every segment, and is not asked for.
      manifest.log = nil
      ring = try KeyRingFiles(path: folder.path, disk: folder.disk).contents().map {
        RingFile(name: $0.name, bytes: $0.bytes)
      }
      keys = try KeyStoreOpening(path: folder.path, disk: folder.disk, cipher: folder.cipher).newest(manifest)
      snapshots = try SnapshotCatalog(folder).entries()
      segments = try LogListing(folder.logLocation).segments
      archives = try ArchiveCatalog(folder).entries()
    }
  }

  /// The files of a folder between two looks that find the same. So no file is missing that another one has taken the
  /// place of, the key ring opens all of them, and the keys of people fit the records.
  private struct Pinned {
    let listing: Listing
    let snapshots: [File]
    let segments: [OpenSegment]
    let archives: [File]
    /// The last durable record as of then.
    let durable: UInt64

    init(_ folder: DataFolder, _ durable: () -> UInt64) throws {
      for _ in 0..<HeldBackup.mostLooks {
        let listing = try Listing(folder)
        do {
          let pinned = try Pinned(listing, folder, durable)
          if try Listing(folder) == listing {
            self = pinned
            return
          }
        } catch {
          // A file that was deleted is no fault.
          if try Listing(folder) == listing { throw error }
        }
      }
      throw CopyError.unsettled
    }

    private init(_ listing: Listing, _ folder: DataFolder, _ durable: () -> UInt64) throws {
      let disk = folder.disk
      guard listing.snapshots.count + listing.segments.count <= HeldBackup.mostOpen else {
        throw CopyError.crowded(segments: listing.segments.count)
      }
      self.listing = listing
      snapshots = try listing.snapshots.prefix(Snapshot.kept).map { entry in
        let file = try disk.openFile(entry.path, .read)
        return File(
          name: DiskPath.join(FolderName.snapshots, DiskPath.name(of: entry.path)), size: try file.size(),
          source: .open(file))
      }
      segments = try listing.segments.map { try OpenSegment(folder.logLocation, $0) }
      archives = try listing.archives.map { entry in
        let status = try disk.status(entry.path)
        return File(
          name: DiskPath.join(FolderName.archive, DiskPath.name(of: entry.path)), size: status.size,
          source: .named(entry.path, status.identity))
      }
      self.durable = durable()
    }
  }

  /// The segments up to the last durable record: the newest one is being written.
  private struct PinnedLog {
    private(set) var files: [File] = []
    private(set) var firstLSN: UInt64 = 1
    private(set) var lastLSN: UInt64 = 0
    private(set) var epoch: UInt64

    /// - Parameter least: a record that was durable before the segments were listed.
    init(_ pinned: Pinned, in folder: DataFolder, least: UInt64) throws {
      epoch = try WitnessFile.read(folder.logLocation)?.epoch ?? 0
      var before: (segment: String, end: UInt64, chain: ChainPosition)?
      for (index, segment) in pinned.segments.enumerated() {
        if let before { try Self.check(segment, after: before) }
        var scanner = SegmentScanner(segment, folderID: folder.manifest.folderID)
        var (end, chain) = (scanner.offset, scanner.chain)
        var isCut = false
        while chain.nextLSN <= pinned.durable, case .frame(let frame) = try scanner.next(checkingFrom: .max) {
          // Not all of this frame is durable, so nothing after it is.
          isCut = frame.header.nextLSN > pinned.durable + 1
          if isCut { break }
          (end, chain) = (scanner.offset, scanner.chain)
        }
        if index == 0 { firstLSN = segment.header.firstLSN }
        files.append(
          File(
            name: DiskPath.join(FolderName.log, segment.name), size: min(end, try segment.file.size()),
            source: .open(segment.file)))
        lastLSN = chain.nextLSN - 1
        epoch = max(epoch, chain.epoch)
        before = (segment.name, end, chain)
        if isCut || chain.nextLSN > pinned.durable { break }
      }
      guard lastLSN >= least else {
        throw LogError(
          .corrupt, lsn: lastLSN + 1, "there is no good frame, and record \(least) was durable")
      }
    }

    /// Refuses a segment that does not continue the frames found in the one before, and names the one at fault.
    private static func check(
      _ segment: OpenSegment, after before: (segment: String, end: UInt64, chain: ChainPosition)
    ) throws {
      let next = before.chain.nextLSN
      guard next >= segment.header.firstLSN else {
        throw LogError(
          .corrupt, segment: before.segment, offset: before.end, lsn: next,
          "there is no good frame where one must be: the next segment was begun after it was durable")
      }
      guard next == segment.header.firstLSN, before.chain.hash == segment.header.previousHash else {
        throw LogError(
          .corrupt, segment: segment.name, offset: 0, lsn: next, "the segment does not follow the one before")
      }
    }
  }
}
