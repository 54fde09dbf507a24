/// Decides which archive files are older than the retention.
struct Retention {
  /// Unix milliseconds: earlier records need not be kept; nil to keep everything.
  private let limit: UInt64?

  init(_ options: CompactionOptions) {
    limit = options.retention.flatMap { options.now > $0 ? options.now - $0 : nil }
  }

  /// How many of the oldest files may be deleted. Files are deleted whole, and in order.
  /// - Parameter latest: the time of the newest record in each file, oldest file first; nil if a file cannot be read.
  ///   Such a file may be young, so it stays until a later one may be deleted.
  func expired(_ latest: [UInt64?]) -> Int {
    guard let limit else { return 0 }
    var count = 0
    for (index, time) in latest.enumerated() {
      guard let time else { continue }
      guard time < limit else { break }
      count = index + 1
    }
    return count
  }
}

extension DataFolder {
  /// A file of the archive with the time of its newest record, or why that cannot be read.
  struct AgedFile {
    var file: CompactionFile
    var latest: UInt64?
    var unreadable: String?
  }

  /// The files of the archive, oldest first.
  func agedFiles() throws(DiskError) -> [AgedFile] {
    let catalog = ArchiveCatalog(self)
    return try catalog.all().map { entry, isSetAside throws(DiskError) in
      var aged = AgedFile(file: CompactionFile(name: DiskPath.name(of: entry.path), records: entry.records, bytes: 0))
      if isSetAside {
        aged.unreadable = "\(entry.path) is damaged"
        return aged
      }
      do throws(BlockFileError) {
        let reader = try catalog.open(entry)
        defer { reader.close() }
        aged.latest = reader.info.times?.upperBound
        aged.file.bytes = reader.info.fileBytes
      } catch {
        aged.unreadable = "\(error)"
      }
      return aged
    }
  }
}
