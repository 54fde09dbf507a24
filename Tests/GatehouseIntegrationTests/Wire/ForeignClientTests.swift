import Foundation
import GatehouseTestSupport
import Testing

/// Unchanged client libraries by others: a script for each does what an application does with it.
@Suite("Wire: foreign clients", .blocking)
struct ForeignClientTests {
  @Test("what an application does", arguments: ForeignClient.allCases)
  func application(client: ForeignClient) throws {
    guard case .ready(let interpreter) = client.interpreter else {
      // Without the library nothing is tested. It may be missing when tests are run by hand; continuous integration
      // installs it.
      let message = "\(client.rawValue) is not available, its test is skipped: \(client.interpreter)"
      let isIntegration = ProcessInfo.processInfo.environment["CI"].map { !$0.isEmpty } ?? false
      if isIntegration { Issue.record("\(message)") } else { print(message) }
      return
    }
    let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appendingPathComponent("Resources/\(client.script)").path
    for variant in client.variants {
      let server = try TestServer()
      let result = try runProgram(
        interpreter.program, [script, String(server.port)] + variant, environment: interpreter.environment,
        limit: .seconds(120))
      #expect(result.succeeded, "\(client.rawValue) \(variant): \(result.output)\n\(result.errors)")
      #expect(result.output.hasSuffix("all passed\n"))
    }
  }
}
