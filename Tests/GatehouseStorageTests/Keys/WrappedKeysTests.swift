import GatehouseCore
import Testing

@testable import GatehouseStorage

/// The key store of an encrypted folder is sealed with the folder's data keys: whoever has the disk and not the operator's
/// key reads nobody's data with it, also not what was written before the folder was encrypted.
@Suite("Keys of people in an encrypted folder") struct WrappedKeysTests {
  private static let first = Encrypted.testKey
  private static let second = Encrypted.key(2)
  private static let path = FolderFixture.path
  private static let files = ["keys", "keys.copy"]
  private static let eva = SealKey.user(UserID(raw: 4 * 17 + 2))
  private static let otto = SealKey.user(UserID(raw: 4 * 18 + 2))

  private static func open(_ disk: any Disk, _ key: MasterKey? = first) throws -> DataFolder {
    try DataFolder.open(
      path, disk: disk, create: FolderParameters(partitionCount: 4, createdAt: 1), key: key)
  }

  private static func store(_ folder: DataFolder) throws -> KeyStore { try #require(folder.keys) }

  private static func seal(_ text: String, _ key: SealKey, in folder: DataFolder) throws -> ContiguousArray<UInt8>? {
    let store = try store(folder)
    var writer = ByteWriter()
    let isSealed = Array(text.utf8).withUnsafeBytes { plain in
      Array("b".utf8).withUnsafeBytes { store.seal(plain, under: .one(key), bound: $0, into: &writer) }
    }
    return isSealed ? writer.bytes : nil
  }

  private static func text(_ bytes: ContiguousArray<UInt8>, _ key: SealKey, in folder: DataFolder) throws -> String? {
    let store = try store(folder)
    var writer = ByteWriter()
    let isOpen = try bytes.withUnsafeBytes { sealed in
      try Array("b".utf8).withUnsafeBytes { try store.open(sealed, under: .one(key), bound: $0, into: &writer) }
    }
    return isOpen ? String(decoding: writer.bytes, as: UTF8.self) : nil
  }

  /// The data keys that the files are sealed with; 0 for one in clear.
  private static func dataKeys(_ disk: SimulatedDisk) throws -> [UInt32] {
    try files.map { try SealedKeyFile(decoding: try disk.content("\(path)/\($0)")).dataKey }
  }

  /// The checksum made good after a change, as somebody would who means harm.
  private static func resealed(_ bytes: [UInt8]) -> [UInt8] {
    let content = Array(bytes.dropLast(Hash128.size))
    var hash = [UInt8](repeating: 0, count: Hash128.size)
    hash.withUnsafeMutableBytes { target in content.withUnsafeBytes { Hash128(of: $0) }.store(to: target) }
    return content + hash
  }

  @Test("a new folder never has the keys in clear, and nobody opens them without the operator's key")
  func sealedFromTheStart() throws {
    let disk = SimulatedDisk()
    let folder = try Self.open(disk)
    try Self.store(folder).destroy([Self.otto])
    let eva = try #require(try Self.seal("eva", Self.eva, in: folder))
    #expect(try Self.dataKeys(disk) == [1, 1])
    let plain = try KeyFile(try SealedKeyFile(decoding: try disk.content("\(Self.path)/keys")), folder.cipher)
    #expect(plain.generation == 1 && plain.keys.nodes.count > 10)
    for name in Self.files {
      let content = try disk.content("\(Self.path)/\(name)")
      for node in plain.keys.nodes {
        #expect(!content.contains(node.key.withBytes { Array($0.prefix(8)) }), "a key stands in \(name) in clear")
      }
    }
    folder.close()
    let locked = try DataFolder.look(at: Self.path, disk: disk)
    #expect(locked.keys == nil && locked.warnings.isEmpty, "\(locked.warnings)")
    #expect(try Verification.run(locked).problems.isEmpty)
    let again = try Self.open(disk)
    #expect(try Self.text(eva, Self.eva, in: again) == "eva")
    #expect(try Self.store(again).isDestroyed(Self.otto) && again.warnings.isEmpty)
    again.close()
  }

  @Test("a folder in clear has its keys sealed once it is encrypted, and what they sealed before is still opened")
  func encryptedLater() throws {
    let disk = SimulatedDisk()
    var folder = try Self.open(disk, nil)
    let eva = try #require(try Self.seal("eva", Self.eva, in: folder))
    #expect(try Self.dataKeys(disk) == [0, 0])
    folder.close()
    folder = try Self.open(disk)
    #expect(try Self.dataKeys(disk) == [1, 1])
    #expect(try Self.text(eva, Self.eva, in: folder) == "eva")
    try folder.rotateKeys(to: Self.second)
    #expect(try Self.dataKeys(disk) == [2, 2])
    try folder.turnEncryptionOff()
    #expect(try Self.dataKeys(disk) == [0, 0])
    try folder.turnEncryptionOn(under: nil)
    try Self.store(folder).destroy([Self.otto])
    #expect(try Self.dataKeys(disk) == [3, 3])
    folder.close()
    folder = try Self.open(disk, Self.second)
    #expect(try Self.text(eva, Self.eva, in: folder) == "eva" && Self.store(folder).isDestroyed(Self.otto))
    folder.close()
  }

  @Test("an encrypted folder of an earlier version, whose keys are in clear, has them sealed when it is opened")
  func earlierVersion() throws {
    let disk = SimulatedDisk()
    let folder = try Self.open(disk)
    let eva = try #require(try Self.seal("eva", Self.eva, in: folder))
    let plain = try KeyFile(try SealedKeyFile(decoding: try disk.content("\(Self.path)/keys")), folder.cipher)
    folder.close()
    // One of them only: a crash came between.
    for names in [Self.files, ["keys"], ["keys.copy"]] {
      for name in names { try disk.setContent("\(Self.path)/\(name)", plain.encoded(FolderCipher())) }
      let again = try Self.open(disk)
      #expect(try Self.dataKeys(disk) == [1, 1], "\(names)")
      #expect(try Self.text(eva, Self.eva, in: again) == "eva")
      again.close()
    }
  }

  @Test("the data key of a file that a crash has left behind is not retired")
  func notRetired() throws {
    let disk = SimulatedDisk()
    let folder = try Self.open(disk)
    let old = try disk.content("\(Self.path)/keys.copy")
    try folder.rotateKeys()
    try disk.setContent("\(Self.path)/keys.copy", old)
    #expect(try EncryptionSurvey(folder).files.filter { $0.keys == [1] }.map(\.name) == ["keys.copy"])
    #expect(try folder.retireKeys() == [])
    try Self.store(folder).wrapAnew()
    #expect(try folder.retireKeys() == [1])
    folder.close()
    #expect(try Self.open(disk).warnings.isEmpty)
  }

  @Test("a file that somebody has changed, checksum and all, is written anew from its copy; if both are, nothing opens")
  func hostile() throws {
    let disk = SimulatedDisk()
    let folder = try Self.open(disk)
    let eva = try #require(try Self.seal("eva", Self.eva, in: folder))
    folder.close()
    let whole = try disk.content("\(Self.path)/keys")
    let first = 6 + 2 + 2 + 2 * Hash128.size
    // Its generation, the sealed part's number of the data key, salt, text and tag; a text that is cut off.
    var changed: [[UInt8]] = [first + 20, first + 30, whole.count - 40, whole.count - 20].map { place in
      var bytes = whole
      bytes[place] ^= 1
      return Self.resealed(bytes)
    }
    var later = whole
    later[first] ^= 1
    changed.append(Self.resealed(later))
    for bytes in changed {
      for name in Self.files { try disk.setContent("\(Self.path)/\(name)", whole) }
      try disk.setContent("\(Self.path)/keys", bytes)
      let refused = (try? KeyFile(SealedKeyFile(decoding: bytes), folder.cipher)) == nil
      #expect(refused)
      if let again = try? Self.open(disk) {
        #expect(try Self.text(eva, Self.eva, in: again) == "eva")
        #expect(again.warnings.contains { $0.contains("written anew from its copy") }, "\(again.warnings)")
        again.close()
      }
      for name in Self.files { try disk.setContent("\(Self.path)/\(name)", bytes) }
      let error = #expect(throws: FolderError.self) { try Self.open(disk) }
      #expect(error?.description.contains("the key store cannot be used") == true)
    }
  }

  @Test("every flipped bit and every cut of a sealed file is noticed, also without the key")
  func damage() throws {
    let disk = SimulatedDisk()
    try Self.open(disk).close()
    let whole = try disk.content("\(Self.path)/keys")
    for place in whole.indices {
      var changed = whole
      changed[place] ^= 0x10
      #expect(throws: KeyFile.Fault.self) { try SealedKeyFile(decoding: changed) }
      #expect(throws: KeyFile.Fault.self) { try SealedKeyFile(decoding: Array(whole.prefix(place))) }
    }
    try disk.setContent("\(Self.path)/keys.copy", Array(whole.dropLast()))
    let locked = try Verification.run(try DataFolder.look(at: Self.path, disk: disk))
    #expect(locked.problems.map(\.file) == ["keys.copy"], "\(locked.problems)")
  }

  /// Power fails before any operation: the folder opens with the one key or the other, with what was sealed before, and
  /// what was destroyed stays so.
  @Test("a crash anywhere while keys are sealed, sealed anew, or left in clear loses nobody", arguments: 0..<4)
  func crashes(_ way: Int) throws {
    func prepared(_ disk: SimulatedDisk) throws -> (folder: DataFolder?, sealed: ContiguousArray<UInt8>) {
      let folder = try Self.open(disk, way == 0 ? nil : Self.first)
      let sealed = try #require(try Self.seal("eva", Self.eva, in: folder))
      try Self.store(folder).destroy([Self.otto])
      guard way == 0 else { return (folder, sealed) }
      folder.close()
      return (nil, sealed)
    }
    func act(_ disk: SimulatedDisk, _ folder: DataFolder?) throws {
      switch way {
      case 0: try Self.open(disk, Self.first).close()
      case 1: try #require(folder).rotateKeys(to: Self.second)
      case 2: try #require(folder).turnEncryptionOff()
      default:
        try #require(folder).turnEncryptionOff()
        _ = try #require(folder).retireKeys()
        #expect(try #require(folder).releaseMasterKey())
      }
    }
    let whole = SimulatedDisk()
    let (owner, _) = try prepared(whole)
    let begin = whole.operations
    try act(whole, owner)
    let end = whole.operations
    owner?.close()
    #expect(end - begin > 5)
    for operation in begin..<end {
      for seed in 0..<3 as Range<UInt64> {
        let disk = SimulatedDisk()
        let (folder, sealed) = try prepared(disk)
        disk.powerOff(before: operation)
        try? act(disk, folder)
        disk.powerOff()
        folder?.close()
        let survivor = disk.survivor(seed: seed)
        let again = try (try? Self.open(survivor, Self.first)) ?? Self.open(survivor, Self.second)
        #expect(try Self.text(sealed, Self.eva, in: again) == "eva", "operation \(operation), seed \(seed)")
        #expect(try Self.store(again).isDestroyed(Self.otto))
        let current = again.cipher.currentNumber
        #expect(try Self.dataKeys(survivor) == [current, current])
        again.close()
      }
    }
  }

  @Test("a crash anywhere while an encrypted folder is made: it is made anew, or is there, and never in clear")
  func crashesOfCreation() throws {
    let whole = SimulatedDisk()
    try Self.open(whole).close()
    for operation in 0..<whole.operations {
      let disk = SimulatedDisk()
      disk.powerOff(before: operation)
      _ = try? Self.open(disk)
      disk.powerOff()
      let survivor = disk.survivor(seed: UInt64(operation))
      for name in Self.files {
        guard let bytes = try? survivor.content("\(Self.path)/\(name)"),
          let file = try? SealedKeyFile(decoding: bytes)
        else { continue }
        #expect(file.dataKey == 1, "before operation \(operation)")
      }
      let folder = try Self.open(survivor)
      #expect(try Self.dataKeys(survivor) == [1, 1] && folder.cipher.currentNumber == 1)
      folder.close()
    }
  }

  // MARK: Copies

  @Test("a copy is made without the key, and opens with it", arguments: [false, true])
  func copies(isRotated: Bool) throws {
    let disk = SimulatedDisk()
    try Encrypted.$key.withValue(Self.first) {
      let store = try StoreFixture.prepare(on: disk)
      let eva = try #require(try Self.seal("eva", Self.eva, in: store.folder))
      try Self.store(store.folder).destroy([Self.otto])
      var isDone = false
      _ = try Backup.copy(from: Self.path, to: "/backup", disk: disk) { _ in
        // While it is copied, once. The copy's keys are those of its beginning.
        guard isRotated, !isDone else { return }
        isDone = true
        try store.folder.rotateKeys()
        #expect(try store.folder.retireKeys() == [])
      }
      store.stop()
      let copy = try DataFolder.open("/backup", disk: disk, key: Self.first)
      #expect(try Self.text(eva, Self.eva, in: copy) == "eva" && Self.store(copy).isDestroyed(Self.otto))
      copy.close()
    }
  }

  @Test("a copy during which people were forgotten and the keys rotated has the keys of its beginning")
  func copiesOfChangingKeys() throws {
    let disk = SimulatedDisk()
    try Encrypted.$key.withValue(Self.first) {
      let store = try StoreFixture.prepare(on: disk)
      var isDone = false
      let otto = try #require(try Self.seal("otto", Self.otto, in: store.folder))
      _ = try Backup.copy(from: Self.path, to: "/backup", disk: disk) { _ in
        if isDone { return }
        isDone = true
        try Self.store(store.folder).destroy([Self.otto])
        try store.folder.rotateKeys()
      }
      #expect(isDone)
      store.stop()
      let copy = try DataFolder.open("/backup", disk: disk, key: Self.first)
      #expect(try Self.text(otto, Self.otto, in: copy) == "otto")
      copy.close()
    }
  }

  // MARK: Without a key again

  @Test("once everything is decrypted no key is needed, none is taken for one, and a new one encrypts it again")
  func released() throws {
    let disk = SimulatedDisk()
    var folder = try Self.open(disk)
    let eva = try #require(try Self.seal("eva", Self.eva, in: folder))
    #expect(try !folder.releaseMasterKey(), "it is encrypted")
    try folder.turnEncryptionOff()
    #expect(try !folder.releaseMasterKey(), "its data key is there")
    #expect(try folder.retireKeys() == [1])
    let signed = folder.manifest.encryption
    #expect(try folder.releaseMasterKey() && folder.cipher.isReleased)
    folder.close()
    for key in [nil, Self.second] {
      folder = try Self.open(disk, key)
      #expect(try Self.text(eva, Self.eva, in: folder) == "eva" && folder.cipher.currentNumber == 0)
      #expect(folder.warnings.isEmpty, "\(folder.warnings)")
      #expect(throws: EncryptionError.noMasterKey) { try folder.turnEncryptionOn(under: nil) }
      folder.close()
      #expect(try Self.store(try DataFolder.look(at: Self.path, disk: disk, key: key)).generation == 0)
    }
    folder = try Self.open(disk, nil)
    try folder.turnEncryptionOn(under: Self.second)
    #expect(folder.cipher.currentNumber == 2 && folder.cipher.masterID == Self.second.id)
    folder.close()
    let error = #expect(throws: FolderError.self) { try Self.open(disk, Self.first) }
    #expect(error?.description.contains("the key given is \(Self.first.id)") == true)
    folder = try Self.open(disk, Self.second)
    #expect(try Self.text(eva, Self.eva, in: folder) == "eva" && Self.dataKeys(disk) == [2, 2])
    #expect(folder.manifest.encryption != signed && folder.manifest.encryption != nil)
    folder.close()
  }

  @Test("a ring that anybody can open is not taken in the place of the folder's own")
  func forged() throws {
    let disk = SimulatedDisk()
    let folder = try Self.open(disk)
    let manifest = folder.manifest
    folder.close()
    var ring = KeyRing(folderID: manifest.folderID)
    ring.sequence = 9
    ring.current = 0
    for name in ["keyring", "keyring.copy"] {
      try disk.setContent("\(Self.path)/\(name)", ring.sealed(under: .released))
    }
    for key in [nil, Self.first] {
      let error = #expect(throws: FolderError.self) { try Self.open(disk, key) }
      #expect(error?.description.contains("the manifest is not the one") == true, "\(String(describing: error))")
    }
  }

  @Test("a change of the keys is known until it is recorded, also across a restart")
  func noted() throws {
    let disk = SimulatedDisk()
    var folder = try Self.open(disk)
    #expect(folder.unnotedKeyChange == nil, "a folder that was encrypted from its first record")
    try folder.rotateKeys(to: Self.second)
    folder.close()
    folder = try Self.open(disk, Self.second)
    let change = try #require(folder.unnotedKeyChange)
    #expect(change == EncryptionChanged(dataKey: 2, master: Self.second.id))
    try folder.rotateKeys()
    try folder.noteKeyChangeRecorded(change)
    #expect(folder.unnotedKeyChange?.dataKey == 3, "another one came meanwhile")
    try folder.noteKeyChangeRecorded(try #require(folder.unnotedKeyChange))
    folder.close()
    folder = try Self.open(disk, Self.second)
    #expect(folder.unnotedKeyChange == nil)
    folder.close()
    // One that is encrypted later.
    let clear = SimulatedDisk()
    try Self.open(clear, nil).close()
    folder = try Self.open(clear)
    #expect(folder.unnotedKeyChange?.dataKey == 1)
    folder.close()
  }
}
