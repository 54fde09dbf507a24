import Testing

@testable import GatehouseCore

/// Guesses slowed by where they come from.
@Suite("Guesses by source")
struct GuessTableTests {
  private static let start: Milliseconds = 1_000_000
  private var table = GuessTable(
    capacity: 64, key: HashKey(low: 1, high: 2),
    limits: GuessLimits(address: GuessLimit(perMinute: 30), service: GuessLimit(perMinute: 600)))

  private static func address(_ text: String, of service: ServiceID? = 1) throws -> GuessSource {
    .address(try #require(NetworkAddress(text)).network, of: service)
  }

  /// Guesses as often as it may until a time, and says how often that was.
  private mutating func guess(from source: GuessSource, _ start: Milliseconds, for span: Milliseconds) -> Int {
    var (now, count) = (start, 0)
    while now < start + span {
      let wait = table.wait(source, after: 0, at: now)
      if wait > 0 {
        now += wait
      } else {
        table.count(source, at: now)
        count += 1
      }
    }
    return count
  }

  @Test("a minute's guesses are free, then each wait from an address doubles up to five minutes")
  mutating func growing() throws {
    let source = try Self.address("203.0.113.7")
    for _ in 0..<29 {
      #expect(table.wait(source, after: 0, at: Self.start) == 0)
      table.count(source, at: Self.start)
    }
    var now = Self.start
    var waits: [Milliseconds] = []
    for _ in 0..<10 {
      table.count(source, at: now)
      let wait = table.wait(source, after: 0, at: now)
      #expect(table.wait(source, after: 0, at: now + wait - 1) == 1)
      waits.append(wait)
      now += wait
    }
    #expect(waits == [2000, 4000, 8000, 16000, 32000, 32000, 64000, 128_000, 128_000, 128_000])
    #expect(table.wait(try Self.address("203.0.113.8"), after: 0, at: Self.start) == 0, "another address is free")
    #expect(table.wait(try Self.address("203.0.113.7", of: 2), after: 0, at: Self.start) == 0, "as another service's")
  }

  @Test("in the long run an address gets a guess in two minutes, and an honest one has its burst back after a while")
  mutating func longRun() throws {
    let source = try Self.address("203.0.113.7")
    let first = guess(from: source, Self.start, for: 3_600_000)
    #expect((40...90).contains(first), "\(first)")
    let later = Self.start + 2 * 3_600_000
    for _ in 0..<30 {
      #expect(table.wait(source, after: 0, at: later) == 0)
      table.count(source, at: later)
    }
  }

  @Test("a service is slowed to its rate, without growing waits")
  mutating func service() {
    let count = guess(from: .service(1), Self.start, for: 600_000)
    #expect((6000...6700).contains(count), "\(count)")
    #expect(table.wait(.service(1), after: 0, at: Self.start + 600_000) <= 100)
    #expect(table.wait(.service(2), after: 0, at: Self.start) == 0)
  }

  @Test("guesses that are not yet counted, between MULTI and EXEC, count")
  mutating func pending() throws {
    let source = try Self.address("203.0.113.7")
    for _ in 0..<20 { table.count(source, at: Self.start) }
    #expect(table.wait(source, after: 9, at: Self.start) == 0)
    #expect(table.wait(source, after: 10, at: Self.start) > 0)
  }

  @Test("a limit of 0 is none")
  mutating func off() {
    table.limits.service.perMinute = 0
    for _ in 0..<1000 { table.count(.service(1), at: Self.start) }
    #expect(table.wait(.service(1), after: 0, at: Self.start) == 0 && table.count == 0)
  }

  @Test("the table stays within its bound, and a flood of other addresses does not free one that waits")
  mutating func flood() throws {
    let source = try Self.address("203.0.113.7")
    for _ in 0..<40 { table.count(source, at: Self.start) }
    let wait = table.wait(source, after: 0, at: Self.start)
    #expect(wait == 300_000)
    for number in 0..<100_000 {
      table.count(try Self.address("10.\(number >> 16).\(number >> 8 & 255).\(number & 255)"), at: Self.start)
    }
    #expect(table.count <= table.capacity && table.capacity == 64)
    #expect(table.wait(source, after: 0, at: Self.start) == wait)
  }

  @Test("a household's IPv6 addresses are one, and an IPv4 address in another form is the same")
  func networks() throws {
    func network(_ text: String) throws -> NetworkAddress.Network { try #require(NetworkAddress(text)).network }
    #expect(try network("2001:db8:1:2::1") == network("2001:db8:1:2:ffff:0:0:9"))
    #expect(try network("2001:db8:1:2::1") != network("2001:db8:1:3::1"))
    #expect(try network("fe80::1%eth0") == network("fe80::2"))
    #expect(try network("::ffff:203.0.113.7") == network("203.0.113.7"))
    #expect(try network("::ffff:cb00:7107") == network("203.0.113.7"))
    #expect(try network("203.0.113.7") != network("203.0.113.8"))
    #expect(try network("::") != network("0.0.0.0"))
  }
}
