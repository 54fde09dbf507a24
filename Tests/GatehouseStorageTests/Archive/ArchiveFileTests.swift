import Testing

@testable import GatehouseStorage

@Suite("Archive file", .inClearAndEncrypted)
struct ArchiveFileTests {
  let disk = SimulatedDisk()
  let folder: DataFolder

  init() throws { folder = try FolderFixture.make(on: disk) }

  /// Writes an archive of frames from record 11 on, and gives it its final name.
  func write(frames: Int, recordsPerFrame: Int = 5) throws -> ArchiveCatalog.Entry {
    let genesis = LogFormat.genesis(folder.manifest.folderID)
    var writer = try ArchiveWriter(
      path: folder.archivePath + "/new.tmp", folder: folder, firstLSN: 11, previousHash: genesis, createdAt: 1,
      level: 3,
      keys: RecordFixture.keys)
    try RecordFixture.frames(
      folderID: folder.manifest.folderID, cipher: folder.cipher, from: 11, count: frames,
      recordsPerFrame: recordsPerFrame, after: genesis
    ) { header, headerBytes, body in
      try writer.append(header, headerBytes: headerBytes, body: body)
    }
    let records = try writer.finish()
    try disk.rename(writer.path, to: folder.archivePath + "/" + Archive.name(records))
    return try #require(try ArchiveCatalog(folder).entries().first)
  }

  @Test func isReadAsItWasWritten() throws {
    let entry = try write(frames: 20)
    #expect(entry.records == 11...90)
    let reader = try ArchiveCatalog(folder).open(entry)
    try reader.verify(fromDisk: true)
    #expect(reader.info.times == RecordFixture.time(11)...RecordFixture.time(90))
    var buffers = ArchiveReader.Buffers()
    var lsn: UInt64 = 11
    var frames = 0
    for block in reader.blocks.indices {
      try reader.forEachFrame(in: block, &buffers) { header, headerBytes, body in
        frames += 1
        #expect((try? FrameHeader(loading: headerBytes, folderID: folder.manifest.folderID)) == header)
        let isWhole = RecordCoding.forEach(in: body, count: Int(header.recordCount)) { record in
          #expect(Array(record) == RecordFixture.record(lsn))
          lsn += 1
        }
        #expect(isWhole)
      }
    }
    #expect(frames == 20)
    #expect(lsn == 91)
  }

  @Test func findsTheBlocksAboutAnID() throws {
    let reader = try ArchiveCatalog(folder).open(try write(frames: 200, recordsPerFrame: 600))
    #expect(reader.blocks.count > 2)
    var buffers = ArchiveReader.Buffers()
    for id in 0...45 as ClosedRange<UInt64> {
      let expected = reader.blocks.indices.filter { number in
        let block = reader.blocks[number]
        return (block.firstLSN..<block.nextLSN).contains { RecordFixture.ids($0).contains(id) }
      }
      #expect(try reader.blocks(about: id, &buffers) == expected)
    }
  }

  @Test func anIndexOfManyPagesFindsEveryID() throws {
    var builder = ArchiveIndexBuilder()
    let ids = (0..<10_000).map { UInt64($0 * 3 + 5) }
    for (at, id) in ids.enumerated() {
      builder.add([id], block: at % 7)
      builder.add([id], block: 7 + at % 2)
    }
    var pages: [(first: UInt64, bytes: [UInt8])] = []
    try builder.forEachPage { (first, bytes) throws(BlockFileError) in pages.append((first, bytes)) }
    #expect(pages.count == 3)
    for (at, id) in ids.enumerated() where at % 211 == 0 {
      let page = try #require(pages.last { $0.first <= id })
      #expect(try ArchiveIndexPage.blocks(about: id, in: page.bytes, blockCount: 9) == [at % 7, 7 + at % 2])
      #expect(try ArchiveIndexPage.blocks(about: id + 1, in: page.bytes, blockCount: 9).isEmpty)
    }
  }

  @Test func everyFlippedByteAndEveryWrongLengthIsDetected() throws {
    let entry = try write(frames: 3)
    let sound = try disk.readFile(entry.path)
    func isFound(_ bytes: [UInt8]) throws -> Bool {
      try FolderFixture.edit(entry.path, on: disk) { $0 = bytes }
      do {
        let reader = try ArchiveCatalog(folder).open(entry)
        try reader.verify()
        return false
      } catch {
        return true
      }
    }
    for at in sound.indices {
      var bytes = sound
      bytes[at] ^= [0x01, 0x10, 0x80, 0xFF][at & 3]
      #expect(try isFound(bytes), "byte \(at)")
    }
    for length in sound.indices { #expect(try isFound(Array(sound.prefix(length))), "length \(length)") }
    #expect(try isFound(sound + [0]))
    #expect(try !isFound(sound))
  }

  @Test func isSmallerThanTheRawRecords() throws {
    let entry = try write(frames: 100, recordsPerFrame: 50)
    let raw = (entry.records).reduce(0) { $0 + RecordFixture.record($1).count }
    #expect(try disk.readFile(entry.path).count < raw)
  }
}
