import ArgumentParser
import GatehouseCommandLine

/// Where the server is, and how to talk to it; shared by `run` and `load`.
struct ServerOptions: ParsableArguments {
  @Option(help: "The server's host.")
  var host = "127.0.0.1"

  @Option(help: "The server's port.")
  var port: Int

  @Option(help: "How many users there are, numbered from 0.")
  var users = 100_000

  @Option(help: "The seed of all random choices: the same seed gives the same people and requests.")
  var seed: UInt64 = 1

  @Option(help: "Threads of this program; connections are distributed over them.")
  var threads = 1

  @OptionGroup(title: "TLS") var tls: TLSOptions

  func address() throws -> ServerAddress { ServerAddress(host: host, port: port, tls: try tls.connector()) }

  func validate() throws {
    guard (1...65_535).contains(port) else { throw ValidationError("--port must be from 1 to 65535.") }
    guard users > 0 else { throw ValidationError("--users must be at least 1.") }
    guard threads > 0 else { throw ValidationError("--threads must be at least 1.") }
  }
}

/// A duration on the command line: `500ms`, `10s`, `2m`.
struct Span: Sendable, ExpressibleByArgument, CustomStringConvertible {
  let nanoseconds: UInt64

  var defaultValueDescription: String { description }
  var description: String { "\(nanoseconds / 1_000_000)ms" }

  init?(argument: String) {
    let digits = argument.prefix(while: \.isNumber)
    guard let count = UInt64(digits), count < 1_000_000 else { return nil }
    switch argument.dropFirst(digits.count) {
    case "ms": nanoseconds = count * 1_000_000
    case "s", "": nanoseconds = count * 1_000_000_000
    case "m": nanoseconds = count * 60_000_000_000
    default: return nil
    }
  }
}
