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
    try changeRing { ring, current in
      ring.beginKey()
      current = master ?? current
      return ring.current
    }
  }

  /// Encrypts what is written from now on, with a new data key. `open` does it for a folder without a ring.
  package func turnEncryptionOn() throws { try rotateKeys() }

  /// Leaves what is written from now on in clear. What is encrypted stays readable with the master key.
  package func turnEncryptionOff() throws {
    try changeRing { ring, _ in ring.current = 0 }
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
