/// A file that another machine hands out.
package struct ArrivingFile: Sendable, Equatable {
  /// Relative to the folder.
  package var name: String
  package var size: UInt64

  package init(name: String, size: UInt64) {
    self.name = name
    self.size = size
  }
}

/// A piece of a file that another machine hands out.
package struct ArrivingPiece {
  package var offset: UInt64
  package var bytes: [UInt8]
  /// The hash of the bytes, in hexadecimal digits.
  package var hash: String

  package init(offset: UInt64, bytes: [UInt8], hash: String) {
    self.offset = offset
    self.bytes = bytes
    self.hash = hash
  }
}

extension Backup {
  /// Makes a data folder of the files that another machine hands out (`HeldBackup`).
  ///
  /// The folder gets its name only once it is complete, durable, and was read back. What an earlier attempt has left is
  /// deleted first, unless it is still under way.
  ///
  /// - Parameters:
  ///   - path: must not exist or must be an empty folder, unless there is a name to keep it under.
  ///   - aside: the name that a folder gets that is there already, at the very end.
  ///   - key: of an encrypted folder. Without it the folder is received all the same, and checked as far as that is
  ///     possible, unless `needsKey` says that it could not be used then.
  ///   - progress: receives the number of bytes that came since the last call; may throw to stop.
  ///   - fetch: hands out one file whole, in order.
  /// - Throws: `CopyError`, `FolderError` or `DiskError`, or what `progress` and `fetch` throw. Nothing is left behind
  ///   then, unless the folder that was put aside could not be given its name again: `finishReceiving` takes it up.
  package static func receive(
    _ files: [ArrivingFile], as path: String, keeping aside: String? = nil, disk: any Disk = PosixDisk(),
    key: MasterKey? = nil, needsKey: Bool = false, dictionaries: [ZstdDictionary] = ZstdDictionary.known,
    progress: @escaping (CopyProgress) throws -> Void = { _ in },
    fetch: @escaping (_ file: Int, _ take: (ArrivingPiece) throws -> Void) throws -> Void
  ) throws -> CopyReport {
    try Arrival(
      files: files, target: UnfinishedFolder(path, disk: disk), aside: aside, key: key, needsKey: needsKey,
      dictionaries: dictionaries, progress: progress, fetch: fetch
    ).run()
  }
}

extension Backup {
  /// Gives a folder that was received its name if a crash came right before that.
  ///
  /// - Returns: whether there was one.
  package static func finishReceiving(_ path: String, disk: any Disk = PosixDisk()) throws(DiskError) -> Bool {
    try UnfinishedFolder(path, disk: disk).resume()
  }
}

private struct Arrival {
  let files: [ArrivingFile]
  let target: UnfinishedFolder
  let aside: String?
  let key: MasterKey?
  let needsKey: Bool
  let dictionaries: [ZstdDictionary]
  let progress: (CopyProgress) throws -> Void
  let fetch: (_ file: Int, _ take: (ArrivingPiece) throws -> Void) throws -> Void

  private var disk: any Disk { target.disk }

  /// Many times the size of a manifest.
  private static let manifestLimit: UInt64 = 64 << 10
  /// What must be free beside the files themselves, so that the machine does not stand still.
  private static let spareBytes: UInt64 = 64 << 20

  func run() throws -> CopyReport {
    try checkNames()
    if aside == nil { try target.checkPath() }
    let parent = DiskPath.parent(of: target.path)
    if let here = try? disk.status(target.path), let there = try? disk.status(parent),
      here.identity.device != there.identity.device
    {
      throw CopyError.mounted(path: target.path)
    }
    try clear()
    let needed = files.reduce(0) { $0 + $1.size } + Self.spareBytes
    let free = try disk.freeBytes(parent)
    guard free >= needed else { throw CopyError.noRoom(path: target.path, needed: needed, free: free) }
    try target.make()
    do {
      let lock = try FolderLock(path: target.temporary, disk: disk).takeFolder()
      defer { lock?.close() }
      return try receive()
    } catch let unsettled as UnfinishedFolder.Unsettled {
      // It may be the only whole folder that the next start finds.
      throw unsettled.error
    } catch {
      target.discard()
      throw error
    }
  }

  /// No name may lead out of the folder.
  private func checkNames() throws {
    var seen: Set<String> = []
    var bytes: UInt64 = 0
    for file in files {
      guard FolderName.mayTravel(file.name), seen.insert(file.name).inserted else {
        throw CopyError.foreign("it names a file \(file.name.prefix(128).debugDescription)")
      }
      let (sum, overflow) = bytes.addingReportingOverflow(file.size)
      guard !overflow, sum < 1 << 62 else { throw CopyError.foreign("its files are too large") }
      bytes = sum
    }
    guard let manifest = files.first(where: { $0.name == FolderName.manifest }), manifest.size <= Self.manifestLimit
    else {
      throw CopyError.foreign("it has no manifest")
    }
  }

  /// Deletes what an earlier attempt has left, if it is one and nobody is at it.
  private func clear() throws {
    guard disk.exists(target.temporary) else { return }
    let names = try disk.names(in: target.temporary)
    guard names.allSatisfy({ FolderName.known.contains($0) || $0.hasSuffix(FolderName.temporarySuffix) }) else {
      throw CopyError.unfinished(path: target.temporary)
    }
    let lock = try FolderLock(path: target.temporary, disk: disk).takeFolder()
    defer { lock?.close() }
    // Until the name of the folder that is there is durable, a crash may need this one (`finishReceiving`).
    if disk.exists(target.path) { try disk.syncDirectory(DiskPath.parent(of: target.path)) }
    target.discard()
  }

  private func receive() throws -> CopyReport {
    // What decides whether the rest can be used comes first.
    let isSmall = { (file: Int) in !files[file].name.contains("/") }
    var manifest: [UInt8] = []
    for file in files.indices where isSmall(file) {
      if files[file].name == FolderName.manifest {
        try take(file) { manifest += $0 }
      } else {
        try write(file)
      }
    }
    let folder = try look(manifest)
    for file in files.indices where !isSmall(file) { try write(file) }
    for subfolder in FolderName.subfolders { try disk.syncDirectory(DiskPath.join(target.temporary, subfolder)) }
    let report = try checked(folder)
    try target.finish(manifest, keeping: aside)
    return report
  }

  private func write(_ file: Int) throws {
    let open = try disk.openFile(DiskPath.join(target.temporary, files[file].name), .create)
    defer { open.close() }
    var offset: UInt64 = 0
    try take(file) { bytes in
      try bytes.withRawBytes { bytes throws(DiskError) in try open.writeAll(bytes, at: offset) }
      offset += UInt64(bytes.count)
    }
    try open.sync()
  }

  /// Fetches a file and checks that it comes whole.
  private func take(_ file: Int, _ handle: ([UInt8]) throws -> Void) throws {
    let (name, size) = (files[file].name, files[file].size)
    var done: UInt64 = 0
    try fetch(file) { piece in
      guard piece.offset == done, UInt64(piece.bytes.count) <= size - done else {
        throw CopyError.foreign("\(name) comes in pieces that do not fit")
      }
      guard piece.bytes.withRawBytes({ Hash128(of: $0) }) == Hash128(piece.hash) else {
        throw CopyError.foreign("a piece of \(name) was changed on its way")
      }
      try handle(piece.bytes)
      done += UInt64(piece.bytes.count)
      if let part = part(of: name) { try progress(CopyProgress(part: part, done: UInt64(piece.bytes.count))) }
    }
    guard done == size else { throw CopyError.foreign("\(name) ends early") }
  }

  /// Nil for the few small files in the folder itself.
  private func part(of name: String) -> CopyProgress.Part? {
    switch DiskPath.parent(of: name) {
    case FolderName.snapshots: .snapshots
    case FolderName.log: .log
    case FolderName.archive: .archive
    default: nil
    }
  }

  /// The folder as whoever opens it will see it.
  private func look(_ bytes: [UInt8]) throws -> DataFolder {
    let path = target.temporary
    let manifest: Manifest
    do throws(ManifestFault) {
      manifest = try Manifest(decoding: bytes)
    } catch {
      if case .newer(let format, let reader) = error {
        throw FolderError.newer(path: target.path, format: format, reader: reader)
      }
      throw CopyError.foreign("its manifest cannot be used")
    }
    var warnings: [String] = []
    let cipher = try FolderOpening(path: path, disk: disk, key: key).lookAtCipher(manifest, &warnings)
    if needsKey, cipher.isLocked, let master = cipher.masterID {
      throw FolderError.encryption(path: target.path, .keyNeeded(master: master))
    }
    let keys = try KeyStoreOpening(path: path, disk: disk, cipher: cipher).look(manifest)
    return DataFolder(path: path, disk: disk, manifest: manifest, cipher: cipher, keys: keys)
  }

  /// Reads everything back.
  private func checked(_ folder: DataFolder) throws -> CopyReport {
    // Without it, nothing tells whether records are missing at either end.
    guard let mark = folder.manifest.log else { throw CopyError.foreign("its manifest says nothing of the log") }
    let found = try Verification.run(folder, dictionaries: dictionaries, manifest: false) {
      try progress(CopyProgress(part: .verification, done: $0))
    }
    if let problem = found.problems.first { throw CopyError.damaged(reason: "\(problem)", snapshot: nil) }
    // The chain cannot tell that its beginning is missing.
    guard found.firstLSN <= mark.firstLSN else {
      throw CopyError.damaged(
        reason: "the records from \(mark.firstLSN) to \(found.firstLSN - 1) are missing", snapshot: nil)
    }
    return CopyReport(
      path: target.path, snapshot: found.snapshots.first?.lsn, firstLSN: mark.firstLSN, lastLSN: found.lastLSN)
  }
}
