import Glibc

/// A new folder on the real disk, removed with the last reference.
final class TemporaryFolder: Sendable {
  let path: String

  init() {
    var template = Array("/tmp/gatehouse-test-XXXXXX".utf8CString)
    guard let made = template.withUnsafeMutableBufferPointer({ mkdtemp($0.baseAddress!) }) else {
      fatalError("mkdtemp: errno \(errno)")
    }
    path = String(cString: made)
  }

  deinit { Self.removeAll(path) }

  private static func removeAll(_ path: String) {
    if let stream = opendir(path) {
      while let entry = readdir(stream) {
        let name = withUnsafeBytes(of: &entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        if name != ".", name != ".." { removeAll(path + "/" + name) }
      }
      closedir(stream)
    }
    remove(path)
  }
}
