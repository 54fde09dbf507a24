import Foundation
import GatehouseTestSupport
import Testing

/// A small file system in memory that a test can fill up.
final class SmallDisk {
  let path: String

  static let mayBeMade: Bool = {
    guard geteuid() == 0, let disk = try? TemporaryFolder("mount"), let small = try? SmallDisk(disk.path, megabytes: 1)
    else { return false }
    return small.path == disk.path
  }()

  init(_ path: String, megabytes: Int) throws {
    self.path = path
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    let mount = try runProgram("mount", ["-t", "tmpfs", "-o", "size=\(megabytes)m", "none", path])
    guard mount.succeeded else { throw TestFailure("cannot mount: \(mount.errors)") }
  }

  deinit { _ = try? runProgram("umount", ["-l", path]) }

  /// Fills all remaining space.
  func fill() throws {
    _ = FileManager.default.createFile(atPath: "\(path)/ballast", contents: nil)
    let file = try #require(FileHandle(forWritingAtPath: "\(path)/ballast"))
    for size in [65_536, 4_096] {
      while (try? file.write(contentsOf: Data(repeating: 1, count: size))) != nil {}
    }
    try file.close()
  }

  func makeRoom() throws { try FileManager.default.removeItem(atPath: "\(path)/ballast") }
}
