internal import GatehouseCore
internal import Glibc

/// The steps of opening and of creating a data folder.
///
/// A folder is created in this order, each step durable before the next: the folder, its lock file, the subfolders, the
/// key ring if it is to be encrypted, the key store, the manifest's copy, the manifest. The manifest comes last, so a folder with a manifest is complete. One
/// with only the earlier steps was left by a crash, and its creation is continued.
struct FolderOpening {
  let path: String
  let disk: any Disk
  /// The master key that was given.
  var key: MasterKey?

  func own(
    create: FolderParameters?, random: inout some RandomNumberGenerator
  ) throws(FolderError) -> DataFolder {
    let names = try existingNames(orMake: create != nil)
    let manifestIsThere = names.contains(FolderName.manifest) || names.contains(FolderName.manifestCopy)
    let lock = FolderLock(path: path, disk: disk)
    var locks: [any DiskFile] = []
    var isKept = false
    // On a refusal, release the locks here. Otherwise they would be held for as long as the caller keeps the error.
    defer { if !isKept { for lock in locks { lock.close() } } }
    if let folder = try lock.takeFolder() { locks.append(folder) }
    // Not even a lock file is created in a folder that may belong to something else.
    if !manifestIsThere { try refuseForeign(names, mayCreate: create != nil) }
    locks.append(try lock.takeLockFile())

    var warnings: [String] = []
    let watched = WatchedDisk(disk, root: path)
    var manifest: Manifest
    let keys: KeyStore
    let cipher: FolderCipher
    if manifestIsThere {
      manifest = try readManifest(repair: true, &warnings)
      let ring = try openRing(manifest)
      cipher = FolderCipher(ring)
      let opening = KeyStoreOpening(path: path, disk: watched, cipher: cipher)
      if ring == nil, opening.isSealed(manifest) { throw try refusalOfLostRing(manifest) }
      // The store comes before the manifest that names it: a folder whose manifest names one was never without it.
      keys = try opening.own(manifest, random: &random, &warnings)
      try carryOver(&manifest, keys)
      try settleCipher(cipher, ring, &manifest, &warnings)
      if opening.isOutdated(manifest) { try attempt { () throws(DiskError) in try keys.wrapAnew() } }
    } else {
      guard let create else { throw .missing(path: path) }
      manifest = Manifest(create, random: &random)
      try prepareSubfolders()
      cipher = FolderCipher()
      try beginCipher(cipher, &manifest)
      keys = try KeyStoreOpening(path: path, disk: watched, cipher: cipher).own(manifest, random: &random, &warnings)
      manifest.keyStore = keys.id
      try make(manifest)
    }
    try prepareSubfolders()
    locks.append(try lock.takeManifest())
    try admitFiles(to: watched)
    if let warning = try warningOfOpenDoors() { warnings.append(warning) }
    isKept = true
    return DataFolder(
      path: path, watch: watched, manifest: manifest, cipher: cipher, keys: keys, warnings: warnings,
      isNew: !manifestIsThere, locks: locks)
  }

  func look() throws(FolderError) -> DataFolder {
    var warnings: [String] = []
    let manifest = try lookAtManifest(&warnings)
    let cipher = try lookAtCipher(manifest, &warnings)
    var keys: KeyStore?
    do throws(FolderError) {
      keys = try KeyStoreOpening(path: path, disk: disk, cipher: cipher).look(manifest)
    } catch {
      // What is not sealed can be read all the same.
      warnings.append("\(error)")
    }
    return DataFolder(path: path, disk: disk, manifest: manifest, cipher: cipher, keys: keys, warnings: warnings)
  }

  func lookAtManifest() throws(FolderError) -> Manifest {
    var warnings: [String] = []
    return try lookAtManifest(&warnings)
  }

  private func lookAtManifest(_ warnings: inout [String]) throws(FolderError) -> Manifest {
    let names = try existingNames(orMake: false)
    guard names.contains(FolderName.manifest) || names.contains(FolderName.manifestCopy) else {
      try refuseForeign(names, mayCreate: false)
      throw .missing(path: path)
    }
    return try readManifest(repair: false, &warnings)
  }

  func attempt<Result>(_ call: () throws(DiskError) -> Result) throws(FolderError) -> Result {
    do throws(DiskError) {
      return try uninterrupted(call)
    } catch {
      throw FolderError(error, path: path)
    }
  }
}

// MARK: - The folder

extension FolderOpening {
  private func existingNames(orMake: Bool) throws(FolderError) -> [String] {
    do throws(DiskError) {
      return try disk.names(in: path)
    } catch  where error.code == ENOENT {
      guard orMake else { throw .missing(path: path) }
    } catch {
      throw FolderError(error, path: path)
    }
    try attempt { () throws(DiskError) in try disk.createDirectory(path) }
    try attempt { () throws(DiskError) in try disk.syncDirectory(DiskPath.parent(of: path)) }
    return []
  }

  /// Refuses a folder without a manifest that contains more than is created before the manifest.
  private func refuseForeign(_ names: [String], mayCreate: Bool) throws(FolderError) {
    let early = FolderName.early + FolderName.subfolders
    var strangers = names.filter { !early.contains($0) && !isTemporary($0) }
    for subfolder in FolderName.subfolders where names.contains(subfolder) {
      let path = DiskPath.join(path, subfolder)
      strangers += try attempt { () throws(DiskError) in try disk.names(in: path) }.map { DiskPath.join(subfolder, $0) }
    }
    guard strangers.isEmpty else {
      throw .foreign(path: path, names: Array(strangers.sorted().prefix(3)))
    }
    if !mayCreate { throw .missing(path: path) }
  }

  private func isTemporary(_ name: String) -> Bool {
    ([FolderName.manifest, FolderName.manifestCopy] + FolderName.early).contains {
      name == $0 + FolderName.temporarySuffix
    }
  }

  private func prepareSubfolders() throws(FolderError) {
    for subfolder in FolderName.subfolders {
      let subpath = DiskPath.join(path, subfolder)
      if !disk.exists(subpath) {
        try attempt { () throws(DiskError) in try disk.createDirectory(subpath) }
      }
      // Make durable what a crash may have left in memory only, before anything is built on it.
      try attempt { () throws(DiskError) in try disk.syncDirectory(subpath) }
    }
    try attempt { () throws(DiskError) in try disk.syncDirectory(path) }
  }
}

// MARK: - Checks for the owner

extension FolderOpening {
  /// Registers every file that makes up the folder with the watch. Other files may come and go.
  private func admitFiles(to watched: WatchedDisk) throws(FolderError) {
    try attempt { () throws(DiskError) in
      try watched.admit([path] + [FolderName.manifest, FolderName.keys].map { DiskPath.join(path, $0) })
      let ring = DiskPath.join(path, FolderName.keyRing)
      if disk.exists(ring) { try watched.admitFinished(ring) }
      for subfolder in FolderName.subfolders {
        let subpath = DiskPath.join(path, subfolder)
        try watched.admit([subpath])
        for name in try disk.names(in: subpath) where FolderName.isOwn(name, in: subfolder) {
          try watched.admitFinished(DiskPath.join(subpath, name))
        }
      }
    }
  }

  /// The folder contains keys and password hashes. Its files are readable by their owner only, but a folder that was
  /// created by hand or copied may be open to others.
  private func warningOfOpenDoors() throws(FolderError) -> String? {
    let mode = try attempt { () throws(DiskError) in try disk.status(path) }.mode
    guard mode & 0o077 != 0 else { return nil }
    return "\(path) is open to other users of this machine (mode \(String(mode, radix: 8))) and holds keys: "
      + "take their rights away with chmod -R go= \(path)"
  }
}

// MARK: - The manifest

extension FolderOpening {
  private func make(_ manifest: Manifest) throws(FolderError) {
    try write(manifest, to: FolderName.manifestCopy)
    try write(manifest, to: FolderName.manifest)
  }

  /// Upgrades the manifest to this version before anything is written that earlier versions cannot read, so that they
  /// refuse the folder. Existing files stay as they are, and remain readable.
  ///
  /// The manifest also records by which Unicode tables names are told apart from now on. Snapshots record it
  /// themselves; here it is for people, and for later versions of the program.
  private func carryOver(_ manifest: inout Manifest, _ keys: KeyStore) throws(FolderError) {
    var carried = manifest
    carried.format = max(manifest.format, Manifest.currentFormat)
    carried.reader = max(manifest.reader, Manifest.currentReader)
    carried.unicodeVersion = FoldedName.version
    carried.keyStore = keys.id
    guard carried != manifest else { return }
    try attempt { () throws(DiskError) in try overwrite(carried) }
    manifest = carried
  }

  private func write(_ manifest: Manifest, to name: String) throws(FolderError) {
    try attempt { () throws(DiskError) in
      try disk.replaceFile(DiskPath.join(path, name), with: manifest.encoded())
    }
  }

  /// Overwrites an existing manifest in place: first the copy, then the manifest, each synced before the other is
  /// touched. So after a power loss at least one of them is whole.
  func overwrite(_ manifest: Manifest) throws(DiskError) {
    let bytes = manifest.encoded()
    for name in [FolderName.manifestCopy, FolderName.manifest] {
      let file = try disk.openFile(DiskPath.join(path, name), .write)
      defer { file.close() }
      try bytes.withRawBytes { bytes throws(DiskError) in try file.writeAll(bytes, at: 0) }
      if try file.size() > UInt64(bytes.count) { try file.truncate(to: UInt64(bytes.count)) }
      try file.sync()
    }
  }

  /// The manifest, or its copy if the manifest cannot be used.
  private func readManifest(repair: Bool, _ warnings: inout [String]) throws(FolderError) -> Manifest {
    let first = try load(FolderName.manifest)
    let second = try load(FolderName.manifestCopy)
    switch (first, second) {
    case (.success(let manifest), .success(let copy)) where manifest.isOfSameFolder(as: copy):
      // The two differ if a crash, or a running server, has written one and not yet the other.
      guard let mark = manifest.log else { return copy }
      var newer = copy.log.map { mark.isBefore($0) } ?? false ? copy : manifest
      newer.encryption = manifest.encryption ?? copy.encryption
      return newer
    case (.success(let manifest), _):
      if repair {
        try write(manifest, to: FolderName.manifestCopy)
        warnings.append("\(FolderName.manifestCopy) was missing or damaged and has been written anew")
      }
      return manifest
    case (.failure(.newer(let format, let reader)), _), (_, .failure(.newer(let format, let reader))):
      throw .newer(path: path, format: format, reader: reader)
    case (.failure(let fault), .success(let manifest)):
      if repair { try write(manifest, to: FolderName.manifest) }
      warnings.append("\(FolderName.manifest) could not be used (\(text(fault))): its copy was taken")
      return manifest
    case (.failure(.failed(let error)), .failure), (.failure, .failure(.failed(let error))):
      // A manifest that the disk fails to read may be whole.
      throw FolderError(error, path: path)
    case (.failure(.otherProgram), .failure):
      throw .foreign(path: path, names: [FolderName.manifest])
    case (.failure(let fault), .failure):
      throw .unreadable(path: path, reason: text(fault))
    }
  }

  private func load(_ name: String) throws(FolderError) -> Result<Manifest, ManifestFault> {
    let bytes: [UInt8]
    do throws(DiskError) {
      bytes = try disk.readFile(DiskPath.join(path, name), limit: Self.manifestLimit)
    } catch  where error.code == ENOENT {
      return .failure(.damaged("there is none"))
    } catch  where error.code == EFBIG || error.code == EISDIR {
      return .failure(.damaged(error.description))
    } catch  where error.code == EIO {
      return .failure(.failed(error))
    } catch {
      throw FolderError(error, path: path)
    }
    do throws(ManifestFault) {
      return .success(try Manifest(decoding: bytes))
    } catch {
      return .failure(error)
    }
  }

  /// Many times the size of a manifest, so that a foreign file is not read into memory whole.
  private static let manifestLimit = 64 << 10

  private func text(_ fault: ManifestFault) -> String {
    switch fault {
    case .otherProgram: "it is not one of \(Manifest.program)"
    case .newer(let format, _): "it has format \(format)"
    case .damaged(let reason): reason
    case .failed(let error): error.description
    }
  }
}
