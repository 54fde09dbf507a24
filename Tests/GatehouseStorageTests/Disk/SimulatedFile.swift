import GatehouseStorage
import Glibc
import Synchronization

/// An open file of a `SimulatedDisk`.
final class SimulatedFile: DiskFile {
  private let disk: SimulatedDisk
  private let node: Int
  private let path: String
  private let mode: OpenMode

  init(_ disk: SimulatedDisk, node: Int, path: String, mode: OpenMode) {
    self.disk = disk
    self.node = node
    self.path = path
    self.mode = mode
  }

  func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(DiskError) -> Int {
    try disk.state.withLock { state throws(DiskError) in
      try state.checkPower("pread", path)
      let size = state.nodes[node].content.count
      guard offset < UInt64(size) else { return 0 }
      let count = min(buffer.count, size - Int(offset))
      state.nodes[node].content.withUnsafeBytes { bytes in
        buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[Int(offset)..<Int(offset) + count]))
      }
      return count
    }
  }

  func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(DiskError) -> Int {
    // Tests run without optimisation, and copying byte by byte would take most of their time.
    let copy = [UInt8](unsafeUninitializedCapacity: bytes.count) { buffer, count in
      UnsafeMutableRawBufferPointer(buffer).copyMemory(from: bytes)
      count = bytes.count
    }
    try change("pwrite") { state throws(DiskError) in
      try reserve(Int(offset) + bytes.count, "pwrite", &state)
      state.nodes[node].perform(.write(offset: Int(offset), bytes: copy))
    }
    return bytes.count
  }

  func sync() throws(DiskError) {
    try change("fdatasync") { state throws(DiskError) in
      state.fileSyncs += 1
      guard state.fileSyncs - 1 != state.failingSync else {
        state.nodes[node].failSync()
        throw DiskError(call: "fdatasync", path: path, code: state.failingSyncCode)
      }
      state.nodes[node].sync()
    }
  }

  func size() throws(DiskError) -> UInt64 {
    try disk.state.withLock { state throws(DiskError) in
      try state.checkPower("fstat", path)
      return UInt64(state.nodes[node].content.count)
    }
  }

  func status() throws(DiskError) -> FileStatus {
    try disk.state.withLock { state throws(DiskError) in
      try state.checkPower("fstat", path)
      return state.status(of: node)
    }
  }

  func truncate(to size: UInt64) throws(DiskError) {
    try change("ftruncate") { state throws(DiskError) in state.nodes[node].perform(.resize(Int(size))) }
  }

  func allocate(_ size: UInt64) throws(DiskError) {
    try change("posix_fallocate") { state throws(DiskError) in
      try reserve(Int(size), "posix_fallocate", &state)
      if state.nodes[node].content.count < Int(size) { state.nodes[node].perform(.resize(Int(size))) }
    }
  }

  func lock() throws(DiskError) -> Bool {
    try disk.state.withLock { state throws(DiskError) in
      try state.checkPower("flock", path)
      let mine = ObjectIdentifier(self)
      guard state.nodes[node].lockHolder == nil || state.nodes[node].lockHolder == mine else { return false }
      state.nodes[node].lockHolder = mine
      return true
    }
  }

  func forgetCached() throws(DiskError) {
    disk.state.withLock { $0.nodes[node].forgetCached() }
  }

  func close() {
    disk.state.withLock { state in
      if state.nodes[node].lockHolder == ObjectIdentifier(self) { state.nodes[node].lockHolder = nil }
    }
  }

  private func change(
    _ call: String, _ body: (inout SimulatedDisk.State) throws(DiskError) -> Void
  ) throws(DiskError) {
    guard mode != .read else { throw DiskError(call: call, path: path, code: EBADF) }
    try disk.state.withLock { state throws(DiskError) in
      try state.willChange(call, path)
      try body(&state)
    }
  }

  /// Fails if growing the file to `size` would exceed the disk's capacity.
  private func reserve(_ size: Int, _ call: String, _ state: inout SimulatedDisk.State) throws(DiskError) {
    let growth = size - state.nodes[node].content.count
    guard growth > 0, state.capacity != .max else { return }
    guard state.usedBytes + growth <= state.capacity else {
      throw DiskError(call: call, path: path, code: ENOSPC)
    }
  }
}
