import Foundation
import GatehouseTestSupport
import Testing

/// What a crash, or a debugger's dump, gives away of what the server knows.
@Suite("Core files", .blocking) struct CoreFileTests {
  private static let password = "a-heron-stands-in-the-reeds"
  private static let masterKey = String(repeating: "0123456789abcdef", count: 4)

  /// Whether the kernel writes core files into the folder of the process, and this process may raise limits.
  private static let mayDump =
    (try? runProgram("sh", ["-c", "ulimit -c 0; prlimit --pid $$ --core=unlimited:unlimited"]))?.succeeded == true
    && (try? String(contentsOfFile: "/proc/sys/kernel/core_pattern", encoding: .utf8))?.hasPrefix("core") == true

  /// A server with secrets in its memory, in a folder of its own, and the secrets.
  private func busyServer() throws -> (server: TestServer, folder: TemporaryFolder, secrets: [String]) {
    let folder = try TemporaryFolder("core")
    var options = TestServer.Options(
      arguments: ["--password-memory", "64", "--password-passes", "1"],
      wrapper: ["sh", "-c", "ulimit -c unlimited; cd \"$0\" && exec \"$@\"", folder.path])
    options.environment["GATEHOUSE_ENCRYPTION_KEY"] = Self.masterKey
    // It would take longer than the test has to find the names in a debug build.
    options.environment["SWIFT_BACKTRACE"] = "enable=no"
    let server = try TestServer(options, folder: folder)
    let gate = try server.client()
    try gate.ok("PRODUCT.CREATE payroll")
    try gate.ok("USER.CREATE", "heron", "PRODUCT", "payroll", "NOINVITE", "PASSWORD", Self.password)
    let session = try #require(
      try gate.fields("LOGIN.PASSWORD", "heron", "payroll", Self.password)["session"])
    let key = try #require(try gate.fields("APIKEY.CREATE heron")["key"])
    try gate.ok("SESSION.CHECK \(session)")
    try gate.ok("APIKEY.CHECK \(key)")
    // The beginning of a token tells its kind; what follows is secret.
    return (server, folder, [Self.password, String(session.suffix(20)), String(key.suffix(20)), Self.masterKey])
  }

  private func dumps(in folder: TemporaryFolder) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasPrefix("core") }
      .map { folder.path($0) }
  }

  private func expectNothing(of secrets: [String], in path: String) throws {
    let dump = try Data(contentsOf: URL(fileURLWithPath: path))
    #expect(dump.prefix(4) == Data([0x7f] + Array("ELF".utf8)))
    for (index, secret) in secrets.enumerated() {
      #expect(dump.range(of: Data(secret.utf8)) == nil, "secret \(index) is in \(path)")
    }
    let key = Data((0..<4).flatMap { _ in [0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef] as [UInt8] })
    #expect(dump.range(of: key) == nil, "the master key is in \(path)")
  }

  @Test("a server that crashes leaves no core file, though the limit of its user allows one")
  func crash() throws {
    let (server, folder, _) = try busyServer()
    let pid = try #require(server.pid)
    let limits = try String(contentsOfFile: "/proc/\(pid)/limits", encoding: .utf8)
    let core = try #require(limits.split(separator: "\n").first { $0.hasPrefix("Max core file size") })
    #expect(core.split(separator: " ").filter { $0 == "0" }.count == 2, "\(core)")
    #expect(try String(contentsOfFile: "/proc/\(pid)/coredump_filter", encoding: .utf8) == "00000000\n")
    #expect(throws: Never.self) { try server.terminate(with: SIGABRT) }
    #expect(try dumps(in: folder).isEmpty)
  }

  @Test("a core file that somebody wants all the same has no memory of the server", .enabled(if: mayDump))
  func wanted() throws {
    let (server, folder, secrets) = try busyServer()
    let pid = try #require(server.pid)
    let raised = try runProgram("prlimit", ["--pid", "\(pid)", "--core=unlimited:unlimited"])
    #expect(raised.succeeded, "\(raised.errors)")
    try server.terminate(with: SIGABRT)
    let found = try dumps(in: folder)
    #expect(found.count == 1)
    for path in found { try expectNothing(of: secrets, in: path) }
    // The search finds what there is: a process that keeps its memory in has its secrets in the dump.
    let other = try TemporaryFolder("core")
    _ = try runProgram(
      "sh",
      ["-c", "ulimit -c unlimited; cd \"$0\"; secret=\"$1$2\"; kill -ABRT $$", other.path, "a-heron-", "in-the-reeds"])
    let dump = try #require(try dumps(in: other).first)
    #expect(try Data(contentsOf: URL(fileURLWithPath: dump)).range(of: Data("a-heron-in-the-reeds".utf8)) != nil)
  }

  @Test("nor has the dump that a debugger makes", .enabled(if: findProgram("gcore") != nil && geteuid() == 0))
  func debugger() throws {
    let (server, folder, secrets) = try busyServer()
    let pid = try #require(server.pid)
    let dumped = try runProgram("gcore", ["-o", folder.path("core"), "\(pid)"], limit: .seconds(120))
    #expect(dumped.succeeded, "\(dumped.errors)")
    let found = try dumps(in: folder)
    #expect(found.count == 1)
    for path in found { try expectNothing(of: secrets, in: path) }
    #expect(try server.client().text("PING") == "PONG", "it goes on")
  }
}
