internal import Crypto
internal import FoundationEssentials
internal import Synchronization

/// Encrypts and decrypts what a data folder holds.
///
/// ## Encryption at rest
/// The operator's master key wraps the folder's key ring and nothing else (envelope encryption). The ring has data keys;
/// new files are encrypted with the current one, and name it in their headers. A rotation begins a new data key and
/// wraps the ring under a new master key. So it takes no time, and what was written before stays readable; a compaction
/// that rewrites archives encrypts those anew, and then retires the data keys that no file needs.
///
/// | file | in clear | encrypted |
/// | --- | --- | --- |
/// | `log/*.log` | headers of segments and frames, with a keyed hash of the content | the frames' bodies, after compression |
/// | `snapshots/*` | the table: lengths, LSNs | every block |
/// | `archive/*` | the table: lengths, LSNs, times; headers of frames | bodies of frames, the index |
/// | `log/witness` | LSN and epoch | |
/// | `manifest` | all of it, signed with a key of the ring | |
/// | `keyring` | the master key's id, numbers of data keys | the data keys |
/// | `keys` | folder, store, generation | what the keys of people are derived from |
///
/// The hash chain and the hashes of files go over what is stored, so damage is found, and the chain proved, without any
/// key. With the key every unit is also authenticated. `Sealing` says why no nonce repeats.
///
/// Whoever may read the process's memory has the keys. They are kept out of core dumps (`SecretMemory`).
package final class FolderCipher: Sendable {
  private enum State {
    /// The folder was never encrypted.
    case none
    /// It is, and its master key was not given; the key's id.
    case locked(master: String)
    case open(KeyRing, master: MasterKey, current: DataKey?)
  }

  private let state: Mutex<State>
  /// Reads the key ring again, of a folder that another process owns and whose keys it may change; nil where this process
  /// does.
  private let reload: (@Sendable () -> (ring: KeyRing, master: MasterKey)?)?
  /// Held while the ring is changed; counts the changes that have failed since one succeeded.
  let changing = Mutex<UInt64>(0)

  /// Of a folder that is not encrypted.
  package convenience init() { self.init(reload: nil) }

  /// The same, of one that may be encrypted by its owner later.
  init(reload: (@Sendable () -> (ring: KeyRing, master: MasterKey)?)?) {
    state = Mutex(.none)
    self.reload = reload
  }

  convenience init(
    _ opened: OpenedRing?, reload: (@Sendable () -> (ring: KeyRing, master: MasterKey)?)? = nil
  ) {
    if let opened {
      self.init(opened.ring, master: opened.master, reload: reload)
    } else {
      self.init(reload: reload)
    }
  }

  init(locked master: String) {
    state = Mutex(.locked(master: master))
    reload = nil
  }

  init(
    _ ring: KeyRing, master: MasterKey, reload: (@Sendable () -> (ring: KeyRing, master: MasterKey)?)? = nil
  ) {
    state = Mutex(.open(ring, master: master, current: ring.key(ring.current)))
    self.reload = reload
  }

  /// The key that is used for what is written now; nil if that is not encrypted.
  var current: DataKey? {
    state.withLock { state in
      if case .open(_, _, let current) = state { return current }
      return nil
    }
  }

  /// The number of that key; 0 if what is written now is not encrypted.
  package var currentNumber: UInt32 { current?.number ?? 0 }

  /// Whether the folder is encrypted and its key was not given.
  package var isLocked: Bool {
    state.withLock { state in
      if case .locked = state { return true }
      return false
    }
  }

  /// Whether the folder has a key ring.
  package var hasRing: Bool {
    state.withLock { state in
      if case .none = state { return false }
      return true
    }
  }

  /// The id of the key ring and the numbers of its data keys; nil if there is none, or it is locked.
  package var ring: (id: Hash128, dataKeys: [UInt32])? { opened.map { ($0.ring.id, $0.ring.keys.map(\.number)) } }

  /// The id of the master key; nil if the folder has no key ring.
  package var masterID: String? {
    state.withLock { state in
      switch state {
      case .none: nil
      case .locked(let master): master
      case .open(_, let master, _): master.id
      }
    }
  }

  /// The data key that a file names. One that was begun since is looked for in the folder.
  func key(_ number: UInt32) throws(EncryptionError) -> DataKey {
    do throws(EncryptionError) {
      return try known(number)
    } catch {
      guard !isLocked, refresh() else { throw error }
      return try known(number)
    }
  }

  /// Takes the keys that the folder's ring has now. Those that were retired meanwhile are kept, because files may need them
  /// that were copied or opened before.
  ///
  /// - Returns: false if the ring cannot be read again: it has another master key, or this process owns it.
  @discardableResult
  func refresh() -> Bool {
    guard let (ring, master) = reload?() else { return false }
    state.withLock { state in
      var merged = ring
      if case .open(let before, _, _) = state { merged.keep(before) }
      state = .open(merged, master: master, current: merged.key(merged.current))
    }
    return true
  }

  private func known(_ number: UInt32) throws(EncryptionError) -> DataKey {
    try state.withLock { state throws(EncryptionError) in
      switch state {
      case .none: throw .ringLost("a file is encrypted with data key \(number)")
      case .locked(let master): throw .keyNeeded(master: master)
      case .open(let ring, _, _):
        guard let key = ring.key(number) else { throw .unknownKey(number) }
        return key
      }
    }
  }

  /// The secret of the data key that a file names.
  func secret(_ number: UInt32) throws(EncryptionError) -> SecretMemory {
    guard let secret = try key(number).secret else { throw .unknownKey(number) }
    return secret
  }

  /// The ring and its master key; nil if there is no ring or it is locked.
  var opened: (ring: KeyRing, master: MasterKey)? {
    state.withLock { state in
      if case .open(let ring, let master, _) = state { return (ring, master) }
      return nil
    }
  }

  /// Whether the folder was decrypted for good, so that nobody needs a key to read it.
  package var isReleased: Bool { masterID == MasterKey.released.id }

  func replace(_ ring: KeyRing, master: MasterKey) {
    state.withLock { $0 = .open(ring, master: master, current: ring.key(ring.current)) }
  }
}

// MARK: - Frames

extension FolderCipher {
  /// Whether a decompressed body is the one that the chain covers. Frames of version 0.1.0 cannot tell, and accept any.
  func covers(_ body: UnsafeRawBufferPointer, of header: FrameHeader) throws(EncryptionError) -> Bool {
    guard let hash = header.contentHash else { return true }
    guard header.contentKey != 0 else { return hash == Hash128(of: body) }
    return try hash == key(header.contentKey).commit(to: body, epoch: header.epoch, firstLSN: header.firstLSN)
  }
}

// MARK: - Other secrets

extension FolderCipher {
  private static let sealMagic = Array("GHSEAL01".utf8)
  private static let sealHead = 8 + 4 + BlockSeal.saltSize

  /// Encrypts the content of a small file of the folder, if the folder is encrypted; else returns it as it is.
  /// - Parameter purpose: what the bytes are. They open for the same purpose only, so that one file cannot be put in the
  ///   place of another.
  func seal(_ bytes: [UInt8], purpose: String) -> [UInt8] {
    guard let key = current, let secret = key.secret else {
      precondition(!isLocked, "a folder is not written to without its key")
      return bytes
    }
    var sealed = Self.sealMagic
    withUnsafeBytes(of: key.number.littleEndian) { sealed.append(contentsOf: $0) }
    sealed += [UInt8](repeating: 0, count: BlockSeal.saltSize + bytes.count + Sealing.tagSize)
    sealed.withUnsafeMutableBytes { target in
      fillRandom(UnsafeMutableRawBufferPointer(rebasing: target[(Self.sealHead - BlockSeal.saltSize)..<Self.sealHead]))
      let head = UnsafeRawBufferPointer(rebasing: target[..<Self.sealHead])
      bytes.withUnsafeBytes {
        Sealing.seal(
          $0, into: UnsafeMutableRawBufferPointer(rebasing: target[Self.sealHead...]),
          Self.sealKey(secret, head, purpose), authenticating: head)
      }
    }
    return sealed
  }

  /// The number of the data key of what `seal` returned; nil if that was not encrypted.
  static func dataKey(ofSealed bytes: [UInt8]) -> UInt32? {
    guard bytes.starts(with: sealMagic), bytes.count >= sealHead + Sealing.tagSize else { return nil }
    return bytes.withUnsafeBytes { $0.littleEndian(sealMagic.count, as: UInt32.self) }
  }

  /// Decrypts what `seal` returned; bytes that were not encrypted are returned as they are.
  /// - Throws: `keyNeeded` if the folder is locked, `unknownKey` if the ring has no such key, `notSealedHere` if the bytes were changed or are of another purpose.
  func open(_ sealed: [UInt8], purpose: String) throws(EncryptionError) -> [UInt8] {
    guard sealed.starts(with: Self.sealMagic) else { return sealed }
    guard sealed.count >= Self.sealHead + Sealing.tagSize else { throw .notSealedHere(purpose) }
    let secret = try secret(sealed.withUnsafeBytes { $0.littleEndian(8, as: UInt32.self) })
    var plain = [UInt8](repeating: 0, count: sealed.count - Self.sealHead - Sealing.tagSize)
    let isSound = plain.withUnsafeMutableBytes { plain in
      sealed.withUnsafeBytes { sealed in
        let head = UnsafeRawBufferPointer(rebasing: sealed[..<Self.sealHead])
        return Sealing.open(
          UnsafeRawBufferPointer(rebasing: sealed[Self.sealHead...]), into: plain, Self.sealKey(secret, head, purpose),
          authenticating: head)
      }
    }
    guard isSound else { throw .notSealedHere(purpose) }
    return plain
  }

  private static func sealKey(_ secret: SecretMemory, _ head: UnsafeRawBufferPointer, _ purpose: String) -> SymmetricKey
  {
    Array(purpose.utf8).withUnsafeBytes { Sealing.key(secret, "gatehouse secret", head, $0) }
  }

  /// The signature of the manifest's lasting lines; nil if the folder has no key ring, or its key was not given.
  func signature(ofManifest lines: [UInt8]) -> Hash128? {
    guard let opened else { return nil }
    return lines.withUnsafeBytes { lines in
      Sealing.code(opened.ring.manifestKey, "gatehouse manifest", [lines]).withUnsafeBytes { Hash128(loading: $0) }
    }
  }
}
