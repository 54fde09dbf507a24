import Foundation
import Synchronization

/// A folder for one test, removed when the value goes away.
package final class TemporaryFolder: Sendable {
  package let path: String

  package init(_ purpose: String) throws {
    var template = Array("\(NSTemporaryDirectory())/gatehouse-\(purpose)-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else {
      throw TestFailure("cannot make a temporary folder: \(String(cString: strerror(errno)))")
    }
    path = template.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
  }

  deinit {
    // A test may have removed write permission, which would also prevent the removal.
    let folders = FileManager.default.enumerator(atPath: path)
    while let name = folders?.nextObject() as? String {
      if folders?.fileAttributes?[.type] as? FileAttributeType == .typeDirectory { chmod(path(name), 0o700) }
    }
    try? FileManager.default.removeItem(atPath: path)
  }

  package func path(_ name: String) -> String { "\(path)/\(name)" }

  /// Removes it when the test process exits: for a folder that several tests share, in a constant that never goes away.
  package func removeAtExit() { SharedFolders.add(path) }
}

/// The folders to remove when the test process exits.
private enum SharedFolders {
  private static let paths = Mutex<[String]>([])

  private static let atExit: Void = {
    atexit {
      for path in SharedFolders.paths.withLock({ $0 }) { try? FileManager.default.removeItem(atPath: path) }
    }
  }()

  static func add(_ path: String) {
    _ = atExit
    paths.withLock { $0.append(path) }
  }
}
