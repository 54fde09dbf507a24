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
  /// - Parameter dataKey: what the keys of people are sealed with; 0 if they are in clear.
  /// - Returns: the copy as whoever opens it will see it.
  /// - Throws: `CopyError.keysChanged` if there is no such ring.
  func settle(
    _ copy: DataFolder, keysSealedWith dataKey: UInt32, of source: DataFolder
  ) throws -> DataFolder {
    let target = KeyRingFiles(path: copy.path, disk: copy.disk)
    let needed = try EncryptionSurvey(copy).keys.union([dataKey]).subtracting([0])
    if source.cipher.isLocked || source.cipher.opened == nil && !source.cipher.refresh() {
      return try settleWithoutKey(target, copy, needed, of: source)
    }
    source.cipher.refresh()
    guard let (known, master) = source.cipher.opened else { preconditionFailure("an open ring has no keys") }
    // Read once more: what is copied as it is must be what was looked at.
    let now = try files.contents()
    let opened = try? Self.newest(of: now, folderID)?.opened(with: master)
    if let opened, opened.opens(needed) {
      try target.write(now)
      return seen(copy, FolderCipher(opened, master: master))
    }
    if known.opens(needed) {
      try target.write(known, under: master)
      return seen(copy, FolderCipher(known, master: master))
    }
    return try settleWithoutKey(target, copy, needed, of: source)
  }

  /// The ring as of the beginning has all keys that there were then. If it is not enough, the one of now may be: it has at
  /// least the keys that the source's files need still.
  private func settleWithoutKey(
    _ target: KeyRingFiles, _ copy: DataFolder, _ needed: Set<UInt32>, of source: DataFolder
  ) throws -> DataFolder {
    var ring = before
    if !needed.isSubset(of: numbersBefore) {
      ring = try files.contents()
      guard let newest = Self.newest(of: ring, folderID),
        needed.isSubset(of: try EncryptionSurvey(source).keys.union([newest.current]))
      else { throw CopyError.keysChanged(needed.sorted()) }
    }
    try target.write(ring)
    guard let newest = Self.newest(of: ring, folderID) else { return seen(copy, FolderCipher()) }
    return seen(copy, FolderCipher(locked: newest.master))
  }

  private func seen(_ copy: DataFolder, _ cipher: FolderCipher) -> DataFolder {
    DataFolder(path: copy.path, disk: copy.disk, manifest: copy.manifest, cipher: cipher, keys: copy.keys)
  }
}
