import Foundation
import GatehouseTestSupport
import Glibc
import Testing

@testable import gatehouse

/// The interactive client: the built program on a pseudo-terminal.
@Suite(.blocking) struct InteractiveTests {
  private static let docs =
    "%1\r\n$11\r\nlogin.check\r\n%2\r\n$7\r\nsummary\r\n$9\r\nMay enter\r\n$9\r\narguments\r\n"
    + "*1\r\n%2\r\n$4\r\nname\r\n$4\r\nuser\r\n$4\r\ntype\r\n$6\r\nstring\r\n"

  private static func answer(_ words: [String]) -> ScriptedServer.Answer {
    switch words[0] {
    case "HELLO": .raw("%1\r\n+version\r\n+9.9\r\n")
    case "COMMAND": .raw(docs)
    case "INFO": .raw("$40\r\nredis_version:9.9\r\ngatehouse_version:0.8\r\n")
    case "LOGIN.CHECK" where words.count == 1: .raw("-ERR wrong number of arguments for 'login.check' command\r\n")
    default: .raw("+ALLOW\r\n")
    }
  }

  @Test func `TAB completes, hints are shown, history is kept without secrets`() throws {
    let server = ScriptedServer(Self.answer)
    defer { server.stop() }
    let history = FileManager.default.temporaryDirectory.path + "/gatehouse-\(UUID().uuidString)"
    defer { unlink(history) }
    let terminal = try Terminal(
      arguments: ["cli", "--port", String(server.port)], environment: ["GATEHOUSE_HISTORY": history])
    try terminal.wait(for: "Connected to 127.0.0.1:\(server.port) (Gatehouse 0.8)")
    terminal.type("log\t")
    try terminal.wait(for: "LOGIN.CHECK")
    try terminal.wait(for: "user")
    terminal.type("\t")
    try terminal.wait(for: "May enter")
    terminal.type("ana\n")
    try terminal.wait(for: "ALLOW")
    terminal.type("LOGIN.CHECK\n")
    try terminal.wait(for: "usage: LOGIN.CHECK user")
    terminal.type("AUTH app secret\n")
    try terminal.wait(for: "ALLOW")
    terminal.type("exit\n")
    #expect(terminal.exitCode() == 0)
    #expect(server.requests.contains(["LOGIN.CHECK", "ana"]))
    #expect(server.requests.contains(["AUTH", "app", "secret"]))
    #expect(HistoryFile(path: history).load() == ["LOGIN.CHECK ana", "LOGIN.CHECK"])
  }

  @Test func `without a server it says so and stays`() throws {
    let terminal = try Terminal(
      arguments: ["cli", "--port", "1"], environment: ["GATEHOUSE_HISTORY": ""])
    try terminal.wait(for: "cannot connect")
    try terminal.wait(for: "not connected> ")
    terminal.type("exit\n")
    #expect(terminal.exitCode() == 0)
  }
}

/// A program on a pseudo-terminal.
private final class Terminal {
  struct Missing: Error, CustomStringConvertible {
    let description: String
  }

  // TIOCSPTLCK and TIOCGPTN: Swift does not import these macros, nor `grantpt` and its kin.
  private static let setLock: UInt = 0x4004_5431
  private static let getNumber: UInt = 0x8004_5430

  private let master: FileHandle
  private let process = Process()
  private var output = ""

  init(arguments: [String], environment: [String: String]) throws {
    let descriptor = open("/dev/ptmx", O_RDWR | O_NOCTTY)
    var number: Int32 = 0
    var unlocked: Int32 = 0
    guard descriptor >= 0, ioctl(descriptor, Self.setLock, &unlocked) == 0,
      ioctl(descriptor, Self.getNumber, &number) == 0
    else { throw Missing(description: "no pseudo-terminal") }
    let slave = open("/dev/pts/\(number)", O_RDWR | O_NOCTTY)
    var size = winsize(ws_row: 24, ws_col: 100, ws_xpixel: 0, ws_ypixel: 0)
    _ = ioctl(slave, UInt(TIOCSWINSZ), &size)
    master = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    let terminal = FileHandle(fileDescriptor: slave, closeOnDealloc: true)
    process.executableURL = URL(fileURLWithPath: try GatehouseProgram.path())
    process.arguments = arguments
    process.environment = ["TERM": "xterm", "NO_COLOR": "1"].merging(environment) { _, given in given }
    process.standardInput = terminal
    process.standardOutput = terminal
    process.standardError = terminal
    try process.run()
    _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
  }

  deinit {
    if process.isRunning { process.terminate() }
  }

  func type(_ text: String) { master.write(Data(text.utf8)) }

  /// Waits until the program has written this text since the last wait.
  func wait(for text: String) throws {
    let deadline = ContinuousClock.now + .seconds(20)
    while true {
      if let found = output.range(of: text) {
        output = String(output[found.upperBound...])
        return
      }
      guard ContinuousClock.now < deadline else { throw Missing(description: "\(text) is not in: \(output)") }
      read()
    }
  }

  func exitCode() -> Int32? {
    let deadline = ContinuousClock.now + .seconds(20)
    while process.isRunning, ContinuousClock.now < deadline { read() }
    return process.isRunning ? nil : process.terminationStatus
  }

  private func read() {
    var waiting = pollfd(fd: master.fileDescriptor, events: Int16(POLLIN), revents: 0)
    guard poll(&waiting, 1, 50) > 0 else { return }
    var bytes = [UInt8](repeating: 0, count: 4096)
    let count = Glibc.read(master.fileDescriptor, &bytes, bytes.count)
    if count > 0 { output += String(decoding: bytes[..<count], as: UTF8.self) }
  }
}
