import Glibc
import Synchronization

/// An interrupt by the user, after which a half-finished copy is removed.
enum Interruption: Error, CustomStringConvertible {
  case stopped

  /// The exit code that a shell reports for a program ended by SIGINT.
  static let exitStatus: Int32 = 130

  private static let isWanted = Atomic<Bool>(false)
  private static let isWatching = Atomic<Bool>(false)

  /// From now on SIGINT and SIGTERM only set a flag.
  static func watch() {
    guard !isWatching.exchange(true, ordering: .relaxed) else { return }
    // Initialise the flag here, since a signal handler may do next to nothing.
    isWanted.store(false, ordering: .relaxed)
    for number in [SIGINT, SIGTERM] {
      signal(number) { _ in Interruption.isWanted.store(true, ordering: .relaxed) }
    }
  }

  /// From now on SIGINT and SIGTERM end the program at once: for work that has nothing to clean up.
  static func endAtOnce() {
    for number in [SIGINT, SIGTERM] { signal(number) { _ in _exit(Interruption.exitStatus) } }
  }

  /// Throws if the user has interrupted.
  static func check() throws {
    if isWanted.load(ordering: .relaxed) { throw stopped }
  }

  /// Whether the user has not interrupted.
  static var isAbsent: Bool { !isWanted.load(ordering: .relaxed) }

  var description: String { "stopped; nothing unfinished was left behind" }
}
