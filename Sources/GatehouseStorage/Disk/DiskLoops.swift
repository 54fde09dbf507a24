internal import Glibc

/// How often a call interrupted by a signal is repeated before that counts as a failure. Signals are rare, so a call
/// that is always interrupted must not hang its thread.
private let interruptLimit = 100

/// Repeats a call while signals interrupt it. Never used for a sync: whatever a failed sync reports, a retry proves
/// nothing.
package func uninterrupted<Result>(_ call: () throws(DiskError) -> Result) throws(DiskError) -> Result {
  var attempts = 0
  while true {
    do throws(DiskError) {
      return try call()
    } catch {
      attempts += 1
      guard error.code == EINTR, attempts < interruptLimit else { throw error }
    }
  }
}

extension DiskFile {
  /// Writes all of `bytes`, however many calls that takes.
  package func writeAll(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(DiskError) {
    var done = 0
    while done < bytes.count {
      let count = try uninterrupted { () throws(DiskError) in
        try write(UnsafeRawBufferPointer(rebasing: bytes[done...]), at: offset + UInt64(done))
      }
      // A write that moves nothing but does not fail would be repeated for ever.
      guard count > 0 else { throw DiskError(call: "pwrite", path: "", code: EIO) }
      done += count
    }
  }

  /// Fills `buffer` from `offset`; returns fewer bytes than fit only at the end of the file.
  package func readAll(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(DiskError) -> Int {
    var done = 0
    while done < buffer.count {
      let count = try uninterrupted { () throws(DiskError) in
        try read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[done...]), at: offset + UInt64(done))
      }
      if count == 0 { break }
      done += count
    }
    return done
  }
}

extension Disk {
  /// Opens a file, again if a signal interrupts.
  package func openFile(_ path: String, _ mode: OpenMode) throws(DiskError) -> any DiskFile {
    try uninterrupted { () throws(DiskError) in try open(path, mode) }
  }

  /// Reads a whole file that is known to be small.
  /// - Parameter limit: a file with more bytes is refused with `EFBIG`.
  package func readFile(_ path: String, limit: Int = 64 << 20) throws(DiskError) -> [UInt8] {
    let file = try openFile(path, .read)
    defer { file.close() }
    let size = try file.size()
    guard size <= UInt64(limit) else { throw DiskError(call: "read", path: path, code: EFBIG) }
    var bytes = [UInt8](repeating: 0, count: Int(size))
    let count = try bytes.withUnsafeMutableBufferPointer { buffer throws(DiskError) in
      try file.readAll(into: UnsafeMutableRawBufferPointer(buffer), at: 0)
    }
    bytes.removeLast(bytes.count - count)
    return bytes
  }

  /// Replaces a small file atomically: after a crash it has the old bytes or the new ones. A temporary file is written,
  /// synced and renamed, and the directory is synced.
  package func replaceFile(_ path: String, with bytes: [UInt8]) throws(DiskError) {
    let temporary = path + ".tmp"
    if exists(temporary) { try remove(temporary) }
    let file = try openFile(temporary, .create)
    defer { file.close() }
    try bytes.withUnsafeBufferPointer { buffer throws(DiskError) in
      try file.writeAll(UnsafeRawBufferPointer(buffer), at: 0)
    }
    try file.sync()
    try rename(temporary, to: path)
    try syncDirectory(DiskPath.parent(of: path))
  }
}

extension Disk {
  /// The names in a directory without those that file systems create by themselves, such as `lost+found` if the folder
  /// is the root of a file system.
  package func names(in directory: String) throws(DiskError) -> [String] {
    try uninterrupted { () throws(DiskError) in try list(directory) }.filter { !DiskPath.isOfFileSystem($0) }
  }
}

extension Disk {
  /// The real path of something that does not exist yet: that of the existing folders above it, plus the names below.
  package func realPath(ofNew path: String) -> String {
    if let real = realPath(path) { return real }
    let parent = DiskPath.parent(of: path)
    return parent == path ? path : DiskPath.join(realPath(ofNew: parent), DiskPath.name(of: path))
  }
}

/// Operations on paths as strings. The folder's files have plain names, so no more is needed.
package enum DiskPath {
  package static func join(_ directory: String, _ name: String) -> String {
    directory.hasSuffix("/") ? directory + name : directory + "/" + name
  }

  /// The directory of a path's last component.
  package static func parent(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }

  /// Whether a file system creates such a name by itself: at its root, or anywhere, as NFS does for open files that
  /// were removed.
  package static func isOfFileSystem(_ name: String) -> Bool {
    ["lost+found", ".snapshot", ".zfs", "aquota.user", "aquota.group", "quota.user", "quota.group"].contains(name)
      || name.hasPrefix(".nfs")
  }

  /// A path's last component.
  package static func name(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return path }
    return String(path[path.index(after: slash)...])
  }
}
