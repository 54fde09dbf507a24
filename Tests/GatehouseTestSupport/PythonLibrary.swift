import Foundation

/// A Python library by others, as an oracle: each release in its own environment.
package enum PythonLibrary: Sendable {
  case ready(String)
  case unavailable(String)

  /// The interpreter named by an environment variable, else one in a private environment that is created once a machine
  /// in the temporary folder.
  ///
  /// - Parameter requirements: what pip installs, separated by spaces.
  package static func find(
    _ name: String, _ variable: String, _ requirements: String, module: String
  ) -> PythonLibrary {
    func has(_ python: String) -> Bool {
      FileManager.default.isExecutableFile(atPath: python)
        && (try? runProgram(python, ["-c", "import \(module)"]))?.succeeded == true
    }
    if let named = ProcessInfo.processInfo.environment[variable], !named.isEmpty {
      return has(named) ? .ready(named) : .unavailable("\(variable)=\(named) has no \(module)")
    }
    let folder = "\(NSTemporaryDirectory())/gatehouse-test-python-\(name)"
    let python = "\(folder)/bin/python"
    if has(python) { return .ready(python) }
    do {
      let made = try runProgram("python3", ["-m", "venv", "--clear", folder])
      guard made.succeeded else { return .unavailable("python3 -m venv: \(made.errors)") }
      let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
      let installed = try runProgram(
        python, pip + requirements.split(separator: " ").map(String.init), limit: .seconds(120))
      guard installed.succeeded else { return .unavailable("pip: \(installed.errors)") }
    } catch {
      return .unavailable("\(error)")
    }
    return has(python) ? .ready(python) : .unavailable("\(module) is not importable after pip")
  }
}

extension PythonLibrary {
  /// The interpreter, or nil with a note that the test is skipped.
  ///
  /// - Throws: `TestFailure` where everything must be tested.
  package func orSkip() throws -> String? {
    switch self {
    case .ready(let python): return python
    case .unavailable(let why):
      let mustRun = ProcessInfo.processInfo.environment["CI"].map { !$0.isEmpty } ?? false
      if mustRun { throw TestFailure(why) }
      print("skipped: \(why)")
      return nil
    }
  }
}
