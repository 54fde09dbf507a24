import Foundation

/// The result of a finished program.
package struct ProgramResult: Sendable {
  package let end: ProcessEnd
  package let output: String
  package let errors: String

  package var succeeded: Bool { end == .exited(0) }
}

/// Runs a program to its end and returns what it wrote.
///
/// - Parameters:
///   - program: a path, or a name to look up in `PATH`.
/// - input: its standard input.
///   - limit: when to kill it; the call then throws.
package func runProgram(
  _ program: String, _ arguments: [String], input: String? = nil, environment: [String: String?] = [:],
  limit: Duration = .seconds(60)
) throws -> ProgramResult {
  let folder = try TemporaryFolder("run")
  let output = folder.path("output")
  let errors = folder.path("errors")
  var source = "/dev/null"
  if let input {
    source = folder.path("input")
    try input.write(toFile: source, atomically: false, encoding: .utf8)
  }
  let process = try ChildProcess(
    program, arguments, environment: environment, input: source, output: output, errors: errors)
  guard let end = process.wait(upTo: limit) else {
    process.kill()
    throw TestFailure(
      "\(program) \(arguments.joined(separator: " ")) did not end within \(limit); it wrote:\n"
        + readText(output) + readText(errors))
  }
  return ProgramResult(end: end, output: readText(output), errors: readText(errors))
}

/// The path of a program, or nil when it is not installed.
package func findProgram(_ name: String) -> String? {
  let folders = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
  return folders.split(separator: ":").map { "\($0)/\(name)" }
    .first { FileManager.default.isExecutableFile(atPath: $0) }
}

/// The text of a file; empty if there is none.
package func readText(_ path: String) -> String {
  guard let bytes = FileManager.default.contents(atPath: path) else { return "" }
  return String(decoding: bytes, as: UTF8.self)
}
