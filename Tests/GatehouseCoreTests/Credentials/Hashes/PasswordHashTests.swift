import GatehouseTestSupport
import Testing

@testable import GatehouseCore

@Suite("Hashes of passwords as text")
struct PasswordHashTests {
  @Test("what other systems write is read, and takes nothing absurd", arguments: HashSamples.all)
  func samples(_ sample: (name: String, text: String)) throws {
    let hash = try #require(PasswordHash(sample.text), "\(sample.name)")
    #expect(hash.excess == nil)
    for text in [sample.text + "$", String(sample.text.dropFirst()), sample.text + " ", "{x}" + sample.text] {
      #expect(PasswordHash(text) == nil, "\(text)")
    }
  }

  @Test("the costs are those that the texts say")
  func costs() {
    func cost(_ text: String) -> CryptHash.Cost? { CryptHash(text)?.cost }
    let digest = String(repeating: "x", count: 43)
    #expect(cost("$2b$12$" + String(repeating: ".", count: 53)) == .power(12))
    #expect(cost("$5$salt$\(digest)") == .rounds(5000))
    #expect(cost("$5$rounds=123456$salt$\(digest)") == .rounds(123_456))
    // What `crypt_gensalt` of libxcrypt writes for $y$ at its costs 1, 5 (the default) and 11, and for $7$ at 6.
    #expect(cost("$y$j75$salt$\(digest)") == .memory(logarithm: 10, blockSize: 8, parallelism: 1, passes: 2))
    #expect(cost("$y$j9T$salt$\(digest)") == .memory(logarithm: 12, blockSize: 32, parallelism: 1, passes: 2))
    #expect(cost("$y$jFT$salt$\(digest)") == .memory(logarithm: 18, blockSize: 32, parallelism: 1, passes: 2))
    #expect(cost("$7$BU..../....salt$\(digest)") == .memory(logarithm: 13, blockSize: 32, parallelism: 1, passes: 2))
  }

  @Test(
    "what would take too much is refused by name",
    arguments: [
      ("$argon2id$v=19$m=1048576,t=1,p=4$c29tZXNhbHQ$c29tZXNhbHRzYWx0", "it takes 1024 MiB of memory, more than 512"),
      (
        "$argon2id$v=19$m=65536,t=33,p=4$c29tZXNhbHQ$c29tZXNhbHRzYWx0",
        "it goes over 65536 KiB of memory 33 times, more than 2048 MiB in all"
      ),
      ("pbkdf2_sha1$5000001$salt$AAAAAAAAAAAAAAAAAAAAAAAAAAA=", "it has 5000001 iterations, more than 5000000"),
      ("$scrypt$ln=20,r=8,p=1$c2FsdA$AAAAAAAAAAAAAAAAAAAAAA", "it takes 1024 MiB of memory, more than 512"),
      ("$argon2id$v=19$m=524289,t=1,p=1$c29tZXNhbHQ$c29tZXNhbHRzYWx0", "it takes 513 MiB of memory, more than 512"),
      ("$scrypt$ln=16,r=1,p=1$c2FsdA$AAAAAAAAAAAAAAAAAAAAAA", "its N is too large for its block size"),
      (
        "$scrypt$ln=10,r=17,p=1$c2FsdA$AAAAAAAAAAAAAAAAAAAAAA",
        "its block size is more than 16 with a parallelism of 1"
      ),
      ("$scrypt$ln=63,r=8,p=1$c2FsdA$AAAAAAAAAAAAAAAAAAAAAA", "its N is 2^63, more than 2^31"),
      (
        "$scrypt$ln=1,r=8,p=1048575$AAAAAAAA$eHh4eHh4eHh4eHh4eHh4eA",
        "it has 1048575 as its parallelism, more than 16"
      ),
      ("$scrypt$ln=1,r=1000000,p=1$c2FsdA$AAAAAAAAAAAAAAAAAAAAAA", "it has 1000000 as its block size, more than 64"),
      (
        "$scrypt$ln=18,r=8,p=5$c2FsdA$AAAAAAAAAAAAAAAAAAAAAA",
        "it goes over 262144 KiB of memory 10 times, more than 2048 MiB in all"
      ),
      ("$7$/6....zz...saltsaltsalt$\(HashSamples.letters)", "it has 4095 as its parallelism, more than 16"),
      ("$7$/zz.../....saltsaltsalt$\(HashSamples.letters)", "it has 4095 as its block size, more than 64"),
      (
        "$argon2i$v=19$m=8,t=262144,p=1$c29tZXNhbHQ$c29tZXNhbHRzYWx0",
        "it goes over 8 KiB of memory 262144 times, more than 2048 MiB in all"
      ),
      ("$2b$16$4llTWlbTvWFRqr/5vscdk.RMMxy97mlg6aytcoUsDJkh72ljfNvYC", "it has 16 as its cost, more than 15"),
      (
        "$5$rounds=999999999$salt$GQAYqvK79bM1c8Qk9JdcUmp5w3IWj0SklDCw9yGlZd9",
        "it has 999999999 rounds, more than 1000000"
      ),
      ("$y$jFT$salt$GQAYqvK79bM1c8Qk9JdcUmp5w3IWj0SklDCw9yGlZd9", "it takes 1024 MiB of memory, more than 512"),
    ])
  func excess(_ text: String, _ why: String) {
    #expect(
      PasswordHash("$scrypt$ln=19,r=8,p=1$c2FsdA$AAAAAAAAAAAAAAAAAAAAAA").map { $0.excess == nil } == true,
      "that is the bound")
    #expect(PasswordHash(text)?.excess == why)
  }
}
