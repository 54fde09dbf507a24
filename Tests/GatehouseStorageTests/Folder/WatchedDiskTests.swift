import Testing

@testable import GatehouseStorage

/// The log stops if a file of its folder was replaced by others, but never because of what the process itself does.
@Suite struct WatchedDiskTests {
  /// A name in the folder, as opposed to its content.
  enum Target: CaseIterable {
    case folder, log, snapshots, archive, manifest, liveSegment, sealedSegment, witness, reserve, snapshot, archived

    func path(in store: StoreFixture) throws -> String {
      let folder = store.folder
      let segments = try LogListing(folder.logLocation).segments
      return switch self {
      case .folder: folder.path
      case .log: folder.logPath
      case .snapshots: folder.snapshotsPath
      case .archive: folder.archivePath
      case .manifest: folder.path + "/manifest"
      case .liveSegment: folder.logPath + "/" + LogFormat.segmentName(segments.last!)
      case .sealedSegment: folder.logPath + "/" + LogFormat.segmentName(segments.first!)
      case .witness: folder.logPath + "/witness"
      case .reserve: folder.logPath + "/reserve"
      case .snapshot: try SnapshotCatalog(folder).entries().first!.path
      case .archived: try ArchiveCatalog(folder).entries().first!.path
      }
    }

    var isDirectory: Bool { [.folder, .log, .snapshots, .archive].contains(self) }
  }

  private func store(on disk: SimulatedDisk) throws -> StoreFixture {
    let store = try StoreFixture(on: disk)
    for _ in 0..<3 {
      try store.append(60)
      try store.snapshot()
    }
    _ = try store.compact()
    try store.append(60)
    store.writer.tick()
    store.writer.lookAtFiles()
    #expect(store.writer.state == .open)
    return store
  }

  private func expectStop(_ store: StoreFixture, naming path: String, _ what: String) {
    store.writer.lookAtFiles()
    guard case .failed(let reason) = store.writer.state else {
      Issue.record("\(path): \(store.writer.state)")
      return
    }
    #expect(reason.hasPrefix("\(path) \(what)"))
    #expect(store.writer.remedy?.contains("bring back") == true)
    #expect(throws: LogRefusal.failed(reason)) { try store.writer.append([1]) }
  }

  @Test(arguments: Target.allCases)
  func aMovedFileStopsTheLog(target: Target) throws {
    let disk = SimulatedDisk()
    let store = try store(on: disk)
    let path = try target.path(in: store)
    try disk.rename(path, to: "/elsewhere")
    expectStop(store, naming: path, "is gone")
  }

  @Test(arguments: Target.allCases)
  func aReplacedFileStopsTheLog(target: Target) throws {
    let disk = SimulatedDisk()
    let store = try store(on: disk)
    let path = try target.path(in: store)
    if target.isDirectory {
      try disk.rename(path, to: "/elsewhere")
      try disk.createDirectory(path)
    } else {
      let content = try disk.content(path)
      try FolderFixture.write(String(decoding: content.prefix(8), as: UTF8.self), to: "/copy", on: disk)
      try disk.rename("/copy", to: path)
    }
    expectStop(store, naming: path, "was replaced by another file")
  }

  @Test(arguments: [Target.liveSegment, .sealedSegment, .snapshot, .archived])
  func aTruncatedFileStopsTheLog(target: Target) throws {
    let disk = SimulatedDisk()
    let store = try store(on: disk)
    let path = try target.path(in: store)
    try disk.open(path, .write).truncate(to: 4200)
    // Writing after the cut makes the file longer again.
    _ = try? store.append(2)
    expectStop(store, naming: path, "has ")
  }

  /// A stop checks once more, so that it is not clean if the folder was removed just before.
  @Test func aStopChecksToo() throws {
    let disk = SimulatedDisk()
    let store = try store(on: disk)
    let path = try Target.liveSegment.path(in: store)
    try disk.remove(path)
    store.writer.close()
    #expect(store.writer.state != .closed)
  }

  /// Everything that a server does with its own files, many times.
  @Test func theServersOwnChangesDoNotStopTheLog() throws {
    let disk = SimulatedDisk()
    let store = try StoreFixture(on: disk)
    for round in 0..<6 {
      try store.append(50)
      store.writer.lookAtFiles()
      try store.snapshot()
      store.writer.lookAtFiles()
      _ = try store.compact(retention: round > 3 ? 10 : nil)
      store.writer.lookAtFiles()
      store.writer.tick()
      store.writer.rotate()
      _ = store.writer.turn()
      store.writer.lookAtFiles()
    }
    #expect(store.writer.state == .open)
    store.stop()
    #expect(store.writer.state == .closed)
  }

  /// Files that do not belong to the folder may come and go, and the lock does not depend on the lock file.
  @Test func otherFilesAreIgnored() throws {
    let disk = SimulatedDisk()
    try FolderFixture.make(on: disk).close()
    try FolderFixture.write("mine", to: "/data/note", on: disk)
    try FolderFixture.write("mine", to: "/data/archive/note", on: disk)
    let store = try StoreFixture(on: disk)
    for path in ["/data/note", "/data/archive/note", "/data/lock", "/data/manifest.copy"] { try disk.remove(path) }
    store.writer.lookAtFiles()
    #expect(store.writer.state == .open)
  }

  @Test func manyFilesAreCheckedInTurn() throws {
    let disk = SimulatedDisk()
    try disk.createDirectory("/data")
    let watched = WatchedDisk(disk, root: "/data")
    for number in 0..<20 { try watched.open("/data/\(number)", .create).close() }
    try disk.remove("/data/7")
    let found = (0..<3).compactMap { _ in watched.stray(limit: 8) }
    #expect(Set(found) == ["/data/7 is gone"])
  }
}
