import Foundation
import GatehouseTestSupport
import Testing

/// A folder of version 0.1.0, which told names apart by simple lower case. In the snapshot and in the log after it, it
/// has users whose names have become the same, and names that belong to other partitions now.
@Suite("Folders with names folded differently", .blocking)
struct NamesakesTests {
  private static let archive = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("Resources/namesakes-v1.tar.gz").path

  private static let namesakes = [
    ["Maße", "MASSE", "Maſſe"], ["Straße", "strasse"], ["fiona", "ﬁona"], ["νίκος", "ΝΊΚΟΣ"],
  ]

  private func unpacked(withSnapshot: Bool) throws -> TemporaryFolder {
    let folder = try TemporaryFolder("namesakes")
    let done = try runProgram("tar", ["-xzf", Self.archive, "-C", folder.path])
    try #require(done.succeeded, "\(done.errors)")
    if !withSnapshot {
      for name in try FileManager.default.contentsOfDirectory(atPath: folder.path("data/snapshots")) {
        try FileManager.default.removeItem(atPath: folder.path("data/snapshots/\(name)"))
      }
    }
    return folder
  }

  private func verify(_ folder: TemporaryFolder) throws -> [[String]] {
    let control = try GatehouseProgram.path() + "ctl"
    let text = try runProgram(control, ["verify", folder.path("data")])
    #expect(text.succeeded && text.output.hasSuffix("is sound\n"), "\(text.output)\(text.errors)")
    #expect(text.output.contains("Straße (#10), strasse (#18): each is found by this spelling or #id"))
    let json = try runProgram(control, ["verify", "--json", folder.path("data")])
    let object = try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any]
    let found = try #require(object?["namesakes"] as? [[[String: Any]]])
    return found.map { $0.compactMap { $0["username"] as? String } }.sorted { $0[0] < $1[0] }
  }

  @Test(
    "each user is found by the exact spelling and by id, and nobody gets the name", arguments: [1, 4], [true, false])
  func open(lanes: Int, withSnapshot: Bool) throws {
    let folder = try unpacked(withSnapshot: withSnapshot)
    #expect(try verify(folder) == Self.namesakes)
    let server = try TestServer(TestServer.Options(lanes: lanes), folder: folder)
    for round in 0..<3 {
      let gate = try server.client()
      for name in Self.namesakes.joined() {
        #expect(try gate.text("LOGIN.CHECK", name, "payroll") == "ALLOW", "\(name), round \(round)")
        let fields = try gate.fields("USER.GET", name)
        #expect(fields["username"] == name)
        #expect(try gate.fields("USER.GET", "#\(fields["id"] ?? "")")["username"] == name)
        for other in [name, name.uppercased(), name.lowercased()] {
          try gate.refused("USER.CREATE", other, with: "CONFLICT username")
        }
      }
      // They belong to another partition now.
      for (name, spelling) in [("µicro", "ΜICRO"), ("μάρκος", "ΜΆΡΚΟΣ"), ("ᾳdonis", "ΑΙDONIS"), ("ſam", "SAM")] {
        #expect(try gate.fields("USER.GET", spelling)["username"] == name)
      }
      #expect(try gate.fields("USER.GET", "groß")["username"] == "GROSS", "the deleted one's name was given again")
      let long = String(repeating: "ŉ", count: 127)
      #expect(try gate.text("LOGIN.CHECK", long, "payroll") == "ALLOW", "longer than a new name, once it is folded")
      #expect(try gate.text("LOGIN.CHECK", "ana\u{3164}", "payroll") == "ALLOW", "given before such names were refused")
      if round == 1 { try gate.ok("SAVE") }
      try server.terminate()
      #expect(try verify(folder) == Self.namesakes)
      try server.start()
    }
    #expect(server.messages.contains("users have one name in different spellings"))
    #expect(server.messages.contains("users=\"#10 #18\""))
    #expect(readText(folder.path("data/manifest")).contains("\nunicode 15.0.0\n"))
    let gate = try server.client()
    try gate.ok("USER.RENAME", "Straße", "Weg")
    #expect(try gate.fields("USER.GET", "STRAẞE")["username"] == "strasse")
    #expect(try gate.pages("AUDIT.LIST USER Weg").count >= 1)
    try server.terminate()
  }
}
