import Foundation
import GatehouseTestSupport
import Glibc
import Testing

@testable import gatehouse

@Suite(.blocking) struct HistoryFileTests {
  private func withHistory(limit: Int = 1000, _ body: (HistoryFile) throws -> Void) rethrows {
    let path = FileManager.default.temporaryDirectory.path + "/gatehouse-\(UUID().uuidString)"
    defer { unlink(path) }
    try body(HistoryFile(path: path, limit: limit))
  }

  @Test func `appended lines are there next time, readable only by the owner`() {
    withHistory { history in
      #expect(history.load().isEmpty)
      history.append("PING")
      history.append("USER.GET é")
      #expect(history.load() == ["PING", "USER.GET é"])
      #expect(mode(history.path) == 0o600)
    }
  }

  @Test func `permissions that are too wide are narrowed`() throws {
    try withHistory { history in
      try Data("PING\n".utf8).write(to: URL(fileURLWithPath: history.path))
      chmod(history.path, 0o644)
      history.append("TIME")
      #expect(mode(history.path) == 0o600)
    }
  }

  @Test func `only the newest lines are kept`() {
    withHistory(limit: 3) { history in
      for number in 1...9 { history.append("\(number)") }
      #expect(history.load() == ["7", "8", "9"])
      history.append("10")
      #expect(history.load() == ["8", "9", "10"])
    }
  }

  @Test func `the history's path can be chosen, or no history`() {
    #expect(HistoryFile(environment: ["HOME": "/h"])?.path == "/h/.gatehouse_history")
    #expect(HistoryFile(environment: ["HOME": "/h", "GATEHOUSE_HISTORY": "/x"])?.path == "/x")
    #expect(HistoryFile(environment: ["HOME": "/h", "GATEHOUSE_HISTORY": ""]) == nil)
    #expect(HistoryFile(environment: [:]) == nil)
  }

  private func mode(_ path: String) -> Int? {
    try? FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
  }
}

@Suite(.blocking) struct CredentialsTests {
  @Test func `they come from a file or from the environment`() throws {
    try withTemporaryFile("s3:cret\n") { path in
      let fromFile = try Credentials.find(user: "app", passwordFile: path, environment: ["GATEHOUSE_AUTH": "x:y"])
      #expect(fromFile == Credentials(name: "app", secret: "s3:cret"))
    }
    let fromEnvironment = try Credentials.find(user: nil, passwordFile: nil, environment: ["GATEHOUSE_AUTH": "app:s:c"])
    #expect(fromEnvironment == Credentials(name: "app", secret: "s:c"))
    #expect(try Credentials.find(user: nil, passwordFile: nil, environment: [:]) == nil)
  }

  @Test(
    arguments: [
      (nil, "/dev/null", [:]), ("app", "/no/such/file", [:]), ("app", nil, [:]),
      (nil, nil, ["GATEHOUSE_AUTH": "noname"]),
      (nil, nil, ["GATEHOUSE_AUTH": ":secret"]), ("other", nil, ["GATEHOUSE_AUTH": "app:secret"]),
    ] as [(String?, String?, [String: String])])
  func `half of them is refused`(user: String?, file: String?, environment: [String: String]) {
    #expect(throws: CredentialsError.self) {
      try Credentials.find(user: user, passwordFile: file, environment: environment)
    }
  }
}

@Suite(.blocking) struct ColumnsTests {
  @Test func `words are shown in columns that fit`() {
    #expect(Columns.text(["AA", "B", "CCC"], width: 11) == "AA   CCC\nB")
    #expect(Columns.text(["AA", "B"], width: 1) == "AA\nB")
    #expect(Columns.text([], width: 80) == "")
  }
}
