import GatehouseStorage
import Glibc
import Synchronization

/// Makes the n-th call to the disk below fail, once or always.
final class FaultyDisk: Disk {
  enum Fault: Hashable, Sendable {
    case error(Int32)
    /// Reads and writes transfer at most half of what was requested; other calls succeed.
    case short
  }

  struct Plan: Sendable {
    /// From 0, among the matching calls.
    var call: Int
    var fault: Fault
    var forGood = false
    /// How many calls in a row fail, if not all.
    var times = 1
    /// The matching calls, by their names in `DiskError`; all calls if empty.
    var kinds: Set<String> = []
    /// The suffix of the paths of matching calls.
    var suffix = ""
  }

  private struct State {
    var plan: Plan?
    var calls = 0
    var failures = 0
  }

  let base: any Disk
  private let state = Mutex(State())

  init(_ base: any Disk, _ plan: Plan? = nil) {
    self.base = base
    state.withLock { $0.plan = plan }
  }

  /// Restarts counting at 0; nil stops the failures.
  func arm(_ plan: Plan?) { state.withLock { $0 = State(plan: plan) } }

  /// The matching calls since the plan was armed.
  var calls: Int { state.withLock(\.calls) }
  /// How many of them failed or were short.
  var failures: Int { state.withLock(\.failures) }

  /// True if the call must transfer only a part.
  @discardableResult
  func check(_ call: String, _ path: String) throws(DiskError) -> Bool {
    try state.withLock { state throws(DiskError) in
      if let kinds = state.plan?.kinds, !kinds.isEmpty, !kinds.contains(call) { return false }
      if let suffix = state.plan?.suffix, !path.hasSuffix(suffix) { return false }
      defer { state.calls += 1 }
      guard let plan = state.plan, state.calls >= plan.call, plan.forGood || state.calls < plan.call + plan.times else {
        return false
      }
      state.failures += 1
      switch plan.fault {
      case .error(let code): throw DiskError(call: call, path: path, code: code)
      case .short: return true
      }
    }
  }

  func open(_ path: String, _ mode: OpenMode) throws(DiskError) -> any DiskFile {
    try check("open", path)
    return FaultyFile(self, try base.open(path, mode), path)
  }

  func list(_ directory: String) throws(DiskError) -> [String] {
    try check("opendir", directory)
    return try base.list(directory)
  }

  func createDirectory(_ path: String) throws(DiskError) {
    try check("mkdir", path)
    try base.createDirectory(path)
  }

  func rename(_ path: String, to target: String) throws(DiskError) {
    try check("rename", path)
    try base.rename(path, to: target)
  }

  func remove(_ path: String) throws(DiskError) {
    try check("remove", path)
    try base.remove(path)
  }

  func syncDirectory(_ path: String) throws(DiskError) {
    try check("fsync", path)
    try base.syncDirectory(path)
  }

  func exists(_ path: String) -> Bool { base.exists(path) }

  func realPath(_ path: String) -> String? { base.realPath(path) }

  func status(_ path: String) throws(DiskError) -> FileStatus {
    try check("stat", path)
    return try base.status(path)
  }

  func openDirectory(_ path: String) throws(DiskError) -> any DiskFile {
    try check("open", path)
    return FaultyFile(self, try base.openDirectory(path), path)
  }

  func freeBytes(_ path: String) throws(DiskError) -> UInt64 {
    try check("statvfs", path)
    return try base.freeBytes(path)
  }
}

final class FaultyFile: DiskFile {
  private let disk: FaultyDisk
  private let base: any DiskFile
  private let path: String

  init(_ disk: FaultyDisk, _ base: any DiskFile, _ path: String) {
    self.disk = disk
    self.base = base
    self.path = path
  }

  func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(DiskError) -> Int {
    let count = try disk.check("pread", path) ? max(1, buffer.count / 2) : buffer.count
    return try base.read(into: UnsafeMutableRawBufferPointer(rebasing: buffer.prefix(count)), at: offset)
  }

  func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(DiskError) -> Int {
    let count = try disk.check("pwrite", path) ? max(1, bytes.count / 2) : bytes.count
    return try base.write(UnsafeRawBufferPointer(rebasing: bytes.prefix(count)), at: offset)
  }

  func sync() throws(DiskError) {
    try disk.check("fdatasync", path)
    try base.sync()
  }

  func size() throws(DiskError) -> UInt64 {
    try disk.check("fstat", path)
    return try base.size()
  }

  func status() throws(DiskError) -> FileStatus {
    try disk.check("fstat", path)
    return try base.status()
  }

  func truncate(to size: UInt64) throws(DiskError) {
    try disk.check("ftruncate", path)
    try base.truncate(to: size)
  }

  func allocate(_ size: UInt64) throws(DiskError) {
    try disk.check("posix_fallocate", path)
    try base.allocate(size)
  }

  func lock() throws(DiskError) -> Bool {
    try disk.check("flock", path)
    return try base.lock()
  }

  func forgetCached() throws(DiskError) {
    try disk.check("posix_fadvise", path)
    try base.forgetCached()
  }

  func close() { base.close() }
}
