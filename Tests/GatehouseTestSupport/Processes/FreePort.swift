import Glibc
import Synchronization

/// Loopback ports for servers under test.
package enum FreePort {
  private static let handedOut = Mutex<Set<UInt16>>([])

  /// A port on which nobody listens and which no other test of this process was given.
  ///
  /// It is below the range that the kernel uses for outgoing connections (32768 and up), so that it is still free when
  /// a killed server is restarted.
  package static func next() throws -> UInt16 { try first(of: 1) }

  /// The first of several such ports in a row.
  package static func first(of count: UInt16) throws -> UInt16 {
    for _ in 0..<1_000 {
      let port = UInt16.random(in: 12_000..<32_000 - count)
      let ports = Set(port..<port + count)
      guard handedOut.withLock({ $0.isDisjoint(with: ports) }), ports.allSatisfy({ canBind($0) }) else { continue }
      let isTaken = handedOut.withLock { handedOut in
        guard handedOut.isDisjoint(with: ports) else { return false }
        handedOut.formUnion(ports)
        return true
      }
      if isTaken { return port }
    }
    throw TestFailure("no free loopback port found")
  }

  private static func canBind(_ port: UInt16) -> Bool {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { return false }
    defer { close(descriptor) }
    var address = LoopbackAddress.of(port)
    return withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
      }
    }
  }
}

/// 127.0.0.1 and a port, in the form the socket calls take.
enum LoopbackAddress {
  static func of(_ port: UInt16) -> sockaddr_in {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr = in_addr(s_addr: UInt32(0x7f00_0001).bigEndian)
    return address
  }
}
