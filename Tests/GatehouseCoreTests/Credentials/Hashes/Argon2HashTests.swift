import Testing

@testable import GatehouseCore

@Suite("Argon2 hashes as text")
struct Argon2HashTests {
  private static let digest = "CTFhFdXPJO1aFaMaO6Mm5c8y7cJHApl8ArZWb2GRPPc"

  @Test("a hash is read and written as it was")
  func roundTrip() throws {
    let text = "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHQ$\(Self.digest)"
    let hash = try #require(Argon2Hash(text))
    #expect(hash.variant == .id && hash.version == 19)
    #expect(hash.cost == Argon2Hash.Cost(memory: 19456, passes: 2, lanes: 1))
    #expect(hash.salt == Array("somesalt".utf8) && hash.digest.count == 32)
    #expect(hash.text == text)
    #expect(Argon2Hash("$argon2i$m=64,t=1,p=1$c29tZXNhbHQ$\(Self.digest)")?.version == 16)
    #expect(Argon2Hash("$argon2d$v=19$p=1,m=64,t=1$c29tZXNhbHQ$\(Self.digest)")?.cost.memory == 64)
  }

  @Test(
    "what is none is refused",
    arguments: [
      "", "$", "argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHQ$\(digest)", "$argon2$v=19$m=64,t=1,p=1$c29tZXNhbHQ$\(digest)",
      "$argon2id$v=18$m=64,t=1,p=1$c29tZXNhbHQ$\(digest)", "$argon2id$v=19$m=64,t=1$c29tZXNhbHQ$\(digest)",
      "$argon2id$v=19$m=64,t=1,p=1,q=1$c29tZXNhbHQ$\(digest)", "$argon2id$v=19$m=64,t=0,p=1$c29tZXNhbHQ$\(digest)",
      "$argon2id$v=19$m=8,t=1,p=2$c29tZXNhbHQ$\(digest)", "$argon2id$v=19$m=-64,t=1,p=1$c29tZXNhbHQ$\(digest)",
      "$argon2id$v=19$m=64,t=1,p=1$c2FsdA$\(digest)", "$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHQ$",
      "$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHQ$\(digest)$", "$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHQ$?",
      "$argon2id$v=19$m=99999999999,t=1,p=1$c29tZXNhbHQ$\(digest)",
    ])
  func malformed(_ text: String) {
    #expect(Argon2Hash(text) == nil)
  }
}
