import Foundation
import GatehouseTestSupport
import GatehouseWire
import Testing

/// Data folders that a server must refuse, with a reason and a remedy.
@Suite("Durability: folders that are refused", .blocking)
struct FolderTests {
  @Test("a second server on the same folder is refused, and the first continues")
  func inUse() throws {
    let server = try TestServer()
    let gate = try server.client()
    try gate.ok("USER.CREATE ana")
    let (code, message) = try refusedStart(data: server.dataPath)
    #expect(code == 75, "EX_TEMPFAIL: it may work later")
    #expect(message.contains(server.dataPath))
    try gate.ok("USER.CREATE bo")
    #expect(try gate.integer("USER.COUNT") == 2)
  }

  @Test("a new folder is announced once; a start with a busy port creates none")
  func newFolder() throws {
    let server = try TestServer()
    #expect(server.messages.components(separatedBy: "made a new data folder").count == 2)
    try server.terminate()
    try server.start()
    #expect(server.messages.components(separatedBy: "made a new data folder").count == 2)

    let other = try TemporaryFolder("new")
    let result = try runProgram(
      try GatehouseProgram.path(),
      ["serve", "--data", other.path("data"), "--host", "127.0.0.1", "--http-port", "0", "--port", String(server.port)])
    #expect(result.end == .exited(78), "\(result.errors)")
    #expect(try FileManager.default.contentsOfDirectory(atPath: other.path).isEmpty)
  }

  @Test(
    "an emptied folder is refused, whatever is left of it",
    arguments: [["log", "snapshots", "archive"], ["log", "snapshots"], ["log"], ["log", "archive"]])
  func emptied(_ subfolders: [String]) throws {
    let server = try TestServer(.init(arguments: ["--segment-bytes", "1mb"]))
    let gate = try server.client()
    for number in 0..<20 { try gate.ok("USER.CREATE u\(number)") }
    try gate.ok("COMPACT")
    try gate.ok("USER.CREATE last")
    try server.terminate()
    let sound = server.folder.path("sound")
    try FileManager.default.copyItem(atPath: server.dataPath, toPath: sound)
    for isGone in [false, true] {
      for subfolder in subfolders {
        try FileManager.default.removeItem(atPath: "\(server.dataPath)/\(subfolder)")
        if !isGone {
          try FileManager.default.createDirectory(
            atPath: "\(server.dataPath)/\(subfolder)", withIntermediateDirectories: false)
        }
      }
      let (code, message) = try refusedStart(data: server.dataPath)
      #expect(code == 66 && message.contains("log/ is empty"), "\(message)")
      #expect(message.contains("gatehousectl restore"), "what can be done is named: \(message)")
      try FileManager.default.removeItem(atPath: server.dataPath)
      try FileManager.default.copyItem(atPath: sound, toPath: server.dataPath)
    }
    try server.start()
    #expect(try server.client().integer("USER.COUNT") == 21)
  }

  @Test("an older log/ is refused, also after a kill")
  func setBack() throws {
    let server = try TestServer()
    try server.client().ok("USER.CREATE ana")
    try server.terminate()
    let (log, older) = ("\(server.dataPath)/log", server.folder.path("older"))
    try FileManager.default.copyItem(atPath: log, toPath: older)
    try server.start()
    try server.client().ok("USER.CREATE bo")
    server.kill()
    try FileManager.default.removeItem(atPath: log)
    try FileManager.default.copyItem(atPath: older, toPath: log)
    let (code, message) = try refusedStart(data: server.dataPath)
    #expect(code == 66 && message.contains("replaced by an older copy"), "\(message)")
  }

  @Test("removing the lock file lets nobody in", arguments: [["lock"], ["lock", "manifest.copy"]])
  func lockRemoved(names: [String]) throws {
    let server = try TestServer()
    let gate = try server.client()
    try gate.ok("USER.CREATE ana")
    for name in names { try FileManager.default.removeItem(atPath: "\(server.dataPath)/\(name)") }
    #expect(try refusedStart(data: server.dataPath).code == 75)
    try gate.ok("USER.CREATE bo")
    try server.terminate()
    try server.start()
    #expect(try server.client().integer("USER.COUNT") == 2)
  }

  /// At most half a second of acknowledged writes may be lost.
  @Test(
    "a server whose files are removed stops writing, says so, and still reads",
    arguments: ["log/00000000000000000001.log", "log/witness", "log", "manifest", "snapshots", ""])
  func filesTakenAway(name: String) throws {
    let server = try TestServer()
    let gate = try server.client()
    try gate.ok("PRODUCT.CREATE payroll")
    pause(.milliseconds(600))
    try gate.ok("USER.CREATE bo PRODUCT payroll")
    let path = name.isEmpty ? server.dataPath : "\(server.dataPath)/\(name)"
    try FileManager.default.moveItem(atPath: path, toPath: server.folder.path("elsewhere"))
    var error = ""
    var writes = 0
    try eventually("writing stops", within: .seconds(5)) {
      writes += 1
      // A write in progress when the log stops gets no answer.
      error = (try? server.client().reply("USER.CREATE c\(writes)").errorText) ?? ""
      return error.hasPrefix("READONLY ")
    }
    #expect(error.contains("\(path) is gone"), "\(error)")
    #expect(error.contains("bring back what was there"), "\(error)")
    #expect(try server.client().text("LOGIN.CHECK bo payroll") == "ALLOW")
    #expect(try server.terminate() == .exited(74))

    try FileManager.default.moveItem(atPath: server.folder.path("elsewhere"), toPath: path)
    try server.start()
    #expect(try server.client().fields("USER.GET bo")["username"] == "bo")
  }

  @Test("an address that this machine does not have is reported clearly")
  func unknownAddress() throws {
    let folder = try TemporaryFolder("address")
    let (code, message) = try refusedStart(data: folder.path("data"), arguments: ["--host", "256.256.256.256"])
    #expect(code == 78)
    #expect(message.contains("cannot listen on 256.256.256.256: this machine knows no address of that name"))
    #expect(!message.contains("SocketAddressError"))
  }

  @Test("a folder may be the root of a file system")
  func lostAndFound() throws {
    let folder = try TemporaryFolder("lost")
    let made = FileManager.default
    try made.createDirectory(atPath: folder.path("data/lost+found"), withIntermediateDirectories: true)
    let server = try TestServer(folder: folder)
    for name in ["log", "snapshots", "archive"] {
      try made.createDirectory(atPath: folder.path("data/\(name)/lost+found"), withIntermediateDirectories: false)
    }
    try server.client().ok("USER.CREATE ana")
    try server.terminate()
    try server.start()
    #expect(try server.client().integer("USER.COUNT") == 1)
  }

  @Test("a folder readable by others is opened with a warning")
  func openDoors() throws {
    let server = try TestServer()
    try server.terminate()
    #expect(!server.messages.contains("holds keys"))
    chmod(server.dataPath, 0o755)
    try server.start()
    #expect(server.messages.contains("\(server.dataPath) is open to other users of this machine (mode 755)"))
  }

  @Test("a different number of partitions causes a warning, and the folder's is shown")
  func otherPartitions() throws {
    let folder = try TemporaryFolder("partitions")
    let first = try TestServer(.init(arguments: ["--partitions", "16"]), folder: folder)
    try first.client().ok("USER.CREATE ana")
    try first.terminate()
    #expect(!first.messages.contains("is ignored"))
    let second = try TestServer(folder: folder)
    #expect(try second.client().fields("CONFIG GET partitions")["partitions"] == "16")
    try second.terminate()
    #expect(!second.messages.contains("is ignored"), "nothing was given")
    let third = try TestServer(.init(arguments: ["--partitions", "128"]), folder: folder)
    #expect(third.messages.contains("has 16 partitions"))
    #expect(third.messages.contains("the setting partitions 128 is ignored"))
    #expect(try third.client().integer("USER.COUNT") == 1)
  }

  @Test(
    "a folder that is unreadable, by permissions or a failing disk, ends the start with 74 and a remedy",
    .enabled(if: findProgram("strace") != nil, "strace is not installed"),
    arguments: [("EIO", "see to the disk"), ("EACCES", "owner"), ("EROFS", "read-only"), ("ENOSPC", "make room")])
  func failingCalls(error: String, remedy: String) throws {
    let server = try TestServer()
    try server.client().ok("USER.CREATE ana")
    try server.terminate()
    for call in 1...4 {
      let wrapper = [
        "strace", "-f", "-qq", "-o", "/dev/null", "-P", server.dataPath, "-P", "\(server.dataPath)/manifest", "-P",
        "\(server.dataPath)/manifest.copy", "-e", "trace=openat", "-e", "inject=openat:error=\(error):when=\(call)+",
      ]
      let (code, message) = try refusedStart(data: server.dataPath, wrapper: wrapper)
      #expect(code == 74, "\(call): \(message)")
      #expect(message.contains(remedy), "\(call): \(message)")
    }
  }

  @Test("a folder of a newer version is refused and left as it is")
  func newerVersion() throws {
    let server = try TestServer()
    try server.client().ok("USER.CREATE ana")
    try server.terminate()
    let manifest = "\(server.dataPath)/manifest"
    let old = readText(manifest)
    let body =
      old.split(separator: "\n").filter { !$0.hasPrefix("checksum ") }
      .map { $0.hasPrefix("reader ") ? "reader 99" : $0.hasPrefix("format ") ? "format 99" : $0 }
      .joined(separator: "\n") + "\n"
    // The checksum is the first half of a SHA-256.
    let sum = try runProgram("sha256sum", [], input: body).output.prefix(32)
    try (body + "checksum \(sum)\n").write(toFile: manifest, atomically: false, encoding: .utf8)
    let before = try contents(of: server.dataPath)

    let (_, message) = try refusedStart(data: server.dataPath)
    #expect(message.contains("newer") || message.contains("version"))
    #expect(try contents(of: server.dataPath) == before)

    try old.write(toFile: manifest, atomically: false, encoding: .utf8)
    try server.start()
    #expect(try server.client().integer("USER.COUNT") == 1)
  }

  @Test("a folder with files of something else is refused and left as it is")
  func foreign() throws {
    let folder = try TemporaryFolder("foreign")
    try "my thesis".write(toFile: folder.path("thesis.txt"), atomically: false, encoding: .utf8)
    let (_, message) = try refusedStart(data: folder.path)
    #expect(message.contains(folder.path))
    #expect(try contents(of: folder.path) == ["thesis.txt": Data("my thesis".utf8)])
  }

  @Test("a file where the folder should be is refused")
  func file() throws {
    let folder = try TemporaryFolder("file")
    try "not a folder".write(toFile: folder.path("data"), atomically: false, encoding: .utf8)
    let (_, message) = try refusedStart(data: folder.path("data"))
    #expect(message.contains(folder.path("data")))
  }

  @Test("a damaged manifest is repaired from its copy; when both are damaged the folder is refused")
  func damagedManifest() throws {
    let server = try TestServer()
    try server.client().ok("USER.CREATE ana")
    try server.terminate()
    let names = try FileManager.default.contentsOfDirectory(atPath: server.dataPath).filter { $0.hasPrefix("manifest") }
    #expect(names.count == 2, "the manifest and its copy: \(names)")
    try flip(byte: 40, of: "\(server.dataPath)/manifest")
    try server.start()
    #expect(try server.client().integer("USER.COUNT") == 1)
    try server.terminate()

    for name in names { try flip(byte: 40, of: "\(server.dataPath)/\(name)") }
    let (_, message) = try refusedStart(data: server.dataPath)
    #expect(message.contains("manifest"))
  }

  @Test("a flipped byte in the middle of the log is detected and reported, and the log not changed")
  func damagedLog() throws {
    let server = try TestServer(.init(arguments: ["--segment-bytes", "1mb"]))
    let gate = try server.client()
    for number in 0..<50 { try gate.ok("USER.CREATE u\(number)") }
    try server.terminate()
    let log = "\(server.dataPath)/log"
    let name = try #require(FileManager.default.contentsOfDirectory(atPath: log).filter { $0.hasSuffix(".log") }.min())
    let segment = URL(fileURLWithPath: "\(log)/\(name)")
    let sound = try Data(contentsOf: segment)
    // Flipped bits between frames mean nothing; this one is in a frame.
    try flip(byte: #require(sound[(sound.count / 2)...].firstIndex { $0 != 0 }), of: segment.path)
    let damaged = try Data(contentsOf: segment)

    let (_, message) = try refusedStart(data: server.dataPath)
    #expect(message.contains(name), "the segment is named: \(message)")
    #expect(message.contains("gatehousectl"), "what can be done is named: \(message)")
    #expect(try Data(contentsOf: segment) == damaged)

    try sound.write(to: segment)
    try server.start()
    #expect(try server.client().integer("USER.COUNT") == 50)
  }

  @Test(
    "a folder that may not be written is refused",
    .enabled(if: geteuid() != 0 || findProgram("setpriv") != nil, "root may write anywhere, and setpriv is missing"))
  func readOnly() throws {
    let folder = try TemporaryFolder("readonly")
    chmod(folder.path, 0o555)
    let nobody = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "--"]
    let (code, message) = try refusedStart(
      data: folder.path("data"), wrapper: geteuid() == 0 ? nobody : [])
    // 126 and 127 would mean that the program could not be run.
    #expect(code < 126, "\(message)")
    #expect(message.contains(folder.path))
  }

  private func flip(byte position: Int, of path: String) throws {
    var bytes = try #require(FileManager.default.contents(atPath: path))
    bytes[position] ^= 0x10
    try bytes.write(to: URL(fileURLWithPath: path))
  }

  /// The files of a folder with their contents, without the lock.
  private func contents(of folder: String) throws -> [String: Data] {
    var files: [String: Data] = [:]
    for name in try FileManager.default.subpathsOfDirectory(atPath: folder) where name != "lock" {
      files[name] = FileManager.default.contents(atPath: "\(folder)/\(name)")
    }
    return files
  }
}
