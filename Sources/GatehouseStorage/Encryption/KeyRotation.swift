package import GatehouseCore
internal import Synchronization

// Changing the keys of a folder that this process owns, also while a server uses it.
extension DataFolder {
  /// Begins a new data key for what is written from now on, and wraps the key ring under a new master key if one is
  /// given. Takes no time: what was written before stays readable with the earlier data keys.
  ///
  /// A crash leaves the ring before or the ring after. Nothing is encrypted with the new data key before it is durable.
  /// - Returns: the number of the new data key.
  @discardableResult
  package func rotateKeys(to master: MasterKey? = nil) throws -> UInt32 {
    if cipher.isReleased, master == nil { throw EncryptionError.noMasterKey }
    let (number, wasReleased) = try changeRing { ring, current in
      let wasReleased = current.id == MasterKey.released.id
      if wasReleased { ring.renewManifestKey() }
      ring.beginKey()
      ring.isNoted = false
      current = master ?? current
      return (ring.current, wasReleased)
    }
    // A crash before leaves the manifest unsigned, and the next start signs it.
    if wasReleased, let ring = cipher.opened?.ring { try note(encryption: sign(ring)) }
    try keys?.wrapAnew()
    return number
  }

  /// Encrypts what is written from now on, with a new data key. `open` does it for a folder without a ring.
  /// - Parameter master: wraps the ring of a folder that had no master key any more.
  package func turnEncryptionOn(under master: MasterKey?) throws {
    try rotateKeys(to: cipher.isReleased ? master : nil)
  }

  /// Leaves what is written from now on in clear. What is encrypted stays readable with the master key.
  package func turnEncryptionOff() throws {
    try changeRing { ring, _ in
      ring.current = 0
      ring.isNoted = false
    }
    try keys?.wrapAnew()
  }

  /// Does without a master key from now on, if nothing is encrypted and no data key is left: only what the hashes of
  /// once encrypted frames are made with stays in the ring, for the chain to be proved.
  /// - Returns: whether it could.
  package func releaseMasterKey() throws -> Bool {
    guard let ring = cipher.opened?.ring, ring.current == 0, ring.keys.allSatisfy({ $0.secret == nil }) else {
      return false
    }
    if cipher.isReleased { return true }
    // First of all, because a ring that anybody can open proves nothing of the manifest. A crash before the ring follows
    // leaves a folder that still needs its key, and is signed again.
    try note(encryption: nil)
    try changeRing { ring, master in
      ring.renewManifestKey()
      master = .released
    }
    return true
  }

  private func sign(_ ring: KeyRing) -> ManifestEncryption? {
    cipher.signature(ofManifest: manifest.lasting(ring: ring.id)).map {
      ManifestEncryption(ring: ring.id, signature: $0)
    }
  }

  /// The change of the keys of which the trail does not tell yet; nil if there is none.
  package var unnotedKeyChange: EncryptionChanged? {
    guard let (ring, master) = cipher.opened, !ring.isNoted else { return nil }
    return EncryptionChanged(dataKey: UInt64(ring.current), master: master.id)
  }

  /// Remembers that the trail tells of it, durably.
  package func noteKeyChangeRecorded(_ change: EncryptionChanged) throws {
    try changeRing { ring, master in
      // Another change may have come meanwhile.
      if UInt64(ring.current) == change.dataKey, master.id == change.master { ring.isNoted = true }
    }
  }

  /// Forgets the secrets of data keys that no file needs any more.
  ///
  /// Nothing may write meanwhile with a key that is not the current one; a compaction calls it at its end.
  /// - Returns: the numbers of the keys that were retired.
  @discardableResult
  package func retireKeys() throws -> [UInt32] {
    guard let before = cipher.opened?.ring else { return [] }
    let survey = try EncryptionSurvey(self)
    // A file that cannot be read may need any of them.
    guard survey.files.allSatisfy({ $0.problem == nil }) else { return [] }
    let used = survey.keys
    let unused = before.keys.filter { $0.secret != nil && $0.number != before.current && !used.contains($0.number) }
    guard !unused.isEmpty else { return [] }
    try changeRing { ring, _ in
      // A key begun since the survey stays.
      ring.retire(allBut: Set(ring.keys.map(\.number)).subtracting(unused.map(\.number)))
    }
    return unused.map(\.number)
  }

  private func changeRing<Result>(_ change: (inout KeyRing, inout MasterKey) -> Result) throws -> Result {
    precondition(isOwned)
    return try cipher.withRing { ring, master in
      let result = change(&ring, &master)
      try KeyRingFiles(path: path, disk: disk).write(ring, under: master)
      return result
    }
  }
}

extension FolderCipher {
  /// Changes the ring and makes the change known once `body` has made it durable. One at a time.
  fileprivate func withRing<Result>(_ body: (inout KeyRing, inout MasterKey) throws -> Result) throws -> Result {
    try changing.withLock { attempts in
      guard var (ring, master) = opened else {
        throw masterID.map { EncryptionError.keyNeeded(master: $0) }
          ?? EncryptionError.ringLost("it has no key ring yet")
      }
      // An attempt that failed half way may have left a file with a number of its own.
      attempts += 1
      ring.sequence += attempts
      let result = try body(&ring, &master)
      attempts = 0
      replace(ring, master: master)
      return result
    }
  }
}

/// What the key ring says without any key.
package struct RingFacts: Sendable, Equatable {
  /// The id of the master key.
  package let master: String
  /// The number of the data key of new files; 0 if they are in clear.
  package let current: UInt32

  /// Whether everything was decrypted, and no key is needed.
  package var needsNoKey: Bool { master == MasterKey.released.id }
}

extension DataFolder {
  /// What the folder's key ring says now; nil if there is none.
  package func ringFacts() throws -> RingFacts? {
    switch try KeyRingFiles(path: path, disk: disk).find(folderID: manifest.folderID) {
    case .nothing: nil
    case .ring(let ring, _): RingFacts(master: ring.master, current: ring.current)
    case .unusable(let error): throw FolderError.encryption(path: path, error)
    }
  }
}
