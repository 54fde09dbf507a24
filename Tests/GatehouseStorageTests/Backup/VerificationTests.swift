import Testing

@testable import GatehouseStorage

@Suite("Verification")
struct VerificationTests {
  let disk = SimulatedDisk()
  let store: StoreFixture

  init() throws {
    store = try StoreFixture.prepare(on: disk)
    _ = try store.compact()
  }

  func verify() throws -> Verification.Report {
    Verification.run(try DataFolder.look(at: FolderFixture.path, disk: disk))
  }

  @Test func findsNothingWrongInASoundFolder() throws {
    let before = disk.operations
    let report = try verify()
    #expect(report.problems.isEmpty)
    #expect(report.snapshots.map(\.lsn) == [179, 119])
    #expect(report.archives.count == 2)
    #expect(report.firstLSN == 1)
    #expect(report.lastLSN == 185)
    #expect(report.lastHash != nil)
    #expect(disk.operations == before)
  }

  @Test func theLastHashStandsForTheLog() throws {
    let first = try verify().lastHash
    try store.append(1)
    #expect(try verify().lastHash != first)
  }

  /// Whatever is changed in any file that counts is found, and so is the file.
  @Test func everyChangedByteIsFound() throws {
    store.stop()
    var paths = ["manifest", "manifest.copy"]
    for folder in ["log", "snapshots", "archive"] {
      paths += try disk.list("/data/" + folder).map { folder + "/" + $0 }
    }
    let lastSegment = paths.filter { $0.hasSuffix(".log") }.max()
    for path in paths.sorted() where !path.hasPrefix("log/") || path.hasSuffix(".log") {
      let sound = try disk.readFile("/data/" + path)
      for at in stride(from: 0, to: sound.count, by: path.hasSuffix(".log") ? 61 : 17) {
        try FolderFixture.edit("/data/" + path, on: disk) { $0[at] ^= [1, 0x80, 0xFF][at % 3] }
        let report = try verify()
        // The zeros between a log's frames mean nothing, and the clean end behind the last has no record to lose.
        if report.problems.isEmpty {
          let isEnd = path == lastSegment && at >= sound.count - 512
          #expect(path.hasSuffix(".log") && (sound[at] == 0 || isEnd), "byte \(at) of \(path)")
        } else {
          #expect(report.problems.contains { $0.file == path }, "byte \(at) of \(path): \(report.problems)")
        }
        try FolderFixture.edit("/data/" + path, on: disk) { $0 = sound }
      }
    }
    #expect(try verify().problems.isEmpty)
  }

  @Test func everyFileThatIsGoneIsMissed() throws {
    store.stop()
    for folder in ["log", "archive"] {
      for name in try disk.list("/data/" + folder) where name.hasSuffix(".log") || name.hasSuffix(".archive") {
        // Without the oldest archive, the history only begins later.
        if name.hasPrefix("00000000000000000001-") { continue }
        try disk.rename("/data/\(folder)/\(name)", to: "/kept")
        #expect(try !verify().problems.isEmpty, "\(folder)/\(name)")
        try disk.rename("/kept", to: "/data/\(folder)/\(name)")
      }
    }
  }

  @Test func severalProblemsAreAllNamed() throws {
    let segments = try store.folder.sealedSegments()
    let archive = try ArchiveCatalog(store.folder).entries()[0].path
    let snapshot = try SnapshotCatalog(store.folder).entries()[1].path
    let paths = [
      store.folder.logLocation.path(segments[0].name), store.folder.logLocation.path(segments[1].name), archive,
      snapshot,
    ]
    for path in paths { try FolderFixture.edit(path, on: disk) { $0[$0.count > 4100 ? 4100 : 80] ^= 1 } }
    try FolderFixture.write("", to: store.folder.archivePath + "/notes", on: disk)
    let problems = try verify().problems
    for path in paths + [store.folder.archivePath + "/notes"] {
      #expect(problems.contains { "/data/" + $0.file == path }, "\(path): \(problems)")
    }
  }

  @Test func toleratesWhatAServerIsDoing() throws {
    var steps = 0
    let folder = try DataFolder.look(at: FolderFixture.path, disk: disk)
    let report = Verification.run(folder) { _ in
      steps += 1
      try store.append(40)
      try store.snapshot()
      _ = try store.compact()
    }
    #expect(steps > 2)
    #expect(report.problems.isEmpty)
  }
}
