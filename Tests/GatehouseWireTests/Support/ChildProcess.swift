import Glibc

/// A program run next to a test, ended when it is released.
///
/// Tests run on threads that block signals, and a child inherits that. This one starts with none blocked, or it could
/// not be asked to end.
final class ChildProcess {
  let identifier: pid_t
  private var hasEnded = false

  /// - Parameter output: the file for its standard output; its standard error is discarded.
  init(_ path: String, _ arguments: [String], output: String = "/dev/null") throws {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, output, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0)

    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var none = sigset_t()
    sigemptyset(&none)
    posix_spawnattr_setsigmask(&attributes, &none)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))

    var words = ([path] + arguments).map { strdup($0) } + [nil]
    defer { for word in words { free(word) } }
    var child: pid_t = 0
    let failure = posix_spawn(&child, path, &actions, &attributes, &words, environ)
    guard failure == 0 else { throw CannotStart(path: path, reason: String(cString: strerror(failure))) }
    identifier = child
  }

  struct CannotStart: Error {
    let path: String
    let reason: String
  }

  func waitForEnd() {
    guard !hasEnded else { return }
    var status: Int32 = 0
    while waitpid(identifier, &status, 0) < 0, errno == EINTR {}
    hasEnded = true
  }

  deinit {
    if !hasEnded { kill(identifier, SIGKILL) }
    waitForEnd()
  }
}
