import GatehouseStorage
import Glibc

/// Reports the server's state to the supervisor (systemd, or whatever set `$NOTIFY_SOCKET`), in the datagrams of
/// `sd_notify`. Without that variable every call does nothing.
struct NotifySocket: Sendable {
  private let path: String?

  init(environment: [String: String]) {
    self.path = environment["NOTIFY_SOCKET"].flatMap { $0.isEmpty ? nil : $0 }
  }

  /// The state is recovered and commands are answered.
  func ready() { send("READY=1") }

  func reloading() { send("RELOADING=1\nMONOTONIC_USEC=\(MonotonicClock.now() / 1000)") }

  func stopping() { send("STOPPING=1") }

  /// Failures are ignored, as the documentation of `sd_notify` advises: the server must keep running even if its
  /// supervisor cannot be told.
  private func send(_ message: String) {
    guard let path, var address = Self.address(path) else { return }
    let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { return }
    defer { close(descriptor) }
    // An abstract name ends at the given length, so the length must not include the zeros after it.
    let length = socklen_t(MemoryLayout<sa_family_t>.size + path.utf8.count)
    withUnsafePointer(to: &address) { address in
      address.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
        _ = Array(message.utf8).withUnsafeBytes { bytes in
          sendto(descriptor, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL), address, length)
        }
      }
    }
  }

  /// A path, or an abstract name, which starts with `@` in the variable and with a zero byte in the address.
  private static func address(_ path: String) -> sockaddr_un? {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    var name = Array(path.utf8)
    guard name.first == UInt8(ascii: "/") || name.first == UInt8(ascii: "@"),
      name.count < MemoryLayout.size(ofValue: address.sun_path)
    else { return nil }
    if name[0] == UInt8(ascii: "@") { name[0] = 0 }
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: name) }
    return address
  }
}
