import GatehouseCore
import Glibc

/// Reads a file in pieces, so that its size does not matter.
final class InputFile {
  /// What tells one state of a file from another.
  struct Identity: Equatable {
    let device: UInt
    let number: UInt
    let size: Int
    let seconds: Int
    let nanoseconds: Int
  }

  let identity: Identity
  /// How many bytes were read.
  private(set) var position: UInt64 = 0
  private let descriptor: Int32

  private static let pieceSize = 256 * 1024

  /// - Parameter path: `-` is standard input.
  init(_ path: String) throws(TableError) {
    descriptor = path == "-" ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .cannotOpen(path: path, reason: Self.reason) }
    var status = stat()
    // The descriptor is closed by deinit, which also runs where an initialiser throws this late.
    guard fstat(descriptor, &status) == 0 else { throw .cannotOpen(path: path, reason: Self.reason) }
    identity = Identity(
      device: UInt(status.st_dev), number: UInt(status.st_ino), size: Int(status.st_size),
      seconds: status.st_mtim.tv_sec, nanoseconds: status.st_mtim.tv_nsec)
    guard status.st_mode & S_IFMT != S_IFDIR else { throw .cannotOpen(path: path, reason: "it is a folder") }
  }

  deinit { close(descriptor) }

  /// Whether a path names something that is there again after it was read: not a pipe or a device. What cannot be looked
  /// at is left to whoever opens it.
  static func canBeReadTwice(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) != 0 || [S_IFREG, S_IFDIR].contains(status.st_mode & S_IFMT)
  }

  /// The next piece; empty at the end.
  func next() throws(TableError) -> [UInt8] {
    while true {
      var code: Int32 = 0
      let piece = [UInt8](unsafeUninitializedCapacity: Self.pieceSize) { target, count in
        let received = read(descriptor, target.baseAddress, target.count)
        code = received < 0 ? errno : 0
        count = max(0, received)
      }
      if code == EINTR { continue }
      guard code == 0 else { throw .cannotRead(reason: String(cString: strerror(code))) }
      position += UInt64(piece.count)
      return piece
    }
  }

  private static var reason: String { String(cString: strerror(errno)) }
}
