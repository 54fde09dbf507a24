/// Which files of a folder are encrypted, and with which data keys. It reads headers only, and so needs no key.
package struct EncryptionSurvey: Sendable, Equatable {
  package struct File: Sendable, Equatable {
    /// Relative to the folder.
    package var name: String
    package var bytes: UInt64
    /// The numbers of the data keys that parts of it are encrypted with; 0 for what is in clear.
    package var keys: Set<UInt32>
    /// Why the file cannot be read, if so.
    package var problem: String?
  }

  package private(set) var files: [File] = []

  /// The numbers of the data keys that some file needs; 0 if something is in clear.
  package var keys: Set<UInt32> { files.reduce(into: []) { $0.formUnion($1.keys) } }

  /// The names of the files that are not encrypted as new ones are, or cannot be read.
  /// - Parameter current: the number of the data key of new files; 0 if they are in clear.
  package func leftBehind(_ current: UInt32) -> [String] {
    files.filter { $0.problem != nil || !$0.keys.isSubset(of: [current]) }.map(\.name)
  }

  /// How many bytes the files take by the data key that they are encrypted with; 0 for what is in clear. A file with
  /// several counts for each.
  package var bytesByKey: [UInt32: UInt64] {
    files.reduce(into: [:]) { sum, file in for key in file.keys { sum[key, default: 0] += file.bytes } }
  }

  /// Looks at every file that holds content. Works beside a running server: a file that goes away meanwhile is left out.
  package init(_ folder: DataFolder) throws {
    for name in [FolderName.keys, FolderName.keysCopy] where folder.disk.exists(DiskPath.join(folder.path, name)) {
      try add(DiskPath.join(folder.path, name), in: "", folder) { path in
        let bytes = try folder.disk.readFile(path, limit: KeyFile.limit)
        do throws(KeyFile.Fault) {
          return [try SealedKeyFile(decoding: bytes).dataKey]
        } catch {
          throw FolderError.keys(path: path, reason: error.text)
        }
      }
    }
    for lsn in try LogListing(folder.logLocation).segments {
      try add(folder.logLocation.path(LogFormat.segmentName(lsn)), in: FolderName.log, folder) { path in
        try Self.keys(ofSegment: lsn, path: path, in: folder)
      }
    }
    for entry in try SnapshotCatalog(folder).entries() {
      try add(entry.path, in: FolderName.snapshots, folder) { try Self.keys(of: $0, Snapshot.kind, in: folder) }
    }
    for (entry, isSetAside) in try ArchiveCatalog(folder).all() {
      try add(entry.path, in: FolderName.archive, folder) { path in
        isSetAside
          ? try Self.keys(ofSegment: entry.records.lowerBound, path: path, in: folder)
          : try Self.keys(of: path, Archive.kind, in: folder)
      }
    }
  }

  private mutating func add(
    _ path: String, in subfolder: String, _ folder: DataFolder, _ keys: (String) throws -> Set<UInt32>
  ) throws {
    let name = DiskPath.name(of: path)
    var file = File(name: subfolder.isEmpty ? name : DiskPath.join(subfolder, name), bytes: 0, keys: [])
    do {
      file.bytes = try folder.disk.status(path).size
      file.keys = try keys(path)
    } catch {
      guard folder.disk.exists(path) else { return }
      file.problem = "\(error)"
    }
    files.append(file)
  }

  private static func keys(of path: String, _ kind: BlockFileKind, in folder: DataFolder) throws -> Set<UInt32> {
    [try header(of: path, kind, in: folder).encryption?.dataKey ?? 0]
  }

  private static func header(
    of path: String, _ kind: BlockFileKind, in folder: DataFolder
  ) throws(BlockFileError) -> BlockFileHeader {
    let file = try blockFile { () throws(DiskError) in try folder.disk.openFile(path, .read) }
    defer { file.close() }
    let length = try blockFile { () throws(DiskError) in try file.size() }
    return try BlockFileParts(path: path, file: file, length: length).header(kind).0
  }

  /// The keys of the frames up to the first damage. Frames without records have nothing to hide.
  private static func keys(ofSegment lsn: UInt64, path: String, in folder: DataFolder) throws -> Set<UInt32> {
    let segment = try OpenSegment(folder.logLocation, lsn, path: path)
    defer { segment.file.close() }
    var scanner = SegmentScanner(segment, folderID: folder.manifest.folderID)
    var keys: Set<UInt32> = []
    while case .frame(let frame) = try scanner.next(checkingFrom: .max) {
      if frame.header.recordCount > 0 { keys.insert(frame.header.dataKey) }
    }
    return keys
  }

  /// The name of a file whose header says that it is encrypted; nil if there is none. A file that cannot be read is left
  /// to recovery.
  static func firstEncrypted(in folder: DataFolder) throws(DiskError) -> String? {
    for lsn in (try? LogListing(folder.logLocation))?.segments ?? [] {
      guard let segment = try? OpenSegment(folder.logLocation, lsn) else { continue }
      defer { segment.file.close() }
      if segment.header.dataKey != 0 { return DiskPath.join(FolderName.log, segment.name) }
    }
    for entry in try SnapshotCatalog(folder).entries()
    where (try? header(of: entry.path, Snapshot.kind, in: folder))?.encryption != nil {
      return DiskPath.join(FolderName.snapshots, DiskPath.name(of: entry.path))
    }
    for entry in try ArchiveCatalog(folder).entries()
    where (try? header(of: entry.path, Archive.kind, in: folder))?.encryption != nil {
      return DiskPath.join(FolderName.archive, DiskPath.name(of: entry.path))
    }
    for name in [FolderName.keys, FolderName.keysCopy] {
      let bytes = (try? folder.disk.readFile(DiskPath.join(folder.path, name), limit: KeyFile.limit)) ?? []
      if let file = try? SealedKeyFile(decoding: bytes), file.dataKey != 0 { return name }
    }
    return nil
  }
}
