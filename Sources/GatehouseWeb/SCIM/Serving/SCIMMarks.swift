import Synchronization

/// Where pages of long lists began, for a while: a client that pages by index asks for each page anew, and the server
/// need not walk to it from the start each time.
final class SCIMMarks: Sendable {
  /// Which list, and whose.
  struct Key: Hashable {
    let service: String
    let workspace: String
    let list: String
  }

  private struct Entry {
    var ends: ContinuousClock.Instant
    /// By position, from 0: the cursor that continues there.
    var cursors: [(position: Int, cursor: String)] = [(0, "0")]
    var total: (count: Int, ends: ContinuousClock.Instant)?
    /// What a filter found that is decided here.
    var found: [String]?

    /// The last place at or before a position; there is always the first.
    func place(before position: Int) -> Int {
      var (low, high) = (0, cursors.count)
      while high - low > 1 {
        let middle = (low + high) / 2
        if cursors[middle].position <= position { low = middle } else { high = middle }
      }
      return low
    }
  }

  private static let life = Duration.seconds(300)
  private static let lifeOfTotal = Duration.seconds(15)
  private static let mostLists = 64
  /// Of one list: each page of a hundred of a million people.
  private static let mostCursors = 16_384
  /// Of all lists, in about a hundred bytes each.
  private static let mostOfAll = 131_072

  private let entries = Mutex<[Key: Entry]>([:])

  /// The nearest known place at or before a position.
  func place(before position: Int, of key: Key) -> (position: Int, cursor: String) {
    entries.withLock { entries in
      guard let entry = entries[key], entry.ends > .now else { return (0, "0") }
      return entry.cursors[entry.place(before: position)]
    }
  }

  func note(_ cursor: String, at position: Int, of key: Key) {
    change(key) { entry in
      let before = entry.place(before: position)
      if entry.cursors[before].position == position { return }
      entry.cursors.insert((position, cursor), at: before + 1)
      // Every other one goes, so that what is left is spread over the list.
      if entry.cursors.count > Self.mostCursors {
        entry.cursors = entry.cursors.enumerated().filter { $0.offset.isMultiple(of: 2) }.map(\.element)
      }
    }
  }

  func total(of key: Key) -> Int? {
    entries.withLock { $0[key]?.total.flatMap { $0.ends > .now ? $0.count : nil } }
  }

  func note(total: Int, of key: Key) { change(key) { $0.total = (total, .now + Self.lifeOfTotal) } }

  func found(of key: Key) -> [String]? {
    entries.withLock { entries in entries[key].flatMap { $0.ends > .now ? $0.found : nil } }
  }

  func note(found: [String], of key: Key) { change(key) { $0.found = found } }

  private func change(_ key: Key, _ body: (inout Entry) -> Void) {
    entries.withLock { entries in
      var entry = entries[key] ?? Entry(ends: .now + Self.life)
      if entry.ends <= .now { entry = Entry(ends: .now + Self.life) }
      body(&entry)
      entries[key] = entry
      while entries.count > 1,
        entries.count > Self.mostLists || entries.values.reduce(0, { $0 + $1.cursors.count }) > Self.mostOfAll,
        let oldest = entries.min(by: { $0.value.ends < $1.value.ends })
      {
        entries[oldest.key] = nil
      }
    }
  }
}
