/// The key ring that a copy gets. The source's may change while it is copied: a rotation begins a data key that some of the
/// copied files are encrypted with, and one that rewrites retires keys that others of them need.
struct CopyRing {
  private let files: KeyRingFiles
  private let folderID: Hash128
  /// The files of the ring as of the copy's beginning, and the numbers of its data keys.
  private let before: [(name: String, bytes: [UInt8])]
  private let numbersBefore: Set<UInt32>

  init(_ source: DataFolder) throws(DiskError) {
    files = KeyRingFiles(path: source.path, disk: source.disk)
    folderID = source.manifest.folderID
    before = try files.contents()
    numbersBefore = Self.newest(of: before, folderID).map { Set($0.numbers) } ?? []
  }

  private static func newest(
    of contents: [(name: String, bytes: [UInt8])], _ folderID: Hash128
  ) -> SealedKeyRing? {
    contents.compactMap { try? SealedKeyRing(decoding: $0.bytes, folderID: folderID) }.max { $0.sequence < $1.sequence }
  }

  /// Writes a ring that has the keys of all files of the copy. Called once all of them are there.
  ///
  /// - Returns: the copy as whoever opens it will see it. Its manifest is signed with a key of the ring.
  /// - Throws: `CopyError.keysChanged` if there is no such ring.
  func settle(_ copy: DataFolder, of source: DataFolder) throws -> DataFolder {
    let target = KeyRingFiles(path: copy.path, disk: copy.disk)
    let needed = try EncryptionSurvey(copy).keys.subtracting([0])
    let isOfNow = !source.cipher.isLocked && source.cipher.refresh()
    if let (known, master) = source.cipher.opened {
      // What is copied as it is must be what was looked at.
      let now = try files.contents()
      if let opened = try? Self.newest(of: now, folderID)?.opened(with: master), opened.opens(needed) {
        try target.write(now)
        return seen(copy, FolderCipher(opened, master: master), try manifest(copy, of: source, isOfNow: true))
      }
      if known.opens(needed) {
        try target.write(known, under: master)
        return seen(copy, FolderCipher(known, master: master), try manifest(copy, of: source, isOfNow: isOfNow))
      }
    }
    return try settleWithoutKey(target, copy, needed, of: source)
  }

  /// The ring as of the beginning has all keys that there were then. If it is not enough, the one of now may be: it has at
  /// least the keys that the source's files need still.
  private func settleWithoutKey(
    _ target: KeyRingFiles, _ copy: DataFolder, _ needed: Set<UInt32>, of source: DataFolder
  ) throws -> DataFolder {
    var ring = before
    let isOfNow = !needed.isSubset(of: numbersBefore)
    if isOfNow {
      ring = try files.contents()
      guard let newest = Self.newest(of: ring, folderID),
        needed.isSubset(of: try EncryptionSurvey(source).keys.union([newest.current]))
      else { throw CopyError.keysChanged(needed.sorted()) }
    }
    try target.write(ring)
    let manifest = try manifest(copy, of: source, isOfNow: isOfNow)
    guard let newest = Self.newest(of: ring, folderID) else { return seen(copy, FolderCipher(), manifest) }
    // After everything was decrypted, the ring opens without a key.
    if let opened = try? newest.opened(with: .released) {
      return seen(copy, FolderCipher(opened, master: .released), manifest)
    }
    return seen(copy, FolderCipher(locked: newest.master), manifest)
  }

  private func manifest(_ copy: DataFolder, of source: DataFolder, isOfNow: Bool) throws -> Manifest {
    var manifest = copy.manifest
    if isOfNow {
      manifest.encryption = try FolderOpening(path: source.path, disk: source.disk).lookAtManifest().encryption
    }
    return manifest
  }

  private func seen(_ copy: DataFolder, _ cipher: FolderCipher, _ manifest: Manifest) -> DataFolder {
    DataFolder(path: copy.path, disk: copy.disk, manifest: manifest, cipher: cipher, keys: copy.keys)
  }
}
