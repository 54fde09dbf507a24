import Foundation
import GatehouseTestSupport
import Glibc
import Testing

@testable import gatehouse

@Suite(.blocking) struct NotifySocketTests {
  @Test func `the supervisor is notified on its socket`() throws {
    let path = FileManager.default.temporaryDirectory.path + "/gatehouse-\(getpid())-notify"
    let listener = try #require(datagramSocket(named: Array(path.utf8)))
    defer {
      close(listener)
      unlink(path)
    }
    NotifySocket(environment: ["NOTIFY_SOCKET": path]).ready()
    #expect(receive(listener) == "READY=1")
  }

  @Test func `an abstract socket name works`() throws {
    let name = "gatehouse-\(getpid())-abstract"
    let listener = try #require(datagramSocket(named: [0] + Array(name.utf8)))
    defer { close(listener) }
    NotifySocket(environment: ["NOTIFY_SOCKET": "@" + name]).stopping()
    #expect(receive(listener) == "STOPPING=1")
  }

  @Test(arguments: [[:], ["NOTIFY_SOCKET": ""], ["NOTIFY_SOCKET": "relative"], ["NOTIFY_SOCKET": "/no/such/socket"]])
  func `without a supervisor nothing happens`(environment: [String: String]) {
    NotifySocket(environment: environment).ready()
  }

  private func datagramSocket(named name: [UInt8]) -> Int32? {
    let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: name) }
    let length = socklen_t(MemoryLayout<sa_family_t>.size + name.count)
    let bound = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, length) }
    }
    return bound == 0 ? descriptor : nil
  }

  /// The datagram arrives before the sender returns, so no wait is needed.
  private func receive(_ descriptor: Int32) -> String {
    var bytes = [UInt8](repeating: 0, count: 256)
    let count = recv(descriptor, &bytes, bytes.count, Int32(MSG_DONTWAIT))
    return String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
  }
}
