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
    let isReleased = sealed.master == MasterKey.released.id
    guard let key = isReleased ? .released : key else { throw refusal(.keyNeeded(master: sealed.master)) }
    do throws(EncryptionError) {
      let ring = try sealed.opened(with: key)
      // A ring that anybody can open signs nothing: whoever puts one in the place of the folder's is noticed here.
      if isReleased, manifest.encryption != nil { throw .manifestForged }
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
    let reload = { @Sendable [self] () -> (ring: KeyRing, master: MasterKey)? in
      // The manifest may name a ring by now.
      guard let now = try? lookAtManifest(), let opened = try? openRing(now) else { return nil }
      return (opened.ring, opened.master)
    }
    guard key == nil else { return FolderCipher(try openRing(manifest), reload: reload) }
    guard let (sealed, _) = try findRing(manifest) else { return FolderCipher() }
    guard sealed.master == MasterKey.released.id else { return FolderCipher(locked: sealed.master) }
    return FolderCipher(try openRing(manifest), reload: reload)
  }

  /// Begins to encrypt a new folder, before anything secret is written to it.
  func beginCipher(_ cipher: FolderCipher, _ manifest: inout Manifest) throws(FolderError) {
    guard let key else { return }
    let ring = KeyRing(folderID: manifest.folderID)
    try attempt { () throws(DiskError) in try ringFiles.write(ring, under: key) }
    cipher.replace(ring, master: key)
    manifest.encryption = signature(cipher, ring, manifest)
  }

  /// Repairs what a crash has left half done, and begins to encrypt a folder for which a key is given for the first
  /// time. The ring is durable before the manifest names it, and that before any file is encrypted.
  func settleCipher(
    _ cipher: FolderCipher, _ opened: OpenedRing?, _ manifest: inout Manifest, _ warnings: inout [String]
  ) throws(FolderError) {
    if let opened {
      if !opened.isWhole {
        try attempt { () throws(DiskError) in try ringFiles.write(opened.ring, under: opened.master) }
        warnings.append("\(FolderName.keyRing) or its copy was missing, damaged or older, and has been written anew")
      }
      return try adopt(cipher, opened.ring, &manifest)
    }
    guard let key else { return }
    if let file = try firstEncrypted(manifest) { throw refusal(.ringLost("\(file) is encrypted")) }
    var ring = KeyRing(folderID: manifest.folderID)
    ring.isNoted = false
    try attempt { () throws(DiskError) in try ringFiles.write(ring, under: key) }
    warnings.append(
      "the folder is encrypted from now on; what was written before is encrypted as it is compacted: "
        + "`gatehousectl encryption status` tells what is in clear")
    cipher.replace(ring, master: key)
    try adopt(cipher, ring, &manifest)
  }

  /// Of a folder whose keys of people are sealed.
  func refusalOfLostRing(_ manifest: Manifest) throws(FolderError) -> FolderError {
    refusal(.ringLost("\(try firstEncrypted(manifest) ?? FolderName.keys) is encrypted"))
  }

  private func firstEncrypted(_ manifest: Manifest) throws(FolderError) -> String? {
    let folder = DataFolder(path: path, disk: disk, manifest: manifest, cipher: FolderCipher(), keys: nil)
    return try attempt { () throws(DiskError) in try EncryptionSurvey.firstEncrypted(in: folder) }
  }

  private func adopt(_ cipher: FolderCipher, _ ring: KeyRing, _ manifest: inout Manifest) throws(FolderError) {
    guard manifest.encryption == nil, !cipher.isReleased else { return }
    var named = manifest
    named.encryption = signature(cipher, ring, manifest)
    try attempt { () throws(DiskError) in try overwrite(named) }
    manifest = named
  }

  private func signature(_ cipher: FolderCipher, _ ring: KeyRing, _ manifest: Manifest) -> ManifestEncryption? {
    cipher.signature(ofManifest: manifest.lasting(ring: ring.id)).map {
      ManifestEncryption(ring: ring.id, signature: $0)
    }
  }
}
