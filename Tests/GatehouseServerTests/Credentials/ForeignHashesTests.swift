import GatehouseCore
import GatehouseTestSupport
import Testing

@testable import GatehouseServer

/// Hashes of other systems, checked against what those systems have made.
@Suite("Hashes of other systems")
struct ForeignHashesTests {
  private let hasher: PasswordHasher

  init() throws {
    var configuration = ServerConfiguration()
    (configuration.passwordMemory, configuration.passwordPasses) = (64, 1)
    hasher = try PasswordHasher(configuration)
  }

  private func match(_ password: String, _ hash: String) throws -> PasswordMatch {
    try hasher.match(GivenPassword(SecretWord(Array(password.utf8))), hash)
  }

  @Test("the right password is right and hashed anew, another is wrong", arguments: HashSamples.all)
  func samples(_ sample: (name: String, text: String)) throws {
    guard case .right(let rehashed?) = try match(HashSamples.password, sample.text) else {
      Issue.record("\(sample.name): the password is not found right, or not hashed anew")
      return
    }
    #expect(rehashed.hasPrefix("$argon2id$v=19$m=64,t=1,p=1$"))
    #expect(try match(HashSamples.password, rehashed) == .right(rehashed: nil))
    for wrong in ["zoës three grey geese", HashSamples.password + " ", "", "\0", HashSamples.password + "\0"] {
      #expect(try match(wrong, sample.text) == .wrong, "\(sample.name)")
    }
  }

  @Test("of many wrong passwords none is right")
  func manyWrong() throws {
    let hash = try hasher.hash(SecretWord(Array("three grey geese".utf8)))
    for number in 0..<2000 { #expect(try match("wrong \(number)", hash) == .wrong) }
    for sample in HashSamples.all where sample.name.contains("1234") || sample.name.hasPrefix("Django") {
      for number in 0..<50 { #expect(try match("wrong \(number)", sample.text) == .wrong, "\(sample.name)") }
    }
  }

  @Test("a hash of letters that were typed composed otherwise is found right, and hashed anew as all others are")
  func typed() throws {
    let (composed, typed) = ("Zo\u{eb}s three grey geese", "Zoe\u{308}s three grey geese")
    let word = { (text: String) in SecretWord(Array(text.utf8)) }
    // By `crypt` of libxcrypt 4.4, of the bytes as they were typed.
    for sample in HashSamples.decomposed {
      let given = GivenPassword(word(composed), typed: word(typed))
      guard case .right(let rehashed?) = try hasher.match(given, sample) else {
        Issue.record("\(sample): the password is not found right, or not hashed anew")
        continue
      }
      #expect(try match(composed, rehashed) == .right(rehashed: nil))
      #expect(try hasher.match(GivenPassword(word(composed)), sample) == .wrong)
      let wrong = GivenPassword(word(composed + "!"), typed: word(typed + "!"))
      #expect(try hasher.match(wrong, sample) == .wrong)
    }
    let current = try hasher.hash(word(composed))
    #expect(try hasher.match(GivenPassword(word(composed), typed: word(typed)), current) == .right(rehashed: nil))
  }

  /// Otherwise whoever types 72 right bytes and a slip behind them locks themselves out.
  @Test("of more than the 72 bytes that bcrypt takes nothing is hashed anew")
  func tooLongForBcrypt() throws {
    let right = String(repeating: "three grey geese ", count: 5)
    #expect(right.utf8.count > 72)
    let hash = HashSamples.longBcrypt
    #expect(try match(right, hash) == .right(rehashed: nil))
    #expect(try match(right.prefix(72) + "anything", hash) == .right(rehashed: nil), "as the other system did")
    #expect(try match(String(right.prefix(71)), hash) == .wrong)
    guard case .right(.some) = try match(String(right.prefix(72)), hash) else {
      Issue.record("72 bytes are all of it, and hashed anew")
      return
    }
  }

  @Test("a hash that costs without bound, from a version that took it, is nobody's and costs nothing")
  func unbounded() throws {
    let begun = ContinuousClock.now
    let match = try match(HashSamples.password, "$scrypt$ln=1,r=8,p=1048575$AAAAAAAA$eHh4eHh4eHh4eHh4eHh4eA")
    #expect(match == .wrong)
    // It would take 49 seconds and 1.1 GB.
    #expect(ContinuousClock.now - begun < .seconds(10))
  }

  @Test("a text that is no hash, or a hash that was cut off, is nobody's", arguments: HashSamples.all)
  func cutOff(_ sample: (name: String, text: String)) throws {
    #expect(try match(HashSamples.password, String(sample.text.dropLast(2))) == .wrong)
    #expect(try match(HashSamples.password, "x" + sample.text) == .wrong)
  }
}
