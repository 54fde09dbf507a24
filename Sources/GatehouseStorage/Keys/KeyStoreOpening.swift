internal import GatehouseCore
internal import Glibc

/// Reads, repairs and makes the key store of a folder.
struct KeyStoreOpening {
  let path: String
  let disk: any Disk
  /// Of the folder.
  let cipher: FolderCipher

  private struct Found: Equatable {
    var file: KeyFile
    /// The data key that it is sealed with.
    var dataKey: UInt32
  }

  private typealias Loaded = Result<Found, KeyFile.Fault>

  /// The store of a folder that this process owns. One whose manifest names no store gets one: it is new, or has nothing
  /// sealed yet.
  func own(
    _ manifest: Manifest, random: inout some RandomNumberGenerator, _ warnings: inout [String]
  ) throws(FolderError) -> KeyStore {
    let (first, second) = (load(FolderName.keys, manifest), load(FolderName.keysCopy, manifest))
    switch (first, second) {
    case (.success(let found), .success(let copy)):
      // They differ if a crash came between writing the one and the other. The keys that only one of them has are
      // pending still, and are destroyed again.
      let newest = found.file.generation >= copy.file.generation ? found.file : copy.file
      if found.file != copy.file {
        try write(newest, to: newest == found.file ? FolderName.keysCopy : FolderName.keys)
      }
      return store(newest, manifest)
    case (.success(let found), .failure(let fault)):
      try repair(FolderName.keysCopy, with: found.file, fault, &warnings)
      return store(found.file, manifest)
    case (.failure(let fault), .success(let copy)):
      try repair(FolderName.keys, with: copy.file, fault, &warnings)
      return store(copy.file, manifest)
    case (.failure(let fault), .failure(let other)):
      guard manifest.keyStore == nil else { throw refusal(fault, other) }
      let file = KeyFile(
        folder: manifest.folderID, store: Hash128(high: random.next(), low: random.next()), generation: 0,
        keys: PuncturedKeys(root: KeyBytes(random: &random)))
      for name in [FolderName.keysCopy, FolderName.keys] { try write(file, to: name) }
      return store(file, manifest)
    }
  }

  /// Whether one of the files is sealed, which takes a key ring to open.
  func isSealed(_ manifest: Manifest) -> Bool {
    [FolderName.keys, FolderName.keysCopy].contains { name in
      guard case .success(let file) = read(name, manifest) else { return false }
      return file.dataKey != 0
    }
  }

  /// Whether one of the files is not written as new files are: the folder was encrypted since by a version that left
  /// them in clear, or a crash came between a rotation and its end.
  func isOutdated(_ manifest: Manifest) -> Bool {
    [FolderName.keys, FolderName.keysCopy].contains { name in
      guard case .success(let found) = load(name, manifest) else { return true }
      return found.dataKey != cipher.currentNumber
    }
  }

  /// The store of a folder that is only read; nil if there is none, or the folder is locked.
  /// - Throws: why neither copy can be used, if the manifest says that there is a store.
  func look(_ manifest: Manifest) throws(FolderError) -> KeyStore? {
    let (first, second) = (load(FolderName.keys, manifest), load(FolderName.keysCopy, manifest))
    switch (first, second) {
    case (.success(let found), .success(let copy)):
      return store(found.file.generation >= copy.file.generation ? found.file : copy.file, manifest)
    case (.success(let found), .failure), (.failure, .success(let found)): return store(found.file, manifest)
    case (.failure(let fault), .failure(let other)):
      guard manifest.keyStore == nil || fault.isLocked || other.isLocked else { throw refusal(fault, other) }
      return nil
    }
  }

  /// The newer one of the files as it is, for a copy of the folder; nil if there is none.
  /// - Throws: why neither can be used, if the manifest says that there is a store.
  func newest(_ manifest: Manifest) throws(FolderError) -> SealedKeyFile? {
    let (first, second) = (read(FolderName.keys, manifest), read(FolderName.keysCopy, manifest))
    switch (first, second) {
    case (.success(let file), .success(let copy)): return file.generation >= copy.generation ? file : copy
    case (.success(let file), .failure), (.failure, .success(let file)): return file
    case (.failure(let fault), .failure(let other)):
      guard manifest.keyStore == nil else { throw refusal(fault, other) }
      return nil
    }
  }

  /// What is wrong with the files of a folder that should have them. Without the folder's key it is not looked at what
  /// they hold.
  func faults(_ manifest: Manifest) -> [(name: String, text: String)] {
    if manifest.keyStore == nil { return [] }
    return [FolderName.keys, FolderName.keysCopy].compactMap { name in
      guard case .failure(let fault) = load(name, manifest), !fault.isLocked else { return nil }
      return (name, "the key store cannot be used: \(fault.text)")
    }
  }

  private func store(_ file: KeyFile, _ manifest: Manifest) -> KeyStore {
    KeyStore(file, Partitioning(manifest), path: path, disk: disk, cipher)
  }

  private func refusal(_ fault: KeyFile.Fault, _ other: KeyFile.Fault) -> FolderError {
    .keys(path: path, reason: "\(FolderName.keys): \(fault.text); \(FolderName.keysCopy): \(other.text)")
  }

  private func read(_ name: String, _ manifest: Manifest) -> Result<SealedKeyFile, KeyFile.Fault> {
    Result { () throws(KeyFile.Fault) in
      let bytes: [UInt8]
      do throws(DiskError) {
        bytes = try disk.readFile(DiskPath.join(path, name), limit: KeyFile.limit)
      } catch {
        throw error.code == ENOENT ? .missing : .failed(error)
      }
      let file = try SealedKeyFile(decoding: bytes)
      guard file.folder == manifest.folderID, manifest.keyStore.map({ $0 == file.store }) ?? true else {
        throw .ofOtherFolder
      }
      return file
    }
  }

  private func load(_ name: String, _ manifest: Manifest) -> Loaded {
    Result { () throws(KeyFile.Fault) in
      let file = try read(name, manifest).get()
      return Found(file: try KeyFile(file, cipher), dataKey: file.dataKey)
    }
  }

  private func repair(
    _ name: String, with file: KeyFile, _ fault: KeyFile.Fault, _ warnings: inout [String]
  ) throws(FolderError) {
    switch fault {
    // A file that the disk fails to read may be whole, and one of a newer program is.
    case .failed(let error): throw FolderError(error, path: path)
    case .newer: throw refusal(fault, fault)
    // Its bytes are not what was sealed, as good as damaged. Of a data key that the ring does not have, the ring may be
    // the older one.
    case .sealed(.notSealedHere), .missing, .damaged, .ofOtherFolder: break
    case .sealed: throw refusal(fault, fault)
    }
    try write(file, to: name)
    warnings.append("\(name) could not be used (\(fault.text)) and has been written anew from its copy")
  }

  private func write(_ file: KeyFile, to name: String) throws(FolderError) {
    do throws(DiskError) {
      try disk.replaceFile(DiskPath.join(path, name), with: file.encoded(cipher))
    } catch {
      throw FolderError(error, path: path)
    }
  }
}

extension KeyFile.Fault {
  /// Whether all that is wrong is that the folder's key was not given.
  fileprivate var isLocked: Bool {
    if case .sealed(.keyNeeded) = self { return true }
    return false
  }
}

extension KeyBytes {
  init(random: inout some RandomNumberGenerator) {
    self.init(a: random.next(), b: random.next(), c: random.next(), d: random.next())
  }
}
