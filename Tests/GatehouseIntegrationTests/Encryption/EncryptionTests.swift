import Foundation
import GatehouseTestSupport
import Testing

/// Encryption at rest, as an operator uses it: a key file, a rotation under load, kills, and the tools beside it.
@Suite("Encryption at rest", .blocking) struct EncryptionTests {
  private static let first = String(repeating: "0123456789abcdef", count: 4)
  private static let second = String(repeating: "fedcba9876543210", count: 4)

  private func write(_ key: String, to path: String) throws {
    try? FileManager.default.removeItem(atPath: path)
    try (key + "\n").write(toFile: path, atomically: true, encoding: .utf8)
    try FileManager.default.setAttributes([.posixPermissions: 0o400], ofItemAtPath: path)
  }

  private func control(_ arguments: String..., environment: [String: String?] = [:]) throws -> ProgramResult {
    try runProgram(
      try GatehouseProgram.path() + "ctl", arguments, environment: environment, limit: .seconds(300))
  }

  /// All files below a folder that contain a text, as bytes.
  private func files(of folder: String, with text: String) throws -> [String] {
    let wanted = Data(text.utf8)
    let names = FileManager.default.subpaths(atPath: folder) ?? []
    return names.filter { name in
      (FileManager.default.contents(atPath: folder + "/" + name)?.range(of: wanted)) != nil
    }
  }

  @Test("a server with a key file, a rotation under load, kills, and the tools with and without the key")
  func operated() throws {
    let folder = try TemporaryFolder("encryption")
    let key = folder.path("key")
    try write(Self.first, to: key)
    let server = try TestServer(.init(arguments: ["--encryption-key-file", key]), folder: folder)
    defer { server.kill() }
    let gate = try server.client()
    try gate.ok("PRODUCT.CREATE payroll")
    // Random, so that compression does not hide it.
    var random = SeededRandom(seed: 4)
    let names = (0..<300).map { _ in "u" + String(random.next(), radix: 36) + String(random.next(), radix: 36) }
    for name in names[..<100] { try gate.ok("USER.CREATE \(name) PRODUCT payroll") }
    let status = try gate.fields("ENCRYPTION STATUS")
    #expect(status.integer("data-key") == 1 && status.integer("bytes-in-clear") == 0)
    let master = try #require(status["master"])

    // Rotated while it writes: first the file has the new key, then the server is told.
    try write(Self.second, to: key)
    let rotated = try control("encryption", "rotate", "--json", "--quiet", "--port", "\(server.port)")
    let answer = try JSONSerialization.jsonObject(with: Data(rotated.output.utf8)) as? [String: Any]
    #expect(answer?["data-key"] as? Int == 2, "\(rotated.output)\(rotated.errors)")
    for name in names[100..<200] { try gate.ok("USER.CREATE \(name) PRODUCT payroll") }
    try gate.ok("SAVE")
    #expect(try !gate.shown("CONFIG GET *").contains(Self.second))
    #expect(try gate.shown("INFO").contains("log_data_key:2"))
    server.kill()

    // The old key is named as the wrong one.
    try write(Self.first, to: key)
    let child = try server.launch()
    let end = try #require(child.wait(upTo: .seconds(30)))
    #expect(end != .exited(0))
    #expect(
      server.messages.contains("and the key given is \(master); nothing was read or changed"), "\(server.messages)")
    try write(Self.second, to: key)
    try server.start()
    let again = try server.client()
    for name in names[..<200] { #expect(try again.fields("USER.GET \(name)")["username"] == name) }
    for name in names[200...] { try again.ok("USER.CREATE \(name) PRODUCT payroll") }
    // Snapshots are taken by threads that wait for idle time, for a minute at most: a busy machine takes its time.
    let rewritten = try control("encryption", "rotate", "--rewrite", "--quiet", "--port", "\(server.port)")
    #expect(rewritten.output.contains("data-key: 3"), "\(rewritten.output)\(rewritten.errors)")
    #expect(try again.fields("ENCRYPTION STATUS").integer("bytes-in-clear") == 0)

    for name in names { #expect(try files(of: server.dataPath, with: name).isEmpty) }
    #expect(!server.messages.contains(Self.first) && !server.messages.contains(Self.second))

    // The chain is proved without the key, and the content with it.
    let locked = try control("verify", "--quiet", server.dataPath)
    #expect(locked.output.contains("is sound") && locked.output.contains("not looked at"), "\(locked.output)")
    let open = try control("verify", "--quiet", "--encryption-key-file", key, server.dataPath)
    #expect(open.output.contains("is sound") && open.output.contains("users"), "\(open.output)\(open.errors)")
    let inspected = try control("inspect", server.dataPath)
    #expect(inspected.errors.contains("give it with --encryption-key-file"), "\(inspected.errors)")
    #expect(!inspected.output.contains(names[0]))
    let shown = try control("inspect", "--encryption-key-file", key, server.dataPath)
    #expect(shown.output.contains(names[0]) && shown.output.contains(names[299]))

    // A backup without the key is whole.
    let backup = folder.path("backup")
    #expect(try control("backup", "--quiet", server.dataPath, backup).errors.isEmpty)
    for name in names { #expect(try files(of: backup, with: name).isEmpty) }
    try server.terminate()
    let restored = try control(
      "restore", "--quiet", backup, folder.path("restored"), environment: ["GATEHOUSE_ENCRYPTION_KEY": Self.second])
    #expect(restored.errors.isEmpty, "\(restored.errors)")
    let checked = try control(
      "verify", "--quiet", folder.path("restored"),
      environment: ["GATEHOUSE_ENCRYPTION_KEY_COMMAND": "cat \(key)"])
    #expect(checked.output.contains("is sound"), "\(checked.output)\(checked.errors)")
  }

  @Test("a folder in clear is encrypted, without a server")
  func enabled() throws {
    let folder = try TemporaryFolder("encryption")
    let server = try TestServer(.init(), folder: folder)
    defer { server.kill() }
    let gate = try server.client()
    try gate.ok("PRODUCT.CREATE payroll")
    let name = "w8bqz0x4k7m1v5t2y9"
    try gate.ok("USER.CREATE \(name) PRODUCT payroll")
    try gate.refused("ENCRYPTION ROTATE", with: "ERR the data folder is not encrypted")
    _ = try gate.fields("COMPACT")
    try server.terminate()
    let data = server.dataPath
    #expect(try control("encryption", "status", data).output.contains("the folder is not encrypted"))
    let environment: [String: String?] = ["GATEHOUSE_ENCRYPTION_KEY": Self.first]
    let made = try control("encryption", "enable", "--quiet", "--rewrite", data, environment: environment)
    #expect(made.output.contains("data-key: 1"), "\(made.output)\(made.errors)")
    let status = try control("encryption", "status", data).output
    #expect(status.contains("new files are encrypted with data key 1"), "\(status)")
    #expect(try files(of: data, with: name).isEmpty)
    #expect(!status.contains("in clear"), "\(status)")
    let wrong = try control("inspect", data, environment: ["GATEHOUSE_ENCRYPTION_KEY": Self.second])
    #expect(wrong.end == .exited(66) && wrong.errors.contains("the key given is"), "\(wrong.errors)")
    let bad = try control("inspect", data, environment: ["GATEHOUSE_ENCRYPTION_KEY": "swordfish"])
    #expect(
      bad.errors.contains("is neither hexadecimal nor base64 (9 characters)") && !bad.errors.contains("swordfish"))
    let verified = try control("verify", "--quiet", data, environment: environment)
    #expect(verified.output.contains("is sound"), "\(verified.output)\(verified.errors)")
  }

  @Test("without a snapshot or an archive too, rewriting leaves nothing behind, there and back")
  func rewrittenWithoutSnapshot() throws {
    let folder = try TemporaryFolder("encryption")
    let server = try TestServer(.init(), folder: folder)
    defer { server.kill() }
    let name = "w8bqz0x4k7m1v5t2y9"
    let gate = try server.client()
    try gate.ok("PRODUCT.CREATE payroll")
    try gate.ok("USER.CREATE \(name) PRODUCT payroll")
    server.kill()
    let data = server.dataPath
    #expect(try !files(of: data, with: "payroll").isEmpty)
    let environment: [String: String?] = ["GATEHOUSE_ENCRYPTION_KEY": Self.first]
    for (command, key) in [("enable", "data key 1"), ("disable", "in clear"), ("enable", "data key 2")] {
      let done = try control("encryption", command, "--quiet", "--rewrite", data, environment: environment)
      #expect(done.end == .exited(0), "\(command): \(done.output)\(done.errors)")
      let status = try control("encryption", "status", data).output
      let others = ["in clear", "data key 1", "data key 2"].filter { $0 != key }
      let files = status.split(separator: "\n").filter { $0.hasPrefix("  ") }
      #expect(!files.isEmpty && files.allSatisfy { line in !others.contains { line.contains($0) } }, "\(status)")
      let verified = try control("verify", "--quiet", data, environment: environment)
      #expect(verified.output.contains("is sound"), "\(verified.output)\(verified.errors)")
    }
    #expect(try files(of: data, with: name).isEmpty && files(of: data, with: "payroll").isEmpty)
    var options = TestServer.Options()
    options.environment["GATEHOUSE_ENCRYPTION_KEY"] = Self.first
    let encrypted = try TestServer(options, folder: folder)
    defer { encrypted.kill() }
    #expect(try encrypted.client().fields("USER.GET \(name)")["username"] == name)
  }

  @Test("COMPACT and a rewriting rotation wait for a snapshot and a compaction that are under way")
  func underWay() throws {
    let folder = try TemporaryFolder("encryption")
    let key = folder.path("key")
    try write(Self.first, to: key)
    let server = try TestServer(.init(arguments: ["--encryption-key-file", key]), folder: folder)
    defer { server.kill() }
    let raw = try server.rawConnection(patience: .seconds(120))
    for round in 0..<6 {
      try server.client().ok("PRODUCT.CREATE p\(round)")
      let last = round.isMultiple(of: 2) ? "COMPACT" : "ENCRYPTION ROTATE REWRITE"
      try raw.send("BGSAVE\r\n")
      #expect(try raw.receiveLine().hasPrefix("+Background"))
      let others = try (0..<2).map { _ in try server.rawConnection(patience: .seconds(120)) }
      for other in others { try other.send(last + "\r\n") }
      for other in others {
        let answer = try other.receiveLine()
        #expect(answer.hasPrefix("*"), "\(last): \(answer)")
      }
    }
  }

  @Test("decrypted by `disable --rewrite`, a folder needs no key, and its trail tells of each change of the keys")
  func disabled() throws {
    let folder = try TemporaryFolder("encryption")
    let key = folder.path("key")
    try write(Self.first, to: key)
    let server = try TestServer(.init(arguments: ["--encryption-key-file", key]), folder: folder)
    defer { server.kill() }
    var gate = try server.client()
    try gate.ok("PRODUCT.CREATE payroll")
    let name = "w8bqz0x4k7m1v5t2y9"
    try gate.ok("USER.CREATE \(name) PRODUCT payroll NOINVITE")
    let secret = try #require(try gate.fields("SERVICE.CREATE ops ADMIN")["secret"])
    try gate.ok("AUTH ops \(secret)")
    try gate.ok("ENCRYPTION ROTATE")
    let rotated = try #require(try gate.pages("AUDIT.LIST COUNT 1").first)
    #expect(rotated["command"] == "ENCRYPTION" && rotated["service"] == "ops", "\(rotated)")
    #expect(rotated.changes.joined().hasPrefix("encryption-changed data-key: 2, master: "), "\(rotated.changes)")
    #expect(try !files(of: server.dataPath, with: name).contains { $0.hasPrefix("log") })
    try server.terminate()

    let data = server.dataPath
    let environment: [String: String?] = ["GATEHOUSE_ENCRYPTION_KEY": Self.first]
    let refused = try control("verify", "--quiet", data)
    #expect(refused.output.contains("not looked at"), "\(refused.output)")
    let plain = try control("encryption", "disable", "--quiet", data, environment: environment)
    #expect(plain.output.contains("data-key: none"), "\(plain.output)\(plain.errors)")
    #expect(
      try control("inspect", data).errors.contains("give it with --encryption-key-file"), "the key is still needed")
    let disabled = try control("encryption", "disable", "--quiet", "--rewrite", data, environment: environment)
    #expect(
      disabled.errors.isEmpty && disabled.output.contains("master: none: no key is needed")
        && disabled.output.contains("retired: 1, 2"), "\(disabled.output)\(disabled.errors)")
    try FileManager.default.removeItem(atPath: key)
    let status = try control("encryption", "status", data).output
    #expect(status.contains("no master key is needed") && !status.contains("data key"), "\(status)")
    let verified = try control("verify", "--quiet", data)
    #expect(
      verified.output.contains("is sound") && verified.output.contains("users"), "\(verified.output)\(verified.errors)")
    #expect(try control("inspect", data).output.contains(name))
    let trail = try control("inspect", "--json", data).output.split(separator: "\n").filter {
      $0.contains("encryption-changed")
    }
    #expect(trail.count == 2, "one by the server, one by both runs of disable, of which the first told it: \(trail)")

    // A server starts without a key, and a new key begins again.
    let clear = try TestServer(.init(), folder: folder)
    defer { clear.kill() }
    gate = try clear.client(.resp2)
    try gate.ok("AUTH ops \(secret)")
    #expect(try gate.fields("USER.GET \(name)")["username"] == name)
    try gate.refused("ENCRYPTION ON", with: "ERR encryption was turned off and everything decrypted")
    try clear.terminate()
    let second: [String: String?] = ["GATEHOUSE_ENCRYPTION_KEY": Self.second]
    let enabled = try control("encryption", "enable", "--quiet", "--rewrite", data, environment: second)
    #expect(enabled.output.contains("data-key: 3") && enabled.errors.isEmpty, "\(enabled.output)\(enabled.errors)")
    #expect(try files(of: data, with: name).isEmpty, "also in what was in clear meanwhile")
    #expect(try control("inspect", data, environment: environment).errors.contains("the key given is"))
    let sound = try control("verify", "--quiet", data, environment: second)
    #expect(sound.output.contains("is sound"), "\(sound.output)\(sound.errors)")
    let backup = folder.path("backup")
    #expect(try control("backup", "--quiet", data, backup).errors.isEmpty)
    #expect(try control("verify", "--quiet", backup, environment: second).output.contains("users"))
  }

  @Test("a rotation without a server is in the trail, and so is one that a crash kept from it, at the next start")
  func recorded() throws {
    let folder = try TemporaryFolder("encryption")
    let server = try TestServer(.init(), folder: folder)
    defer { server.kill() }
    try server.client().ok("PRODUCT.CREATE payroll")
    try server.terminate()
    // A server that is given a key for the first time: nobody asked on a connection.
    var options = TestServer.Options()
    options.environment["GATEHOUSE_ENCRYPTION_KEY"] = Self.first
    let encrypted = try TestServer(options, folder: folder)
    let gate = try encrypted.client()
    try eventually("it is recorded") {
      try gate.pages("AUDIT.LIST COUNT 5").contains { $0.changes.joined().hasPrefix("encryption-changed data-key: 1,") }
    }
    let record = try #require(try gate.pages("AUDIT.LIST COUNT 5").first { $0["command"] == "ENCRYPTION" })
    #expect(record["reason"] == "found at the start", "\(record)")
    try eventually("the ring remembers that it is") {
      try String(contentsOfFile: encrypted.dataPath + "/keyring", encoding: .utf8).contains("\nnoted 1\n")
    }
    encrypted.kill()
    try encrypted.start()
    let again = try encrypted.client()
    pause(.milliseconds(300))
    #expect(try again.pages("AUDIT.LIST COUNT 50").count { $0["command"] == "ENCRYPTION" } == 1, "it is recorded once")
    try encrypted.terminate()
    let environment: [String: String?] = ["GATEHOUSE_ENCRYPTION_KEY": Self.first]
    #expect(
      try control("encryption", "rotate", "--quiet", "--data", encrypted.dataPath, environment: environment).errors
        .isEmpty)
    let shown = try control("inspect", "--json", encrypted.dataPath, environment: environment).output
    #expect(shown.components(separatedBy: "encryption-changed").count == 3, "\(shown.suffix(600))")
  }

  @Test("a key in the environment leaves it, and a start without it is refused")
  func environment() throws {
    let folder = try TemporaryFolder("encryption")
    var options = TestServer.Options()
    options.environment["GATEHOUSE_ENCRYPTION_KEY"] = Self.first
    let server = try TestServer(options, folder: folder)
    let gate = try server.client()
    try gate.ok("PRODUCT.CREATE payroll")
    let pid = try #require(server.pid)
    let environment = try Data(contentsOf: URL(fileURLWithPath: "/proc/\(pid)/environ"))
    #expect(environment.range(of: Data(Self.first.utf8)) == nil)
    #expect(environment.range(of: Data("GATEHOUSE_ENCRYPTION_KEY=".utf8)) != nil)
    try server.terminate()
    let refused = try refusedStart(data: server.dataPath)
    #expect(refused.message.contains("give it with --encryption-key-file"), "\(refused.message)")
  }
}
