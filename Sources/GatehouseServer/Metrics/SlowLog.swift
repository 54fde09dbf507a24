import DequeModule
import GatehouseCore
import Synchronization

/// The newest slow commands, as `SLOWLOG` shows them.
final class SlowLog: Sendable {
  struct Entry: Sendable {
    let id: Int
    /// Seconds since 1970.
    let time: Int64
    let microseconds: Int64
    /// The command's arguments, shortened and with secrets redacted.
    var words: [String]
    let client: String
    let name: String
  }

  private struct State {
    var entries: Deque<Entry> = []
    var nextID = 0
  }

  private let state = Mutex(State())

  init() {}

  func add(
    _ words: [String], microseconds: Int64, time: Int64, client: String, name: String, limit: Int
  ) {
    state.withLock { state in
      state.entries.prepend(
        Entry(id: state.nextID, time: time, microseconds: microseconds, words: words, client: client, name: name))
      state.nextID += 1
      while state.entries.count > limit { state.entries.removeLast() }
    }
  }

  /// Somebody was forgotten. Names in the entries so far may be theirs, and nothing tells any more which, so only the
  /// commands themselves stay.
  func forgetArguments() {
    state.withLock { state in
      for index in state.entries.indices {
        state.entries[index].words.removeLast(max(0, state.entries[index].words.count - 1))
      }
    }
  }

  var count: Int { state.withLock { $0.entries.count } }

  func newest(_ most: Int) -> [Entry] { state.withLock { Array($0.entries.prefix(most)) } }

  func reset() { state.withLock { $0.entries.removeAll() } }
}
