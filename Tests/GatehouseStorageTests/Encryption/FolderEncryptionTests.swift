import Glibc
import Testing

@testable import GatehouseStorage

/// A data folder with encryption on: its keys, and what becomes of them.
@Suite("Encryption of a folder")
struct FolderEncryptionTests {
  static let first = Encrypted.testKey
  static let second = Encrypted.key(2)

  /// Runs a body whose fixtures use a key, or none.
  static func with<Result>(_ key: MasterKey?, _ body: () throws -> Result) rethrows -> Result {
    try Encrypted.$key.withValue(key) { try body() }
  }

  /// A store of 185 records with two snapshots, closed.
  static func prepared(_ key: MasterKey? = first, compacts: Bool = false) throws -> SimulatedDisk {
    let disk = SimulatedDisk()
    try with(key) {
      let store = try StoreFixture.prepare(on: disk)
      if compacts { _ = try store.compact() }
      store.stop()
    }
    return disk
  }

  static func files(of disk: SimulatedDisk) throws -> [String: [UInt8]] {
    var files: [String: [UInt8]] = [:]
    for folder in ["/data", "/data/log", "/data/snapshots", "/data/archive"] {
      for name in try disk.list(folder) {
        if let content = try? disk.content(folder + "/" + name) { files[folder + "/" + name] = content }
      }
    }
    return files
  }

  static func open(_ disk: any Disk, _ key: MasterKey?) throws -> DataFolder {
    try DataFolder.open(FolderFixture.path, disk: disk, key: key)
  }

  static func refusal(_ disk: any Disk, _ key: MasterKey?) -> EncryptionError? {
    do {
      try open(disk, key).close()
    } catch FolderError.encryption(_, let error) {
      return error
    } catch {
      Issue.record("\(error)")
    }
    return nil
  }

  // MARK: Keys that are wrong or missing

  @Test func aWrongOrMissingKeyIsNamedAndChangesNothing() throws {
    let disk = try Self.prepared(compacts: true)
    let before = try Self.files(of: disk)
    let wrong = try #require(Self.refusal(disk, Self.second))
    #expect(wrong == .wrongKey(given: Self.second.id, needed: Self.first.id))
    #expect(
      FolderError.encryption(path: "/data", wrong).description == """
        /data: the folder is encrypted under the key \(Self.first.id), and the key given is \(Self.second.id); nothing was \
        read or changed; give the other key (a backup needs the key that was in use when it was made)
        """)
    #expect(throws: FolderError.encryption(path: "/data", wrong)) {
      try DataFolder.look(at: FolderFixture.path, disk: disk, key: Self.second)
    }
    #expect(Self.refusal(disk, nil) == .keyNeeded(master: Self.first.id))
    var after = try Self.files(of: disk)
    // The lock file tells which process holds the folder.
    after["/data/lock"] = before["/data/lock"]
    #expect(after == before)
  }

  /// Nothing but the key ring tells what a key is for: its id and the text of an error never show the key.
  @Test func noKeyIsShown() throws {
    let key = Self.first
    #expect(key.id.count == 16 && !key.text.contains(key.id))
    #expect("\(key.secret) \(String(reflecting: key.secret))".contains("32 secret bytes"))
    var shown = ""
    dump(key, to: &shown)
    #expect(!shown.contains(key.text) && !shown.contains("\(Array(key.text.utf8))"))
    let text = try String(decoding: Self.prepared().content("/data/keyring"), as: UTF8.self)
    #expect(text.contains("master \(key.id)\n") && !text.contains(key.text))
  }

  @Test func aFolderIsCheckedAndCopiedWithoutItsKey() throws {
    let disk = try Self.prepared(compacts: true)
    let folder = try DataFolder.look(at: FolderFixture.path, disk: disk)
    #expect(folder.cipher.isLocked)
    let found = try Verification.run(folder)
    #expect(found.problems.isEmpty && found.lastLSN == 185 && found.snapshots.count == 2 && !found.archives.isEmpty)
    let open = try DataFolder.look(at: FolderFixture.path, disk: disk, key: Self.first)
    #expect(try Verification.run(open).head == found.head)
    #expect { try StoreFixture.hasWholeHistory(folder, through: 185) } throws: { error in
      "\(error)".contains("the folder is encrypted under the key \(Self.first.id); give it with --encryption-key-file")
    }
    _ = try Backup.copy(from: FolderFixture.path, to: "/copy", disk: disk)
    let copy = try DataFolder.look(at: "/copy", disk: disk, key: Self.first)
    #expect(try StoreFixture.hasWholeHistory(copy, through: 185))
    // To cut a frame, it has to be read.
    #expect(throws: (any Error).self) {
      try Restore.run(
        from: FolderFixture.path, to: "/cut", until: .lsn(183), disk: disk, keys: RecordFixture.keys)
    }
    #expect(!disk.exists("/cut"))
  }

  /// The chain is proved without the key: every change of a byte that is part of it is found.
  @Test func damageIsFoundWithoutTheKey() throws {
    let disk = try Self.prepared(compacts: true)
    let folder = try DataFolder.look(at: FolderFixture.path, disk: disk)
    for (path, content) in try Self.files(of: disk)
    where !path.hasSuffix("lock") && !path.contains("manifest") && !path.contains("keyring") {
      let used = content.withUnsafeBytes { $0.countWithoutTrailingZeros }
      for offset in stride(from: 0, to: used, by: 61) {
        var bytes = content
        bytes[offset] ^= 0x10
        try disk.setContent(path, bytes)
        #expect(try !Verification.run(folder).problems.isEmpty, "\(path) at \(offset)")
      }
      try disk.setContent(path, content)
    }
    #expect(try Verification.run(folder).problems.isEmpty)
  }

  // MARK: The key ring

  @Test(arguments: ["keyring", "keyring.copy"])
  func ofTwoRingsOneMayBeLostOrDamaged(name: String) throws {
    let disk = try Self.prepared()
    let path = "/data/" + name
    let sound = try disk.content(path)
    for damage in [nil, Array(sound.dropLast()), [], sound.map { $0 ^ 1 }] {
      if let damage { try disk.setContent(path, damage) } else { try disk.remove(path) }
      let folder = try Self.open(disk, Self.first)
      #expect(folder.warnings.count == 1 && folder.warnings[0].contains("keyring or its copy"))
      #expect(try StoreFixture.hasWholeHistory(folder, through: 185))
      folder.close()
      #expect(try disk.content("/data/keyring") == disk.content("/data/keyring.copy"))
      #expect(try Self.open(disk, Self.first).warnings.isEmpty)
    }
  }

  @Test func aDamagedRingIsNamedAndNotReplaced() throws {
    let disk = try Self.prepared()
    let sound = try disk.content("/data/keyring")
    for offset in stride(from: 0, to: sound.count, by: 7) {
      var bytes = sound
      bytes[offset] ^= 0x04
      for name in ["keyring", "keyring.copy"] { try disk.setContent("/data/" + name, bytes) }
      for key in [Self.first, Self.second, nil] {
        guard case .ringDamaged? = Self.refusal(disk, key) else {
          Issue.record("byte \(offset)")
          continue
        }
      }
      #expect(try disk.content("/data/keyring") == bytes && disk.content("/data/keyring.copy") == bytes)
    }
  }

  @Test func aLostRingIsNamedAndNotReplaced() throws {
    let disk = try Self.prepared()
    for name in ["keyring", "keyring.copy"] { try disk.remove("/data/" + name) }
    #expect(Self.refusal(disk, Self.first) == .ringLost("its manifest says so"))
    #expect(Self.refusal(disk, nil) == .ringLost("its manifest says so"))
    #expect(!disk.exists("/data/keyring"))
    // Even where the manifest does not tell, no new ring takes the place of the one that the files need.
    for name in ["manifest", "manifest.copy"] {
      var manifest = try Manifest(decoding: disk.content("/data/" + name))
      manifest.encryption = nil
      try disk.setContent("/data/" + name, manifest.encoded())
    }
    #expect(Self.refusal(disk, Self.second) == .ringLost("log/00000000000000000001.log is encrypted"))
    #expect(!disk.exists("/data/keyring"))
  }

  @Test func theRingOfAnotherFolderIsRefused() throws {
    let disk = try Self.prepared()
    let other = SimulatedDisk()
    try Self.with(Self.first) { try FolderFixture.make(on: other, seed: 9).close() }
    for name in ["keyring", "keyring.copy"] {
      try disk.setContent("/data/" + name, other.content("/data/" + name))
    }
    #expect(Self.refusal(disk, Self.first) == .ringForeign)
  }

  @Test func aManifestThatSomebodyChangedIsRefused() throws {
    let disk = try Self.prepared()
    for name in ["manifest", "manifest.copy"] {
      var manifest = try Manifest(decoding: disk.content("/data/" + name))
      manifest.secretKey = SecretBytes(Array(repeating: 7, count: 32))
      try disk.setContent("/data/" + name, manifest.encoded())
    }
    #expect(Self.refusal(disk, Self.first) == .manifestForged)
  }

  // MARK: What is hidden

  /// Random texts that compression cannot hide are in every file in clear, and in none if it is encrypted.
  @Test(arguments: [false, true])
  func noFileHasWhatWasWrittenInClear(isEncrypted: Bool) throws {
    let disk = SimulatedDisk()
    var secrets: [[UInt8]] = []
    try Self.with(isEncrypted ? Self.first : nil) {
      let folder = try FolderFixture.make(on: disk)
      var random = SplitMix64(seed: 77)
      func secret() -> [UInt8] {
        let text = (0..<24).map { _ in UInt8(truncatingIfNeeded: random.next()) }
        secrets.append(text)
        return text
      }
      let log = try folder.openLog(
        continuing: try Recovery.open(folder, log: StoreFixture.options).read { _, _ in }, keptFrom: 1,
        options: StoreFixture.options, isDriven: true)
      for round in 1...3 as ClosedRange<UInt64> {
        for _ in 0..<60 {
          var record = FieldWriter()
          record.put(RecordFixture.time(log.appendedLSN + 1))
          record.put(UInt8(1))
          record.put(contentsOf: secret())
          try log.append(record.bytes)
          if log.appendedLSN % 5 == 0 { _ = log.turn() }
        }
        _ = log.turn()
        log.tick()
        let snapshot = try SnapshotWriter(in: folder, createdAt: round)
        for owner in SnapshotFixture.owners(folder) {
          try (secret() + secret()).withUnsafeBytes { try snapshot.add(owner: owner, lsn: log.durableLSN, bytes: $0) }
        }
        _ = try snapshot.finish(durable: log.durableLSN)
      }
      let report = try StoreFixture.compactor(folder, through: log.durableLSN).compact()
      #expect(!report.archived.isEmpty)
      folder.closeLog(log)
      folder.close()
    }
    var found = 0
    for (_, content) in try Self.files(of: disk) {
      for secret in secrets where content.contains(secret.prefix(12)) { found += 1 }
    }
    #expect(isEncrypted ? found == 0 : found > secrets.count / 2)
  }

  // MARK: Folders that were in clear

  @Test func encryptionBeginsOnAFolderInClear() throws {
    let disk = try Self.prepared(nil, compacts: true)
    try Self.with(Self.first) {
      let store = try StoreFixture(on: disk)
      #expect(store.folder.warnings.contains { $0.contains("encrypted from now on") })
      let begun = try EncryptionSurvey(store.folder).files
      #expect(begun.filter { $0.name.hasPrefix("keys") }.map(\.keys) == [[1], [1]])
      #expect(begun.filter { $0.name.contains("/") && $0.keys.contains(0) }.count > 2)
      for _ in 0..<2 {
        try store.append(40)
        try store.snapshot()
      }
      #expect(try EncryptionSurvey(store.folder).keys == [0, 1])
      _ = try store.compact()
      // What was in the log is encrypted now; the archive made before is not.
      let survey = try EncryptionSurvey(store.folder)
      #expect(survey.files.filter { $0.keys.contains(0) }.allSatisfy { $0.name.hasPrefix("archive/") })
      #expect(try StoreFixture.hasWholeHistory(store.folder, through: 265))
      try Self.rewrite(store)
      #expect(try EncryptionSurvey(store.folder).keys == [1])
      #expect(try StoreFixture.hasWholeHistory(store.folder, through: 265))
      #expect(try Verification.run(store.folder).problems.isEmpty)
      store.stop()
    }
    let locked = try DataFolder.look(at: FolderFixture.path, disk: disk)
    #expect(try Verification.run(locked).problems.isEmpty)
  }

  /// Encrypts everything anew.
  static func rewrite(_ store: StoreFixture) throws {
    var options = CompactionOptions(now: RecordFixture.time(store.writer.durableLSN + 1))
    options.level = 3
    options.rewritesArchives = true
    _ = try Compactor(store.folder, options: options, keys: RecordFixture.keys).compact()
    try SnapshotCatalog(store.folder).rewrite(durable: store.writer.durableLSN)
  }

  @Test func encryptionEndsAndBeginsAgain() throws {
    let disk = try Self.prepared()
    try Self.with(Self.first) {
      let store = try StoreFixture(on: disk)
      try store.folder.turnEncryptionOff()
      #expect(store.folder.cipher.currentNumber == 0)
      try store.append(20)
      store.stop()
      let again = try StoreFixture(on: disk)
      // It stays off, though a key is given.
      #expect(again.folder.cipher.currentNumber == 0)
      try again.folder.turnEncryptionOn(under: nil)
      #expect(again.folder.cipher.currentNumber == 2)
      try again.append(20)
      #expect(try EncryptionSurvey(again.folder).keys == [0, 1, 2])
      #expect(try StoreFixture.hasWholeHistory(again.folder, through: 225))
      again.stop()
    }
  }

  // MARK: Other files

  @Test func smallFilesAreSealedForOnePurpose() throws {
    let disk = try Self.prepared()
    let folder = try Self.open(disk, Self.first)
    let text = Array("the keys of contacts".utf8)
    let sealed = folder.cipher.seal(text, purpose: "contact keys")
    #expect(sealed != folder.cipher.seal(text, purpose: "contact keys"))
    #expect(!sealed.contains(text) && sealed.count > text.count)
    try folder.rotateKeys()
    #expect(try folder.cipher.open(sealed, purpose: "contact keys") == text)
    #expect(throws: EncryptionError.notSealedHere("other keys")) {
      try folder.cipher.open(sealed, purpose: "other keys")
    }
    for offset in 8..<sealed.count {
      var changed = sealed
      changed[offset] ^= 1
      #expect(throws: EncryptionError.self) { try folder.cipher.open(changed, purpose: "contact keys") }
    }
    let locked = try DataFolder.look(at: FolderFixture.path, disk: disk)
    #expect(throws: EncryptionError.keyNeeded(master: Self.first.id)) {
      try locked.cipher.open(sealed, purpose: "contact keys")
    }
    let clear = FolderCipher()
    #expect(clear.seal(text, purpose: "contact keys") == text)
    #expect(try clear.open(text, purpose: "contact keys") == text)
  }
}
