internal import Glibc

/// The records of a folder that another process writes, from one on: across rotations, and across compactions that move
/// what was not read yet from the log to the archive.
///
/// What is durable the folder's witness says, up to about 100 ms late: a record that a crash could take back is not handed
/// out.
package struct FolderTail: LogSource {
  private let folder: DataFolder
  private let dictionaries: [ZstdDictionary]
  private let reader: LogReader
  private var next: UInt64

  /// - Parameter lsn: the last record that is known already; 0 for none.
  package init(_ folder: DataFolder, after lsn: UInt64, dictionaries: [ZstdDictionary] = ZstdDictionary.known) {
    self.folder = folder
    self.dictionaries = dictionaries
    reader = LogReader(folder.logLocation, dictionaries: dictionaries)
    next = lsn + 1
  }

  /// - Returns: the last record that was handed out, now or before.
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
  /// Whether a record that was not found where the log should have it may have gone to the archive meanwhile. Where it has
  /// not, the archive's reader finds that out.
  fileprivate var mayBeMoved: Bool {
    switch code {
    case .missing, .corrupt: true
    case .disk: cause?.code == ENOENT
    case .stranger, .unsupported, .dictionary: false
    }
  }
}
