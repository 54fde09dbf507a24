import Testing

@testable import GatehouseStorage

/// B4: whoever keeps a head elsewhere can detect that anything before it was changed or cut off.
@Suite("The head of the log", .inClearAndEncrypted)
struct LogHeadTests {
  private let disk = SimulatedDisk()
  private let store: StoreFixture
  /// The heads at the middle and at the end of the log.
  private let (middle, end): (LogHead, LogHead)

  init() throws {
    store = try StoreFixture.prepare(on: disk)
    let history = History(store.folder, keys: RecordFixture.keys)
    middle = try history.head(through: 80)
    end = try history.head(through: store.writer.durableLSN)
  }

  private func walk(_ head: LogHead, at path: String = FolderFixture.path) throws -> ChainWalk.Report {
    let folder = try DataFolder.look(at: path, disk: disk, key: Encrypted.key)
    let last = try History(folder, keys: RecordFixture.keys).lastLSN()
    let report = ChainWalk.run(folder, from: 1, through: last, against: head)
    let verified = try Verification.run(folder, against: head)
    #expect(verified.problems.isEmpty == (report.problem == nil), "\(verified.problems), \(report.problem ?? "sound")")
    return report
  }

  @Test func itStaysValidWhileTheLogGrowsAndIsArchived() throws {
    #expect(middle.lsn == 80 && end.lsn == 185)
    try store.append(40)
    for head in [middle, end] { #expect(try walk(head).problem == nil) }
    _ = try store.compact()
    #expect(try ArchiveCatalog(store.folder).lastLSN() ?? 0 > middle.lsn)
    for head in [middle, end] { #expect(try walk(head).problem == nil) }
    #expect(try History(store.folder, keys: RecordFixture.keys).head(through: 80) == middle)
    store.stop()
    let again = try StoreFixture(on: disk)
    try again.append(10)
    for head in [middle, end] { #expect(try walk(head).problem == nil) }
  }

  @Test func itIsValidInABackupAndARestore() throws {
    _ = try store.compact()
    store.stop()
    _ = try Backup.copy(from: FolderFixture.path, to: "/backup", disk: disk, key: Encrypted.key)
    for head in [middle, end] { #expect(try walk(head, at: "/backup").problem == nil) }
    _ = try Restore.run(from: "/backup", to: "/all", disk: disk, key: Encrypted.key, keys: RecordFixture.keys)
    for head in [middle, end] { #expect(try walk(head, at: "/all").problem == nil) }
    // The record lies in the archive, which is laid out as a segment again, and its frame is the last.
    _ = try Restore.run(
      from: "/backup", to: "/some", until: .lsn(80), disk: disk, key: Encrypted.key, keys: RecordFixture.keys)
    #expect(
      try History(try DataFolder.look(at: "/some", disk: disk, key: Encrypted.key), keys: RecordFixture.keys).lastLSN()
        == 80)
    #expect(try walk(middle, at: "/some").problem == nil)
    let shorter = try walk(end, at: "/some")
    #expect(
      shorter.problem?.contains("the log ends with record 80, before 185 of the head: its end was cut off") == true)
  }

  @Test(arguments: [false, true])
  func aPastThatSomebodyHasMadeAnewIsNoticed(isArchived: Bool) throws {
    // Without the key nobody can make frames of an encrypted folder anew: the next test shows it.
    if Encrypted.key != nil { return }
    if isArchived { _ = try store.compact() }
    store.stop()
    // A folder with the same identity, and the same records but one, with a valid chain.
    try forge(record: 42, to: "/forged")
    let folder = try DataFolder.look(at: "/forged", disk: disk, key: Encrypted.key)
    #expect(ChainWalk.run(folder, from: 1, through: 185).problem == nil)
    for head in [middle, end] {
      let problem = try #require(try walk(head, at: "/forged").problem)
      #expect(problem.contains("up to record \(head.lsn) the chain has the hash"), "\(problem)")
    }
  }

  @Test(arguments: [false, true])
  func aRecordChangedTogetherWithItsFramesChecksumsIsDetected(withContent: Bool) throws {
    store.stop()
    let segment = try #require(try LogListing(store.folder.logLocation).segments.first)
    try edit(segment) { header, body in
      body[body.count - 1] ^= 1
      header.bodyHash = body.withUnsafeBytes { Hash128(of: $0) }
      if withContent { header.contentHash = header.bodyHash }
    }
    #expect(throws: (any Error).self) { try StoreFixture.hasWholeHistory(store.folder, through: 185) }
    let problem = try #require(try walk(end).problem)
    // The next frame names another predecessor, or the frame's own header another content. The hash of an encrypted
    // frame's content cannot be made without the key.
    let isForged = withContent && Encrypted.key == nil
    #expect(
      problem.contains(isForged ? "there is no good frame" : "those that the chain of hashes covers"), "\(problem)")
  }

  @Test func anArchiveRebuiltWithAnotherRecordIsDetected() throws {
    _ = try store.compact()
    store.stop()
    let catalog = ArchiveCatalog(store.folder)
    let entry = try #require(try catalog.entries().first)
    let reader = try catalog.open(entry)
    var writer = try ArchiveWriter(
      path: "/forged", folder: store.folder, firstLSN: entry.records.lowerBound, previousHash: reader.info.previousHash,
      createdAt: 0, level: 3, keys: RecordFixture.keys)
    var buffers = ArchiveReader.Buffers()
    for number in reader.blocks.indices {
      try reader.forEachFrame(in: number, &buffers) { header, bytes, body in
        var body = Array(body)
        if header.firstLSN == 1 { body[body.count - 1] ^= 1 }
        try body.withUnsafeBytes { try writer.append(header, headerBytes: bytes, body: $0) }
      }
    }
    _ = try writer.finish()
    reader.close()
    try disk.rename("/forged", to: entry.path)
    #expect(try walk(end).problem?.contains(DiskPath.name(of: entry.path)) == true)
  }

  @Test func aTruncatedEndIsDetected() throws {
    store.stop()
    _ = try Restore.run(
      from: FolderFixture.path, to: "/cut", until: .lsn(183), disk: disk, key: Encrypted.key, keys: RecordFixture.keys)
    #expect(try walk(middle, at: "/cut").problem == nil)
    #expect(try walk(end, at: "/cut").problem?.contains("its end was cut off") == true)
    // Continuing from there reaches the same number with another hash.
    let folder = try DataFolder.open("/cut", disk: disk, key: Encrypted.key)
    let recovery = try Recovery.open(folder, log: StoreFixture.options)
    let found = try recovery.read { _, _ in }
    let log = try folder.openLog(continuing: found, keptFrom: 1, options: StoreFixture.options, isDriven: true)
    for lsn in 184...190 as ClosedRange<UInt64> { try log.append(RecordFixture.record(lsn)) }
    log.close()
    folder.close()
    #expect(try walk(end, at: "/cut").problem?.contains("no frame ends with record 185") == true)
  }

  @Test func aMissingArchiveIsDetected() throws {
    try store.append(60)
    try store.snapshot()
    _ = try store.compact()
    store.stop()
    let entries = try ArchiveCatalog(store.folder).entries()
    try #require(entries.count >= 3)
    for (place, entry) in entries.enumerated().prefix(2) {
      let bytes = try disk.readFile(entry.path)
      try disk.remove(entry.path)
      let problem = try #require(try walk(end).problem)
      #expect(problem.contains(place == 0 ? "no retention has deleted them" : "neither archive nor log"), "\(problem)")
      let file = try disk.openFile(entry.path, .create)
      try bytes.withUnsafeBufferPointer { try file.writeAll(UnsafeRawBufferPointer($0), at: 0) }
      file.close()
    }
    #expect(try walk(end).problem == nil)
  }

  @Test func aHeadOfAnotherFolderIsDetected() throws {
    _ = try FolderFixture.make(on: disk, at: "/other", seed: 2)
    #expect(try walk(end, at: "/other").problem?.contains("of another folder") == true)
    let empty = LogHead(lsn: 0, hash: LogFormat.genesis(store.folder.manifest.folderID))
    #expect(try walk(empty).problem == nil)
    #expect(try walk(empty, at: "/other").problem?.contains("of another folder") == true)
    #expect(LogHead("\(end)") == end)
    for text in ["", "5", "5:", "x:\(end.hash)", "5:\(end.hash)0", "5:6:\(end.hash)"] { #expect(LogHead(text) == nil) }
  }

  @Test func deletedRecordsProveNothing() throws {
    let report = try store.compact(retention: 60_000)
    #expect(!report.expired.isEmpty)
    let first = try #require(try History(store.folder, keys: RecordFixture.keys).firstLSN())
    #expect(try walk(end).problem == nil)
    #expect(try walk(LogHead(lsn: first - 1, hash: .zero)).problem?.contains("is no longer kept") == true)
  }

  // MARK: Forging

  /// Copies the folder with one record changed, and everything after it adapted.
  private func forge(record lsn: UInt64, to path: String) throws {
    let source = store.folder
    let target = try CopyTarget(path: path, source: source)
    let first = SegmentHeader(
      alignment: 512, folderID: source.manifest.folderID, firstLSN: 1, epoch: 1,
      previousHash: LogFormat.genesis(source.manifest.folderID))
    var copy = try SegmentCopy(first, in: target.folder)
    var frames: [(header: FrameHeader, body: [UInt8])] = []
    try History(source, keys: RecordFixture.keys).forEachFrame(1...185) { frame in
      if frame.header.recordCount > 0 { frames.append((frame.header, [])) }
      return true
    }
    for (header, _) in frames {
      var body = FieldWriter()
      for record in header.firstLSN..<header.nextLSN {
        var bytes = RecordFixture.record(record)
        if record == lsn { bytes[bytes.count - 1] ^= 1 }
        body.putVarint(UInt64(bytes.count))
        body.put(contentsOf: bytes)
      }
      var header = header
      header.contentHash = body.hash
      header.bodyLength = UInt32(body.bytes.count)
      try body.bytes.withUnsafeBytes { try copy.remake(header, through: .max, body: $0) }
    }
    try copy.finish()
    try WitnessFile.create(target.folder.logLocation, Witness(epoch: 1, durableLSN: 185))
    try target.finish(LogMark(epoch: 1, durableLSN: 185), target.settleKeys())
  }

  /// Changes the first frame of a segment, stores it uncompressed, and gives its header a matching hash.
  private func edit(_ segment: UInt64, _ change: (inout FrameHeader, inout [UInt8]) -> Void) throws {
    let folderID = store.folder.manifest.folderID
    try FolderFixture.edit(store.folder.logLocation.path(LogFormat.segmentName(segment)), on: disk) { file in
      let frame = Array(file[Int(LogFormat.segmentStart)...])
      var bodies = FrameBodies(cipher: store.folder.cipher, dictionaries: ZstdDictionary.known)
      guard
        var (header, body) = frame.withUnsafeBytes({ bytes -> (FrameHeader, [UInt8])? in
          guard let header = try? FrameHeader(loading: bytes, folderID: folderID) else { return nil }
          let stored = UnsafeRawBufferPointer(rebasing: bytes[LogFormat.headerSize..<header.frameLength])
          return (try? bodies.body(of: header, stored: stored)).map { (header, Array($0)) }
        })
      else { return }
      header.isCompressed = false
      header.isEncrypted = false
      header.dataKey = 0
      header.dictionaryID = 0
      header.storedLength = header.bodyLength
      change(&header, &body)
      var changed = [UInt8](repeating: 0, count: LogFormat.headerSize) + body
      changed.withUnsafeMutableBytes { header.store(to: $0, folderID: folderID) }
      file.replaceSubrange(Int(LogFormat.segmentStart)..<Int(LogFormat.segmentStart) + changed.count, with: changed)
    }
  }
}
