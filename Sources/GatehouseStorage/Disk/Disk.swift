internal import Glibc

/// The system calls that storage makes, and nothing more. Tests replace it with a simulated disk (power loss, torn and
/// reordered writes), or make the n-th call fail.
///
/// Every method is one system call and may fail like it: with `EINTR`, or after moving fewer bytes than asked. The
/// loops that handle this are above the protocol, so that tests cover them too.
package protocol Disk: Sendable {
  /// Opens the file at `path`.
  func open(_ path: String, _ mode: OpenMode) throws(DiskError) -> any DiskFile
  /// The names in a directory, without `.` and `..`, in no order.
  func list(_ directory: String) throws(DiskError) -> [String]
  func createDirectory(_ path: String) throws(DiskError)
  /// Replaces `target` if it is there. Durable once the directory is synced.
  func rename(_ path: String, to target: String) throws(DiskError)
  func remove(_ path: String) throws(DiskError)
  /// Makes the directory's entries durable (`fsync` on the directory).
  func syncDirectory(_ path: String) throws(DiskError)
  func exists(_ path: String) -> Bool
  /// The absolute path without symbolic links and dots; nil if nothing exists there.
  func realPath(_ path: String) -> String?
  /// The status of a path (`stat`).
  func status(_ path: String) throws(DiskError) -> FileStatus
  /// Opens a directory, only to lock it.
  func openDirectory(_ path: String) throws(DiskError) -> any DiskFile
  /// How many bytes an unprivileged process may still write on the file system of `path`.
  func freeBytes(_ path: String) throws(DiskError) -> UInt64
}

package enum OpenMode: Sendable {
  case read
  /// Read and write; the file must be there.
  case write
  /// Read and write; the file must not be there.
  case create
}

package protocol DiskFile: AnyObject, Sendable {
  /// Reads up to `buffer.count` bytes from `offset`; 0 at the end of the file.
  func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(DiskError) -> Int
  /// Writes up to `bytes.count` bytes at `offset` and returns how many.
  func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(DiskError) -> Int
  /// Makes what was written durable (`fdatasync`).
  func sync() throws(DiskError)
  func size() throws(DiskError) -> UInt64
  /// The status of the open file, whatever has happened to its name (`fstat`).
  func status() throws(DiskError) -> FileStatus
  /// Cuts or extends (with zeros) the file.
  func truncate(to size: UInt64) throws(DiskError)
  /// Reserves space for the first `size` bytes and extends the file to it (`posix_fallocate`).
  func allocate(_ size: UInt64) throws(DiskError)
  /// Takes the exclusive advisory lock of the file for as long as it is open; false if another process has it.
  func lock() throws(DiskError) -> Bool
  /// Drops the file from the page cache, so that the next read comes from the disk. After a failed sync, the cache may
  /// show bytes that never reached the disk.
  func forgetCached() throws(DiskError)
  func close()
}

/// The status of a file or a directory.
package struct FileStatus: Sendable, Equatable {
  /// Which file it is: two names with the same identity are the same file.
  package struct Identity: Sendable, Hashable {
    package let device: UInt64
    package let inode: UInt64

    package init(device: UInt64, inode: UInt64) {
      self.device = device
      self.inode = inode
    }
  }

  package let identity: Identity
  package let size: UInt64
  /// The permission bits, such as `0o700`.
  package let mode: UInt32

  package init(identity: Identity, size: UInt64, mode: UInt32) {
    self.identity = identity
    self.size = size
    self.mode = mode
  }
}

/// A system call that failed.
package struct DiskError: Error, Equatable, CustomStringConvertible {
  /// The call, as in its manual page: `open`, `pwrite`, `fdatasync`.
  package let call: String
  package let path: String
  /// The value of `errno`.
  package let code: Int32

  package init(call: String, path: String, code: Int32) {
    self.call = call
    self.path = path
    self.code = code
  }
}

extension DiskError {
  /// Whether a part of the file cannot be read any more.
  var isUnreadable: Bool { code == EIO && call == "pread" }

  package var description: String { "\(call) of \(path): \(String(cString: strerror(code)))" }
}
