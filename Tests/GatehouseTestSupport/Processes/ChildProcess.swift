package import Glibc
import Synchronization

/// How a process ended.
package enum ProcessEnd: Sendable, Equatable {
  case exited(Int32)
  case signalled(Int32)

  init(waitStatus: Int32) {
    let signal = waitStatus & 0x7f
    self = signal == 0 ? .exited((waitStatus >> 8) & 0xff) : .signalled(signal)
  }
}

/// A program started by a test, in its own process group. What is left of the group is killed when the value goes away,
/// or at the latest when the test process exits.
///
/// Output goes to files instead of pipes, so that no thread has to drain them, and a server that writes much never
/// blocks on its test.
package final class ChildProcess: Sendable {
  package let pid: pid_t
  private let end = Mutex<ProcessEnd?>(nil)

  /// - Parameters:
  ///   - program: a path, or a name to look up in `PATH`.
  /// - environment: set on top of the test process's environment; nil removes a variable.
  ///   - input: the file for standard input.
  ///   - output: the file to which standard output is appended.
  ///   - errors: the file to which standard error is appended.
  package init(
    _ program: String, _ arguments: [String], environment: [String: String?] = [:],
    input: String = "/dev/null", output: String = "/dev/null", errors: String
  ) throws {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    let append = O_WRONLY | O_CREAT | O_APPEND
    posix_spawn_file_actions_addopen(&actions, 0, input, O_RDONLY, 0)
    posix_spawn_file_actions_addopen(&actions, 1, output, append, 0o600)
    posix_spawn_file_actions_addopen(&actions, 2, errors, append, 0o600)
    actions.closeInherited()

    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var none = sigset_t()
    sigemptyset(&none)
    var all = sigset_t()
    sigfillset(&all)
    posix_spawnattr_setsigmask(&attributes, &none)
    posix_spawnattr_setsigdefault(&attributes, &all)
    posix_spawnattr_setpgroup(&attributes, 0)
    let flags = POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF
    posix_spawnattr_setflags(&attributes, Int16(flags))

    var variables = Self.inheritedEnvironment()
    for (name, value) in environment { variables[name] = value }
    var words = ([program] + arguments).map { strdup($0) }
    var settings = variables.map { strdup("\($0.key)=\($0.value)") }
    words.append(nil)
    settings.append(nil)
    defer {
      words.forEach { free($0) }
      settings.forEach { free($0) }
    }

    var pid: pid_t = 0
    let failure = posix_spawnp(&pid, program, &actions, &attributes, words, settings)
    guard failure == 0 else {
      throw TestFailure("cannot start \(program): \(String(cString: strerror(failure)))")
    }
    self.pid = pid
    StartedProcesses.add(pid)
  }

  deinit { kill() }

  /// Sends a signal to the whole process group.
  package func signal(_ number: Int32) {
    if poll() == nil { Glibc.kill(-pid, number) }
  }

  /// How the process ended, or nil while it runs.
  package func poll() -> ProcessEnd? {
    end.withLock { end in
      if let end { return end }
      var status: Int32 = 0
      guard waitpid(pid, &status, WNOHANG) == pid else { return nil }
      end = ProcessEnd(waitStatus: status)
      StartedProcesses.remove(pid)
      return end
    }
  }

  /// Waits for the end, at most `limit`.
  package func wait(upTo limit: Duration) -> ProcessEnd? {
    let deadline = ContinuousClock.now + limit
    while ContinuousClock.now < deadline {
      if let end = poll() { return end }
      usleep(2_000)
    }
    return poll()
  }

  /// Kills the process group and waits for the process; does nothing if it has ended.
  package func kill() {
    guard poll() == nil else { return }
    Glibc.kill(-pid, SIGKILL)
    // SIGKILL cannot be refused, but a process in an uninterruptible system call may need a moment. A server under
    // strace can outlive strace, and until it has ended it holds its data folder.
    let deadline = ContinuousClock.now + .seconds(30)
    _ = wait(upTo: .seconds(30))
    while groupIsRunning(), ContinuousClock.now < deadline { usleep(2_000) }
  }

  /// Whether a process of the group still runs. One that has ended and was not waited for does not count: it holds
  /// nothing any more. If only its first thread has ended, the others may still be in a system call.
  private func groupIsRunning() -> Bool {
    guard Glibc.kill(-pid, 0) == 0, let folder = opendir("/proc") else { return false }
    defer { closedir(folder) }
    while let entry = readdir(folder) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      guard let process = pid_t(name) else { continue }
      // After the program's name, which may hold anything, in parentheses: state, parent, group.
      let fields = readText("/proc/\(process)/stat").split(separator: ")").last?.split(separator: " ") ?? []
      guard fields.count > 2, fields[2] == String(pid) else { continue }
      let threads = fields.count > 17 ? Int(fields[17]) ?? 0 : 0
      if (fields[0] != "Z" && fields[0] != "X") || threads > 1 { return true }
    }
    return false
  }

  private static func inheritedEnvironment() -> [String: String] {
    var variables: [String: String] = [:]
    var next = environ
    while let entry = next.pointee {
      let text = String(cString: entry)
      if let equals = text.firstIndex(of: "=") {
        variables[String(text[..<equals])] = String(text[text.index(after: equals)...])
      }
      next += 1
    }
    return variables
  }
}

/// The process groups to end when the test process exits.
private enum StartedProcesses {
  private static let pids = Mutex<Set<pid_t>>([])

  private static let atExit: Void = {
    atexit { StartedProcesses.killAll() }
  }()

  static func add(_ pid: pid_t) {
    _ = atExit
    pids.withLock { _ = $0.insert(pid) }
  }

  static func remove(_ pid: pid_t) { pids.withLock { _ = $0.remove(pid) } }

  private static func killAll() {
    for pid in pids.withLock({ $0 }) { Glibc.kill(-pid, SIGKILL) }
  }
}
