import Testing

@testable import GatehouseStorage

@Suite("A backup that is handed out piece by piece", .inClearAndEncrypted)
struct HeldBackupTests {
  private static let pieceBytes = 3000

  /// Hands out a file in small pieces.
  private static func hand(
    _ held: HeldBackup, _ file: Int, _ take: (ArrivingPiece) throws -> Void
  ) throws {
    var offset: UInt64 = 0
    while offset < held.files[file].size {
      let bytes = try held.read(file, at: offset, count: pieceBytes)
      try take(ArrivingPiece(offset: offset, bytes: bytes, hash: "\(bytes.withRawBytes { Hash128(of: $0) })"))
      offset += UInt64(bytes.count)
    }
  }

  private static func files(_ held: HeldBackup) -> [ArrivingFile] {
    held.files.map { ArrivingFile(name: $0.name, size: $0.size) }
  }

  @discardableResult
  private static func receive(
    _ held: HeldBackup, as target: String = BackupTests.target, keeping aside: String? = nil, on disk: any Disk,
    key: MasterKey? = Encrypted.key, needsKey: Bool = false,
    progress: @escaping (CopyProgress) throws -> Void = { _ in }
  ) throws -> CopyReport {
    try Backup.receive(
      files(held), as: target, keeping: aside, disk: disk, key: key, needsKey: needsKey, progress: progress,
      fetch: { try hand(held, $0, $1) })
  }

  @Test(arguments: [false, true])
  func itArrivesWhole(compacted: Bool) throws {
    let disk = SimulatedDisk()
    let store = try StoreFixture.prepare(on: disk)
    if compacted { _ = try store.compact() }
    let held = try HeldBackup(store.folder) { store.writer.durableLSN }
    #expect(held.firstLSN == 1 && held.lastLSN == 185)
    let report = try Self.receive(held, on: disk)
    #expect(report == CopyReport(path: BackupTests.target, snapshot: 179, firstLSN: 1, lastLSN: 185))
    let copied = try DataFolder.look(at: BackupTests.target, disk: disk, key: Encrypted.key).manifest
    #expect(copied.isOfSameFolder(as: store.folder.manifest))
    #expect(copied.log == LogMark(epoch: 1, durableLSN: 185))
    try store.append(20)
    try BackupTests.check(disk, through: 185)
  }

  @Test func anEmptyFolderArrivesToo() throws {
    let disk = SimulatedDisk()
    let store = try StoreFixture(on: disk)
    try Self.receive(try HeldBackup(store.folder) { store.writer.durableLSN }, on: disk)
    try BackupTests.check(disk, through: 0)
  }

  /// Frames have four records, and only whole ones are handed out.
  @Test(arguments: [(185, 185), (184, 184), (183, 180), (182, 180)] as [(UInt64, UInt64)])
  func itEndsWithWhatIsDurable(durable: UInt64, last: UInt64) throws {
    let disk = SimulatedDisk()
    let store = try StoreFixture.prepare(on: disk)
    var looks = 0
    // Not all of what is in the log need be durable; what was so before the log was looked at must be there.
    let held = try HeldBackup(store.folder) {
      looks += 1
      return looks == 1 ? last : durable
    }
    #expect(held.lastLSN == last)
    try Self.receive(held, on: disk)
    try BackupTests.check(disk, through: last)
  }

  /// Between any two pieces the folder may take snapshots and be compacted: what is held is as it was.
  @Test(arguments: [CopyProgress.Part.snapshots, .log])
  func theFolderGoesOnMeanwhile(part: CopyProgress.Part) throws {
    let disk = SimulatedDisk()
    let store = try StoreFixture.prepare(on: disk)
    let held = try HeldBackup(store.folder) { store.writer.durableLSN }
    var steps = 0
    let report = try Self.receive(held, on: disk) { progress in
      guard progress.part == part, steps < 3 else { return }
      steps += 1
      try store.append(40)
      try store.snapshot()
      _ = try store.compact()
    }
    #expect(steps > 0 && report.lastLSN == 185)
    try BackupTests.check(disk, through: 185)
  }

  @Test func anArchiveThatIsDeletedOrReplacedMeanwhileIsNoticed() throws {
    let disk = SimulatedDisk()
    let store = try StoreFixture.prepare(on: disk)
    _ = try store.compact()
    let held = try HeldBackup(store.folder) { store.writer.durableLSN }
    let archive = try #require(try ArchiveCatalog(store.folder).entries().first)
    let bytes = try disk.readFile(archive.path)
    try disk.remove(archive.path)
    let name = "archive/" + DiskPath.name(of: archive.path)
    #expect(throws: CopyError.gone(file: name)) { try Self.receive(held, on: disk) }
    try disk.replaceFile(archive.path, with: bytes)
    #expect(throws: CopyError.gone(file: name)) { try Self.receive(held, on: disk) }
    BackupTests.expectNothing(on: disk)
    try Self.receive(try HeldBackup(store.folder) { store.writer.durableLSN }, on: disk)
    try BackupTests.check(disk, through: 185)
  }

  @Test func aDamagedLogIsNotHandedOut() throws {
    let disk = SimulatedDisk()
    let store = try StoreFixture.prepare(on: disk)
    let segment = try store.folder.sealedSegments()[1]
    try FolderFixture.edit(store.folder.logLocation.path(segment.name), on: disk) { $0[4100] ^= 1 }
    do {
      _ = try HeldBackup(store.folder) { store.writer.durableLSN }
      Issue.record("handed out")
    } catch CopyError.damaged(let reason, _) {
      #expect(reason.contains(segment.name))
    }
  }

  @Test func aDamagedArchiveIsFoundOnArrival() throws {
    let disk = SimulatedDisk()
    let store = try StoreFixture.prepare(on: disk)
    _ = try store.compact()
    let archive = try #require(try ArchiveCatalog(store.folder).entries().first)
    try FolderFixture.edit(archive.path, on: disk) { $0[$0.count / 2] ^= 1 }
    let held = try HeldBackup(store.folder) { store.writer.durableLSN }
    do {
      try Self.receive(held, on: disk)
      Issue.record("received")
    } catch CopyError.damaged(let reason, _) {
      #expect(reason.contains(DiskPath.name(of: archive.path)))
    }
    BackupTests.expectNothing(on: disk)
  }

  // MARK: Who hands out may lie

  @Test(arguments: [
    "../stolen", "/etc/passwd", "log/../manifest", "log//00000000000000000001.log", "cut/x", "lock", "manifest.copy",
    "log/x", "log/", "archive/..", "snapshots/a/b", "", ".", "log", "manifest/x", "keys.tmp",
    "log/00000000000000000001.log/x",
  ])
  func noNameLeadsOutOfTheFolder(name: String) throws {
    let disk = SimulatedDisk()
    let store = try StoreFixture.prepare(on: disk, records: 12)
    let held = try HeldBackup(store.folder) { store.writer.durableLSN }
    for files in [Self.files(held) + [ArrivingFile(name: name, size: 1)], [ArrivingFile(name: name, size: 0)]] {
      do {
        _ = try Backup.receive(files, as: BackupTests.target, disk: disk) { _, _ in Issue.record("asked for a file") }
        Issue.record("received")
      } catch CopyError.foreign {}
    }
    #expect(!disk.exists(BackupTests.target + ".partial"))
  }

  enum Lie: CaseIterable {
    case changed, skipped, repeated, tooLong, cutShort, noHash
  }

  @Test(arguments: Lie.allCases)
  func whatComesMustBeWhatWasPromised(lie: Lie) throws {
    let disk = SimulatedDisk()
    let store = try StoreFixture.prepare(on: disk, records: 12)
    let held = try HeldBackup(store.folder) { store.writer.durableLSN }
    let target = try #require(held.files.firstIndex { $0.name.hasPrefix("snapshots/") })
    do {
      _ = try Backup.receive(Self.files(held), as: BackupTests.target, disk: disk, key: Encrypted.key) { file, take in
        guard file == target else { return try Self.hand(held, file, take) }
        var pieces: [ArrivingPiece] = []
        try Self.hand(held, file) { pieces.append($0) }
        switch lie {
        case .changed: pieces[0].bytes[1] ^= 1
        case .skipped: pieces[0].offset = 1
        case .repeated: pieces.append(pieces[0])
        case .tooLong: pieces[0].bytes += [UInt8](repeating: 0, count: 1 << 20)
        case .cutShort: pieces.removeLast()
        case .noHash: pieces[0].hash = ""
        }
        for piece in pieces { try take(piece) }
      }
      Issue.record("received")
    } catch CopyError.foreign(let what) {
      #expect(what.contains("snapshots/"))
    }
    BackupTests.expectNothing(on: disk)
  }

  /// All pieces are sound by themselves, and do not fit together.
  @Test func aFolderThatDoesNotFitTogetherIsNotKept() throws {
    let disk = SimulatedDisk()
    let store = try StoreFixture.prepare(on: disk)
    let held = try HeldBackup(store.folder) { store.writer.durableLSN }
    // The first one, the last one, and those between.
    let segments = held.files.indices.filter { held.files[$0].name.hasSuffix(".log") }
    #expect(segments.count > 2)
    for segment in segments {
      let files = Self.files(held).enumerated().filter { $0.offset != segment }
      #expect(throws: CopyError.self, "without \(held.files[segment].name)") {
        try Backup.receive(files.map(\.element), as: BackupTests.target, disk: disk, key: Encrypted.key) {
          try Self.hand(held, files[$0].offset, $1)
        }
      }
      BackupTests.expectNothing(on: disk)
    }
  }

  // MARK: The place

  @Test func nothingIsOverwritten() throws {
    let disk = SimulatedDisk()
    let store = try StoreFixture.prepare(on: disk, records: 12)
    let held = try HeldBackup(store.folder) { store.writer.durableLSN }
    try disk.createDirectory("/full")
    try FolderFixture.write("text", to: "/full/notes", on: disk)
    #expect(throws: CopyError.notEmpty(path: "/full")) { try Self.receive(held, as: "/full", on: disk) }
    // Somebody's own folder that only has such a name.
    try disk.createDirectory("/copy.partial")
    try FolderFixture.write("text", to: "/copy.partial/notes", on: disk)
    #expect(throws: CopyError.unfinished(path: "/copy.partial")) { try Self.receive(held, on: disk) }
    try disk.remove("/copy.partial/notes")
    // What an earlier attempt has left.
    try FolderFixture.write("half", to: "/copy.partial/keyring", on: disk)
    let other = try disk.openDirectory("/copy.partial")
    #expect(try other.lock())
    #expect(throws: FolderError.self) { try Self.receive(held, on: disk) }
    other.close()
    try Self.receive(held, on: disk)
    try BackupTests.check(disk, through: 41)
  }

  @Test func thereMustBeRoom() throws {
    let disk = SimulatedDisk()
    let store = try StoreFixture.prepare(on: disk, records: 12)
    let held = try HeldBackup(store.folder) { store.writer.durableLSN }
    var files = Self.files(held)
    files[1].size = 1 << 41
    do {
      _ = try Backup.receive(files, as: BackupTests.target, disk: disk) { _, _ in Issue.record("asked for a file") }
      Issue.record("received")
    } catch CopyError.noRoom(let path, let needed, let free) {
      #expect(path == BackupTests.target && needed > 1 << 41 && free == 1 << 40)
    }
    #expect(!disk.exists(BackupTests.target + ".partial"))
  }

  @Test func theKeyIsAskedForBeforeTheRestComes() throws {
    guard let key = Encrypted.key else { return }
    let disk = SimulatedDisk()
    let store = try StoreFixture.prepare(on: disk, records: 12)
    let held = try HeldBackup(store.folder) { store.writer.durableLSN }
    func receive(_ key: MasterKey?, needsKey: Bool) throws {
      try Self.receive(held, on: disk, key: key, needsKey: needsKey) { _ in
        if needsKey { Issue.record("the rest comes") }
      }
    }
    #expect(throws: FolderError.encryption(path: "/copy", .keyNeeded(master: key.id))) {
      try receive(nil, needsKey: true)
    }
    #expect(throws: FolderError.self) { try receive(Encrypted.key(7), needsKey: true) }
    #expect(!disk.exists("/copy") && !disk.exists("/copy.partial"))
    // A backup is taken without the key, too.
    try receive(nil, needsKey: false)
    try BackupTests.check(disk, through: 41)
  }

  @Test func theFolderThatWasThereIsKept() throws {
    let disk = SimulatedDisk()
    let store = try StoreFixture.prepare(on: disk, records: 12)
    try Self.receive(try HeldBackup(store.folder) { store.writer.durableLSN }, on: disk)
    try store.append(8)
    try Self.receive(try HeldBackup(store.folder) { store.writer.durableLSN }, keeping: "/kept", on: disk)
    try BackupTests.check(disk, through: 49)
    #expect(try DataFolder.look(at: "/kept", disk: disk, key: Encrypted.key).manifest.log?.durableLSN == 41)
  }

  // MARK: Crashes

  /// Neither name ever leads to half a folder, and what was kept is there under one of them.
  @Test func aCrashLeavesOneWholeFolder() throws {
    func prepared() throws -> (SimulatedDisk, StoreFixture, HeldBackup) {
      let disk = SimulatedDisk()
      let store = try StoreFixture.prepare(on: disk, records: 12)
      try Self.receive(try HeldBackup(store.folder) { store.writer.durableLSN }, on: disk)
      try store.append(8)
      let held = try HeldBackup(store.folder) { store.writer.durableLSN }
      return (disk, store, held)
    }
    let (whole, _, wholeHeld) = try prepared()
    let first = whole.operations
    try Self.receive(wholeHeld, keeping: "/kept", on: whole)
    var finished = 0
    for operation in first...whole.operations {
      let (disk, _, held) = try prepared()
      disk.powerOff(before: operation)
      let report = try? Self.receive(held, keeping: "/kept", on: disk)
      disk.powerOff()
      let survivor = disk.survivor(seed: UInt64(operation))
      if try Backup.finishReceiving(BackupTests.target, disk: survivor) { finished += 1 }
      let last = try DataFolder.look(at: BackupTests.target, disk: survivor, key: Encrypted.key).manifest.log?
        .durableLSN
      #expect(last == 41 || last == 49)
      if report != nil { #expect(last == 49) }
      if last == 49 { #expect(survivor.exists("/kept")) }
      try BackupTests.check(survivor, through: last ?? 0)
    }
    #expect(finished > 0)
  }

  @Test func aFailingCallLeavesNothingBehind() throws {
    try BackupTests.failEachCall { store, disk in
      try Self.receive(try HeldBackup(store.folder, durable: { store.writer.durableLSN }), on: disk)
    }
  }
}
