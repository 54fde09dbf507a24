import NIOCore
import Testing

@testable import GatehouseServer

@Suite("What a client may send, and how often it may guess")
struct RequestRateTests {
  @Test("commands and bytes are counted by the second, and a second's first request is always taken")
  func rate() {
    var rate = RequestRate()
    let most = RequestRate.Most(commands: 3, bytes: 100)
    #expect((0..<5).map { _ in rate.take(10, of: most, at: 1_000) } == [nil, nil, nil, .commands, .commands])
    #expect(rate.take(500, of: most, at: 2_999) == nil)
    #expect(rate.take(1, of: most, at: 2_999) == .bytes)
    #expect(rate.take(60, of: most, at: 3_000) == nil)
    #expect(rate.take(60, of: most, at: 3_001) == .bytes)
    #expect(rate.take(40, of: most, at: 3_002) == nil)
    let unlimited = RequestRate.Most.none
    #expect((0..<100).allSatisfy { _ in rate.take(1_000_000, of: unlimited, at: 3_003) == nil })
  }

  @Test("wrong secrets of an address are answered at a rate, each in its turn, and others' at once")
  func throttle() throws {
    let throttle = AuthenticationThrottle()
    let one = AddressKey(try SocketAddress(ipAddress: "192.0.2.1", port: 1))
    let other = AddressKey(try SocketAddress(ipAddress: "192.0.2.2", port: 1))
    let waits = (0..<10).map { _ in throttle.wait(one, rate: 10, at: 100_000) }
    #expect(waits == [0, 0, 0, 0, 0, 0, 100, 200, 300, 400])
    #expect(throttle.wait(other, rate: 10, at: 100_000) == 0)
    #expect(throttle.wait(one, rate: 10, at: 100_450) == 50)
    for _ in 0..<200 { _ = throttle.wait(one, rate: 10, at: 100_450) }
    #expect(throttle.wait(one, rate: 10, at: 100_450) == nil)
    #expect(throttle.wait(one, rate: 10, at: 200_000) == 0)
    #expect(throttle.wait(one, rate: 0, at: 200_000) == 0)
    #expect(throttle.count == 2)
  }

  @Test("the addresses remembered are bounded, also while all of them wait")
  func bounded() throws {
    let throttle = AuthenticationThrottle()
    for number in 0..<30_000 {
      let address = try SocketAddress(ipAddress: "10.\(number >> 16).\(number >> 8 & 255).\(number & 255)", port: 1)
      for _ in 0..<7 { _ = throttle.wait(AddressKey(address), rate: 1, at: 1_000_000) }
    }
    #expect(throttle.count <= 10_000)
  }

  @Test("addresses count by machine: a port makes no other, nor does the lower half of an IPv6 address")
  func addresses() throws {
    func key(_ text: String, _ port: Int = 1) throws -> AddressKey? {
      AddressKey(try SocketAddress(ipAddress: text, port: port))
    }
    #expect(try key("192.0.2.1") == key("192.0.2.1", 2))
    #expect(try key("192.0.2.1") != key("192.0.2.2"))
    #expect(try key("::ffff:192.0.2.1") == key("192.0.2.1"))
    #expect(try key("2001:db8::1") == key("2001:db8::2:3"))
    #expect(try key("2001:db8::1") != key("2001:db8:0:1::1"))
    #expect(try key("::1") != key("0.0.0.1"))
    let counts = AddressCounts()
    let one = try key("192.0.2.1")
    #expect(counts.join(one, most: 2) && counts.join(one, most: 2) && !counts.join(one, most: 2))
    #expect(try counts.join(key("192.0.2.2"), most: 2) && counts.count == 2)
    counts.leave(one)
    #expect(counts.join(one, most: 2))
    for _ in 0..<2 { counts.leave(one) }
    #expect(counts.count == 1)
  }
}
