import Foundation
import GatehouseTestSupport
import Testing

/// The console in a real browser (Debian's chromium), with the sample company. Each walkthrough is a script in `Scripts`.
///
/// One at a time: a browser and a server keep two cores busy.
@Suite(.blocking, .serialized)
struct BrowserTests {
  /// The scripts, with what they walk through.
  private static let walks = [
    "new_administrator", "without_scripts", "keyboard", "every_page", "hostile", "pictures", "guide_joint_accounts",
    "guide_system_users", "guide_user_accounts", "guide_training_users", "guide_accounts_tab", "guides_further",
    "without_mouse new_administrator", "without_mouse guide_joint_accounts", "without_mouse guide_accounts_tab",
    "without_mouse guide_system_users",
  ]

  @Test("a walk through the console", arguments: walks)
  func walk(_ line: String) throws {
    guard let python = try Self.python.orSkip() else { return }
    let stage = try SampleStage()
    let words = line.split(separator: " ").map(String.init)
    let run = try runProgram(
      python, ["-B", Self.scripts + words[0] + ".py", stage.address, stage.password] + words.dropFirst(),
      environment: ["PYTHONPATH": Self.scripts],
      limit: .seconds(120) * Patience.factor)
    #expect(run.succeeded, "\(run.output)\n\(run.errors)\nserver:\n\(stage.server.messages.suffix(2000))")
  }

  private static let scripts = URL(filePath: #filePath).deletingLastPathComponent().path() + "Scripts/"

  private static let python = PythonLibrary.find(
    "browser", "GATEHOUSE_PYTHON_BROWSER", "selenium axe-playwright-python", module: "selenium, axe_playwright_python")
}

/// A server with the sample company, and its console.
struct SampleStage {
  let server: TestServer
  let address: String
  /// The administrator's first password, which has to be changed.
  let password: String

  /// Loaded once: it takes longer than most walks.
  private static let company = Result { try SampleFolder() }

  init() throws {
    let company = try Self.company.get()
    let folder = try TemporaryFolder("server")
    try FileManager.default.copyItem(atPath: company.folder.path("data"), toPath: folder.path("data"))
    var options = TestServer.Options()
    options.servesHTTP = true
    server = try TestServer(options, folder: folder)
    password = company.password
    address = "http://127.0.0.1:\(server.httpPort)"
  }
}

/// The data of a server that was filled with the sample company, and has stopped.
private struct SampleFolder: Sendable {
  let folder: TemporaryFolder
  let password: String

  init() throws {
    folder = try TemporaryFolder("sample")
    folder.removeAtExit()
    let server = try TestServer(.init(arguments: ["--segment-bytes", "4mb"]), folder: folder)
    let made = try runProgram(
      try GatehouseProgram.path(), ["sample", "--port", String(server.port)], limit: .seconds(120) * Patience.factor)
    let line = (made.output + made.errors).split(separator: "\n").first {
      $0.hasPrefix("Sign in to the console as sam")
    }
    guard made.succeeded, let password = line?.split(separator: " ").last else {
      throw TestFailure("the sample was not loaded, or told no password: \(made.output) \(made.errors)")
    }
    self.password = String(password)
    // A snapshot is read faster than all that happened.
    try server.client().ok("SAVE")
    try server.terminate()
  }
}
