import Foundation
import GatehouseTestSupport
import Testing

/// Libraries that others wrote, unchanged: a script for each walks through what an application does with it.
@Suite("Wire: foreign clients")
struct ForeignClientTests {
  @Test("what an application asks", arguments: ForeignClient.allCases)
  func application(client: ForeignClient) throws {
    guard case .ready(let interpreter) = client.interpreter else {
      // Nothing is proved without the library. Whoever runs the tests by hand may lack it; continuous integration
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
