internal import Glibc
internal import Synchronization

/// The file systems of this machine. Files are created readable by their owner only, because they contain credentials.
package struct PosixDisk: Disk {
  package init() {}

  package func open(_ path: String, _ mode: OpenMode) throws(DiskError) -> any DiskFile {
    let flags =
      switch mode {
      case .read: O_RDONLY
      case .write: O_RDWR
      case .create: O_RDWR | O_CREAT | O_EXCL
      }
    let descriptor = DescriptorReserve.shared.lend(isWriting: mode != .read) {
      Glibc.open(path, flags | O_CLOEXEC, 0o600)
    }
    guard descriptor >= 0 else { throw DiskError(call: "open", path: path, code: errno) }
    return PosixFile(descriptor, path: path)
  }

  package func list(_ directory: String) throws(DiskError) -> [String] {
    let descriptor = DescriptorReserve.shared.lend(isWriting: false) {
      Glibc.open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    }
    guard descriptor >= 0, let stream = fdopendir(descriptor) else {
      throw DiskError(call: "opendir", path: directory, code: errno)
    }
    defer {
      closedir(stream)
      DescriptorReserve.shared.refill()
    }
    var names: [String] = []
    while true {
      // readdir returns nil at the end and on failure; only errno tells them apart.
      errno = 0
      guard let entry = readdir(stream) else { break }
      let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      if name != ".", name != ".." { names.append(name) }
    }
    guard errno == 0 else { throw DiskError(call: "readdir", path: directory, code: errno) }
    return names
  }

  package func createDirectory(_ path: String) throws(DiskError) {
    guard mkdir(path, 0o700) == 0 else { throw DiskError(call: "mkdir", path: path, code: errno) }
  }

  package func rename(_ path: String, to target: String) throws(DiskError) {
    guard Pace.undisturbed({ Glibc.rename(path, target) }) == 0 else {
      throw DiskError(call: "rename", path: path, code: errno)
    }
  }

  package func remove(_ path: String) throws(DiskError) {
    guard Pace.undisturbed({ Glibc.remove(path) }) == 0 else {
      throw DiskError(call: "remove", path: path, code: errno)
    }
  }

  package func syncDirectory(_ path: String) throws(DiskError) {
    let descriptor = Pace.undisturbed {
      DescriptorReserve.shared.lend(isWriting: true) { Glibc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
    }
    guard descriptor >= 0 else { throw DiskError(call: "open", path: path, code: errno) }
    defer {
      Glibc.close(descriptor)
      DescriptorReserve.shared.refill()
    }
    guard Pace.undisturbed({ fsync(descriptor) }) == 0 else { throw DiskError(call: "fsync", path: path, code: errno) }
  }

  package func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

  package func realPath(_ path: String) -> String? {
    guard let real = realpath(path, nil) else { return nil }
    defer { free(real) }
    return String(cString: real)
  }

  package func status(_ path: String) throws(DiskError) -> FileStatus {
    var found = stat()
    guard stat(path, &found) == 0 else { throw DiskError(call: "stat", path: path, code: errno) }
    return FileStatus(found)
  }

  package func openDirectory(_ path: String) throws(DiskError) -> any DiskFile {
    let descriptor = Glibc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw DiskError(call: "open", path: path, code: errno) }
    return PosixFile(descriptor, path: path)
  }

  package func freeBytes(_ path: String) throws(DiskError) -> UInt64 {
    var status = statvfs()
    guard statvfs(path, &status) == 0 else { throw DiskError(call: "statvfs", path: path, code: errno) }
    return UInt64(status.f_bavail) * UInt64(status.f_frsize)
  }
}

extension FileStatus {
  fileprivate init(_ found: stat) {
    self.init(
      identity: Identity(device: UInt64(found.st_dev), inode: UInt64(found.st_ino)), size: UInt64(found.st_size),
      mode: found.st_mode & 0o7777)
  }
}

/// One open file. Several threads may use it at once, because no call moves a file position.
final class PosixFile: DiskFile {
  private let descriptor: Int32
  private let path: String
  private let isClosed = Mutex(false)

  init(_ descriptor: Int32, path: String) {
    self.descriptor = descriptor
    self.path = path
  }

  deinit { close() }

  func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(DiskError) -> Int {
    let count = pread(descriptor, buffer.baseAddress, buffer.count, Int(offset))
    guard count >= 0 else { throw failure("pread") }
    return count
  }

  func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(DiskError) -> Int {
    let count = pwrite(descriptor, bytes.baseAddress, bytes.count, Int(offset))
    guard count >= 0 else { throw failure("pwrite") }
    return count
  }

  func sync() throws(DiskError) {
    guard Pace.undisturbed({ fdatasync(descriptor) }) == 0 else { throw failure("fdatasync") }
  }

  func size() throws(DiskError) -> UInt64 { try status().size }

  func status() throws(DiskError) -> FileStatus {
    var found = stat()
    guard fstat(descriptor, &found) == 0 else { throw failure("fstat") }
    return FileStatus(found)
  }

  func truncate(to size: UInt64) throws(DiskError) {
    guard ftruncate(descriptor, Int(size)) == 0 else { throw failure("ftruncate") }
  }

  func allocate(_ size: UInt64) throws(DiskError) {
    // posix_fallocate returns the error and does not set errno.
    let code = posix_fallocate(descriptor, 0, Int(size))
    guard code == 0 else { throw DiskError(call: "posix_fallocate", path: path, code: code) }
  }

  func lock() throws(DiskError) -> Bool {
    if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { return true }
    guard errno == EWOULDBLOCK else { throw failure("flock") }
    return false
  }

  func forgetCached() throws(DiskError) {
    let code = posix_fadvise(descriptor, 0, 0, POSIX_FADV_DONTNEED)
    guard code == 0 else { throw DiskError(call: "posix_fadvise", path: path, code: code) }
  }

  func close() {
    isClosed.withLock { isClosed in
      guard !isClosed else { return }
      isClosed = true
      Glibc.close(descriptor)
      DescriptorReserve.shared.refill()
    }
  }

  private func failure(_ call: String) -> DiskError { DiskError(call: call, path: path, code: errno) }
}
