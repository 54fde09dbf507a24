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
    try hasher.match(SecretWord(Array(password.utf8)), hash)
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

  @Test("a text that is no hash, or a hash that was cut off, is nobody's", arguments: HashSamples.all)
  func cutOff(_ sample: (name: String, text: String)) throws {
    #expect(try match(HashSamples.password, String(sample.text.dropLast(2))) == .wrong)
    #expect(try match(HashSamples.password, "x" + sample.text) == .wrong)
  }
}
