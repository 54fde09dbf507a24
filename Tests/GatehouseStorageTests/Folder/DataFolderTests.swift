import Glibc
import Testing

@testable import GatehouseStorage

@Suite("Data folder", .inClearAndEncrypted)
struct DataFolderTests {
  @Test func isCreatedOnceAndOpenedAgain() throws {
    let temporary = TemporaryFolder()
    let path = temporary.path + "/data"
    let made = try FolderFixture.make(on: PosixDisk(), at: path, partitionCount: 8)
    #expect(made.isOwned)
    #expect(made.manifest.partitionCount == 8)
    made.close()
    let again = try DataFolder.open(path + "/", key: Encrypted.key)
    #expect(again.manifest == made.manifest)
    #expect(again.warnings.isEmpty)
    let ring: Set = Encrypted.key == nil ? [] : ["keyring", "keyring.copy"]
    #expect(
      try Set(again.disk.list(path))
        == ring.union(["manifest", "manifest.copy", "keys", "keys.copy", "lock", "log", "snapshots", "archive"]))
  }

  @Test func onlyTheOwnerHasPermissions() throws {
    let temporary = TemporaryFolder()
    let folder = try FolderFixture.make(on: PosixDisk(), at: temporary.path + "/data")
    func mode(_ path: String) -> mode_t {
      var status = stat()
      return stat(path, &status) == 0 ? status.st_mode & 0o777 : 0
    }
    for path in [folder.path, folder.logPath, folder.snapshotsPath, folder.archivePath] { #expect(mode(path) == 0o700) }
    let ring = Encrypted.key == nil ? [] : ["keyring", "keyring.copy"]
    for name in ring + ["manifest", "manifest.copy", "keys", "keys.copy", "lock"] {
      #expect(mode(folder.path + "/" + name) == 0o600)
    }
  }

  @Test func hasOneOwner() throws {
    let temporary = TemporaryFolder()
    let path = temporary.path + "/data"
    let owner = try FolderFixture.make(on: PosixDisk(), at: path)
    #expect(throws: FolderError.locked(path: path, holder: "process \(getpid())")) {
      try DataFolder.open(path, key: Encrypted.key)
    }
    let onlooker = try DataFolder.look(at: path, key: Encrypted.key)
    #expect(!onlooker.isOwned)
    #expect(onlooker.manifest == owner.manifest)
    owner.close()
    #expect(throws: Never.self) { try DataFolder.open(path, key: Encrypted.key) }
  }

  @Test func aMissingFolderIsCreatedOnlyOnRequest() throws {
    let disk = SimulatedDisk()
    #expect(throws: FolderError.missing(path: "/data")) { try DataFolder.open("/data", disk: disk, key: Encrypted.key) }
    #expect(throws: FolderError.missing(path: "/data")) {
      try DataFolder.look(at: "/data", disk: disk, key: Encrypted.key)
    }
    try disk.createDirectory("/data")
    #expect(throws: FolderError.missing(path: "/data")) { try DataFolder.open("/data", disk: disk, key: Encrypted.key) }
    _ = try FolderFixture.make(on: disk)
  }

  @Test func aForeignFolderIsLeftAlone() throws {
    let disk = SimulatedDisk()
    try disk.createDirectory("/data")
    try FolderFixture.write("hello", to: "/data/dump.rdb", on: disk)
    #expect(throws: FolderError.foreign(path: "/data", names: ["dump.rdb"])) { try FolderFixture.make(on: disk) }
    #expect(try disk.list("/data") == ["dump.rdb"])
  }

  @Test func aLogWithoutAManifestIsNotANewFolder() throws {
    let disk = SimulatedDisk()
    let folder = try FolderFixture.make(on: disk)
    try FolderFixture.write("frames", to: folder.logPath + "/00000000000000000001.log", on: disk)
    folder.close()
    try disk.remove("/data/manifest")
    try disk.remove("/data/manifest.copy")
    #expect(throws: FolderError.foreign(path: "/data", names: ["log/00000000000000000001.log"])) {
      try FolderFixture.make(on: disk)
    }
  }

  @Test func anotherProgramsManifestIsForeign() throws {
    let disk = SimulatedDisk()
    try disk.createDirectory("/data")
    try FolderFixture.write("{ \"name\": \"web app\" }", to: "/data/manifest", on: disk)
    #expect(throws: FolderError.foreign(path: "/data", names: ["manifest"])) { try FolderFixture.make(on: disk) }
  }

  @Test func aNewerFolderIsRefused() throws {
    let disk = SimulatedDisk()
    let folder = try FolderFixture.make(on: disk)
    folder.close()
    var newer = folder.manifest
    newer.format = 5
    newer.reader = 4
    try disk.replaceFile("/data/manifest", with: newer.encoded())
    #expect(throws: FolderError.newer(path: "/data", format: 5, reader: 4)) {
      try DataFolder.open("/data", disk: disk, key: Encrypted.key)
    }
  }

  /// The old version could not read the new format, and must notice that.
  @Test(arguments: [["manifest", "manifest.copy"], ["manifest"]])
  func aFolderOfAnEarlierVersionIsUpgraded(older names: [String]) throws {
    let disk = SimulatedDisk()
    let folder = try FolderFixture.make(on: disk)
    folder.close()
    var older = folder.manifest
    older.format = 1
    older.reader = 1
    for name in names { try disk.replaceFile("/data/" + name, with: older.encoded()) }
    let again = try DataFolder.open("/data", disk: disk, key: Encrypted.key)
    #expect(again.manifest == folder.manifest && again.warnings.isEmpty)
    again.close()
    for name in ["manifest", "manifest.copy"] {
      let manifest = try Manifest(decoding: disk.readFile("/data/" + name, limit: 1 << 16))
      #expect(manifest.format == 3 && manifest.reader == 3, "\(name)")
    }
  }

  @Test(arguments: ["manifest", "manifest.copy"])
  func eitherCopyOfTheManifestIsEnough(name: String) throws {
    let disk = SimulatedDisk()
    let folder = try FolderFixture.make(on: disk)
    folder.close()
    try FolderFixture.edit("/data/" + name, on: disk) { $0[40] ^= 1 }
    let again = try DataFolder.open("/data", disk: disk, key: Encrypted.key)
    #expect(again.manifest == folder.manifest)
    #expect(again.warnings.count == 1)
    again.close()
    #expect(try DataFolder.open("/data", disk: disk, key: Encrypted.key).warnings.isEmpty)
  }

  @Test func withoutEitherItIsRefused() throws {
    let disk = SimulatedDisk()
    try FolderFixture.make(on: disk).close()
    for name in ["manifest", "manifest.copy"] { try FolderFixture.edit("/data/" + name, on: disk) { $0.removeLast(3) } }
    do {
      _ = try FolderFixture.make(on: disk)
      Issue.record("opened")
    } catch {
      guard case .unreadable = error else {
        Issue.record("\(error)")
        return
      }
      #expect("\(error)".contains("backup"))
    }
  }

  @Test(arguments: [
    (EROFS, FolderError.readOnly(path: "/data")), (EACCES, .notPermitted(path: "/data")),
    (ENOSPC, .full(path: "/data")),
    (ENOTDIR, .notADirectory(path: "/data")),
  ])
  func aFailingCallIsNamedForWhatItMeans(code: Int32, expected: FolderError) throws {
    let disk = FaultyDisk(SimulatedDisk(), .init(call: 1, fault: .error(code)))
    #expect(throws: expected) { try FolderFixture.make(on: disk) }
  }

  @Test func aFileIsNotAFolder() throws {
    let disk = SimulatedDisk()
    try FolderFixture.write("text", to: "/data", on: disk)
    #expect(throws: FolderError.notADirectory(path: "/data")) { try FolderFixture.make(on: disk) }
  }

  /// Power may fail at any moment while a folder is created: creating can then be continued, or is complete.
  @Test func creatingSurvivesACrashAnywhere() throws {
    let whole = SimulatedDisk()
    try FolderFixture.make(on: whole).close()
    for operation in 0..<whole.operations {
      for seed in 0..<4 as Range<UInt64> {
        let disk = SimulatedDisk()
        disk.powerOff(before: operation)
        #expect(throws: FolderError.self) { try FolderFixture.make(on: disk) }
        let survivor = disk.survivor(seed: seed)
        let again = try FolderFixture.make(on: survivor, seed: 2)
        again.close()
        #expect(try DataFolder.open("/data", disk: survivor, key: Encrypted.key).manifest == again.manifest)
      }
    }
  }

  /// A folder that was opened once keeps its keys, whatever happens later.
  @Test func anOpenedFolderIsDurable() throws {
    for seed in 0..<16 as Range<UInt64> {
      let disk = SimulatedDisk()
      let manifest = try FolderFixture.make(on: disk).manifest
      disk.powerOff()
      #expect(try DataFolder.open("/data", disk: disk.survivor(seed: seed), key: Encrypted.key).manifest == manifest)
    }
  }

  @Test func afterAnyFailingCallCreatingCanBeContinued() throws {
    var call = 0
    while true {
      let base = SimulatedDisk()
      let disk = FaultyDisk(base, .init(call: call, fault: .error(EIO), forGood: true))
      if let made = try? FolderFixture.make(on: disk) {
        made.close()
        break
      }
      try FolderFixture.make(on: base).close()
      call += 1
    }
    #expect(call > 20)
  }
}
