/// The version of the program.
package enum Version {
  package static let current = "0.1.0"
  /// The Redis version whose protocol and `INFO` fields clients can rely on. Reported wherever a client chooses
  /// features by the server's version.
  package static let redis = "7.4.0"

  /// Whether a version of the program is newer than this one.
  static func isNewer(_ other: String, than own: String = current) -> Bool {
    func numbers(_ version: String) -> [Int] { version.split(separator: ".").map { Int($0) ?? 0 } }
    let (mine, theirs) = (numbers(own), numbers(other))
    for place in 0..<max(mine.count, theirs.count) {
      let (old, new) = (place < mine.count ? mine[place] : 0, place < theirs.count ? theirs[place] : 0)
      if old != new { return new > old }
    }
    return false
  }
}
