import Foundation
import GatehouseTestSupport
import Testing

@Suite("gatehousectl verify", .blocking)
struct VerifyTests {
  @Test("a valid folder passes with its figures, and is not changed")
  func sound() throws {
    let (folder, data) = try StoryFolder.copied()
    defer { withExtendedLifetime(folder) {} }
    let before = try contents(of: data)
    let result = try VerifyResult(data)
    #expect(result.code == 0 && result.isSound && result.problems.isEmpty, "\(result.problems)")
    #expect(result.state("users") == 5 && result.state("deleted-users") == 1)
    #expect(result.state("contacts") == 6)
    #expect(result.state("timers") == 2)
    #expect(result.state("workspaces") == 2 && result.state("products") == 3 && result.state("services") == 1)
    #expect(result.integer("segments") == 3)
    #expect((result.object["snapshots"] as? [Int])?.count == 2)
    #expect(result.integer("records") == result.integer("last"))
    #expect(try contents(of: data) == before)
    let text = try control("verify", data)
    #expect(text.code == 0 && text.output.contains("users         5\n") && text.output.hasSuffix("data is sound\n"))
    #expect(!text.output.contains("\u{1B}"), "no colours where nobody sees them")
    #expect(!text.errors.contains("\r"), "no bars where nobody sees them: \(text.errors)")
  }

  @Test("every kind of damaged file is named, and the exit code reports it")
  func everyKind() throws {
    let (folder, data) = try StoryFolder.copied()
    defer { withExtendedLifetime(folder) {} }
    #expect(try control("compact", "--data", data).code == 0)
    let snapshot = try #require(try names(in: "\(data)/snapshots").first)
    let archive = try #require(try names(in: "\(data)/archive").first)
    let segment = try #require(try StoryFolder.segments(data).first)
    for file in ["snapshots/\(snapshot)", "archive/\(archive)", "log/\(segment)", "manifest.copy"] {
      let damaged = folder.path("damaged")
      try copy(data, to: damaged)
      let offset: UInt64 = file.hasPrefix("log") ? 4096 + 64 : 60
      try flip(byte: offset, of: "\(damaged)/\(file)")
      let result = try VerifyResult(damaged)
      #expect(result.code == 1 && !result.isSound)
      #expect(result.files.contains(file), "\(file) is not among \(result.problems)")
      let text = try control("verify", damaged)
      #expect(text.code == 1 && text.output.contains("problem \(file)"), "\(text.output)")
      try FileManager.default.removeItem(atPath: damaged)
    }
  }

  @Test("a byte of the log's second frame: segment, byte and record are named")
  func place() throws {
    let (folder, data) = try StoryFolder.copied()
    defer { withExtendedLifetime(folder) {} }
    let frames = try control("inspect", "--frames", "--json", data).objects()
    let second = frames[1]
    let offset = try #require(second["offset"] as? Int)
    try flip(byte: UInt64(offset + 130), of: "\(data)/\(second["file"] as? String ?? "")")
    let result = try VerifyResult(data)
    let problem = try #require(result.problems.first)
    #expect(problem["file"] as? String == second["file"] as? String)
    #expect(problem["offset"] as? Int == offset)
    #expect(problem["lsn"] as? Int == second["first"] as? Int)
    #expect(result.object["state"] is [String: Any], "the snapshots behind the damage still lead to a state")
  }

  @Test("B4: --against compares the folder with a head noted before")
  func against() throws {
    let (folder, data) = try StoryFolder.copied()
    defer { withExtendedLifetime(folder) {} }
    let head = try #require(try VerifyResult(data).object["head"] as? String)
    #expect(try control("verify", data).output.contains("head          \(head)\n"))
    #expect(try control("verify", "--against", head, data).code == 0)
    #expect(try control("compact", "--data", data).code == 0)
    #expect(try control("verify", "--against", head.uppercased(), data).code == 0)
    let last = try #require(UInt64(head.prefix { $0 != ":" }))
    let cut = folder.path("cut")
    #expect(try control("restore", data, cut, "--until", "\(last - 1)").code == 0)
    #expect(try control("verify", cut).code == 0)
    let result = try control("verify", "--against", head, cut)
    #expect(result.code == 1 && result.output.contains("its end was cut off"), "\(result.output)")
    let wrong = try control("verify", "--against", "12", data)
    #expect(wrong.code == 64 && wrong.errors.contains("lsn:hash"), "\(wrong.errors)")
  }

  @Test("a missing segment, and one of another folder")
  func missingAndForeign() throws {
    let (folder, data) = try StoryFolder.copied()
    defer { withExtendedLifetime(folder) {} }
    let segments = try StoryFolder.segments(data)
    let gone = folder.path("gone")
    try copy(data, to: gone)
    try FileManager.default.removeItem(atPath: "\(gone)/log/\(segments[1])")
    #expect(try VerifyResult(gone).code == 1)

    let server = try TestServer()
    try server.client().ok("USER.CREATE stranger")
    try server.terminate()
    let foreign = try #require(try StoryFolder.segments(server.dataPath).first)
    try FileManager.default.removeItem(atPath: "\(data)/log/\(segments[0])")
    try copy("\(server.dataPath)/log/\(foreign)", to: "\(data)/log/\(segments[0])")
    let result = try VerifyResult(data)
    #expect(result.code == 1 && result.files.contains("log/\(segments[0])"), "\(result.problems)")
  }

  @Test("next to a server that writes and compacts its log")
  func live() throws {
    let server = try TestServer()
    try server.client().ok("PRODUCT.CREATE payroll")
    try inParallel(2) { part in
      if part == 0 {
        let gate = try server.client()
        for number in 0..<600 {
          try gate.ok("USER.CREATE user\(number) PRODUCT payroll")
          if number % 100 == 50 { try gate.ok("COMPACT") }
        }
      } else {
        for _ in 0..<4 {
          let result = try VerifyResult(server.dataPath)
          #expect(result.isSound, "\(result.problems)")
        }
      }
    }
    #expect(try VerifyResult(server.dataPath).state("users") == 600)
  }

  @Test("not a data folder")
  func noFolder() throws {
    let folder = try TemporaryFolder("nothing")
    let missing = try control("verify", folder.path("missing"))
    #expect(missing.code == 66 && missing.errors.contains("no such folder") && missing.output.isEmpty)
    try "a thesis".write(toFile: folder.path("thesis.txt"), atomically: false, encoding: .utf8)
    #expect(try control("verify", folder.path).code == 66)
  }
}
