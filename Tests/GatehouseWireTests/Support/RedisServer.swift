import GatehouseWire
import Glibc

/// A redis-server for the test on a free loopback port: its answers are what clients expect.
final class RedisServer {
  static let path = firstExecutable("redis-server")
  static let cliPath = firstExecutable("redis-cli")
  static let missing = "redis-server is not installed, so nothing is compared with it"

  let port: Int
  private let process: ChildProcess

  init() throws {
    port = try freePort()
    process = try ChildProcess(
      Self.path!,
      [
        "--port", "\(port)", "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", "/tmp",
        "--enable-debug-command", "yes",
      ])
    for _ in 0..<200 {
      if let client = try? connect(), (try? client.command("PING")) == .simple("PONG") { return }
      usleep(25_000)
    }
    throw ClientError.timedOut
  }

  func connect() throws(ClientError) -> BlockingClient { try BlockingClient(host: "127.0.0.1", port: port) }

  /// The output of redis-cli for a command.
  func cli(_ arguments: [String]) throws -> String {
    let output = "/tmp/gatehouse-redis-cli-\(port)"
    defer { unlink(output) }
    try ChildProcess(Self.cliPath!, ["-p", "\(port)"] + arguments, output: output).waitForEnd()
    let file = open(output, O_RDONLY)
    defer { close(file) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 65_536)
    while case let count = read(file, &chunk, chunk.count), count > 0 { bytes += chunk[..<count] }
    return String(decoding: bytes, as: UTF8.self)
  }

  private static func firstExecutable(_ name: String) -> String? {
    ["/usr/bin/", "/usr/local/bin/"].map { $0 + name }.first { access($0, X_OK) == 0 }
  }
}

/// A listening socket on loopback that accepts nothing: connections to it succeed and are never answered.
final class SilentListener {
  let port: Int
  private let descriptor: Int32

  init() throws {
    descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
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

/// A port on which probably nobody listens.
func freePort() throws -> Int { try SilentListener().port }
