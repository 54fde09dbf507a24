import Glibc
import Testing

@testable import GatehouseStorage

/// A folder has one owner, even if somebody removes its files.
@Suite struct FolderLockTests {
  @Test(arguments: [
    ["lock"], ["manifest"], ["manifest.copy"], ["lock", "manifest"], ["lock", "manifest", "manifest.copy"],
  ])
  func noFileThatIsRemovedTakesTheLockWithIt(names: [String]) throws {
    let temporary = TemporaryFolder()
    let path = temporary.path + "/data"
    let owner = try FolderFixture.make(on: PosixDisk(), at: path)
    for name in names { try PosixDisk().remove(path + "/" + name) }
    let error = #expect(throws: FolderError.self) { try DataFolder.open(path, create: .init(createdAt: 1)) }
    guard case .locked(path, _) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    owner.close()
  }

  /// Network file systems may lock files but not folders.
  @Test(arguments: [EBADF, EINVAL, ENOTSUP])
  func ifFoldersCannotBeLockedTheManifestIs(code: Int32) throws {
    let disk = SimulatedDisk()
    let unlocking = FolderlessLocks(disk, code)
    let owner = try FolderFixture.make(on: unlocking)
    try disk.remove("/data/lock")
    #expect(throws: FolderError.locked(path: "/data", holder: "process \(getpid())")) {
      try DataFolder.open("/data", disk: unlocking)
    }
    owner.close()
    #expect(throws: Never.self) { try DataFolder.open("/data", disk: unlocking).close() }
  }

  @Test func aFullDiskDoesNotKeepTheOwnerOut() throws {
    let disk = SimulatedDisk()
    try FolderFixture.make(on: disk).close()
    let faulty = FaultyDisk(disk, .init(call: 0, fault: .error(ENOSPC), kinds: ["pwrite"]))
    #expect(try DataFolder.open("/data", disk: faulty).isOwned)
    #expect(faulty.failures == 1)
  }

  @Test func lostAndFoundIsNotForeign() throws {
    let disk = SimulatedDisk()
    try disk.createDirectory("/data")
    try disk.createDirectory("/data/lost+found")
    let folder = try FolderFixture.make(on: disk)
    for subfolder in [folder.logPath, folder.snapshotsPath, folder.archivePath] {
      try disk.createDirectory(subfolder + "/lost+found")
    }
    folder.close()
    let store = try StoreFixture(on: disk)
    try store.append(3)
    store.stop()
    let report = try Verification.run(try DataFolder.look(at: "/data", disk: disk))
    #expect(report.problems == [])
  }

  @Test(arguments: [(0o700, false), (0o750, true), (0o755, true), (0o777, true)] as [(mode_t, Bool)])
  func aFolderReadableByOthersCausesAWarning(mode: mode_t, isTold: Bool) throws {
    let temporary = TemporaryFolder()
    let path = temporary.path + "/data"
    try FolderFixture.make(on: PosixDisk(), at: path).close()
    chmod(path, mode)
    let warnings = try DataFolder.open(path).warnings
    #expect(warnings.contains { $0.contains("mode \(String(mode, radix: 8))") && $0.contains("chmod") } == isTold)
  }

  /// An unreadable manifest may be intact: that is a failing disk, not a damaged folder.
  @Test func anUnreadableManifestIsADiskFailure() throws {
    let disk = SimulatedDisk()
    try FolderFixture.make(on: disk).close()
    let faulty = FaultyDisk(disk, .init(call: 0, fault: .error(EIO), forGood: true, kinds: ["pread"]))
    let error = #expect(throws: FolderError.self) { try DataFolder.open("/data", disk: faulty) }
    guard case .failed("/data", let cause) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(cause.code == EIO)
  }
}

/// A disk that refuses locks on directories.
private struct FolderlessLocks: Disk {
  let base: SimulatedDisk
  let code: Int32

  init(_ base: SimulatedDisk, _ code: Int32) {
    self.base = base
    self.code = code
  }

  func openDirectory(_ path: String) throws(DiskError) -> any DiskFile {
    FaultyFile(
      FaultyDisk(base, .init(call: 0, fault: .error(code), forGood: true, kinds: ["flock"])),
      try base.openDirectory(path), path)
  }

  func open(_ path: String, _ mode: OpenMode) throws(DiskError) -> any DiskFile { try base.open(path, mode) }
  func list(_ directory: String) throws(DiskError) -> [String] { try base.list(directory) }
  func createDirectory(_ path: String) throws(DiskError) { try base.createDirectory(path) }
  func rename(_ path: String, to target: String) throws(DiskError) { try base.rename(path, to: target) }
  func remove(_ path: String) throws(DiskError) { try base.remove(path) }
  func syncDirectory(_ path: String) throws(DiskError) { try base.syncDirectory(path) }
  func exists(_ path: String) -> Bool { base.exists(path) }
  func realPath(_ path: String) -> String? { base.realPath(path) }
  func status(_ path: String) throws(DiskError) -> FileStatus { try base.status(path) }
  func freeBytes(_ path: String) throws(DiskError) -> UInt64 { try base.freeBytes(path) }
}
