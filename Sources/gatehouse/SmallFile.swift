import Glibc

/// Reads files of a few kilobytes whole. If one cannot be read, the error has the system's own words.
enum SmallFile {
  struct Failure: Error, Equatable, CustomStringConvertible {
    let description: String
  }

  /// No hand-written file is longer.
  private static let limit = 1 << 20

  static func read(_ path: String) throws(Failure) -> [UInt8] {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw failure() }
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = Glibc.read(descriptor, &chunk, chunk.count)
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw failure() }
      if count == 0 { return bytes }
      bytes += chunk[..<count]
      guard bytes.count <= limit else { throw Failure(description: "it is longer than \(limit) bytes") }
    }
  }

  private static func failure() -> Failure { Failure(description: String(cString: strerror(errno))) }
}
