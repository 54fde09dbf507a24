import GatehouseCore
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

  @Test("wrong secrets wait like wrong passwords: a minute's worth at once, then ever longer; other addresses do not")
  func wrongSecrets() throws {
    var configuration = ServerConfiguration()
    configuration.guessesPerAddress = 30
    let guesses = SharedGuesses(configuration)
    let one = AddressKey(try SocketAddress(ipAddress: "192.0.2.1", port: 1))
    let other = AddressKey(try SocketAddress(ipAddress: "192.0.2.2", port: 1))
    let waits = (0..<34).map { _ in guesses.waitOfWrongSecret(from: one, at: 100_000) }
    #expect(Array(waits[..<30]) == Array(repeating: 0, count: 30))
    // A token takes two seconds, and each wait is twice as long; above ten seconds nobody waits.
    #expect(Array(waits[30...]) == [2_000, 4_000, 8_000, nil])
    #expect(guesses.waitOfWrongSecret(from: other, at: 100_000) == 0)
    #expect(guesses.waitOfWrongSecret(from: nil, at: 100_000) == 0)
    #expect(guesses.figures.slowed == 4 && guesses.figures.sources == 2)
    // Passwords that a service sends from the same address have a count of their own.
    let source = GuessSource.address(try #require(one).network, of: 3)
    #expect(guesses.wait([source], after: [], at: 100_000) == 0)
    configuration.guessesPerAddress = 0
    guesses.adopt(configuration)
    #expect(guesses.waitOfWrongSecret(from: one, at: 100_000) == 0)
  }

  @Test(
    "the network of a connection is the one of its address as text", arguments: ["192.0.2.1", "2001:db8::9", "::1"])
  func networks(_ text: String) throws {
    let key = try #require(AddressKey(try SocketAddress(ipAddress: text, port: 1)))
    #expect(key.network == NetworkAddress(text)?.network)
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
