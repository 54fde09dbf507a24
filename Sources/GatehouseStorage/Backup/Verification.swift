internal import Glibc

/// Reads a whole data folder and reports everything that is wrong with it. It changes nothing and works beside a
/// running server: it stops at the log's end as found, and accepts that a compaction or a snapshot replaces files
/// meanwhile.
package struct Verification {
  /// One thing that is wrong, and where.
  package struct Problem: Sendable, Equatable, CustomStringConvertible {
    /// Relative to the folder.
    package var file: String
    package var offset: UInt64?
    package var lsn: UInt64?
    package var text: String

    package var description: String {
      var location = file
      if let offset { location += " at byte \(offset)" }
      if let lsn { location += ", record \(lsn)" }
      return "\(location): \(text)"
    }
  }

  /// What was read, and what was wrong.
  package struct Report: Sendable, Equatable {
    package var problems: [Problem] = []
    /// The sound snapshots, newest first.
    package var snapshots: [SnapshotInfo] = []
    /// The sound archives, oldest first.
    package var archives: [ArchiveInfo] = []
    package var segments = 0
    /// The first and last record of archive and log together.
    package var firstLSN: UInt64 = 1
    package var lastLSN: UInt64 = 0
    /// The head to note elsewhere; nil if the log's last frame cannot be read.
    package var head: LogHead?
    /// Bytes of torn writes after the last frame, which the next start cuts off.
    package var tornBytes: UInt64 = 0
  }

  let folder: DataFolder
  let options: LogOptions
  let looksAtManifest: Bool
  let progress: (UInt64) throws -> Void
  var report = Report()
  /// The log's first record when it was read. Records before it must be in the archive, which is read later.
  var logFirst: UInt64?

  /// Verifies a folder.
  /// - Parameters:
  ///   - manifest: whether to check the manifest too, and what it says of the log.
  ///   - head: a head noted elsewhere, to check the chain against.
  ///   - progress: receives how many records of the log were read since the last call; may throw to stop.
  /// - Throws: only what `progress` throws. Whatever is wrong with the folder is in the report.
  package static func run(
    _ folder: DataFolder, dictionaries: [ZstdDictionary] = ZstdDictionary.known, manifest: Bool = true,
    against head: LogHead? = nil, progress: (UInt64) throws -> Void = { _ in }
  ) throws -> Report {
    try Stopped.unwrapping(progress) { progress in
      var options = LogOptions()
      options.dictionaries = dictionaries
      var verification = Verification(
        folder: folder, options: options, looksAtManifest: manifest, progress: progress)
      if manifest { verification.checkFolder() }
      // In this order, whatever moves from log to archive meanwhile is seen at least once.
      try verification.checkSnapshots()
      try verification.checkLog()
      try verification.checkPadding()
      try verification.checkArchives()
      verification.checkReach()
      if let head { verification.check(head) }
      return verification.report
    }
  }

  mutating func note(_ file: String, offset: UInt64? = nil, lsn: UInt64? = nil, _ text: String) {
    let problem = Problem(file: file, offset: offset, lsn: lsn, text: text)
    if !report.problems.contains(problem) { report.problems.append(problem) }
  }

  /// Reports why a file could not be read, unless it no longer exists.
  mutating func note(_ error: any Error, at path: String) {
    let file = relative(path)
    switch error {
    case BlockFileError.failed(let error) where error.code == ENOENT && !folder.disk.exists(path): break
    case _ where hasMoved(error): break
    case BlockFileError.damaged(_, let offset, let reason): note(file, offset: offset, reason)
    case let error as LogError:
      let isItself = error.segment == DiskPath.name(of: path)
      note(
        isItself ? file : error.segment.map { DiskPath.join(FolderName.log, $0) } ?? file, offset: error.offset,
        lsn: error.lsn,
        error.detail)
    default: note(file, "\(error)")
    }
  }

  func relative(_ path: String) -> String {
    path.hasPrefix(folder.path + "/") ? String(path.dropFirst(folder.path.count + 1)) : path
  }
}

// MARK: - The folder and its snapshots

extension Verification {
  private mutating func checkFolder() {
    do {
      for name in try folder.disk.names(in: folder.path).sorted() where !FolderName.known.contains(name) {
        if !name.hasSuffix(FolderName.temporarySuffix) { note(name, "the file does not belong to the folder") }
      }
      for name in try SnapshotCatalog(folder).strangers() {
        note(DiskPath.join(FolderName.snapshots, name), "the file is no snapshot")
      }
      for name in try ArchiveCatalog(folder).strangers() {
        note(DiskPath.join(FolderName.archive, name), "the file is no archive")
      }
    } catch {
      note(error, at: folder.path)
    }
    for (name, fault) in KeyStoreOpening(path: folder.path, disk: folder.disk, cipher: folder.cipher).faults(
      folder.manifest)
    {
      note(name, fault)
    }
    for name in [FolderName.manifest, FolderName.manifestCopy] {
      do {
        if try !readManifest(name).isOfSameFolder(as: folder.manifest) { note(name, "it differs from its copy") }
      } catch let fault as ManifestFault {
        note(name, "it cannot be used: \(fault)")
      } catch {
        note(error, at: DiskPath.join(folder.path, name))
      }
    }
  }

  /// A live server may be writing the file. A damaged one stays damaged, so read it up to three times.
  private func readManifest(_ name: String) throws -> Manifest {
    var looks = 0
    while true {
      let bytes = try folder.disk.readFile(DiskPath.join(folder.path, name), limit: 64 << 10)
      do throws(ManifestFault) {
        return try Manifest(decoding: bytes)
      } catch {
        looks += 1
        if looks == 3 { throw error }
      }
    }
  }

  private mutating func checkSnapshots() throws {
    var moves = 0
    // A server may replace all listed snapshots while the first is read.
    while try !checkListedSnapshots(), report.snapshots.isEmpty, moves < Self.moveLimit { moves += 1 }
  }

  /// - Returns: whether all listed snapshots still existed when they were read.
  private mutating func checkListedSnapshots() throws -> Bool {
    let catalog = SnapshotCatalog(folder)
    var areThere = true
    do {
      for entry in try catalog.entries() {
        do {
          let reader = try catalog.open(entry)
          defer { reader.close() }
          try reader.verify { try progress(0) }
          report.snapshots.append(reader.info)
        } catch let stop as Stopped {
          throw stop
        } catch {
          note(error, at: entry.path)
          areThere = areThere && folder.disk.exists(entry.path)
        }
      }
    } catch let stop as Stopped {
      throw stop
    } catch {
      note(error, at: folder.snapshotsPath)
    }
    return areThere
  }
}
