import Glibc
import Synchronization

@testable import GatehouseStorage

/// A disk with a bad sector: one file cannot be read after its header, a given number of times.
final class UnreadableDisk: Disk {
  private let base: any Disk
  private let path: String
  private let times: Mutex<Int>

  init(_ base: any Disk, path: String, times: Int) {
    self.base = base
    self.path = path
    self.times = Mutex(times)
  }

  func open(_ path: String, _ mode: OpenMode) throws(DiskError) -> any DiskFile {
    let file = try base.open(path, mode)
    return path == self.path ? BadFile(base: file, disk: self) : file
  }

  fileprivate func check(_ offset: UInt64) throws(DiskError) {
    guard offset >= LogFormat.segmentStart else { return }
    let isBad = times.withLock { times in
      guard times > 0 else { return false }
      times -= 1
      return true
    }
    if isBad { throw DiskError(call: "pread", path: path, code: EIO) }
  }

  func list(_ directory: String) throws(DiskError) -> [String] { try base.list(directory) }
  func createDirectory(_ path: String) throws(DiskError) { try base.createDirectory(path) }
  func rename(_ path: String, to target: String) throws(DiskError) { try base.rename(path, to: target) }
  func remove(_ path: String) throws(DiskError) { try base.remove(path) }
  func syncDirectory(_ path: String) throws(DiskError) { try base.syncDirectory(path) }
  func exists(_ path: String) -> Bool { base.exists(path) }
  func realPath(_ path: String) -> String? { base.realPath(path) }
  func status(_ path: String) throws(DiskError) -> FileStatus { try base.status(path) }
  func openDirectory(_ path: String) throws(DiskError) -> any DiskFile { try base.openDirectory(path) }
  func freeBytes(_ path: String) throws(DiskError) -> UInt64 { try base.freeBytes(path) }
}

private final class BadFile: DiskFile {
  private let base: any DiskFile
  private let disk: UnreadableDisk

  init(base: any DiskFile, disk: UnreadableDisk) {
    self.base = base
    self.disk = disk
  }

  func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(DiskError) -> Int {
    try disk.check(offset)
    return try base.read(into: buffer, at: offset)
  }
  func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(DiskError) -> Int {
    try base.write(bytes, at: offset)
  }
  func sync() throws(DiskError) { try base.sync() }
  func forgetCached() throws(DiskError) { try base.forgetCached() }
  func size() throws(DiskError) -> UInt64 { try base.size() }
  func status() throws(DiskError) -> FileStatus { try base.status() }
  func truncate(to size: UInt64) throws(DiskError) { try base.truncate(to: size) }
  func allocate(_ size: UInt64) throws(DiskError) { try base.allocate(size) }
  func lock() throws(DiskError) -> Bool { try base.lock() }
  func close() { base.close() }
}
