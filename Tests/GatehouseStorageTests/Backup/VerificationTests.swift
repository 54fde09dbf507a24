import Testing

@testable import GatehouseStorage

@Suite("Verification", .inClearAndEncrypted)
struct VerificationTests {
  let disk = SimulatedDisk()
  let store: StoreFixture

  init() throws {
    store = try StoreFixture.prepare(on: disk)
    _ = try store.compact()
  }

  func verify() throws -> Verification.Report {
    try Verification.run(try DataFolder.look(at: FolderFixture.path, disk: disk, key: Encrypted.key))
  }

  @Test func findsNothingWrongInAValidFolder() throws {
    let before = disk.operations
    let report = try verify()
    #expect(report.problems.isEmpty)
    #expect(report.snapshots.map(\.lsn) == [179, 119])
    #expect(report.archives.count == 2)
    #expect(report.firstLSN == 1)
    #expect(report.lastLSN == 185)
    #expect(report.head?.lsn == 185)
    #expect(disk.operations == before)
  }

  @Test func theLastHashIdentifiesTheLog() throws {
    let first = try #require(try verify().head)
    try store.append(1)
    #expect(try verify().head?.hash != first.hash)
  }

  /// Any change to any relevant file is detected, and the file is named.
  @Test func everyChangedByteIsDetected() throws {
    store.stop()
    var paths = ["manifest", "manifest.copy"]
    for folder in ["log", "snapshots", "archive"] {
      paths += try disk.list("/data/" + folder).map { folder + "/" + $0 }
    }
    let spares = ["log/next", "log/reserve"]
    for path in paths.sorted() where !spares.contains(path) {
      let sound = try disk.readFile("/data/" + path)
      for at in stride(from: 0, to: sound.count, by: path.hasSuffix(".log") ? 61 : 17) {
        try FolderFixture.edit("/data/" + path, on: disk) { $0[at] ^= [1, 0x80, 0xFF][at % 3] }
        let report = try verify()
        #expect(report.problems.contains { $0.file == path }, "byte \(at) of \(path): \(report.problems)")
        try FolderFixture.edit("/data/" + path, on: disk) { $0 = sound }
      }
    }
    #expect(try verify().problems.isEmpty)
  }

  /// An error thrown by the caller is not reported as a problem of the folder.
  @Test func endsWhenTheCallerThrows() throws {
    struct Enough: Error {}
    var steps = 0
    _ = try Verification.run(store.folder) { _ in steps += 1 }
    #expect(steps > 10)
    for last in 1...steps {
      var done = 0
      #expect(throws: Enough.self) {
        try Verification.run(store.folder) { _ in
          done += 1
          if done == last { throw Enough() }
        }
      }
      #expect(done == last)
    }
  }

  /// A torn write at the end after a crash is not damage, but is reported.
  @Test func reportsATornWrite() throws {
    let segment = store.folder.logLocation.path(
      LogFormat.segmentName(try #require(try LogListing(store.folder.logLocation).segments.last)))
    let scanned = try Verification.run(store.folder)
    #expect(scanned.tornBytes == 0)
    var end: UInt64 = 0
    try History(store.folder, keys: RecordFixture.keys).forEachFrame(1...185) { frame in
      end = LogFormat.aligned((frame.offset ?? 0) + UInt64(frame.header.frameLength), 512)
      return true
    }
    try FolderFixture.edit(segment, on: disk) { $0[Int(end)] = 7 }
    let report = try verify()
    #expect(report.problems.isEmpty && report.tornBytes > 0)
  }

  @Test func everyMissingFileIsDetected() throws {
    store.stop()
    for folder in ["log", "archive"] {
      for name in try disk.list("/data/" + folder) where name.hasSuffix(".log") || name.hasSuffix(".archive") {
        try disk.rename("/data/\(folder)/\(name)", to: "/kept")
        #expect(try !verify().problems.isEmpty, "\(folder)/\(name)")
        try disk.rename("/kept", to: "/data/\(folder)/\(name)")
      }
    }
  }

  @Test func allProblemsAreReported() throws {
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

  @Test func toleratesARunningServer() throws {
    var steps = 0
    let folder = try DataFolder.look(at: FolderFixture.path, disk: disk, key: Encrypted.key)
    let report = try Verification.run(folder) { _ in
      steps += 1
      try store.append(40)
      try store.snapshot()
      _ = try store.compact()
    }
    #expect(steps > 2)
    #expect(report.problems.isEmpty)
  }
}
