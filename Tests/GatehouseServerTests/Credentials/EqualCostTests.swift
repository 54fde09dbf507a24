import GatehouseCore
import Testing

@testable import GatehouseServer

/// A wrong guess takes as much whether or not somebody has the name, and however old the hash is.
@Suite struct EqualCostTests {
  private let guess = GivenPassword(SecretWord(Array("wrong-horse".utf8)))

  private func hasher(_ memory: Int, _ passes: Int) throws -> PasswordHasher {
    var configuration = ServerConfiguration()
    (configuration.passwordMemory, configuration.passwordPasses, configuration.passwordLanes) = (memory, passes, 1)
    return try PasswordHasher(configuration)
  }

  @Test("what an old hash takes less is computed besides")
  func rest() {
    func cost(_ memory: Int, _ passes: Int, _ lanes: Int = 1) -> Argon2Hash.Cost {
      Argon2Hash.Cost(memory: memory, passes: passes, lanes: lanes)
    }
    #expect(cost(19_456, 2).rest(after: cost(256, 1)) == cost(19_328, 2))
    #expect(cost(19_456, 2).rest(after: cost(19_456, 2)) == nil)
    #expect(cost(19_456, 2).rest(after: cost(65_536, 3)) == nil)
    #expect(cost(256, 2, 4).rest(after: cost(255, 2, 4)) == cost(32, 2, 4))
  }

  /// The memory that the thread keeps tells what was computed on it.
  @Test("a wrong guess at an old or a foreign hash costs today's parameters, as one at nobody does")
  func wrongGuess() throws {
    let old = try hasher(256, 1).hash(SecretWord(Array("right-horse".utf8)))
    let nobody = try hasher(2048, 2)
    #expect(try nobody.match(guess, nil) == .wrong)
    #expect(nobody.threads.keptBytes == 2048 * 1024)
    let raised = try hasher(2048, 2)
    #expect(try raised.match(guess, old) == .wrong)
    #expect(raised.threads.keptBytes == 1920 * 1024, "256 KiB once, and what is missing to 2048 KiB twice")
    let foreign = try hasher(2048, 2)
    let bcrypt = "$2b$04$......................O8aGUMzSJuUYkCCgRFjc8Q7kqiaEr1e"
    #expect(try foreign.match(guess, bcrypt) == .wrong)
    #expect(foreign.threads.keptBytes == 2048 * 1024)
    let lowered = try hasher(64, 1)
    #expect(try lowered.match(guess, old) == .wrong)
    #expect(lowered.threads.keptBytes == 256 * 1024, "nothing besides")
  }
}
