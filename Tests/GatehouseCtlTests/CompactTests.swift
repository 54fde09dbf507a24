import Foundation
import GatehouseTestSupport
import Testing

@Suite("gatehousectl compact")
struct CompactTests {
  @Test("without a server: a dry run says what then happens, and the state stays what it was")
  func offline() throws {
    let (folder, data) = try StoryFolder.copied()
    defer { withExtendedLifetime(folder) {} }
    let state = try VerifyResult(data)
    let before = try contents(of: data)
    let plan = try control("compact", "--data", data, "--dry-run", "--json").object()
    #expect(try contents(of: data) == before, "a dry run changes nothing")

    let result = try control("compact", "--data", data, "--json")
    #expect(result.code == 0, "\(result.errors)")
    let report = try result.object()
    #expect(plan["dry-run"] as? Bool == true && report["dry-run"] as? Bool == false)
    #expect(plan["segments"] as? [String] == report["segments"] as? [String])
    #expect(plan["snapshots"] as? [Int] == report["snapshots"] as? [Int])
    #expect((report["segments"] as? [String])?.count == 2, "all but the one that is written")
    #expect((report["archived"] as? [Any])?.count == 1)
    #expect(try StoryFolder.segments(data).count == 1)
    #expect(try names(in: "\(data)/archive").count == 1)
    #expect(try names(in: "\(data)/snapshots").count == 2)

    let after = try VerifyResult(data)
    #expect(after.isSound, "\(after.problems)")
    #expect(after.object["chain"] as? String == state.object["chain"] as? String)
    #expect(after.object["state"] as? NSDictionary == state.object["state"] as? NSDictionary)
    #expect(after.integer("records") == state.integer("records"), "the archive keeps every record")

    let again = try control("compact", "--data", data)
    #expect(again.code == 0 && again.output == "nothing to do\n", "\(again.output)")
    let server = try TestServer(folder: folder)
    try server.client(.resp2).refused("USER.GET ana", with: "NOAUTH")
  }

  @Test("records older than the retention go, whole archives at a time")
  func retention() throws {
    let (folder, data) = try StoryFolder.copied()
    defer { withExtendedLifetime(folder) {} }
    #expect(try control("compact", "--data", data, "--retention", "forever").code == 0)
    #expect(try control("compact", "--data", data, "--retention", "365d").code == 0)
    #expect(try names(in: "\(data)/archive").count == 1, "nothing is a year old")
    pause(.milliseconds(20))
    let plan = try control("compact", "--data", data, "--retention", "10ms", "--dry-run").output
    #expect(plan.contains("would delete"), "\(plan)")
    let result = try control("compact", "--data", data, "--retention", "10ms")
    #expect(result.code == 0 && result.output.contains("deleted"), "\(result.output)\(result.errors)")
    #expect(try names(in: "\(data)/archive").isEmpty)
    let state = try VerifyResult(data)
    #expect(state.isSound && state.state("users") == 5, "\(state.problems)")
    let restored = try control("restore", data, folder.path("early"), "--until", "3")
    #expect(restored.code == 66 && restored.errors.contains("cannot be had"), "\(restored.errors)")
  }

  @Test("a folder that a server uses is refused, with the way to go; a dry run is not")
  func inUse() throws {
    let server = try TestServer()
    try server.client().ok("USER.CREATE ana")
    let result = try control("compact", "--data", server.dataPath)
    #expect(result.code == 75 && result.errors.contains("gatehousectl compact --port"), "\(result.errors)")
    #expect(try control("compact", "--data", server.dataPath, "--dry-run").code == 0)
  }

  @Test("through a server: the log goes into the archive while the server serves")
  func online() throws {
    let server = try TestServer()
    let gate = try server.client()
    for number in 0..<50 { try gate.ok("USER.CREATE user\(number)") }
    let result = try control("compact", "--port", String(server.port), "--json")
    #expect(result.code == 0, "\(result.errors)")
    #expect(try !result.object().isEmpty)
    #expect(try !names(in: "\(server.dataPath)/archive").isEmpty)
    try gate.ok("USER.CREATE later")
    let state = try VerifyResult(server.dataPath)
    #expect(state.isSound && state.state("users") == 51, "\(state.problems)")
    let text = try control("compact", environment: ["GATEHOUSE_PORT": String(server.port)])
    #expect(text.code == 0 && text.output.contains(": "), "\(text.output)")
  }

  @Test("no server there, and command lines that contradict themselves")
  func refusals() throws {
    let port = String(try FreePort.next())
    #expect(try control("compact", "--port", port).code == 69)
    #expect(try control("compact", "--port", port, "--data", "x").code == 64)
    #expect(try control("compact", "--dry-run").code == 64)
    #expect(try control("compact", "--retention", "1d").code == 64)
    #expect(try control("compact", "--data", "x", "--retention", "soon").code == 64)
  }
}
