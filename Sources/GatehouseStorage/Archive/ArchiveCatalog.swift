/// The archive files of a folder.
package struct ArchiveCatalog: Sendable {
  /// A file with an archive's name, whether it is sound or not.
  package struct Entry: Sendable, Equatable {
    package let records: ClosedRange<UInt64>
    package let path: String
  }

  private let folder: DataFolder

  package init(_ folder: DataFolder) { self.folder = folder }

  /// All archives, oldest first.
  package func entries() throws(DiskError) -> [Entry] { try entries(suffix: Archive.suffix) }

  /// Damaged segments that were set aside, oldest first.
  package func setAside() throws(DiskError) -> [Entry] { try entries(suffix: Archive.damagedSuffix) }

  /// Archives and segments that were set aside, oldest first.
  func all() throws(DiskError) -> [(entry: Entry, isSetAside: Bool)] {
    let both = try entries().map { (entry: $0, isSetAside: false) } + setAside().map { (entry: $0, isSetAside: true) }
    return both.sorted { $0.entry.records.lowerBound < $1.entry.records.lowerBound }
  }

  /// The last record that has left the log.
  package func lastLSN() throws(DiskError) -> UInt64? { try all().last?.entry.records.upperBound }

  /// The bytes of all archives, and of the segments that were set aside.
  package func storedBytes() throws(DiskError) -> UInt64 {
    var sum: UInt64 = 0
    for (entry, _) in try all() {
      let file = try folder.disk.openFile(entry.path, .read)
      defer { file.close() }
      sum += try file.size()
    }
    return sum
  }

  private func entries(suffix: String) throws(DiskError) -> [Entry] {
    try folder.disk.names(in: folder.archivePath)
      .compactMap { name in
        Archive.range(ofName: name, suffix: suffix)
          .map { Entry(records: $0, path: DiskPath.join(folder.archivePath, name)) }
      }
      .sorted { ($0.records.lowerBound, $0.records.upperBound) < ($1.records.lowerBound, $1.records.upperBound) }
  }

  /// Names that no archive has, and that no crash could have left.
  func strangers() throws(DiskError) -> [String] {
    try folder.disk.names(in: folder.archivePath)
      .filter { name in
        Archive.range(ofName: name) == nil && Archive.range(ofName: name, suffix: Archive.damagedSuffix) == nil
          && !name.hasSuffix(FolderName.temporarySuffix)
      }
  }

  /// Opens an archive; the caller closes it.
  package func open(_ entry: Entry) throws(BlockFileError) -> ArchiveReader {
    try ArchiveReader(path: entry.path, records: entry.records, folder: folder)
  }

  /// Removes half-written files that a crash left. Only the folder's owner may call it, and not while it writes an
  /// archive.
  func deleteTemporaries() throws(DiskError) {
    precondition(folder.isOwned)
    for name in try folder.disk.names(in: folder.archivePath) where name.hasSuffix(FolderName.temporarySuffix) {
      try folder.disk.remove(DiskPath.join(folder.archivePath, name))
    }
  }
}
