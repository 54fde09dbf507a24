internal import CSpawn
internal import Glibc
internal import Synchronization

/// Where a master key comes from. It is never a word on a command line, which every process of the machine can read.
package enum KeySource: Sendable, Equatable {
  /// A file with the key as text.
  case file(String)
  /// A command for `/bin/sh` that prints the key, such as one that asks a vault.
  case command(String)
  /// The environment variable `GATEHOUSE_ENCRYPTION_KEY`.
  case environment

  package static let variable = "GATEHOUSE_ENCRYPTION_KEY"

  /// Far more than any key takes.
  private static let limit = 4096
  /// How long a command may take, in milliseconds.
  private static let patience: UInt64 = 60_000

  /// The source that was chosen; nil if none was.
  /// - Throws: if more than one was, because one of them would silently not count.
  package static func chosen(file: String?, command: String?) throws(EncryptionError) -> KeySource? {
    let sources = [
      file.map { KeySource.file($0) }, command.map { KeySource.command($0) },
      EnvironmentKey.isSet ? KeySource.environment : nil,
    ].compactMap { $0 }
    guard sources.count < 2 else {
      throw .noKey(
        source: sources.map(\.description).joined(separator: " and "),
        problem: "give only one of --encryption-key-file, --encryption-key-command and \(variable)")
    }
    return sources.first
  }

  /// Reads the key.
  ///
  /// - Parameter isWanted: asked while a command runs; once it is not, the command is ended.
  package func read(while isWanted: () -> Bool = { true }) throws(EncryptionError) -> MasterKey {
    var text: [UInt8]
    switch self {
    case .file(let path): text = try Self.content(ofFile: path, description)
    case .command(let command): text = try Self.output(of: command, description, while: isWanted)
    case .environment: return try EnvironmentKey.key(description)
    }
    defer { text.wipe() }
    return try MasterKey(parsing: text, source: description)
  }

  /// What should be known of a file that has the key: whether others may read it.
  package var warning: String? {
    guard case .file(let path) = self else { return nil }
    var status = stat()
    guard stat(path, &status) == 0, status.st_mode & 0o077 != 0 else { return nil }
    return "the key file \(path) is open to other users of this machine: take their rights away with chmod go= \(path)"
  }

  private static func content(ofFile path: String, _ source: String) throws(EncryptionError) -> [UInt8] {
    func failure(_ problem: String) -> EncryptionError { .noKey(source: source, problem: problem) }
    let file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard file >= 0 else { throw failure(String(cString: strerror(errno))) }
    defer { close(file) }
    var buffer = [UInt8](repeating: 0, count: limit + 1)
    defer { buffer.wipe() }
    let count = buffer.withUnsafeMutableBytes { Glibc.read(file, $0.baseAddress, $0.count) }
    guard count >= 0 else { throw failure(String(cString: strerror(errno))) }
    guard count <= limit else { throw failure("it has over \(limit) bytes, which no key has") }
    return Array(buffer[..<count])
  }

  /// Runs the command with the standard error of this process, and returns what it prints.
  private static func output(
    of command: String, _ source: String, while isWanted: () -> Bool
  ) throws(EncryptionError) -> [UInt8] {
    func failure(_ problem: String) -> EncryptionError { .noKey(source: source, problem: problem) }
    var ends: [Int32] = [-1, -1]
    guard pipe(&ends) == 0 else { throw failure(String(cString: strerror(errno))) }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    defer { close(ends[0]) }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_adddup2(&actions, ends[1], 1)
    posix_spawn_file_actions_addclosefrom_np(&actions, 3)
    // A group of its own, so that what the shell has started ends with it.
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETPGROUP))
    posix_spawnattr_setpgroup(&attributes, 0)
    var child: pid_t = 0
    let words: [UnsafeMutablePointer<CChar>?] = [strdup("/bin/sh"), strdup("-c"), strdup(command), nil]
    defer { for word in words { free(word) } }
    let code = posix_spawn(&child, "/bin/sh", &actions, &attributes, words, environ)
    close(ends[1])
    guard code == 0 else { throw failure(String(cString: strerror(code))) }
    var output = [UInt8](repeating: 0, count: limit + 1)
    defer { output.wipe() }
    let (count, problem) = collect(ends[0], into: &output, while: isWanted)
    if problem != nil { kill(-child, SIGKILL) }
    var status: Int32 = 0
    while waitpid(child, &status, 0) < 0, errno == EINTR {}
    if let problem { throw failure(problem) }
    guard status == 0 else {
      let exit = status >> 8 & 0xff
      throw failure(status & 0x7f == 0 ? "the command ended with exit code \(exit)" : "the command was killed")
    }
    return Array(output[..<count])
  }

  /// Reads to the end of a pipe, for a limited time.
  private static func collect(
    _ pipe: Int32, into output: inout [UInt8], while isWanted: () -> Bool
  ) -> (count: Int, problem: String?) {
    let deadline = MonotonicClock.now() + patience * 1_000_000
    var count = 0
    while true {
      let now = MonotonicClock.now()
      guard now < deadline else { return (count, "the command has not ended within a minute") }
      guard isWanted() else { return (count, "the server was told to stop before the command had ended") }
      var wanted = pollfd(fd: pipe, events: Int16(POLLIN), revents: 0)
      let ready = poll(&wanted, 1, min(Int32((deadline - now) / 1_000_000) + 1, 100))
      if ready < 0, errno != EINTR { return (count, String(cString: strerror(errno))) }
      guard ready > 0 else { continue }
      let got = output.withUnsafeMutableBytes { Glibc.read(pipe, $0.baseAddress! + count, $0.count - count) }
      if got == 0 { return (count, nil) }
      guard got > 0 else {
        if errno == EINTR { continue }
        return (count, String(cString: strerror(errno)))
      }
      count += got
      guard count <= limit else { return (count, "the command printed over \(limit) bytes, which no key has") }
    }
  }
}

extension KeySource: CustomStringConvertible {
  /// Never shows the key, nor the command, which may have secrets of its own.
  package var description: String {
    switch self {
    case .file(let path): "the file \(path)"
    case .command: "the command given with encryption-key-command"
    case .environment: "the environment variable \(Self.variable)"
    }
  }
}

/// The key in the environment. It is taken out of it at the program's start, so that neither a child process nor
/// `/proc/…/environ` has it.
package enum EnvironmentKey {
  private enum Taken: Sendable {
    case notYet
    case nothing
    case key(MasterKey)
    case fault(EncryptionError)
  }

  private static let taken = Mutex(Taken.notYet)

  /// Reads the variable once, and overwrites it. Call it before the environment is copied anywhere.
  package static func take() { _ = current() }

  static var isSet: Bool {
    if case .nothing = current() { return false }
    return true
  }

  static func key(_ source: String) throws(EncryptionError) -> MasterKey {
    switch current() {
    case .key(let key): return key
    case .fault(let error): throw error
    case .notYet, .nothing: throw .noKey(source: source, problem: "it is not set")
    }
  }

  private static func current() -> Taken {
    taken.withLock { taken in
      if case .notYet = taken { taken = read() }
      return taken
    }
  }

  private static func read() -> Taken {
    guard let value = getenv(KeySource.variable), value.pointee != 0 else { return .nothing }
    let count = strlen(value)
    var text = Array(UnsafeRawBufferPointer(start: value, count: count))
    defer { text.wipe() }
    explicit_bzero(value, count)
    do throws(EncryptionError) {
      return .key(try MasterKey(parsing: text, source: KeySource.environment.description))
    } catch {
      return .fault(error)
    }
  }
}
