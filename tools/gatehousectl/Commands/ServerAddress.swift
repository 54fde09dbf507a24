import ArgumentParser
import GatehouseCommandLine
import GatehouseWire
import Glibc

/// The address of a running server, and the credentials for it.
struct ServerAddress {
  static let defaultPort = 7420

  let host: String
  let port: Int
  let name: String?
  let secret: String
  let tls: TLSConnector?

  /// From the command line, else from the environment. A secret is never taken from the command line, which every
  /// process of the machine can read.
  static func find(host: String?, port: Int?, tls: TLSOptions) throws -> ServerAddress {
    let environment = Console.environment
    var name: String?
    var secret = ""
    if let credentials = environment["GATEHOUSE_AUTH"], !credentials.isEmpty {
      guard let colon = credentials.utf8.firstIndex(of: UInt8(ascii: ":")), colon != credentials.startIndex else {
        throw ValidationError("GATEHOUSE_AUTH must be name:secret")
      }
      name = String(credentials[..<colon])
      secret = String(credentials[credentials.utf8.index(after: colon)...])
    }
    return ServerAddress(
      host: host ?? environment["GATEHOUSE_HOST"] ?? "127.0.0.1",
      port: port ?? environment["GATEHOUSE_PORT"].flatMap { Int($0) } ?? defaultPort, name: name, secret: secret,
      tls: try tls.connector())
  }

  /// The first command on a connection.
  var greeting: [String] {
    ["HELLO", "3"] + (name.map { ["AUTH", $0, secret] } ?? []) + ["SETNAME", "gatehousectl"]
  }

  /// What the server has refused, and where this program takes a secret from if there was none.
  func explained(_ refusal: String) -> String {
    guard name == nil, refusal.hasPrefix("NOAUTH") else { return refusal }
    // What the server says of HELLO is for those who write clients.
    let what = refusal.hasPrefix("NOAUTH HELLO ") ? "NOAUTH the server asks who is calling" : refusal
    return "\(what); set GATEHOUSE_AUTH=name:secret, the name and the secret of a service"
  }

  /// A connection on which nothing was said yet.
  func open() throws -> BlockingClient { try BlockingClient(host: host, port: port, tls: tls) }

  func connect() throws -> BlockingClient {
    let client = try open()
    if let error = try client.command(greeting).errorText {
      Console.message("gatehousectl: the server refused: \(explained(error))")
      throw ExitCode(ExitStatus.problems)
    }
    // A command may take minutes.
    client.timeout = nil
    return client
  }
}

/// The time in unix milliseconds; 0 if the clock shows a time before 1970.
func now() -> UInt64 {
  var time = timespec()
  clock_gettime(CLOCK_REALTIME, &time)
  return UInt64(max(0, time.tv_sec)) * 1000 + UInt64(time.tv_nsec) / 1_000_000
}
