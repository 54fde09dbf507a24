import Foundation
import GatehouseTestSupport
import Glibc
import Testing

private let mayTrace =
  findProgram("strace") != nil && (try? runProgram("strace", ["-o", "/dev/null", "true"]))?.succeeded == true

/// Interrupts long steps, which are slowed down for the purpose.
@Suite("gatehousectl: interrupted", .enabled(if: mayTrace, "strace is not installed or may not trace"), .blocking)
struct InterruptionTests {
  /// Runs `gatehousectl` with a slow disk, and stops it once it has printed `step`.
  private func interrupt(
    _ words: [String], with number: Int32, after step: String? = nil, readMicroseconds: Int = 20_000,
    in folder: TemporaryFolder
  ) throws -> (end: ProcessEnd?, errors: String) {
    let errors = folder.path("errors-\(number)")
    let trace = [
      "-f", "-qq", "-o", "/dev/null", "--seccomp-bpf", "-e", "trace=pread64", "-e",
      "inject=pread64:delay_enter=\(readMicroseconds)", try GatehouseProgram.path() + "ctl",
    ]
    let child = try ChildProcess("strace", trace + words, errors: errors)
    if let step {
      try eventually("\(step) is over", within: .seconds(60)) { readText(errors).contains(step) }
    } else {
      pause(.milliseconds(400))
    }
    child.signal(number)
    let end = child.wait(upTo: .seconds(30))
    return (end, readText(errors))
  }

  @Test(
    "a backup or restore stopped while it verifies the copy exits with 130, and leaves nothing",
    arguments: ["backup", "restore"], [SIGINT, SIGTERM])
  func readingBack(_ command: String, _ number: Int32) throws {
    let (folder, data) = try StoryFolder.copied()
    let (end, errors) = try interrupt(
      [command, data, folder.path("copy")], with: number, after: "copying the log", in: folder)
    #expect(end == .exited(130), "\(errors)")
    #expect(errors.hasSuffix("stopped; nothing unfinished was left behind\n") && !errors.contains("sound"), "\(errors)")
    #expect(try names(in: folder.path).filter { !$0.hasPrefix("errors") } == ["data"])
  }

  @Test(
    "every other long step exits with 130, too, and does not change the folder",
    arguments: [
      ["verify"], ["inspect"], ["inspect", "--user", "ana"], ["compact", "--dry-run", "--data"], ["compact", "--data"],
    ], [SIGINT, SIGTERM])
  func otherSteps(_ words: [String], _ number: Int32) throws {
    let (folder, data) = try StoryFolder.copied()
    let before = try VerifyResult(data)
    let (end, errors) = try interrupt(words + [data], with: number, readMicroseconds: 100_000, in: folder)
    #expect(end == .exited(130), "\(errors)")
    let after = try VerifyResult(data)
    #expect(after.isSound && after.integer("records") == before.integer("records"), "\(after.problems)")
  }

  @Test("the search for a point in time")
  func search() throws {
    let (folder, data) = try StoryFolder.copied()
    let (end, errors) = try interrupt(
      ["restore", "--until", "2200-01-01T00:00:00Z", data, folder.path("copy")], with: SIGINT, in: folder)
    #expect(end == .exited(130), "\(errors)")
    #expect(try names(in: folder.path).filter { !$0.hasPrefix("errors") } == ["data"])
  }

  @Test("the wait for a server")
  func waiting() throws {
    let folder = try TemporaryFolder("waiting")
    // It accepts connections and never answers.
    let listen =
      "import socket, time; s = socket.socket(); s.bind(('127.0.0.1', 0)); s.listen(); "
      + "print(s.getsockname()[1], flush=True); time.sleep(60)"
    let silent = try ChildProcess(
      "python3", ["-c", listen], output: folder.path("port"), errors: folder.path("python"))
    defer { silent.kill() }
    try eventually("it listens") { readText(folder.path("port")).hasSuffix("\n") }
    let port = readText(folder.path("port")).filter(\.isNumber)
    let child = try ChildProcess(
      try GatehouseProgram.path() + "ctl", ["compact", "--port", port], errors: folder.path("errors"))
    pause(.milliseconds(500))
    child.signal(SIGINT)
    #expect(child.wait(upTo: .seconds(10)) == .exited(130))
  }
}
