import Glibc
import Testing

@testable import GatehouseStorage

/// Other keys for a folder, and backups beside and after that.
@Suite("Encryption of a folder: rotation and backups")
struct KeyRotationTests {
  @Test func aRotationKeepsTheOldAndUsesTheNewKeys() throws {
    let disk = try FolderEncryptionTests.prepared()
    try FolderEncryptionTests.with(FolderEncryptionTests.first) {
      let store = try StoreFixture(on: disk)
      #expect(try store.folder.rotateKeys(to: FolderEncryptionTests.second) == 2)
      // While it is used: what follows is encrypted with the new data key.
      store.writer.rotate()
      for _ in 0..<2 {
        try store.append(40)
        try store.snapshot()
      }
      #expect(try StoreFixture.hasWholeHistory(store.folder, through: 265))
      store.stop()
    }
    #expect(
      FolderEncryptionTests.refusal(disk, FolderEncryptionTests.first)
        == .wrongKey(given: FolderEncryptionTests.first.id, needed: FolderEncryptionTests.second.id))
    try FolderEncryptionTests.with(FolderEncryptionTests.second) {
      let store = try StoreFixture(on: disk)
      #expect(store.recovered == 265)
      #expect(try EncryptionSurvey(store.folder).keys == [1, 2])
      #expect(try store.folder.retireKeys().isEmpty)
      _ = try store.compact()
      try FolderEncryptionTests.rewrite(store)
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
    let whole = try FolderEncryptionTests.prepared()
    let first = whole.operations
    let owner = try FolderEncryptionTests.open(whole, FolderEncryptionTests.first)
    let opened = whole.operations
    try owner.rotateKeys(to: FolderEncryptionTests.second)
    owner.close()
    #expect(whole.operations - opened >= 8 && opened >= first)
    for operation in opened...whole.operations {
      for seed in 0..<4 as Range<UInt64> {
        let disk = try FolderEncryptionTests.prepared()
        let folder = try FolderEncryptionTests.open(disk, FolderEncryptionTests.first)
        disk.powerOff(before: operation)
        let isDone = (try? folder.rotateKeys(to: FolderEncryptionTests.second)) != nil
        disk.powerOff()
        let survivor = disk.survivor(seed: seed)
        let refused = FolderEncryptionTests.refusal(survivor, FolderEncryptionTests.first)
        if isDone {
          #expect(refused == .wrongKey(given: FolderEncryptionTests.first.id, needed: FolderEncryptionTests.second.id))
        }
        let key = refused == nil ? FolderEncryptionTests.first : FolderEncryptionTests.second
        let again = try FolderEncryptionTests.open(survivor, key)
        #expect(try StoreFixture.hasWholeHistory(again, through: 185), "operation \(operation), seed \(seed)")
        again.close()
        #expect(try FolderEncryptionTests.open(survivor, key).warnings.isEmpty)
      }
    }
  }

  @Test func aRotationThatFailsLeavesTheKeysInUse() throws {
    var call = 0
    while true {
      let disk = try FolderEncryptionTests.prepared()
      let faulty = FaultyDisk(disk)
      let folder = try FolderEncryptionTests.open(faulty, FolderEncryptionTests.first)
      faulty.arm(.init(call: call, fault: .error(EIO)))
      if (try? folder.rotateKeys(to: FolderEncryptionTests.second)) != nil { break }
      faulty.arm(nil)
      // All that may fail once the ring is changed is sealing the keys of people anew: they stay as they were.
      let isChanged = folder.cipher.currentNumber == 2
      #expect(folder.cipher.masterID == (isChanged ? FolderEncryptionTests.second.id : FolderEncryptionTests.first.id))
      #expect(try folder.retireKeys() == [])
      // Tried again, it succeeds, and its ring is younger than what the failed attempt may have left.
      #expect(try folder.rotateKeys(to: FolderEncryptionTests.second) == (isChanged ? 3 : 2))
      folder.close()
      #expect(
        try StoreFixture.hasWholeHistory(FolderEncryptionTests.open(disk, FolderEncryptionTests.second), through: 185),
        "call \(call)")
      call += 1
    }
    #expect(call > 5)
  }

  /// The older of two rings opens with the old key; but the younger one may have keys that files need.
  @Test func anOldRingDoesNotReplaceANewOne() throws {
    let disk = try FolderEncryptionTests.prepared()
    let old = try disk.content("/data/keyring")
    try FolderEncryptionTests.with(FolderEncryptionTests.first) {
      let store = try StoreFixture(on: disk)
      try store.folder.rotateKeys(to: FolderEncryptionTests.second)
      try store.append(20)
      store.stop()
    }
    try disk.setContent("/data/keyring", old)
    #expect(
      FolderEncryptionTests.refusal(disk, FolderEncryptionTests.first)
        == .wrongKey(given: FolderEncryptionTests.first.id, needed: FolderEncryptionTests.second.id))
    #expect(
      try StoreFixture.hasWholeHistory(FolderEncryptionTests.open(disk, FolderEncryptionTests.second), through: 205))
  }

  // MARK: Backups

  /// What a rotation meanwhile leaves of the keys that a backup has begun with.
  enum Meanwhile: CaseIterable {
    case rotated, rewritten, rewrittenUnderAnotherMaster
  }

  /// While a folder is copied, its keys are changed, and everything is encrypted anew.
  @Test(arguments: Meanwhile.allCases, [CopyProgress.Part.snapshots, .log, .archive])
  func aBackupBesideARotationHasItsKeys(_ meanwhile: Meanwhile, _ part: CopyProgress.Part) throws {
    for key in [FolderEncryptionTests.first, nil] {
      let disk = try FolderEncryptionTests.prepared(compacts: true)
      try FolderEncryptionTests.with(FolderEncryptionTests.first) {
        let store = try StoreFixture(on: disk)
        var isDue = true
        func change(_ progress: CopyProgress) throws {
          guard isDue, progress.part == part else { return }
          isDue = false
          try store.folder.rotateKeys(
            to: meanwhile == .rewrittenUnderAnotherMaster ? FolderEncryptionTests.second : nil)
          store.writer.rotate()
          for _ in 0..<2 {
            try store.append(20)
            try store.snapshot()
          }
          if meanwhile == .rotated { return }
          _ = try store.compact()
          try FolderEncryptionTests.rewrite(store)
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
        at: "/copy", disk: disk,
        key: ring.master == FolderEncryptionTests.first.id ? FolderEncryptionTests.first : FolderEncryptionTests.second)
      #expect(try Verification.run(copy).problems.isEmpty)
      #expect(try StoreFixture.hasWholeHistory(copy, through: 185))
    }
  }

  /// Whoever reads a folder that somebody else writes finds what is encrypted with keys that were begun since, and what
  /// they have begun to read.
  @Test func aReaderFollowsRotations() throws {
    let disk = try FolderEncryptionTests.prepared(compacts: true)
    try FolderEncryptionTests.with(FolderEncryptionTests.first) {
      let store = try StoreFixture(on: disk)
      let reader = try DataFolder.look(at: FolderFixture.path, disk: disk, key: FolderEncryptionTests.first)
      #expect(try StoreFixture.hasWholeHistory(reader, through: 185))
      try store.folder.rotateKeys()
      store.writer.rotate()
      for _ in 0..<2 {
        try store.append(20)
        try store.snapshot()
      }
      _ = try store.compact()
      try FolderEncryptionTests.rewrite(store)
      #expect(try store.folder.retireKeys() == [1])
      #expect(try StoreFixture.hasWholeHistory(reader, through: 225))
      #expect(try reader.cipher.key(1).secret != nil)
      store.stop()
    }
  }

  @Test func aRestoredBackupGoesOnWithOtherKeysForItsFrames() throws {
    let disk = try FolderEncryptionTests.prepared()
    _ = try Backup.copy(from: FolderFixture.path, to: "/backup", disk: disk, key: FolderEncryptionTests.first)
    _ = try Restore.run(
      from: "/backup", to: "/restored", disk: disk, key: FolderEncryptionTests.first, keys: RecordFixture.keys)
    var frames: [[UInt8]] = []
    try FolderEncryptionTests.with(FolderEncryptionTests.first) {
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
    let disk = try FolderEncryptionTests.prepared(compacts: true)
    _ = try Restore.run(
      from: FolderFixture.path, to: "/cut", until: .lsn(last), disk: disk, key: FolderEncryptionTests.first,
      keys: RecordFixture.keys)
    let folder = try DataFolder.look(at: "/cut", disk: disk, key: FolderEncryptionTests.first)
    #expect(try StoreFixture.hasWholeHistory(folder, through: last))
    #expect(try !EncryptionSurvey(folder).keys.contains(0))
  }
}
