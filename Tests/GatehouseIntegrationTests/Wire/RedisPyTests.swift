import Foundation
import GatehouseTestSupport
import Testing

/// redis-py, the newest and an older line, unchanged: the script in `Resources` walks through its features.
@Suite("Wire: redis-py")
struct RedisPyTests {
  @Test("every feature an application uses", arguments: Python.Redis.allCases, [2, 3])
  func features(release: Python.Redis, version: Int) throws {
    guard case .ready(let python) = Python.interpreter(release) else {
      // Nothing is proved without the library; the message says why, and the run goes on.
      print("redis-py (\(release.rawValue)) is not available, its tests are skipped: \(Python.interpreter(release))")
      return
    }
    let server = try TestServer()
    let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appendingPathComponent("Resources/redis_client.py").path
    let result = try runProgram(python, [script, String(server.port), String(version)], limit: .seconds(120))
    #expect(result.succeeded, "\(result.output)\n\(result.errors)")
    #expect(result.output.hasSuffix("all passed\n"))
  }
}
