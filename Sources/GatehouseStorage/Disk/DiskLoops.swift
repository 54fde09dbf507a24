internal import Glibc

/// How often a call that a signal interrupts is made again before that counts as its failure: signals are
/// rare, so a call that is always interrupted must not hang its thread.
private let interruptLimit = 100

/// Makes a call again for as long as a signal interrupts it. Never for a sync: whatever a failed sync says,
/// trying again proves nothing.
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
      // A write that moves nothing and does not fail would be tried for ever.
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

  /// The whole of a file that is known to be small.
  /// - Parameter limit: more bytes than this are refused with `EFBIG`.
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

  /// Makes a small file hold `bytes`, so that after a crash it has either the old bytes or the new: a
  /// temporary file is written, synced and renamed, and the directory synced.
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
  /// The names in a directory that a program has put there: without those that file systems make by themselves, such as
  /// `lost+found` where a folder is the root of a file system of its own.
  package func names(in directory: String) throws(DiskError) -> [String] {
    try uninterrupted { () throws(DiskError) in try list(directory) }.filter { !DiskPath.isOfFileSystem($0) }
  }
}

extension Disk {
  /// As the real path of what is not there yet: that of the folders above it that are, and the names below.
  package func realPath(ofNew path: String) -> String {
    if let real = realPath(path) { return real }
    let parent = DiskPath.parent(of: path)
    return parent == path ? path : DiskPath.join(realPath(ofNew: parent), DiskPath.name(of: path))
  }
}

/// Paths as strings: the folder's files have plain names, so no more than this is needed.
package enum DiskPath {
  package static func join(_ directory: String, _ name: String) -> String {
    directory.hasSuffix("/") ? directory + name : directory + "/" + name
  }

  /// The directory that a path's last component lies in.
  package static func parent(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }

  /// Whether a file system makes such a name by itself, at its root or, as NFS does for files that were removed while
  /// they were open, anywhere.
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
