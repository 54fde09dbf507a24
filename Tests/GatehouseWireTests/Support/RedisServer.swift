import GatehouseTestSupport
import GatehouseWire
import Glibc

/// A redis-server for the test on a free loopback port: its answers are what clients expect.
final class RedisServer {
  static let path = findProgram("redis-server")
  static let cliPath = findProgram("redis-cli")
  static let missing = "redis-server is not installed, so nothing is compared with it"

  let port: Int
  private let process: ChildProcess

  init() throws {
    port = Int(try FreePort.next())
    process = try ChildProcess(
      Self.path!,
      [
        "--port", "\(port)", "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", "/tmp",
        "--enable-debug-command", "yes",
      ], errors: "/dev/null")
    for _ in 0..<200 {
      if let client = try? connect(), (try? client.command("PING")) == .simple("PONG") { return }
      usleep(25_000)
    }
    throw ClientError.timedOut
  }

  func connect() throws(ClientError) -> BlockingClient { try BlockingClient(host: "127.0.0.1", port: port) }

  /// The output of redis-cli for a command.
  func cli(_ arguments: [String]) throws -> String {
    try runProgram(Self.cliPath!, ["-p", "\(port)"] + arguments).output
  }
}

/// A listening socket on loopback that accepts nothing: connections to it succeed and are never answered.
final class SilentListener {
  let port: Int
  private let descriptor: Int32

  init() throws {
    descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let descriptor = descriptor
    let failed = withUnsafeMutablePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(descriptor, $0, size) != 0 || listen(descriptor, 8) != 0 || getsockname(descriptor, $0, &size) != 0
      }
    }
    port = Int(UInt16(bigEndian: address.sin_port))
    if failed { throw ClientError.broken(reason: "no port is free") }
  }

  /// Takes one connection and closes it.
  func acceptAndClose() {
    let accepted = accept(descriptor, nil, nil)
    if accepted >= 0 { close(accepted) }
  }

  deinit { close(descriptor) }
}
