internal import GatehouseCore
internal import Glibc

/// Reads, repairs and makes the key store of a folder.
struct KeyStoreOpening {
  let path: String
  let disk: any Disk

  /// The store of a folder that this process owns. One whose manifest names no store gets one: it is new, or has nothing
  /// sealed yet.
  func own(
    _ manifest: Manifest, random: inout some RandomNumberGenerator, _ warnings: inout [String]
  ) throws(FolderError) -> KeyStore {
    let (first, second) = (load(FolderName.keys, manifest), load(FolderName.keysCopy, manifest))
    switch (first, second) {
    case (.success(let file), .success(let copy)):
      // They differ if a crash came between writing the one and the other. The keys that only one of them has are
      // pending still, and are destroyed again.
      let newest = file.generation >= copy.generation ? file : copy
      if file != copy { try write(newest, to: newest == file ? FolderName.keysCopy : FolderName.keys) }
      return store(newest, manifest)
    case (.success(let file), .failure(let fault)):
      try repair(FolderName.keysCopy, with: file, fault, &warnings)
      return store(file, manifest)
    case (.failure(let fault), .success(let copy)):
      try repair(FolderName.keys, with: copy, fault, &warnings)
      return store(copy, manifest)
    case (.failure(let fault), .failure(let other)):
      guard manifest.keyStore == nil else { throw refusal(fault, other) }
      let file = KeyFile(
        folder: manifest.folderID, store: Hash128(high: random.next(), low: random.next()), generation: 0,
        keys: PuncturedKeys(root: KeyBytes(random: &random)))
      for name in [FolderName.keysCopy, FolderName.keys] { try write(file, to: name) }
      return store(file, manifest)
    }
  }

  /// The store of a folder that is only read; nil if there is none.
  /// - Throws: why neither copy can be used, if the manifest says that there is a store.
  func look(_ manifest: Manifest) throws(FolderError) -> KeyStore? {
    let (first, second) = (load(FolderName.keys, manifest), load(FolderName.keysCopy, manifest))
    switch (first, second) {
    case (.success(let file), .success(let copy)):
      return store(file.generation >= copy.generation ? file : copy, manifest)
    case (.success(let file), .failure), (.failure, .success(let file)): return store(file, manifest)
    case (.failure(let fault), .failure(let other)):
      guard manifest.keyStore == nil else { throw refusal(fault, other) }
      return nil
    }
  }

  /// What is wrong with the files of a folder that should have them.
  func faults(_ manifest: Manifest) -> [(name: String, text: String)] {
    if manifest.keyStore == nil { return [] }
    return [FolderName.keys, FolderName.keysCopy].compactMap { name in
      guard case .failure(let fault) = load(name, manifest) else { return nil }
      return (name, "the key store cannot be used: \(fault.text)")
    }
  }

  private func store(_ file: KeyFile, _ manifest: Manifest) -> KeyStore {
    KeyStore(file, Partitioning(manifest), path: path, disk: disk)
  }

  private func refusal(_ fault: KeyFile.Fault, _ other: KeyFile.Fault) -> FolderError {
    .keys(path: path, reason: "\(FolderName.keys): \(fault.text); \(FolderName.keysCopy): \(other.text)")
  }

  private func load(_ name: String, _ manifest: Manifest) -> Result<KeyFile, KeyFile.Fault> {
    Result { () throws(KeyFile.Fault) in
      let bytes: [UInt8]
      do throws(DiskError) {
        bytes = try disk.readFile(DiskPath.join(path, name), limit: KeyFile.limit)
      } catch {
        throw error.code == ENOENT ? .missing : .failed(error)
      }
      let file = try KeyFile(decoding: bytes)
      guard file.folder == manifest.folderID, manifest.keyStore.map({ $0 == file.store }) ?? true else {
        throw .ofOtherFolder
      }
      return file
    }
  }

  private func repair(
    _ name: String, with file: KeyFile, _ fault: KeyFile.Fault, _ warnings: inout [String]
  ) throws(FolderError) {
    // A file that the disk fails to read may be whole, and one of a newer program is.
    switch fault {
    case .failed(let error): throw FolderError(error, path: path)
    case .newer: throw refusal(fault, fault)
    case .missing, .damaged, .ofOtherFolder: break
    }
    try write(file, to: name)
    warnings.append("\(name) could not be used (\(fault.text)) and has been written anew from its copy")
  }

  private func write(_ file: KeyFile, to name: String) throws(FolderError) {
    do throws(DiskError) {
      try disk.replaceFile(DiskPath.join(path, name), with: file.encoded())
    } catch {
      throw FolderError(error, path: path)
    }
  }
}

extension KeyBytes {
  init(random: inout some RandomNumberGenerator) {
    self.init(a: random.next(), b: random.next(), c: random.next(), d: random.next())
  }
}
