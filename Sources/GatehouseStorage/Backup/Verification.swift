internal import Glibc

/// Reads a whole data folder and tells everything that is wrong with it. It changes nothing, and works beside a
/// running server: the log's end is taken as it comes, and files that a compaction or a snapshot replaces
/// meanwhile are not missed.
package struct Verification {
  /// One thing that is wrong, and where.
  package struct Problem: Sendable, Equatable, CustomStringConvertible {
    /// Relative to the folder.
    package var file: String
    package var offset: UInt64?
    package var lsn: UInt64?
    package var text: String

    package var description: String {
      var place = file
      if let offset { place += " at byte \(offset)" }
      if let lsn { place += ", record \(lsn)" }
      return "\(place): \(text)"
    }
  }

  /// What was read, and what was wrong.
  package struct Report: Sendable, Equatable {
    package var problems: [Problem] = []
    /// The sound ones, the newest first.
    package var snapshots: [SnapshotInfo] = []
    /// The sound ones, the oldest first.
    package var archives: [ArchiveInfo] = []
    package var segments = 0
    /// The first record of archive and log together, and the last.
    package var firstLSN: UInt64 = 1
    package var lastLSN: UInt64 = 0
    /// What to note elsewhere; nil where the log's last frame cannot be read.
    package var head: LogHead?
    /// Bytes of writes that were not finished behind the last frame, which the next start cuts off.
    package var tornBytes: UInt64 = 0
  }

  let folder: DataFolder
  let options: LogOptions
  let looksAtManifest: Bool
  let progress: (UInt64) throws -> Void
  var report = Report()
  /// The first record of the log when it was read: what is before it must be in the archive, which is read later.
  var logFirst: UInt64?

  /// Verifies.
  /// - Parameters:
  ///   - manifest: whether the manifest is looked at too, and what it says of the log.
  ///   - head: what was noted elsewhere, against which the chain is held.
  ///   - progress: is told how many records of the log were read since it was called before; may throw to stop.
  /// - Throws: what `progress` throws, and nothing else: whatever is wrong with the folder stands in the report.
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
      // In this order, what moves from log to archive meanwhile is seen at least once.
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

  /// Notes why a file could not be read, unless it is no longer there.
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
    let known = [FolderName.manifest, FolderName.manifestCopy, FolderName.lock] + FolderName.subfolders
    do {
      for name in try folder.disk.names(in: folder.path).sorted() where !known.contains(name) {
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

  /// A live server may be seen while it writes the file; what is damaged is so at each look.
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
    // A server may replace all that were listed while the first of them is read.
    while try !checkListedSnapshots(), report.snapshots.isEmpty, moves < Self.moveLimit { moves += 1 }
  }

  /// - Returns: whether all that were listed were still there when they were read.
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
