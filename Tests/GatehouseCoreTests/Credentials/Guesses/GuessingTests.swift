import Testing

@testable import GatehouseCore

/// Logins by password, guessed at across users and services.
@Suite("Guessing across users")
struct GuessingTests {
  private let core: CoreHarness
  private let keeper: HarnessGuesses

  init() {
    core = CoreHarness(partitions: 4)
    keeper = core.guesses
    keeper.table.limits = GuessLimits(address: GuessLimit(perMinute: 5), service: GuessLimit(perMinute: 20))
    core.run("PRODUCT.CREATE payroll")
    for number in 0..<40 { core.run("USER.CREATE user\(number) PRODUCT payroll NOINVITE PASSWORD correct-horse") }
    core.decidesTwice = true
  }

  private func guess(_ user: String, _ password: String = "wrong-one", ip: String? = nil) -> Answer {
    core.run(["LOGIN.PASSWORD", user, "payroll", password] + (ip.map { ["IP", $0] } ?? []))
  }

  private func reason(_ answer: Answer) -> String? { answer["reason"].text ?? answer["decision"].text }

  @Test("one password tried at many names waits by address, whether the names exist and whether it is right")
  func acrossUsers() {
    for number in 0..<5 { #expect(reason(guess("user\(number)", ip: "203.0.113.7")) == "credentials") }
    let answers = [
      guess("user10", ip: "203.0.113.7"), guess("user10", "correct-horse", ip: "203.0.113.7"),
      guess("nobody", ip: "203.0.113.7"),
    ]
    for answer in answers {
      #expect(answer.keys == ["decision", "reason", "retry-after"])
      #expect(reason(answer) == "wait" && answer["retry-after"].integer == 12_000)
    }
    #expect(reason(guess("user10", "correct-horse", ip: "203.0.113.8")) == "ALLOW", "elsewhere nobody waits")
    #expect(reason(guess("user11", "correct-horse")) == "ALLOW")
    core.advance(12_000)
    #expect(reason(guess("user10", "correct-horse", ip: "203.0.113.7")) == "ALLOW")
    #expect(reason(guess("user12", ip: "203.0.113.7")) == "credentials")
    #expect(guess("user13", ip: "203.0.113.7")["retry-after"].integer == 24_000, "a right one clears nothing")
  }

  @Test("whoever has many addresses waits by service, and another service does not")
  func acrossAddresses() {
    for number in 0..<20 { #expect(reason(guess("user\(number)", ip: "10.0.0.\(number)")) == "credentials") }
    #expect(guess("user30", "correct-horse", ip: "10.0.1.1")["retry-after"].integer == 3000)
    #expect(guess("user30", "correct-horse")["retry-after"].integer == 3000)
    core.connection = ConnectionFacts(id: 2, service: 7, rights: .all)
    #expect(reason(guess("user30", "correct-horse", ip: "10.0.1.1")) == "ALLOW")
  }

  @Test("across services: an address has its guesses at each service, and the user waits for all of them")
  func acrossServices() {
    var refused = 0
    for service in 1...4 {
      core.connection = ConnectionFacts(id: UInt64(service), service: ServiceID(service), rights: .all)
      for _ in 0..<3 where reason(guess("user1", ip: "203.0.113.7")) == "credentials" { refused += 1 }
    }
    #expect(refused == 5, "after the fifth failure the user waits, whoever asks")
    #expect(reason(guess("user1", "correct-horse", ip: "198.51.100.1")) == "wait")
  }

  @Test("while a source waits nothing is counted or written, and the longer of two waits is told")
  func waiting() {
    for number in 0..<5 { _ = guess("user\(number)", ip: "203.0.113.7") }
    for _ in 0..<5 { _ = guess("user9", ip: "198.51.100.1") }
    let lsn = core.lsn
    #expect(guess("user9", ip: "203.0.113.7")["retry-after"].integer == 30_000)
    for _ in 0..<10 { _ = guess("user8", ip: "203.0.113.7") }
    #expect(core.lsn == lsn && guess("user8", ip: "203.0.113.7")["retry-after"].integer == 12_000)
  }

  @Test("an address that is none is refused")
  func malformed() {
    #expect(
      guess("user1", ip: "localhost").text == "ERR IP is not an address, such as 203.0.113.7 or 2001:db8::1")
  }
}
