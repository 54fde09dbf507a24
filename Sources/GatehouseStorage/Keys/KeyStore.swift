package import GatehouseCore
internal import Synchronization

/// The keys under which the log and the archive say something of people (L6).
///
/// Each person has keys of their own (`SealKey`). Destroying them forgets the person in all files at once, although none of
/// them is changed: their hash chain still proves what was written. All keys are derived from one small file
/// (`PuncturedKeys`), which is written anew and synced when some are destroyed. There are two copies of it, because
/// without it all people would be forgotten; a damaged one is replaced by the other, and without either the folder is
/// refused.
///
/// Sealed is with AES-256-GCM. A nonce must never serve two texts under one key, and a server that went back to a backup
/// does not know which ones it has used. So the nonce follows from the text: it is a keyed hash of it and of what it is
/// bound to, cut to 96 bits. The same text has the same nonce, which reveals that it is the same; two different ones share
/// one with a probability of 2^-96 for each pair, and nobody has more than some thousand.
///
/// In an encrypted folder the file is sealed with a data key of the folder (`KeyFile`), and is written anew when that
/// changes.
///
/// Blocks that a file system has freed, and copies that it keeps of its own accord, are out of reach. So are backups: one
/// made before has the key.
package final class KeyStore: SealKeeper {
  /// A text that is sealed has this many bytes more.
  package static let overhead = TextCipher.nonceSize + TextCipher.tagSize

  private struct State: ~Copyable, Sendable {
    var file: KeyFile
    var derived = DerivedKeys()
  }

  /// What the manifest says of it.
  package let id: Hash128
  private let partitioning: Partitioning
  private let path: String
  private let disk: any Disk
  private let cipher: FolderCipher
  private let state: Mutex<State>
  /// Held while the files are written. The state is not: lanes seal meanwhile, and must not wait for the disk.
  private let writing = Mutex(())

  init(_ file: KeyFile, _ partitioning: Partitioning, path: String, disk: any Disk, _ cipher: FolderCipher) {
    id = file.store
    self.partitioning = partitioning
    self.path = path
    self.disk = disk
    self.cipher = cipher
    state = Mutex(State(file: file))
  }

  /// How often keys were destroyed.
  package var generation: UInt64 { state.withLock { $0.file.generation } }

  /// How many nodes it takes to derive all keys: 1 in a new store, more with those who were forgotten.
  package var nodeCount: Int { state.withLock { $0.file.keys.nodes.count } }

  /// What two nodes' stores are compared by. It tells nothing of the keys.
  package struct Summary: Sendable, Equatable {
    /// How often this store was changed. Nodes that have destroyed the same keys may have done so in fewer or more steps.
    package var generation: UInt64
    package var nodeCount: Int
    /// A hash of which keys are destroyed.
    package var destroyed: Hash128
    /// A hash of the keys that are left.
    package var keys: Hash128
  }

  /// Reads all nodes, which takes a while after very many people were forgotten.
  package var summary: Summary {
    let file = state.withLock { $0.file }
    return Summary(
      generation: file.generation, nodeCount: file.keys.nodes.count, destroyed: file.keys.remainder,
      keys: file.keys.fingerprint)
  }

  // MARK: Destroying

  /// Destroys keys, durably in both copies.
  ///
  /// - Returns: the generation afterwards.
  /// - Throws: if a copy could not be written. The keys may then still be there, and must be destroyed again.
  @discardableResult
  package func destroy(_ keys: [SealKey]) throws(DiskError) -> UInt64 {
    try destroy(keys.compactMap { KeyPath($0, partitioning) }.map { $0.bits...$0.bits })
  }

  /// Destroys keys that another node has destroyed. Each node has a store of its own with the same keys, and may have
  /// changed it less often; from now on it counts as many changes, so that nobody takes it for an older copy.
  ///
  /// - Parameter generation: how often the other node's store had changed then.
  package func destroy(_ keys: [SealKey], reaching generation: UInt64) throws(DiskError) {
    let ranges = keys.compactMap { KeyPath($0, partitioning) }.map { $0.bits...$0.bits }
    _ = try change(reaching: generation) { keys in
      var isChanged = false
      for range in ranges { isChanged = keys.destroy(range) || isChanged }
      return isChanged
    }
  }

  /// The newest answers of which nobody is to know any more. They expire a day after the command at the latest; one more
  /// day is for a clock that was moved.
  package static func oldAnswers(at now: Milliseconds, era: UInt32) -> SealKey {
    .answers(until: max(0, now - 2 * SealKey.millisecondsOfDay), era: era)
  }

  /// Destroys the keys of answers through a day's.
  package func destroyAnswers(through day: SealKey) throws(DiskError) {
    guard let first = KeyPath(.answers, partition: 0, serial: 0),
      let last = KeyPath(.answers, partition: 0, serial: day.raw)
    else { return }
    try destroy([first.bits...last.bits])
  }

  @discardableResult
  private func destroy(_ ranges: [ClosedRange<UInt64>]) throws(DiskError) -> UInt64 {
    try change { keys in
      var isChanged = false
      for range in ranges { isChanged = keys.destroy(range) || isChanged }
      return isChanged
    }
  }

  /// Gives new keys to the ids that are yet to be given out, if theirs were destroyed: they were given out before, in a
  /// history that a copy has cut. Under the old keys, whoever gets such an id would be forgotten from the start.
  ///
  /// - Parameter last: the last id in use of each kind and partition, by serial number.
  /// - Returns: whether there were any.
  func renew(after last: [(kind: SealKey.Kind, partition: Int, serial: Int)]) throws(DiskError) -> Bool {
    let ranges = last.compactMap { kind, partition, serial -> ClosedRange<UInt64>? in
      guard let first = KeyPath(kind, partition: partition, serial: UInt64(serial) + 1) else { return nil }
      return first.bits...(first.group << UInt64(KeyPath.serialBits) | (1 << UInt64(KeyPath.serialBits) - 1))
    }
    let before = generation
    var random = SystemRandomNumberGenerator()
    let after = try change { keys in
      var isChanged = false
      for range in ranges { isChanged = keys.renew(range) { KeyBytes(random: &random) } || isChanged }
      return isChanged
    }
    return after != before
  }

  /// Changes the keys, durably in both copies.
  ///
  /// - Parameters:
  ///   - least: what the generation is afterwards at least.
  ///   - body: returns whether it has changed any.
  /// - Returns: the generation afterwards.
  private func change(
    reaching least: UInt64 = 0, _ body: (inout PuncturedKeys) -> Bool
  ) throws(DiskError) -> UInt64 {
    try writing.withLock { _ throws(DiskError) in
      var file = state.withLock { $0.file }
      let isChanged = body(&file.keys)
      guard isChanged || file.generation < least else { return file.generation }
      file.generation = max(isChanged ? file.generation + 1 : file.generation, least)
      try save(file)
      let saved = file
      state.withLock {
        $0.file = saved
        $0.derived.forget()
      }
      return file.generation
    }
  }

  /// Writes the files anew with the data key of new files, or in clear if that is how new files are written. Called when
  /// the folder's key ring has changed.
  func wrapAnew() throws(DiskError) {
    try writing.withLock { _ throws(DiskError) in try save(state.withLock { $0.file }) }
  }

  private func save(_ file: KeyFile) throws(DiskError) {
    let bytes = file.encoded(cipher)
    for name in [FolderName.keysCopy, FolderName.keys] {
      try disk.replaceFile(DiskPath.join(path, name), with: bytes)
    }
  }

  package func isDestroyed(_ key: SealKey) -> Bool {
    guard let path = KeyPath(key, partitioning) else { return true }
    return state.withLock { $0.file.keys.node(above: path) == nil }
  }

  package func destroyed(_ kind: SealKey.Kind, of partition: Int, through last: Int) -> [Int] {
    guard last > 0, let first = KeyPath(kind, partition: partition, serial: 1),
      let end = KeyPath(kind, partition: partition, serial: UInt64(last))
    else { return [] }
    var serials: [Int] = []
    state.withLock { state in
      state.file.keys.forEachDestroyed(in: first.bits...end.bits) { serials.append(Int(KeyPath(bits: $0).serial)) }
    }
    return serials
  }

  // MARK: Sealing

  package func seal(
    _ plain: UnsafeRawBufferPointer, under keys: SealedUnder, bound: UnsafeRawBufferPointer,
    into writer: inout ByteWriter
  ) -> Bool {
    guard let key = key(of: keys) else { return false }
    nonce(under: key.child(1), plain, bound) {
      TextCipher.seal(plain, key.child(0), nonce: $0, authenticating: bound, into: &writer)
    }
    return true
  }

  package func open(
    _ sealed: UnsafeRawBufferPointer, under keys: SealedUnder, bound: UnsafeRawBufferPointer,
    into writer: inout ByteWriter
  ) throws(CodingError) -> Bool {
    guard let key = key(of: keys) else { return false }
    guard sealed.count >= Self.overhead else { throw CodingError("a sealed text that is cut off", at: sealed.count) }
    guard TextCipher.open(sealed, key.child(0), authenticating: bound, into: &writer) else {
      throw CodingError("a text that was not sealed under the keys of this folder, or was changed", at: 0)
    }
    return true
  }

  private func nonce(
    under key: KeyBytes, _ plain: UnsafeRawBufferPointer, _ bound: UnsafeRawBufferPointer,
    _ body: (UnsafeRawBufferPointer) -> Void
  ) {
    var state = HashState()
    key.withBytes { state.update($0) }
    withUnsafeBytes(of: UInt64(bound.count).littleEndian) { state.update($0) }
    state.update(bound)
    state.update(plain)
    state.finish { body(UnsafeRawBufferPointer(rebasing: $0.prefix(TextCipher.nonceSize))) }
  }

  private func key(of keys: SealedUnder) -> KeyBytes? {
    switch keys {
    case .one(let key): return bytes(of: key)
    case .all(let keys):
      var state = HashState()
      for key in keys {
        guard let bytes = bytes(of: key) else { return nil }
        bytes.withBytes { state.update($0) }
      }
      return state.finish { KeyBytes(loading: $0) }
    }
  }

  private func bytes(of key: SealKey) -> KeyBytes? {
    guard let path = KeyPath(key, partitioning) else { return nil }
    return state.withLock { $0.derived.key(of: path, in: $0.file.keys) }
  }
}
