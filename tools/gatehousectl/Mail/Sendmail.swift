import Glibc

/// Hands mails to a program that is compatible with sendmail.
struct Sendmail {
  let path: String
  let sender: String?

  enum Outcome: Equatable {
    case sent
    /// - Parameter isFinal: whether trying again does not help.
    case failed(String, isFinal: Bool)
  }

  /// How long the program may take, in milliseconds. It only has to take the mail into its own queue.
  let patience: Int
  /// Whether this program is asked to stop; one that sends then has to be done soon.
  let isStopping: () -> Bool

  static let patienceDefault = 60_000
  /// How long the program may go on once this one is asked to stop: a service manager waits 90 seconds by default, and
  /// whether a mail was sent is better known than guessed.
  private static let patienceOfStop = 10_000
  /// How much of what it complains about is kept.
  private static let mostComplaint = 1024

  func send(_ message: String) -> Outcome {
    guard let input = pair() else { return .failed("no pipe: \(reason(errno))", isFinal: false) }
    guard let errors = pair() else {
      close(input[0])
      close(input[1])
      return .failed("no pipe: \(reason(errno))", isFinal: false)
    }
    let spawned = spawn(reading: input[0], complainingTo: errors[1])
    close(input[0])
    close(errors[1])
    defer { close(errors[0]) }
    guard case .success(let process) = spawned else {
      close(input[1])
      if case .failure(let failure) = spawned {
        return .failed("cannot run \(path): \(reason(failure.number))", isFinal: false)
      }
      return .failed("cannot run \(path)", isFinal: false)
    }
    return outcome(of: exchange(Array(message.utf8), input[1], errors[0], process))
  }

  /// The two ends of a pipe, which the program does not inherit as they are.
  private func pair() -> [Int32]? {
    var ends: [Int32] = [-1, -1]
    guard pipe(&ends) == 0 else { return nil }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    return ends
  }

  // MARK: The program

  private struct SpawnFailure: Error {
    let number: Int32
  }

  private func spawn(reading input: Int32, complainingTo errors: Int32) -> Result<pid_t, SpawnFailure> {
    // -t: the recipients are those in the header. -i: a line with a lone dot does not end the mail.
    var words = [path, "-t", "-i"]
    if let sender { words += ["-f", sender] }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO)
    posix_spawn_file_actions_adddup2(&actions, errors, STDERR_FILENO)
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0)
    // In a process group of its own, so that an interrupt on the terminal does not end it in the middle of a mail.
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF))
    posix_spawnattr_setpgroup(&attributes, 0)
    var defaults = sigset_t()
    sigemptyset(&defaults)
    for number in [SIGINT, SIGTERM, SIGPIPE] { sigaddset(&defaults, number) }
    posix_spawnattr_setsigdefault(&attributes, &defaults)
    let arguments = words.map { strdup($0) } + [nil]
    // Whatever sends mails has no need of the service's secret.
    let variables =
      Console.environment.filter { $0.key != "GATEHOUSE_AUTH" }.map { strdup("\($0.key)=\($0.value)") } + [nil]
    defer { for text in arguments + variables { free(text) } }
    var process: pid_t = 0
    let failure = posix_spawn(&process, path, &actions, &attributes, arguments, variables)
    return failure == 0 ? .success(process) : .failure(SpawnFailure(number: failure))
  }

  private struct Exchange {
    var status: Int32 = 0
    var complaint: [UInt8] = []
    var isWhole = false
    var isOverdue = false
  }

  /// Writes the message, and reads what the program complains about, until it ends or its time is over. What it leaves
  /// behind in the background is not waited for.
  private func exchange(_ message: [UInt8], _ input: Int32, _ errors: Int32, _ process: pid_t) -> Exchange {
    for descriptor in [input, errors] { _ = fcntl(descriptor, F_SETFL, O_NONBLOCK) }
    var exchange = Exchange()
    var sent = 0
    var isOpen = true
    var deadline = milliseconds() + patience
    var (hasEnded, isLast) = (false, false)
    while !hasEnded {
      if isOpen, sent == message.count {
        close(input)
        isOpen = false
      }
      hasEnded = waitpid(process, &exchange.status, WNOHANG) == process
      if !isLast, isStopping() {
        isLast = true
        deadline = min(deadline, milliseconds() + Self.patienceOfStop)
      }
      if !hasEnded, milliseconds() > deadline {
        exchange.isOverdue = true
        // With all that it has started: it is the leader of a group of its own.
        kill(-process, SIGKILL)
      }
      var entries = [pollfd(fd: errors, events: Int16(POLLIN), revents: 0)]
      if isOpen { entries.append(pollfd(fd: input, events: Int16(POLLOUT), revents: 0)) }
      _ = poll(&entries, nfds_t(entries.count), hasEnded ? 0 : Self.look)
      if isOpen, entries[1].revents != 0 {
        let count = message[sent...].withUnsafeBytes { write(input, $0.baseAddress, $0.count) }
        if count > 0 {
          sent += count
        } else if count < 0, errno != EAGAIN, errno != EINTR {
          close(input)
          isOpen = false
        }
      }
      // What it said last is there when it has ended, whatever interrupts the poll.
      guard hasEnded || entries[0].revents != 0 else { continue }
      var buffer = [UInt8](repeating: 0, count: Self.mostComplaint)
      let count = read(errors, &buffer, buffer.count)
      let room = Self.mostComplaint - exchange.complaint.count
      if count > 0 { exchange.complaint += buffer[..<min(count, room)] }
      // Its standard error is closed, so it has ended, or will soon.
      if count == 0, !hasEnded { _ = poll(nil, 0, 1) }
    }
    if isOpen { close(input) }
    exchange.isWhole = sent == message.count
    return exchange
  }

  /// How often to look whether the program has ended, in milliseconds, if it does not say so by closing its standard error.
  private static let look: Int32 = 20

  private func outcome(of exchange: Exchange) -> Outcome {
    let text = String(decoding: exchange.complaint, as: UTF8.self).split(whereSeparator: \.isNewline)
      .joined(separator: " ")
    let tail = text.isEmpty ? "" : ": \(text)"
    if exchange.isOverdue { return .failed("\(path) was not done in time, and was ended\(tail)", isFinal: false) }
    let signal = exchange.status & 0x7f
    guard signal == 0 else { return .failed("\(path) was ended by signal \(signal)\(tail)", isFinal: false) }
    let code = exchange.status >> 8 & 0xff
    if code == 0 {
      return exchange.isWhole ? .sent : .failed("\(path) did not read the whole mail\(tail)", isFinal: false)
    }
    return .failed("\(path) exited with \(code)\(tail)", isFinal: Self.finalCodes.contains(code))
  }

  /// EX_DATAERR, EX_NOUSER and EX_NOHOST of sysexits.h.
  private static let finalCodes: Set<Int32> = [65, 67, 68]

  private func reason(_ number: Int32) -> String { String(cString: strerror(number)) }

  private func milliseconds() -> Int {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return time.tv_sec * 1000 + time.tv_nsec / 1_000_000
  }
}
