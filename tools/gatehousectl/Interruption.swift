import Glibc
import Synchronization

/// The user's wish to stop, so that half a copy is taken away and not left behind.
enum Interruption: Error, CustomStringConvertible {
  case stopped

  /// What a shell gives for a program that SIGINT has ended.
  static let exitStatus: Int32 = 130

  private static let isWanted = Atomic<Bool>(false)
  private static let isWatching = Atomic<Bool>(false)

  /// From now on SIGINT and SIGTERM only leave a note.
  static func watch() {
    guard !isWatching.exchange(true, ordering: .relaxed) else { return }
    // The flag is made here, and not in the handler, which may do next to nothing.
    isWanted.store(false, ordering: .relaxed)
    for number in [SIGINT, SIGTERM] {
      signal(number) { _ in Interruption.isWanted.store(true, ordering: .relaxed) }
    }
  }

  /// From now on SIGINT and SIGTERM end the program at once: for work that makes nothing, and has nothing to take away.
  static func endAtOnce() {
    for number in [SIGINT, SIGTERM] { signal(number) { _ in _exit(Interruption.exitStatus) } }
  }

  /// Throws when there is such a note.
  static func check() throws {
    if isWanted.load(ordering: .relaxed) { throw stopped }
  }

  var description: String { "stopped; nothing unfinished was left behind" }
}
