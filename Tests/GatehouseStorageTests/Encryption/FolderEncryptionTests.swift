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
  private static func rewrite(_ store: StoreFixture) throws {
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

  // MARK: Rotation

  @Test func aRotationKeepsTheOldAndUsesTheNewKeys() throws {
    let disk = try Self.prepared()
    try Self.with(Self.first) {
      let store = try StoreFixture(on: disk)
      #expect(try store.folder.rotateKeys(to: Self.second) == 2)
      // While it is used: what follows is encrypted with the new data key.
      store.writer.rotate()
      for _ in 0..<2 {
        try store.append(40)
        try store.snapshot()
      }
      #expect(try StoreFixture.hasWholeHistory(store.folder, through: 265))
      store.stop()
    }
    #expect(Self.refusal(disk, Self.first) == .wrongKey(given: Self.first.id, needed: Self.second.id))
    try Self.with(Self.second) {
      let store = try StoreFixture(on: disk)
      #expect(store.recovered == 265)
      #expect(try EncryptionSurvey(store.folder).keys == [1, 2])
      #expect(try store.folder.retireKeys().isEmpty)
      _ = try store.compact()
      try Self.rewrite(store)
      store.writer.rotate()
      try store.append(5)
      #expect(try EncryptionSurvey(store.folder).keys == [2])
      #expect(try store.folder.retireKeys() == [1])
      // The chain of what was encrypted with the retired key is still proved.
      #expect(try StoreFixture.hasWholeHistory(store.folder, through: 270))
      #expect(ChainWalk.run(store.folder, from: 1, through: 270).problem == nil)
      store.stop()
      #expect(try StoreFixture(on: disk).recovered == 270)
    }
  }

  /// Power fails before any operation of a rotation: the folder opens with the old key or with the new one, and has
  /// everything.
  @Test func aRotationSurvivesACrashAnywhere() throws {
    let whole = try Self.prepared()
    let first = whole.operations
    let owner = try Self.open(whole, Self.first)
    let opened = whole.operations
    try owner.rotateKeys(to: Self.second)
    owner.close()
    #expect(whole.operations - opened >= 8 && opened >= first)
    for operation in opened...whole.operations {
      for seed in 0..<4 as Range<UInt64> {
        let disk = try Self.prepared()
        let folder = try Self.open(disk, Self.first)
        disk.powerOff(before: operation)
        let isDone = (try? folder.rotateKeys(to: Self.second)) != nil
        disk.powerOff()
        let survivor = disk.survivor(seed: seed)
        let refused = Self.refusal(survivor, Self.first)
        if isDone { #expect(refused == .wrongKey(given: Self.first.id, needed: Self.second.id)) }
        let key = refused == nil ? Self.first : Self.second
        let again = try Self.open(survivor, key)
        #expect(try StoreFixture.hasWholeHistory(again, through: 185), "operation \(operation), seed \(seed)")
        again.close()
        #expect(try Self.open(survivor, key).warnings.isEmpty)
      }
    }
  }

  @Test func aRotationThatFailsLeavesTheKeysInUse() throws {
    var call = 0
    while true {
      let disk = try Self.prepared()
      let faulty = FaultyDisk(disk)
      let folder = try Self.open(faulty, Self.first)
      faulty.arm(.init(call: call, fault: .error(EIO)))
      if (try? folder.rotateKeys(to: Self.second)) != nil { break }
      faulty.arm(nil)
      // All that may fail once the ring is changed is sealing the keys of people anew: they stay as they were.
      let isChanged = folder.cipher.currentNumber == 2
      #expect(folder.cipher.masterID == (isChanged ? Self.second.id : Self.first.id))
      #expect(try folder.retireKeys() == [])
      // Tried again, it succeeds, and its ring is younger than what the failed attempt may have left.
      #expect(try folder.rotateKeys(to: Self.second) == (isChanged ? 3 : 2))
      folder.close()
      #expect(try StoreFixture.hasWholeHistory(Self.open(disk, Self.second), through: 185), "call \(call)")
      call += 1
    }
    #expect(call > 5)
  }

  /// The older of two rings opens with the old key; but the younger one may have keys that files need.
  @Test func anOldRingDoesNotReplaceANewOne() throws {
    let disk = try Self.prepared()
    let old = try disk.content("/data/keyring")
    try Self.with(Self.first) {
      let store = try StoreFixture(on: disk)
      try store.folder.rotateKeys(to: Self.second)
      try store.append(20)
      store.stop()
    }
    try disk.setContent("/data/keyring", old)
    #expect(Self.refusal(disk, Self.first) == .wrongKey(given: Self.first.id, needed: Self.second.id))
    #expect(try StoreFixture.hasWholeHistory(Self.open(disk, Self.second), through: 205))
  }

  // MARK: Backups

  /// What a rotation meanwhile leaves of the keys that a backup has begun with.
  enum Meanwhile: CaseIterable {
    case rotated, rewritten, rewrittenUnderAnotherMaster
  }

  /// While a folder is copied, its keys are changed, and everything is encrypted anew.
  @Test(arguments: Meanwhile.allCases, [CopyProgress.Part.snapshots, .log, .archive])
  func aBackupBesideARotationHasItsKeys(_ meanwhile: Meanwhile, _ part: CopyProgress.Part) throws {
    for key in [Self.first, nil] {
      let disk = try Self.prepared(compacts: true)
      try Self.with(Self.first) {
        let store = try StoreFixture(on: disk)
        var isDue = true
        func change(_ progress: CopyProgress) throws {
          guard isDue, progress.part == part else { return }
          isDue = false
          try store.folder.rotateKeys(to: meanwhile == .rewrittenUnderAnotherMaster ? Self.second : nil)
          store.writer.rotate()
          for _ in 0..<2 {
            try store.append(20)
            try store.snapshot()
          }
          if meanwhile == .rotated { return }
          _ = try store.compact()
          try Self.rewrite(store)
          #expect(try store.folder.retireKeys() == [1])
        }
        do {
          let report = try Backup.copy(from: FolderFixture.path, to: "/copy", disk: disk, key: key, progress: change)
          #expect(report.lastLSN >= 185)
        } catch CopyError.keysChanged(let numbers) {
          // With the key, only another master key can hide the new ones.
          #expect(numbers == [1, 2] && meanwhile != .rotated)
          #expect(key == nil || meanwhile == .rewrittenUnderAnotherMaster, "the keys were at hand")
          #expect(!disk.exists("/copy") && !disk.exists("/copy.partial"))
          return store.stop()
        }
        #expect(!isDue)
        store.stop()
      }
      if !disk.exists("/copy") { continue }
      let ring = try #require(try DataFolder.look(at: "/copy", disk: disk).ringFacts())
      let copy = try DataFolder.look(
        at: "/copy", disk: disk, key: ring.master == Self.first.id ? Self.first : Self.second)
      #expect(try Verification.run(copy).problems.isEmpty)
      #expect(try StoreFixture.hasWholeHistory(copy, through: 185))
    }
  }

  /// Whoever reads a folder that somebody else writes finds what is encrypted with keys that were begun since, and what
  /// they have begun to read.
  @Test func aReaderFollowsRotations() throws {
    let disk = try Self.prepared(compacts: true)
    try Self.with(Self.first) {
      let store = try StoreFixture(on: disk)
      let reader = try DataFolder.look(at: FolderFixture.path, disk: disk, key: Self.first)
      #expect(try StoreFixture.hasWholeHistory(reader, through: 185))
      try store.folder.rotateKeys()
      store.writer.rotate()
      for _ in 0..<2 {
        try store.append(20)
        try store.snapshot()
      }
      _ = try store.compact()
      try Self.rewrite(store)
      #expect(try store.folder.retireKeys() == [1])
      #expect(try StoreFixture.hasWholeHistory(reader, through: 225))
      #expect(try reader.cipher.key(1).secret != nil)
      store.stop()
    }
  }

  @Test func aRestoredBackupGoesOnWithOtherKeysForItsFrames() throws {
    let disk = try Self.prepared()
    _ = try Backup.copy(from: FolderFixture.path, to: "/backup", disk: disk, key: Self.first)
    _ = try Restore.run(
      from: "/backup", to: "/restored", disk: disk, key: Self.first, keys: RecordFixture.keys)
    var frames: [[UInt8]] = []
    try Self.with(Self.first) {
      for path in [FolderFixture.path, "/restored"] {
        let store = try StoreFixture(on: disk, at: path)
        #expect(store.recovered == 185)
        try store.append(4)
        try LogReader(store.folder.logLocation).frames(from: 186, through: 189) { frame in
          #expect(frame.header.isEncrypted && frame.header.firstLSN == 186)
          frames.append([UInt8](copying: frame.bytes))
          return true
        }
        store.stop()
      }
    }
    // The same records at the same place: the same header but for the stored body's hash, and another salt.
    let body = LogFormat.headerSize
    #expect(frames[0][..<64] == frames[1][..<64] && frames[0][80..<96] == frames[1][80..<96])
    #expect(frames[0][body..<body + 16] != frames[1][body..<body + 16])
    #expect(frames[0][(body + 16)...] != frames[1][(body + 16)...])
  }

  @Test(arguments: [183, 100] as [UInt64])
  func aRestoreCutsEncryptedFrames(last: UInt64) throws {
    let disk = try Self.prepared(compacts: true)
    _ = try Restore.run(
      from: FolderFixture.path, to: "/cut", until: .lsn(last), disk: disk, key: Self.first, keys: RecordFixture.keys)
    let folder = try DataFolder.look(at: "/cut", disk: disk, key: Self.first)
    #expect(try StoreFixture.hasWholeHistory(folder, through: last))
    #expect(try !EncryptionSurvey(folder).keys.contains(0))
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
