import Foundation
import Synchronization

/// Python interpreters that have redis-py.
package enum Python {
  /// The releases of redis-py that the server is tried with: the newest, and the last line that many
  /// applications still have.
  package enum Redis: String, CaseIterable, Sendable {
    case newest, five

    var variable: String {
      switch self {
      case .newest: "GATEHOUSE_PYTHON_REDIS_NEWEST"
      case .five: "GATEHOUSE_PYTHON_REDIS5"
      }
    }

    var requirement: String {
      switch self {
      case .newest: "redis"
      case .five: "redis>=5,<6"
      }
    }
  }

  /// Where an interpreter is, or why there is none.
  package enum Outcome: Sendable {
    case ready(String)
    case unavailable(String)
  }

  private static let found = Mutex<[Redis: Outcome]>([:])

  /// The interpreter an environment variable names, else one in a private environment that is made once
  /// a machine under the temporary folder.
  package static func interpreter(_ release: Redis) -> Outcome {
    found.withLock { found in
      if let known = found[release] { return known }
      let outcome = look(for: release)
      found[release] = outcome
      return outcome
    }
  }

  private static func look(for release: Redis) -> Outcome {
    if let named = ProcessInfo.processInfo.environment[release.variable], !named.isEmpty {
      return canImport(named) ? .ready(named) : .unavailable("\(release.variable)=\(named) has no redis-py")
    }
    let folder = "\(NSTemporaryDirectory())/gatehouse-test-python-\(release.rawValue)"
    let python = "\(folder)/bin/python"
    if canImport(python) { return .ready(python) }
    do {
      let made = try runProgram("python3", ["-m", "venv", "--clear", folder])
      guard made.succeeded else { return .unavailable("python3 -m venv: \(made.errors)") }
      let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", release.requirement]
      let installed = try runProgram(python, pip, limit: .seconds(120))
      guard installed.succeeded else { return .unavailable("pip: \(installed.errors)") }
    } catch {
      return .unavailable("\(error)")
    }
    return canImport(python) ? .ready(python) : .unavailable("redis-py is not importable after pip")
  }

  private static func canImport(_ python: String) -> Bool {
    guard FileManager.default.isExecutableFile(atPath: python) else { return false }
    return (try? runProgram(python, ["-c", "import redis"]))?.succeeded == true
  }
}
