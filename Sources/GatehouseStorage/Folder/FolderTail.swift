internal import Glibc

/// Follows the records of a folder that another process writes: across rotations, and across compactions that move
/// unread records from the log to the archive.
///
/// The folder's witness says what is durable, up to about 100 ms late. So a record that a crash could take back is
/// never handed out.
package struct FolderTail: LogSource {
  private let folder: DataFolder
  private let dictionaries: [ZstdDictionary]
  private let reader: LogReader
  private var next: UInt64

  /// - Parameter lsn: the last record that is already known; 0 for none.
  package init(_ folder: DataFolder, after lsn: UInt64, dictionaries: [ZstdDictionary] = ZstdDictionary.known) {
    self.folder = folder
    self.dictionaries = dictionaries
    reader = LogReader(folder.logLocation, dictionaries: dictionaries)
    next = lsn + 1
  }

  /// - Returns: the last record handed out, now or earlier.
  package mutating func read(_ handle: (UInt64, UnsafeRawBufferPointer) throws -> Void) throws -> UInt64 {
    let durable = try WitnessFile.read(folder.logLocation)?.durableLSN ?? 0
    var next = next
    defer { self.next = next }
    guard next <= durable else { return next - 1 }
    var isHandlersFault = false
    func take(_ lsn: UInt64, _ record: UnsafeRawBufferPointer) throws {
      guard lsn == next else { throw LogError(.missing, lsn: next, "the record is not kept any more") }
      isHandlersFault = true
      try handle(lsn, record)
      isHandlersFault = false
      next += 1
    }
    do {
      try reader.records(from: next, through: durable, take)
    } catch let error as LogError where !isHandlersFault && error.mayBeMoved {
      try History(folder, dictionaries: dictionaries) { _, _ in 0 }.forEach(History.Query(next...durable)) {
        lsn, record in
        try take(lsn, record)
        return true
      }
    }
    guard next > durable else { throw LogError(.missing, lsn: next, "the record is not kept any more") }
    return durable
  }
}

extension LogError {
  /// Whether a record missing from the log may have moved to the archive meanwhile. If it has not, the archive's reader
  /// reports that.
  fileprivate var mayBeMoved: Bool {
    switch code {
    case .missing, .corrupt: true
    case .disk: cause?.code == ENOENT
    case .stranger, .unsupported, .dictionary, .locked: false
    }
  }
}
