import GatehouseCore
import Testing

@testable import GatehouseStorage

/// The key store of a folder: sealing, destroying, and what damage to its files does.
@Suite struct KeyStoreTests {
  private let place = TemporaryFolder()
  private var path: String { place.path + "/data" }

  private func open() throws -> DataFolder {
    try DataFolder.open(path, create: FolderParameters(partitionCount: 4, createdAt: 1))
  }

  private func store(_ folder: DataFolder) throws -> KeyStore { try #require(folder.keys) }

  private func sealed(_ text: String, _ key: SealKey, _ store: KeyStore, bound: String = "b") -> ContiguousArray<UInt8>?
  {
    var writer = ByteWriter()
    let isSealed = Array(text.utf8).withUnsafeBytes { plain in
      Array(bound.utf8).withUnsafeBytes { store.seal(plain, under: .one(key), bound: $0, into: &writer) }
    }
    return isSealed ? writer.bytes : nil
  }

  private func opened(
    _ bytes: ContiguousArray<UInt8>, _ keys: SealedUnder, _ store: KeyStore, bound: String = "b"
  ) throws -> String? {
    var writer = ByteWriter()
    let isOpen = try bytes.withUnsafeBytes { sealed in
      try Array(bound.utf8).withUnsafeBytes { try store.open(sealed, under: keys, bound: $0, into: &writer) }
    }
    return isOpen ? String(decoding: writer.bytes, as: UTF8.self) : nil
  }

  private static let eva = SealKey.user(UserID(raw: 4 * 17 + 2))
  private static let otto = SealKey.user(UserID(raw: 4 * 18 + 2))

  @Test("sealed texts are opened after a restart, under their key and for what they are bound to only")
  func sealing() throws {
    var folder = try open()
    let bytes = try #require(sealed("eva@acme.test", Self.eva, try store(folder)))
    #expect(bytes.count == 13 + KeyStore.overhead)
    #expect(sealed("eva@acme.test", Self.eva, try store(folder)) == bytes, "equal texts are not sealed equally")
    folder.close()
    folder = try open()
    let keys = try store(folder)
    #expect(try opened(bytes, .one(Self.eva), keys) == "eva@acme.test")
    #expect(throws: CodingError.self) { try opened(bytes, .one(Self.otto), keys) }
    #expect(throws: CodingError.self) { try opened(bytes, .one(Self.eva), keys, bound: "c") }
    for place in bytes.indices {
      var changed = bytes
      changed[place] ^= 1
      #expect(throws: CodingError.self) { try opened(changed, .one(Self.eva), keys) }
    }
    #expect(throws: CodingError.self) { try opened([1, 2], .one(Self.eva), keys) }
  }

  @Test("two texts of a person, or bound to two things, have two nonces") func nonces() throws {
    let folder = try open()
    let keys = try store(folder)
    var seen: Set<ContiguousArray<UInt8>> = []
    for text in ["", "a", "b", "ab"] {
      for bound in ["", "a", "b", "ba"] {
        let bytes = try #require(sealed(text, Self.eva, keys, bound: bound))
        #expect(seen.insert(ContiguousArray(bytes.prefix(12))).inserted, "\(text) bound to \(bound)")
      }
    }
  }

  @Test("a destroyed key opens and seals nothing, also after a restart; others are as before") func destroying() throws
  {
    var folder = try open()
    var keys = try store(folder)
    let eva = try #require(sealed("eva", Self.eva, keys))
    let otto = try #require(sealed("otto", Self.otto, keys))
    #expect(try keys.destroy([Self.eva]) == 1)
    #expect(try keys.destroy([Self.eva]) == 1, "it was destroyed twice")
    for _ in 0..<2 {
      #expect(try opened(eva, .one(Self.eva), keys) == nil)
      #expect(sealed("eva", Self.eva, keys) == nil)
      #expect(keys.isDestroyed(Self.eva) && !keys.isDestroyed(Self.otto))
      #expect(try opened(otto, .one(Self.otto), keys) == "otto")
      #expect(keys.destroyed(.user, of: 2, through: 30) == [17])
      #expect(keys.destroyed(.user, of: 2, through: 16) == [])
      #expect(keys.destroyed(.contact, of: 2, through: 30) == [])
      folder.close()
      folder = try open()
      keys = try store(folder)
      #expect(keys.generation == 1)
    }
  }

  @Test("what is about several people is gone with the first of them") func several() throws {
    let folder = try open()
    let keys = try store(folder)
    var writer = ByteWriter()
    let both = SealedUnder.all([Self.eva, Self.otto])
    let isSealed = Array("both".utf8).withUnsafeBytes { plain in
      Array("b".utf8).withUnsafeBytes { keys.seal(plain, under: both, bound: $0, into: &writer) }
    }
    #expect(isSealed)
    #expect(try opened(writer.bytes, both, keys) == "both")
    #expect(throws: CodingError.self) { try opened(writer.bytes, .one(Self.eva), keys) }
    try keys.destroy([Self.otto])
    #expect(try opened(writer.bytes, both, keys) == nil)
  }

  @Test("the keys of answers go by the day") func days() throws {
    let folder = try open()
    let keys = try store(folder)
    let day: Milliseconds = 86_400_000
    try keys.destroyAnswers(through: KeyStore.oldAnswers(at: 20_001 * day, era: 0))
    #expect(keys.isDestroyed(.answers(until: 19_999 * day)) && keys.isDestroyed(.answers(until: 0)))
    #expect(!keys.isDestroyed(.answers(until: 20_000 * day)))
    #expect(keys.generation == 1)
    try keys.destroyAnswers(through: KeyStore.oldAnswers(at: 20_001 * day, era: 0))
    #expect(keys.generation == 1)
    // After the clock was set back, the days that come again have keys, and those of before are all destroyed.
    try keys.destroyAnswers(through: KeyStore.oldAnswers(at: 19_500 * day, era: 1))
    #expect(!keys.isDestroyed(.answers(until: 19_500 * day, era: 1)))
    #expect(keys.isDestroyed(.answers(until: 19_498 * day, era: 1)))
    #expect(keys.isDestroyed(.answers(until: 20_000 * day)) && keys.isDestroyed(.answers(until: 30_000 * day)))
  }

  @Test("an older log beside the keys of today: days that come again get new keys, and no others do")
  func daysThatComeAgain() throws {
    let folder = try open()
    let keys = try store(folder)
    let day: Milliseconds = 86_400_000
    var restored = Restoration(folder)
    restored.newestTime = 19_990 * day
    // A server that ran on without a record has destroyed what it should.
    try keys.destroyAnswers(through: KeyStore.oldAnswers(at: 20_000 * day, era: 0))
    #expect(try !restored.renewKeys(at: 20_000 * day))
    #expect(keys.isDestroyed(.answers(until: 19_998 * day)))
    // The clock was set back since, of which the older log does not know.
    try keys.destroyAnswers(through: KeyStore.oldAnswers(at: 19_900 * day, era: 1))
    #expect(keys.isDestroyed(.answers(until: 20_001 * day)))
    #expect(try restored.renewKeys(at: 20_000 * day))
    #expect(!keys.isDestroyed(.answers(until: 20_001 * day)) && !keys.isDestroyed(.answers(until: 19_999 * day)))
    #expect(keys.isDestroyed(.answers(until: 19_998 * day)), "records may be sealed under it")
    #expect(try !restored.renewKeys(at: 20_000 * day))
    // A clock that was ahead of the newest record while the keys were destroyed.
    try keys.destroyAnswers(through: KeyStore.oldAnswers(at: 21_000 * day, era: 0))
    #expect(try restored.renewKeys(at: 19_990 * day))
    #expect(keys.isDestroyed(.answers(until: 19_991 * day)) && !keys.isDestroyed(.answers(until: 19_992 * day)))
  }

  // MARK: Damage

  private static let files = ["keys", "keys.copy"]

  private func bytes(_ name: String) throws -> [UInt8] { try PosixDisk().readFile(DiskPath.join(path, name)) }

  private func write(_ bytes: [UInt8], _ name: String) throws {
    try PosixDisk().replaceFile(DiskPath.join(path, name), with: bytes)
  }

  @Test("a copy that is missing, cut off or changed is written anew from the other", arguments: files)
  func oneCopy(_ name: String) throws {
    let folder = try open()
    try store(folder).destroy([Self.eva])
    folder.close()
    let whole = try bytes(name)
    var flipped = whole
    flipped[whole.count / 2] ^= 4
    for damaged in [nil, [], Array(whole.dropLast()), Array(whole.prefix(20)), flipped] {
      if let damaged { try write(damaged, name) } else { try PosixDisk().remove(DiskPath.join(path, name)) }
      let folder = try open()
      defer { folder.close() }
      #expect(folder.warnings.contains { $0.hasPrefix("\(name) could not be used (") }, "\(folder.warnings)")
      #expect(try bytes(name) == whole)
      #expect(try store(folder).isDestroyed(Self.eva))
    }
  }

  @Test("without either copy the folder is refused, and says what to do") func bothCopies() throws {
    try open().close()
    let whole = try bytes("keys")
    for damaged in [nil, [], Array(whole.dropLast()), [7] + whole] {
      for name in Self.files {
        if let damaged { try write(damaged, name) } else { try PosixDisk().remove(DiskPath.join(path, name)) }
      }
      let error = #expect(throws: FolderError.self) { try open() }
      let text = error?.description ?? ""
      #expect(text.contains("the key store cannot be used (keys: ") && text.contains("from a backup"), "\(text)")
      // Who only reads gets what is not sealed.
      let seen = try DataFolder.look(at: path)
      #expect(seen.keys == nil && seen.warnings.contains { $0.contains("the key store cannot be used") })
    }
    try write(whole, "keys.copy")
    try open().close()
  }

  @Test("every flipped bit of a file is noticed") func everyByte() throws {
    let folder = try open()
    try store(folder).destroy([Self.eva])
    folder.close()
    let whole = try bytes("keys")
    for place in whole.indices {
      var changed = whole
      changed[place] ^= 0x10
      #expect(throws: KeyFile.Fault.self) { try SealedKeyFile(decoding: changed) }
    }
    for length in whole.indices {
      #expect(throws: KeyFile.Fault.self) { try SealedKeyFile(decoding: Array(whole.prefix(length))) }
    }
  }

  @Test("another folder's store is not taken") func strangers() throws {
    try open().close()
    let other = try DataFolder.open(
      place.path + "/other", create: FolderParameters(partitionCount: 4, createdAt: 1))
    other.close()
    for name in Self.files {
      try write(try PosixDisk().readFile(DiskPath.join(place.path + "/other", name)), name)
    }
    let error = #expect(throws: FolderError.self) { try open() }
    #expect(error?.description.contains("it belongs to another folder") == true)
  }

  @Test("after a crash between the two copies, the newer one counts") func between() throws {
    let folder = try open()
    let old = try bytes("keys")
    try store(folder).destroy([Self.eva])
    folder.close()
    for name in Self.files {
      try write(old, name)
      let folder = try open()
      #expect(try store(folder).isDestroyed(Self.eva))
      folder.close()
      #expect(try bytes(name) != old)
    }
  }

  @Test("a folder of an earlier version gets a store, and its manifest says which") func earlierVersion() throws {
    try open().close()
    for name in Self.files { try PosixDisk().remove(DiskPath.join(path, name)) }
    for name in ["manifest", "manifest.copy"] {
      var manifest = try Manifest(decoding: try bytes(name))
      manifest.keyStore = nil
      (manifest.format, manifest.reader) = (2, 2)
      try write(manifest.encoded(), name)
    }
    let folder = try open()
    let id = try store(folder).id
    folder.close()
    let manifest = try Manifest(decoding: try bytes("manifest"))
    #expect(manifest.keyStore == id && manifest.reader == Manifest.currentReader)
  }
}
