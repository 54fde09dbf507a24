import ArgumentParser
import Glibc

/// A file that did not exist before.
final class OutputFile {
  private let path: String
  private let descriptor: Int32

  init(_ path: String) throws {
    self.path = path
    descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else {
      let reason = String(cString: strerror(errno))
      Console.message("gatehousectl: cannot make \(path): \(reason)")
      throw ExitCode(ExitStatus.cannotCreate)
    }
  }

  deinit { close(descriptor) }

  func write(_ bytes: [UInt8]) throws {
    guard Console.write(bytes, to: descriptor) else { throw OutputFailure(reason: String(cString: strerror(errno))) }
  }

  func remove() { unlink(path) }

  func finish() throws {
    guard fsync(descriptor) == 0 else { throw OutputFailure(reason: String(cString: strerror(errno))) }
  }
}

struct OutputFailure: Error, CustomStringConvertible {
  let reason: String

  var description: String { "cannot write the file: \(reason)" }
}
