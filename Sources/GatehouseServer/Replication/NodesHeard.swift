import GatehouseStorage

/// Which of the listed nodes still write their entries. One that was killed is listed until its entry ends, and so is one
/// that is back and does not have its name again yet; neither can lead.
struct NodesHeard: Sendable {
  private struct Entry {
    var revision: Int64
    var since: UInt64
  }

  private var entries: [String: Entry] = [:]
  private var last: UInt64 = 0

  /// A live node renews its entry more than twice in this time.
  static let silence: UInt64 = 3_000_000_000
  /// How long may lie between two looks: while nobody looks, nothing is known.
  static let gap: UInt64 = 1_500_000_000

  /// - Parameters:
  ///   - revisions: those that wrote the nodes' entries last, by name.
  ///   - now: a time in nanoseconds.
  mutating func note(_ revisions: [String: Int64], at now: UInt64) {
    let hasLooked = now <= last + Self.gap
    last = now
    entries = revisions.reduce(into: [:]) { noted, node in
      if hasLooked, let before = entries[node.key], before.revision == node.value {
        noted[node.key] = before
      } else {
        noted[node.key] = Entry(revision: node.value, since: now)
      }
    }
  }

  /// Whether a node that is listed has said nothing for long. How long the last look is ago does not count, because
  /// deleting many frames delays the next one, too.
  ///
  /// - Parameter status: of now.
  func isSilent(_ name: String, in status: SharedLogStatus) -> Bool {
    guard let entry = entries[name], status.revisions[name] == entry.revision else { return false }
    return last >= entry.since + Self.silence
  }

  /// The nodes besides one that can lead.
  func candidates(in status: SharedLogStatus, besides name: String) -> [NodeEntry] {
    status.nodes.filter { $0.name != name && $0.isCandidate && !isSilent($0.name, in: status) }
  }
}
