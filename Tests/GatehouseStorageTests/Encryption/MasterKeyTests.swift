import Foundation
import Testing

@testable import GatehouseStorage

@Suite("Master keys") struct MasterKeyTests {
  private static let hexadecimal = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"

  private func parse(_ text: String) throws(EncryptionError) -> MasterKey {
    try MasterKey(parsing: Array(text.utf8), source: "the test")
  }

  @Test func isReadFromHexadecimalAndBase64() throws {
    let key = try parse(Self.hexadecimal)
    #expect(key.text == Self.hexadecimal)
    let base64 = Data((0..<32).map { UInt8($0) }).base64EncodedString()
    for text in [
      Self.hexadecimal.uppercased(), "  \(Self.hexadecimal)\n", base64, base64 + "\r\n", String(base64.dropLast()),
    ] {
      #expect(try parse(text).text == Self.hexadecimal)
      #expect(try parse(text).id == key.id)
    }
    // The id is a hash: `printf 'gatehouse master key id' | cat - key | sha256sum`.
    #expect(key.id.count == 16)
    #expect(MasterKey.random().id != MasterKey.random().id)
  }

  @Test(arguments: [
    ("", "is empty"), ("\n", "is empty"), ("a secret!", "is neither hexadecimal nor base64 (9 characters)"),
    ("00112233", "has 6 bytes"), (String(hexadecimal.dropLast(2)), "has 46 bytes"),
    (hexadecimal + "20", "has 49 bytes"), (String(repeating: "00", count: 32), "is one byte repeated"),
    (String(repeating: "#", count: 64), "is neither hexadecimal nor base64 (64 characters)"),
  ])
  func whatIsWrongIsNamedAndNotShown(text: String, problem: String) throws {
    let error = try #require(throws: EncryptionError.self) { try parse(text) }
    #expect("\(error)".hasPrefix("the key from the test \(problem)"), "\(error)")
    #expect("\(error)".contains("openssl rand -hex 32"))
    if text.count > 8 { #expect(!"\(error)".contains(text)) }
  }

  @Test func comesFromAFile() throws {
    let folder = TemporaryFolder()
    let path = folder.path + "/key"
    try (Self.hexadecimal + "\n").write(toFile: path, atomically: true, encoding: .utf8)
    chmod(path, 0o640)
    #expect(try KeySource.file(path).read().text == Self.hexadecimal)
    #expect(KeySource.file(path).warning?.contains("open to other users") == true)
    chmod(path, 0o400)
    #expect(KeySource.file(path).warning == nil)
    let missing = try #require(throws: EncryptionError.self) { try KeySource.file(folder.path + "/none").read() }
    #expect("\(missing)" == "there is no key from the file \(folder.path)/none: No such file or directory")
    try String(repeating: "0", count: 5000).write(toFile: folder.path + "/long", atomically: true, encoding: .utf8)
    let long = try #require(throws: EncryptionError.self) { try KeySource.file(folder.path + "/long").read() }
    #expect("\(long)".contains("over 4096 bytes"))
  }

  @Test func comesFromACommand() throws {
    #expect(try KeySource.command("echo \(Self.hexadecimal)").read().text == Self.hexadecimal)
    #expect(try KeySource.command("printf %s \(Self.hexadecimal); cat").read().text == Self.hexadecimal)
    for (command, problem) in [
      ("exit 3", "the command ended with exit code 3"), ("kill -9 $$", "the command was killed"),
      ("true", "is empty"), ("yes", "printed over 4096 bytes"),
    ] {
      let error = try #require(throws: EncryptionError.self) { try KeySource.command(command).read() }
      #expect("\(error)".contains(problem), "\(error)")
      #expect("\(error)".contains("the command given with encryption-key-command"))
    }
  }

  @Test("a command that is not wanted any more ends at once, with what it has started") func notWanted() throws {
    let folder = TemporaryFolder()
    let file = folder.path + "/pid"
    let command = KeySource.command("sleep 100 & echo $! > \(file); wait")
    let error = try #require(throws: EncryptionError.self) {
      try command.read(while: { (try? String(contentsOfFile: file, encoding: .utf8))?.contains("\n") != true })
    }
    #expect("\(error)".contains("the server was told to stop before the command had ended"))
    let text = try String(contentsOfFile: file, encoding: .utf8)
    let child = try #require(text.split(separator: "\n").first)
    // Nobody may have asked for its end yet, and then it is still listed.
    func hasEnded() -> Bool {
      (try? String(contentsOfFile: "/proc/\(child)/stat", encoding: .utf8))?.contains(") Z ") ?? true
    }
    for _ in 0..<1000 where !hasEnded() { usleep(10_000) }
    #expect(hasEnded())
  }

  @Test func isGivenInOneWayOnly() throws {
    #expect(try KeySource.chosen(file: nil, command: nil) == nil)
    #expect(try KeySource.chosen(file: "/key", command: nil) == .file("/key"))
    #expect(throws: EncryptionError.self) { try KeySource.chosen(file: "/key", command: "cat /key") }
  }

  /// The page of a key is left out of core dumps; `/proc` says so.
  @Test func isKeptOutOfCoreDumps() throws {
    let key = MasterKey.random()
    let address = key.secret.withBytes { UInt(bitPattern: $0.baseAddress!) }
    let file = try #require(FileHandle(forReadingAtPath: "/proc/self/smaps"))
    let maps = String(decoding: file.readDataToEndOfFile(), as: UTF8.self).split(separator: "\n")
    let start = try #require(
      maps.firstIndex { line in
        let ends = line.prefix { $0 != " " }.split(separator: "-").compactMap { UInt($0, radix: 16) }
        return ends.count == 2 && (ends[0]..<ends[1]).contains(address)
      })
    let flags = try #require(maps[start...].first { $0.hasPrefix("VmFlags") })
    #expect(flags.split(separator: " ").contains("dd") && flags.split(separator: " ").contains("wf"))
  }
}
