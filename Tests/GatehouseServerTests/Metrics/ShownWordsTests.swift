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
    ["HELLO", "3", "AUTHX", "app", "pass"], ["HELLO", "3", "ATUH", "app", "pass"], ["HELLO", "3", "app", "pass"],
    ["HELLO", "3", "pass"], ["HELLO", "pass"], ["HELLO", "app", "pass"],
    ["HELLO", "3", "SETNAME", "cli", "app", "pass"],
    ["HELLO", "3", "SETNAMEX", "pass"], ["HELLO", "3", "AUTH"] + ["app"], ["HELLO", "3AUTH", "app", "pass"],
    ["HELO", "3", "AUTH", "app", "pass"], ["HELLOO", "app", "pass"], ["AUTHX", "app", "pass"], ["AHTU", "pass"],
    ["AUTH", "app", "pass"], ["AUTH", "pass"], ["AS", "x", "HELLO", "3", "SETNAME", "cli", "AUTH", "app", "pass"],
  ])
  func whatAuthenticatesIsNotShown(words: [String]) {
    let shown = shown(words)
    #expect(!shown.contains("app") && !shown.contains("pass"), "\(shown)")
  }

  @Test func aCommandThatMaySayAKeyIsNotShown() {
    #expect(!shown(["CONFIG", "SET", "encryption-key-command", "printf 00ff"]).contains("00ff"))
    #expect(!shown(["CONFIG", "SET", "idle-timeout", "0", "Encryption-Key-Command", "printf 00ff"]).contains("00ff"))
  }

  @Test(arguments: [token, secret])
  func secretsAreNeverShown(secret: String) {
    for word in [secret, secret + "x", String(secret.dropLast())] {
      for words in [[word], ["PING", word], ["USER.GET", "ana", word], ["AUHT", "app", word]] {
        #expect(!shown(words).contains(secret.dropFirst(14).dropLast()))
      }
    }
  }

  /// A password that was not quoted goes on in the words behind it, and one can stand behind a typing error.
  @Test(arguments: [
    ["PASSWORD.SET", "ana", "hunter", "hunter"], ["password.change", "hunter", "hunter", "hunter"],
    ["LOGIN.PASSWORD", "ana", "payroll", "my", "hunter", "IP", "::1"], ["AUTH", "app", "my", "hunter"],
    ["HELLO", "3", "AUTH", "app", "my", "hunter"], ["AS", "x", "PASSWORD.CHANGE", "old", "a", "hunter"],
    ["COMMAND", "GETKEYS", "PASSWORD.SET", "ana", "hunter"], ["command", "getkeysandflags", "PASSWORD.SETT", "hunter"],
    ["COMMAND", "GETKEYS", "AS", "x", "PASSWORD.SET", "ana", "hunter"], ["PASSWORD.SETT", "ana", "hunter"],
    ["AS", "x", "PASSWORDSET", "ana", "hunter"], ["PASSWORD.REDEEM", "token", "my", "hunter"],
    // A password typed where the name or the product belongs.
    ["LOGIN.PASSWORD", "hunter", "payroll", "x"], ["login.password", "ana", "hunter", "payroll"],
    ["PASSWORD.SET", "hunter", "ana"], ["MINLSN", "1", "PASSWORD.SET", "hunter", "ana"],
    ["TOTP.CONFIRM", "hunter", "123456"],
    // Settings of Redis.
    ["CONFIG", "SET", "requirepass", "hunter"], ["CONFIG", "SET", "masterauth", "hunter"],
    ["config", "set", "TLS-KEY-PASSPHRASE", "hunter"],
  ])
  func typedSecretsAreNotShown(words: [String]) {
    let shown = shown(words)
    #expect(!shown.contains("hunter"), "\(shown)")
    #expect(shown.hasPrefix(CommandTable.all.contains { $0.name == words[0].uppercased() } ? words[0] : "(redacted)"))
  }

  /// Of what no command takes as it is nothing is shown but the command: a password may stand anywhere in it.
  @Test(arguments: [
    (["MULTI", "PASSWORD.SET", "boss", "hunter"], "MULTI"), (["PASSWORD.SET boss hunter"], ""),
    (["hunter"], ""), (["hunter", "PASSWORD.SET"], ""), (["PING", "a", "hunter"], "PING"),
    (["USER.CREATE", "pwv", "PASSWORD=hunter"], "USER.CREATE"),
    (["USER.CREATE", "pwv", "PASWORD", "hunter"], "USER.CREATE"),
    (["USER.SET", "ana", "password:hunter", "x"], "USER.SET ana"),
    (["USER.GET", "ana", "PASSWORD", "hunter"], "USER.GET"),
    (["USER.SET", "ana", "password", "hunter"], "USER.SET ana password"),
    (["USER.SET", "ana", "Token", "hunter", "first", "x"], "USER.SET ana Token"),
    (["CONFIG", "hunter", "x"], "CONFIG"), (["CONFIG", "GET"], "CONFIG GET"), (["AS"], "AS"), (["AS", "hunter"], "AS"),
    (["AS", "x", "hunter", "y"], "AS"), (["AS", "x", "USER.GET", "ana", "hunter"], "AS (redacted) USER.GET"),
    (["EXEC", "hunter"], "EXEC"), (["RESET", "hunter"], "RESET"),
    (["SERVICE.DELETE", "a", "hunter"], "SERVICE.DELETE"),
  ])
  func ofWhatNoCommandTakesOnlyTheCommandIsShown(words: [String], start: String) {
    let shown = shown(words)
    let rest = shown.dropFirst(start.count).split(separator: " ")
    #expect(shown.hasPrefix(start) && !shown.contains("hunter") && rest.allSatisfy { $0 == "(redacted)" }, "\(shown)")
  }

  @Test("of an address where it leads is shown, and not what it carries")
  func addresses() {
    for address in [
      "https://ana:hunter@hooks.test/a", "https://hooks.test/T0/hunter", "https://hooks.test/?token=hunter",
      "https://hooks.test#hunter", "https://hunter@hooks.test",
    ] {
      let shown = shown(["WEBHOOK.CREATE", "hook", address])
      #expect(shown.hasPrefix("WEBHOOK.CREATE hook https://hooks.test") && !shown.contains("hunter"), "\(shown)")
    }
    #expect(
      shown(["WEBHOOK.CREATE", "hook", "https://hooks.test:8443/"]) == "WEBHOOK.CREATE hook https://hooks.test:8443/")
  }

  @Test("the ids of sessions and keys are no secrets, and are shown where a command takes them")
  func ids() {
    for words in [
      "SESSION.REVOKE 77", "SESSION.REVOKE #77 REASON left", "SESSION.GET 77", "IMPERSONATE.END 77",
      "APIKEY.DEACTIVATE 77", "APIKEY.ROTATE #77 OVERLAP 1h",
    ] {
      #expect(shown(words.split(separator: " ").map(String.init)) == words)
    }
    for words in [
      "SESSION.CHECK 77", "APIKEY.CHECK 77", "AS 77 PING", "SESSION.REVOKE 77 TOKEN", "SESSION.REVOKE hunter",
    ] {
      #expect(shown(words.split(separator: " ").map(String.init)).contains("(redacted)"), "\(words)")
    }
  }

  @Test("what a program has put together is shown but for the secret")
  func programs() {
    let words = OwnedArguments(["PASSWORD.SET", "#12", "hunter", "REASON", "x"])
    #expect(words.withView { shownWords($0, areTyped: false) }[..<3] == ["PASSWORD.SET", "#12", "(redacted)"])
  }

  @Test func othersAreShown() {
    #expect(shown(["SESSION.CHECK", "token", "PRODUCT", "crm"]) == "SESSION.CHECK (redacted) PRODUCT crm")
    #expect(shown(["COMMAND", "INFO", "USER.GET"]) == "COMMAND INFO USER.GET")
    #expect(shown(["COMMAND", "GETKEYS", "USER.GET", "ana"]) == "COMMAND GETKEYS USER.GET ana")
    #expect(shown(["HELLO", "3"]) == "HELLO 3" && shown(["HELLO", "3", "AUTHX", "a", "b"]).hasPrefix("HELLO 3 "))
    #expect(shown(["HELLO", "3", "SETNAME", "cli"]) == "HELLO 3 SETNAME cli")
    #expect(shown(["USER.GET", "gs_hopper"]) == "USER.GET gs_hopper")
    #expect(shown(["USER.SET", "ana", "first", "AUTH", "last", "Lima"]) == "USER.SET ana first AUTH last Lima")
    #expect(shown(["AS", Self.token, "USER.GET", "ana"]) == "AS (redacted) USER.GET ana")
  }
}
