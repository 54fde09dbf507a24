import GatehouseCore
import Testing

@testable import GatehouseServer

/// What `MONITOR` and `SLOWLOG` show of a request.
@Suite struct ShownWordsTests {
  private static func text(_ whole: SecretText.Whole) -> String {
    whole.withBytes { String(decoding: $0, as: UTF8.self) }
  }

  private static let token = text(SecretText.sessionToken(SessionID(raw: 77), (1, 2)))
  private static let secret = text(SecretText.serviceSecret(3, (4, 5)))

  private func shown(_ words: [String]) -> String {
    OwnedArguments(words).withView { shownWords($0) }.joined(separator: " ")
  }

  @Test(arguments: [
    ["HELLO", "3", "AUTH", "app", "pass"], ["hello", "3", "SETNAME", "cli", "auth", "app", "pass"],
    ["HELLO", "3", "SETNAME", "AUTH", "AUTH", "app", "pass"], ["HELLO", "AUTH", "app", "pass"],
    ["AUTH", "app", "pass"], ["AUTH", "pass"], ["AS", "x", "HELLO", "3", "SETNAME", "cli", "AUTH", "app", "pass"],
  ])
  func whatAuthenticatesIsNotShown(words: [String]) {
    let shown = shown(words)
    #expect(!shown.contains("app") && !shown.contains("pass"), "\(shown)")
  }

  @Test(arguments: [token, secret])
  func secretsAreNeverShown(secret: String) {
    for word in [secret, secret + "x", String(secret.dropLast())] {
      for words in [[word], ["PING", word], ["USER.GET", "ana", word], ["AUHT", "app", word]] {
        #expect(!shown(words).contains(secret.dropFirst(14).dropLast()))
      }
    }
  }

  @Test func othersAreShown() {
    #expect(shown(["HELLO", "3", "SETNAME", "cli"]) == "HELLO 3 SETNAME cli")
    #expect(shown(["USER.GET", "gs_hopper"]) == "USER.GET gs_hopper")
    #expect(shown(["USER.SET", "ana", "first", "AUTH", "last", "Lima"]) == "USER.SET ana first AUTH last Lima")
    #expect(shown(["AS", Self.token, "USER.GET", "ana"]) == "AS (redacted) USER.GET ana")
  }
}
