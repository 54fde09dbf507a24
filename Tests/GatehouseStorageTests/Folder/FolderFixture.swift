import GatehouseStorage

/// Folders for tests, with the same keys in every run.
enum FolderFixture {
  static let path = "/data"
  static let createdAt: UInt64 = 1_763_755_200_000

  static func make(
    on disk: any Disk, at path: String = path, partitionCount: Int = 1, seed: UInt64 = 1
  ) throws(FolderError) -> DataFolder {
    var random = SplitMix64(seed: seed)
    return try DataFolder.open(
      path, disk: disk, create: FolderParameters(partitionCount: partitionCount, createdAt: createdAt),
      key: Encrypted.key, random: &random)
  }

  /// Changes the bytes of a file behind the program's back.
  static func edit(_ path: String, on disk: any Disk, _ change: (inout [UInt8]) -> Void) throws {
    var bytes = try disk.readFile(path)
    change(&bytes)
    let file = try disk.openFile(path, .write)
    defer { file.close() }
    try file.truncate(to: UInt64(bytes.count))
    try bytes.withUnsafeBufferPointer { try file.writeAll(UnsafeRawBufferPointer($0), at: 0) }
    try file.sync()
  }

  static func write(_ text: String, to path: String, on disk: any Disk) throws {
    let file = try disk.openFile(path, .create)
    defer { file.close() }
    let bytes = Array(text.utf8)
    try bytes.withUnsafeBufferPointer { try file.writeAll(UnsafeRawBufferPointer($0), at: 0) }
    try file.sync()
  }
}
