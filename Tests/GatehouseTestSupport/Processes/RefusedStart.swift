/// Starts a server program that is expected to refuse, and returns how it ended and what it said.
package func refusedStart(
  data: String, arguments: [String] = [], wrapper: [String] = [], file: StaticString = #fileID, line: UInt = #line
) throws -> (code: Int32, message: String) {
  let serve = [
    try GatehouseProgram.path(), "serve", "--data", data, "--host", "127.0.0.1", "--http-port", "0",
    "--port", String(try FreePort.next()),
  ]
  let words = wrapper + serve + arguments
  let result = try runProgram(words[0], Array(words.dropFirst()), limit: .seconds(30) * Patience.factor)
  guard case .exited(let code) = result.end, code != 0 else {
    throw TestFailure(
      "the server did not refuse \(data), it ended with \(result.end): \(result.errors)", file: file, line: line)
  }
  return (code, result.output + result.errors)
}
