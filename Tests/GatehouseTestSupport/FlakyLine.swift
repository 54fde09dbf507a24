import Foundation
import Glibc
import Synchronization

/// A line between a client and a server that breaks, or stands still, after some bytes of the server's.
package final class FlakyLine: Sendable {
  package enum Fate: Sendable {
    /// Closed on both sides.
    case breaks
    /// Nothing comes any more, and nobody closes it.
    case stands
  }

  package let port: UInt16
  private let listener: Int32
  private let target: UInt16
  /// What becomes of the next connections, and after how many bytes; what comes behind them is sound.
  private let fates: Mutex<[(fate: Fate, bytes: Int)]>
  private let standing = Atomic<Int>(0)
  private let isBroken = Atomic<Bool>(false)

  package init(to target: UInt16, _ fates: [(fate: Fate, bytes: Int)]) throws {
    port = try FreePort.next()
    self.target = target
    self.fates = Mutex(fates)
    listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var yes: Int32 = 1
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
    var address = Self.loopback(port)
    let isBound = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(listener, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
      }
    }
    guard isBound, listen(listener, 16) == 0 else { throw TestFailure("cannot listen on \(port)") }
    Thread { [listener, target, weak self] in
      while true {
        let client = accept(listener, nil, nil)
        guard client >= 0 else { return }
        guard let line = self else {
          close(client)
          return
        }
        let fate = line.fates.withLock { $0.isEmpty ? nil : $0.removeFirst() }
        Thread { line.carry(client, to: target, fate) }.start()
      }
    }.start()
  }

  deinit {
    shutdown(listener, Int32(SHUT_RDWR))
    close(listener)
  }

  /// How many connections stand still.
  package var standingCount: Int { standing.load(ordering: .relaxed) }

  /// Breaks the connections that stand still.
  package func breakAll() { isBroken.store(true, ordering: .relaxed) }

  private func carry(_ client: Int32, to target: UInt16, _ fate: (fate: Fate, bytes: Int)?) {
    let server = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = Self.loopback(target)
    let isConnected = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(server, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
      }
    }
    defer {
      close(client)
      close(server)
    }
    guard isConnected else { return }
    var left = fate?.bytes ?? .max
    var buffer = [UInt8](repeating: 0, count: 16 << 10)
    var ends = [
      pollfd(fd: client, events: Int16(POLLIN), revents: 0),
      pollfd(fd: server, events: Int16(POLLIN), revents: 0),
    ]
    while true {
      guard poll(&ends, 2, -1) > 0 else { return }
      for (from, to) in [(0, server), (1, client)] where ends[from].revents != 0 {
        let count = read(ends[from].fd, &buffer, from == 1 ? min(buffer.count, max(left, 1)) : buffer.count)
        guard count > 0 else { return }
        if from == 1 {
          left -= count
          if left <= 0 {
            guard fate?.fate == .stands else { return }
            standing.add(1, ordering: .relaxed)
            // Until the client gives up.
            while !isBroken.load(ordering: .relaxed) {
              guard poll(&ends, 1, 20) > 0 else { continue }
              guard read(client, &buffer, buffer.count) > 0 else { return }
            }
            return
          }
        }
        var sent = 0
        while sent < count {
          let more = buffer[sent..<count].withUnsafeBytes { send(to, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
          guard more > 0 else { return }
          sent += more
        }
      }
    }
  }

  private static func loopback(_ port: UInt16) -> sockaddr_in {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    return address
  }
}
