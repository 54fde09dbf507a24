import GatehouseCore
import GatehouseStorage
import GatehouseTestSupport
import Testing

@testable import GatehouseServer

/// Argon2 on threads of its own.
@Suite("Hashing threads", .blocking)
struct HashingThreadsTests {
  private let threads = HashingThreads(priority: .idle)

  private func isRight(_ password: String, _ text: String) throws -> Bool {
    let hash = try #require(Argon2Hash(text))
    return try threads.digest(of: Array(password.utf8), like: hash) == hash.digest
  }

  /// Those of the library's own tests (`test.c`), which all implementations are checked against.
  @Test(
    "the digests are the known ones",
    arguments: [
      "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
      "$argon2id$v=19$m=256,t=2,p=2$c29tZXNhbHQ$bQk8UB/VmZZF4Oo79iDXuL5/0ttZwg2f/5U52iv1cDc",
      "$argon2i$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$wWKIMhR9lyDFvRz9YTZweHKfbftvj+qf+YFY4NeBbtA",
      "$argon2i$m=65536,t=2,p=1$c29tZXNhbHQ$9sTbSlTio3Biev89thdrlKKiCaYsjjYVJxGAL3swxpQ",
    ])
  func known(_ text: String) throws {
    #expect(try isRight("password", text))
    #expect(try !isRight("Password", text))
  }

  @Test("threads and their memory are used again, and memory not used for a while is given back")
  func kept() throws {
    let small = "$argon2id$v=19$m=256,t=2,p=2$c29tZXNhbHQ$bQk8UB/VmZZF4Oo79iDXuL5/0ttZwg2f/5U52iv1cDc"
    for _ in 0..<3 { #expect(try isRight("password", small)) }
    #expect(threads.keptBytes == 256 * 1024, "one thread was enough")
    threads.giveBackMemory()
    #expect(threads.keptBytes == 256 * 1024, "it was used since the last time")
    threads.giveBackMemory()
    #expect(threads.keptBytes == 0)
    #expect(try isRight("password", small))
  }

  private func digest(_ text: String) throws -> [UInt8] {
    let hash = try #require(Argon2Hash(text + "bQk8UB/VmZZF4Oo79iDXuL5/0ttZwg2f/5U52iv1cDc"))
    return try threads.digest(of: Array(text.utf8), like: hash)
  }

  @Test("several hashes at a time")
  func together() throws {
    let texts = (1...8).map { "$argon2id$v=19$m=\(256 * $0),t=1,p=1$c29tZXNhbHQ$" }
    let alone = try texts.map(digest)
    try inParallel(8) { worker in
      for _ in 0..<20 {
        let digest = try digest(texts[worker])
        #expect(digest == alone[worker])
      }
    }
    #expect(threads.keptBytes <= (1...8).reduce(0) { $0 + 256 * 1024 * $1 } * 8)
  }

  @Test("a machine without memory for it is busy")
  func noMemory() throws {
    let huge = try #require(Argon2Hash("$argon2id$v=19$m=999999999,t=1,p=1$c29tZXNhbHQ$bQk8UB/VmZZF4Oo79iDXuA"))
    #expect(throws: Refusal(.busy, "a password cannot be hashed: Memory allocation error")) {
      _ = try threads.digest(of: [], like: huge)
    }
  }
}
