import Foundation
import GatehouseCore
import GatehouseWire
import Glibc
import Synchronization

/// A server on loopback that answers each request with the result of a closure, to test the client with answers that a
/// real server rarely gives.
final class ScriptedServer: Sendable {
  enum Answer {
    /// Raw bytes to send.
    case raw(String)
    case close
  }

  let port: Int
  private let listener: Int32
  private let seen = Mutex<[[String]]>([])

  /// Every request so far.
  var requests: [[String]] { seen.withLock(\.self) }

  init(_ answer: @escaping @Sendable ([String]) -> Answer) {
    listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = INADDR_LOOPBACK.bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let listener = listener
    port = withUnsafeMutablePointer(to: &address) { address in
      address.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
        precondition(bind(listener, address, length) == 0 && listen(listener, 8) == 0)
        getsockname(listener, address, &length)
      }
      return Int(address.pointee.sin_port.bigEndian)
    }
    Thread.detachNewThread { [self] in
      while true {
        let connection = accept(listener, nil, nil)
        guard connection >= 0 else { return }
        serve(connection, answer)
        close(connection)
      }
    }
  }

  /// Ends the thread by making its `accept` fail.
  func stop() { shutdown(listener, Int32(SHUT_RDWR)) }

  private func serve(_ connection: Int32, _ answer: ([String]) -> Answer) {
    var parser = RequestParser(authenticated: true)
    var bytes: [UInt8] = []
    while true {
      switch Self.next(&parser, &bytes) {
      case .some(let words):
        seen.withLock { $0.append(words) }
        guard case .raw(let text) = answer(words) else { return }
        _ = send(connection, text, text.utf8.count, Int32(MSG_NOSIGNAL))
      case nil:
        var chunk = [UInt8](repeating: 0, count: 4096)
        let count = recv(connection, &chunk, chunk.count, 0)
        guard count > 0 else { return }
        bytes += chunk[..<count]
      }
    }
  }

  private static func next(_ parser: inout RequestParser, _ bytes: inout [UInt8]) -> [String]? {
    let (words, consumed) = bytes.withUnsafeBytes { raw -> ([String]?, Int) in
      guard case .request(let consumed) = parser.next(raw) else { return (nil, 0) }
      let arguments = parser.arguments(in: raw)
      return ((0..<arguments.count).map(arguments.string), consumed)
    }
    bytes.removeFirst(consumed)
    return words
  }
}
