import Foundation
import GatehouseTestSupport
import Glibc
import Testing

@Suite("gatehousectl backup of a running server", .blocking)
struct NetworkBackupTests {
  /// A server with snapshots, an archive, and a log of some hundred kilobytes.
  private static func filled(_ options: TestServer.Options = TestServer.Options()) throws -> TestServer {
    let server = try TestServer(options)
    let gate = try server.client()
    try gate.ok("PRODUCT.CREATE payroll")
    for round in 0..<3 {
      for number in 0..<400 {
        try gate.ok("USER.CREATE user\(round)-\(number) PRODUCT payroll STATUS active FIRST \(UUID()) LAST \(UUID())")
      }
      if round < 2 { try gate.ok("SAVE") }
    }
    try gate.ok("COMPACT")
    return server
  }

  private static func hold(on server: TestServer) throws -> String? {
    try server.client().text("INFO snapshot")?.split(whereSeparator: \.isNewline)
      .first { $0.hasPrefix("backups_held:") }.map { String($0.dropFirst("backups_held:".count)) }
  }

  /// A backup that stands still in the middle, because the line does.
  private struct BackupUnderWay {
    let server: TestServer
    let line: FlakyLine
    let folder: TemporaryFolder
    let process: ChildProcess

    init() throws {
      server = try NetworkBackupTests.filled()
      let line = try FlakyLine(to: server.port, [(.stands, 60_000)])
      self.line = line
      folder = try TemporaryFolder("network")
      process = try ChildProcess(
        try GatehouseProgram.path() + "ctl", ["backup", "127.0.0.1:\(line.port)", folder.path("copy")],
        errors: folder.path("errors"))
      try eventually("the line stands", within: .seconds(30)) { line.standingCount == 1 }
    }

    /// What it has said.
    var errors: String { readText(folder.path("errors")) }
  }

  @Test("it has everything that was acknowledged before, and a server starts on it")
  func whole() throws {
    let server = try Self.filled()
    let folder = try TemporaryFolder("network")
    let result = try control("backup", "--json", "127.0.0.1:\(server.port)", folder.path("copy"))
    #expect(result.code == 0, "\(result.errors)")
    let report = try result.object()
    #expect(report["first"] as? Int == 1 && report["last"] as? Int ?? 0 > 1200)
    #expect(report["path"] as? String == folder.path("copy"))
    #expect(try Self.hold(on: server) == "0")
    let copied = try VerifyResult(folder.path("copy"))
    #expect(copied.isSound && copied.state("users") == 1200, "\(copied.problems)")
    // The same record as in a copy that is made beside the server.
    let local = try control("backup", "--json", server.dataPath, folder.path("local")).object()
    #expect(local["last"] as? Int == report["last"] as? Int)
    try FileManager.default.createDirectory(atPath: folder.path("second"), withIntermediateDirectories: false)
    let restored = try TemporaryFolder("restored")
    try copy(folder.path("copy"), to: restored.path("data"))
    let second = try TestServer(folder: restored)
    #expect(try second.client().fields("USER.GET user2-399")["status"] == "active")
    try second.terminate()
    #expect(try VerifyResult(restored.path("data")).isSound)
  }

  @Test("progress and refusals are told in words")
  func words() throws {
    let server = try Self.filled()
    let folder = try TemporaryFolder("network")
    let result = try control("backup", "127.0.0.1:\(server.port)", folder.path("copy"))
    for step in ["copying snapshots: ", "copying the log: ", "copying the archive: ", "reading the copy back: "] {
      #expect(result.errors.contains(step), "\(result.errors)")
    }
    let again = try control("backup", "127.0.0.1:\(server.port)", folder.path("copy"))
    #expect(again.code == 73 && again.errors.contains("nothing is ever overwritten"), "\(again.errors)")
    let history = try control("backup", "--without-history", "127.0.0.1:\(server.port)", folder.path("other"))
    #expect(history.code == 64, "\(history.errors)")
    let nobody = try control("backup", "127.0.0.1:\(try FreePort.next())", folder.path("other"))
    #expect(nobody.code == 69 && nobody.errors.contains("cannot connect to"), "\(nobody.errors)")
    let gate = try server.client()
    try gate.ok("SERVICE.CREATE ops ADMIN")
    let secret = try #require(try gate.fields("SERVICE.CREATE reader READ")["secret"])
    let unknown = try control("backup", "127.0.0.1:\(server.port)", folder.path("other"))
    #expect(unknown.code == 1 && unknown.errors.contains("set GATEHOUSE_AUTH=name:secret"), "\(unknown.errors)")
    let reader = try control(
      "backup", "127.0.0.1:\(server.port)", folder.path("other"), environment: ["GATEHOUSE_AUTH": "reader:\(secret)"])
    #expect(reader.code == 1 && reader.errors.contains("NOPERM the service right ADMIN"), "\(reader.errors)")
    #expect(try names(in: folder.path) == ["copy"])
  }

  @Test("with TLS, and as a service")
  func sealed() throws {
    let authority = try TestAuthority()
    var options = TestServer.Options()
    options.authority = authority
    let server = try Self.filled(options)
    let secret = try #require(try server.client().fields("SERVICE.CREATE ops ADMIN")["secret"])
    let folder = try TemporaryFolder("network")
    let result = try control(
      "backup", "--tls", "--cacert", authority.certificate, "localhost:\(server.tlsPort)", folder.path("copy"),
      environment: ["GATEHOUSE_AUTH": "ops:\(secret)"])
    #expect(result.code == 0, "\(result.errors)")
    #expect(try VerifyResult(folder.path("copy")).isSound)
  }

  @Test("a line that breaks again and again is made anew, and the backup goes on")
  func breaking() throws {
    let server = try Self.filled()
    let line = try FlakyLine(
      to: server.port, [(.breaks, 30_000), (.breaks, 20_000), (.breaks, 40_000), (.breaks, 0), (.breaks, 50_000)])
    let folder = try TemporaryFolder("network")
    let result = try control("backup", "127.0.0.1:\(line.port)", folder.path("copy"))
    // The first word of a connection may get lost with it: then nothing was begun yet.
    #expect(result.code == 0, "\(result.errors)")
    #expect(try VerifyResult(folder.path("copy")).isSound)
    #expect(try Self.hold(on: server) == "0")
  }

  @Test("a server that is killed in the middle leaves nothing that looks like a folder, and the next backup is whole")
  func killedServer() throws {
    let backup = try BackupUnderWay()
    let (server, folder) = (backup.server, backup.folder)
    #expect(try names(in: folder.path) == ["copy.partial", "errors"])
    #expect(try !names(in: folder.path("copy.partial")).contains("manifest"))
    server.kill()
    backup.line.breakAll()
    // It looks for the server a while.
    #expect(backup.process.wait(upTo: .seconds(60)) == .exited(69), "\(backup.errors)")
    #expect(try names(in: folder.path) == ["errors"])
    try server.start()
    let result = try control("backup", "127.0.0.1:\(server.port)", folder.path("copy"))
    #expect(result.code == 0, "\(result.errors)")
    #expect(try VerifyResult(folder.path("copy")).isSound)
  }

  @Test("a server that comes back has forgotten the backup, and says so")
  func restartedServer() throws {
    let backup = try BackupUnderWay()
    let (server, folder) = (backup.server, backup.folder)
    server.kill()
    try server.start()
    backup.line.breakAll()
    #expect(backup.process.wait(upTo: .seconds(60)) == .exited(1), "\(backup.errors)")
    #expect(backup.errors.contains("NOTFOUND backup"), "\(backup.errors)")
    #expect(try names(in: folder.path) == ["errors"])
  }

  @Test(
    "a backup that is killed or stopped in the middle never looks whole, and begins anew",
    arguments: [SIGKILL, SIGTERM])
  func killedBackup(_ signal: Int32) throws {
    let backup = try BackupUnderWay()
    let (server, folder) = (backup.server, backup.folder)
    backup.process.signal(signal)
    let end = backup.process.wait(upTo: .seconds(30))
    if signal == SIGTERM {
      #expect(end == .exited(130), "\(backup.errors)")
      #expect(try names(in: folder.path) == ["errors"])
    } else {
      #expect(try names(in: folder.path) == ["copy.partial", "errors"])
      #expect(try control("verify", folder.path("copy.partial")).code == 66)
    }
    let result = try control("backup", "127.0.0.1:\(server.port)", folder.path("copy"))
    #expect(result.code == 0, "\(result.errors)")
    #expect(try names(in: folder.path) == ["copy", "errors"])
    #expect(try VerifyResult(folder.path("copy")).isSound)
  }

  /// Whoever does not read holds up nobody else, and is not read for.
  @Test("a client that asks for everything and reads nothing holds up nobody")
  func slow() throws {
    let server = try Self.filled()
    let gate = try server.client()
    let backup = try gate.fields("NODE.BACKUP")
    let id = try #require(backup["id"])
    let slow = try server.rawConnection(receiveBuffer: 4096)
    try slow.send(String(repeating: "NODE.READ \(id) 6 0\r\n", count: 2_000))
    let start = ContinuousClock.now
    for number in 0..<500 { #expect(try gate.fields("USER.GET user0-\(number % 400)")["status"] == "active") }
    #expect(ContinuousClock.now - start < .seconds(20))
    let clients = try #require(try gate.text("INFO clients"))
    #expect(!clients.isEmpty)
    try server.terminate()
  }
}
