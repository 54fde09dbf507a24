import GatehouseWire
import Glibc
import NIOCore

/// How the connections of one listener are carried. A listener has one entrance for good: the port decides which, and not
/// the client.
protocol Entrance: Sendable {
  /// Why the entrance may not listen on an address; nil if it may.
  func refusal(of address: SocketAddress) -> String?

  /// Makes the transport of an accepted socket.
  func transport(_ socket: LaneSocket, on lane: Lane) -> any Transport

  /// Closes the socket of a surplus client, and tells it why if the entrance can.
  func turnAway(_ socket: Int32, _ error: String)
}

/// Connections without encryption: for this machine only.
struct PlainEntrance: Entrance {
  func refusal(of address: SocketAddress) -> String? {
    guard !address.isLoopback else { return nil }
    return
      "other machines could connect to \(address.ipAddress ?? "it") without encryption; leave --host on 127.0.0.1, "
      + "and let them connect with TLS: --tls-host, --tls-port, --tls-cert-file, --tls-key-file"
  }

  func transport(_ socket: LaneSocket, on lane: Lane) -> any Transport { PlainTransport(socket) }

  func turnAway(_ socket: Int32, _ error: String) {
    let text = "-\(error)\r\n"
    _ = send(socket, text, text.utf8.count, Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT))
    // Read what the client has sent already. If a socket is closed with unread bytes, the kernel sends a reset, and
    // some clients would show that instead of our error.
    var bytes = [UInt8](repeating: 0, count: 4096)
    _ = recv(socket, &bytes, bytes.count, Int32(MSG_DONTWAIT))
    close(socket)
  }
}

/// Connections over TLS.
struct TLSEntrance: Entrance {
  let identity: TLSIdentity

  /// Whether anybody may use it is for the services to say, which are not known before the data is loaded.
  func refusal(of address: SocketAddress) -> String? { nil }

  func transport(_ socket: LaneSocket, on lane: Lane) -> any Transport {
    TLSTransport(SealedSocket(socket), identity.current, on: lane)
  }

  /// Without a handshake nothing can be told, and surplus clients are not worth one.
  func turnAway(_ socket: Int32, _ error: String) { close(socket) }
}

extension SocketAddress {
  var isLoopback: Bool {
    guard let ip = ipAddress else { return false }
    return ip.hasPrefix("127.") || ip == "::1" || ip.hasPrefix("::ffff:127.")
  }
}
