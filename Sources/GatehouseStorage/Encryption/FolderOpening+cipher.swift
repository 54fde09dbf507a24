/// A key ring that was opened with the master key.
struct OpenedRing {
  let ring: KeyRing
  let master: MasterKey
  /// Whether both files have it.
  let isWhole: Bool
}

// Opening the key ring of a folder, and beginning one.
extension FolderOpening {
  private var ringFiles: KeyRingFiles { KeyRingFiles(path: path, disk: disk) }

  private func refusal(_ error: EncryptionError) -> FolderError { .encryption(path: path, error) }

  /// Opens the folder's key ring, changing nothing.
  /// - Returns: nil if the folder was never encrypted.
  func openRing(_ manifest: Manifest) throws(FolderError) -> OpenedRing? {
    guard let (sealed, isWhole) = try findRing(manifest) else { return nil }
    guard let key else { throw refusal(.keyNeeded(master: sealed.master)) }
    do throws(EncryptionError) {
      let ring = try sealed.opened(with: key)
      if let noted = manifest.encryption {
        let signature = FolderCipher(ring, master: key).signature(ofManifest: manifest.lasting(ring: ring.id))
        guard noted.ring == ring.id, noted.signature == signature else { throw .manifestForged }
      }
      return OpenedRing(ring: ring, master: key, isWhole: isWhole)
    } catch {
      throw refusal(error)
    }
  }

  private func findRing(_ manifest: Manifest) throws(FolderError) -> (SealedKeyRing, isWhole: Bool)? {
    let files = ringFiles
    switch try attempt({ () throws(DiskError) in try files.find(folderID: manifest.folderID) }) {
    case .nothing:
      guard manifest.encryption == nil else { throw refusal(.ringLost("its manifest says so")) }
      return nil
    case .ring(let ring, let isWhole): return (ring, isWhole)
    case .unusable(let error): throw refusal(error)
    }
  }

  /// The cipher of a folder that is only read. Without the key it is locked.
  func lookAtCipher(_ manifest: Manifest, _ warnings: inout [String]) throws(FolderError) -> FolderCipher {
    guard key == nil else {
      guard let opened = try openRing(manifest) else { return FolderCipher() }
      return FolderCipher(opened.ring, master: opened.master)
    }
    guard let (sealed, _) = try findRing(manifest) else { return FolderCipher() }
    return FolderCipher(locked: sealed.master)
  }

  /// Repairs what a crash has left half done, and begins to encrypt a folder for which a key is given for the first
  /// time. The ring is durable before the manifest names it, and that before any file is encrypted.
  func settleCipher(
    _ opened: OpenedRing?, _ manifest: inout Manifest, isNew: Bool, _ warnings: inout [String]
  ) throws(FolderError) -> FolderCipher {
    if let opened {
      if !opened.isWhole {
        try attempt { () throws(DiskError) in try ringFiles.write(opened.ring, under: opened.master) }
        warnings.append("\(FolderName.keyRing) or its copy was missing, damaged or older, and has been written anew")
      }
      return try adopt(opened.ring, opened.master, &manifest)
    }
    guard let key else { return FolderCipher() }
    let folder = DataFolder(path: path, disk: disk, manifest: manifest, cipher: FolderCipher(), keys: nil)
    if let file = try attempt({ () throws(DiskError) in try EncryptionSurvey.firstEncrypted(in: folder) }) {
      throw refusal(.ringLost("\(file) is encrypted"))
    }
    let ring = KeyRing(folderID: manifest.folderID)
    try attempt { () throws(DiskError) in try ringFiles.write(ring, under: key) }
    if !isNew {
      warnings.append(
        "the folder is encrypted from now on; what was written before is encrypted as it is compacted: "
          + "`gatehousectl encryption status` tells what is in clear")
    }
    return try adopt(ring, key, &manifest)
  }

  private func adopt(
    _ ring: KeyRing, _ master: MasterKey, _ manifest: inout Manifest
  ) throws(FolderError) -> FolderCipher {
    let cipher = FolderCipher(ring, master: master)
    guard manifest.encryption == nil, let signature = cipher.signature(ofManifest: manifest.lasting(ring: ring.id))
    else { return cipher }
    var named = manifest
    named.encryption = ManifestEncryption(ring: ring.id, signature: signature)
    try attempt { () throws(DiskError) in try overwrite(named) }
    manifest = named
    return cipher
  }
}
