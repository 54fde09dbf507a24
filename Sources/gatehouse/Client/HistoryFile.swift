import Glibc

/// The lines typed earlier, one per line, in a file that only its owner can read.
///
/// Lines are appended one by one, so that two clients open at once both keep theirs, and a client that is killed loses
/// nothing. The file is cut to its limit when it is read.
struct HistoryFile: Sendable {
  let path: String
  let limit: Int

  init(path: String, limit: Int = 1000) {
    self.path = path
    self.limit = limit
  }

  /// `~/.gatehouse_history`, or the file named by `$GATEHOUSE_HISTORY`; if that is empty, no history is kept.
  init?(environment: [String: String]) {
    if let path = environment["GATEHOUSE_HISTORY"] {
      guard !path.isEmpty else { return nil }
      self.init(path: path)
    } else if let home = environment["HOME"], !home.isEmpty {
      self.init(path: home + "/.gatehouse_history")
    } else {
      return nil
    }
  }

  /// The last lines, oldest first. A missing or unreadable file is an empty history.
  func load() -> [String] {
    guard let text = readAll() else { return [] }
    let lines = text.split(separator: "\n").map(String.init)
    guard lines.count > limit else { return lines }
    let kept = Array(lines.suffix(limit))
    // Rewriting could lose a line that another client appends meanwhile, so it is rare.
    if lines.count > 2 * limit { replace(with: kept) }
    return kept
  }

  func append(_ line: String) {
    write(line + "\n", flags: O_WRONLY | O_APPEND | O_CREAT)
  }

  private func replace(with lines: [String]) {
    write(lines.joined(separator: "\n") + "\n", flags: O_WRONLY | O_TRUNC | O_CREAT)
  }

  private func readAll() -> String? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = read(descriptor, &chunk, chunk.count)
      guard count > 0 else { return count < 0 ? nil : String(decoding: bytes, as: UTF8.self) }
      bytes += chunk[..<count]
    }
  }

  /// Failures, such as a read-only home, are ignored: they must not disturb the work.
  private func write(_ text: String, flags: Int32) {
    let descriptor = open(path, flags | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard descriptor >= 0 else { return }
    defer { close(descriptor) }
    // If the file existed with wider permissions, narrow them before adding anything.
    guard fchmod(descriptor, 0o600) == 0 else { return }
    let bytes = Array(text.utf8)
    _ = Glibc.write(descriptor, bytes, bytes.count)
  }
}
