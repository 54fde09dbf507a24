import GatehouseTestSupport
import Testing

@testable import gatehouse

@Suite(.blocking) struct CommandCatalogueTests {
  private let catalogue = CommandCatalogue([
    CommandHelp(
      name: "LOGIN.CHECK", arguments: [ArgumentHelpNode(name: "user"), ArgumentHelpNode(name: "product")]),
    CommandHelp(
      name: "TIMER.STOP",
      arguments: [
        ArgumentHelpNode(name: "user"),
        ArgumentHelpNode(name: "w", token: "WORKSPACE", isOptional: true),
        ArgumentHelpNode(name: "time", token: "AT", isOptional: true),
      ]),
    CommandHelp(
      name: "PRODUCT.ENABLE",
      arguments: [
        ArgumentHelpNode(name: "user"), ArgumentHelpNode(name: "product"),
        ArgumentHelpNode(
          name: "level", kind: .oneOf, isOptional: true,
          children: [
            ArgumentHelpNode(name: "admin", kind: .token, token: "ADMIN"),
            ArgumentHelpNode(name: "regular", kind: .token, token: "REGULAR"),
          ]),
      ]),
    CommandHelp(
      name: "USER.CREATE",
      arguments: [
        ArgumentHelpNode(name: "username"),
        ArgumentHelpNode(
          name: "product", token: "PRODUCT", isOptional: true, isMultiple: true, repeatsToken: true),
      ]),
    CommandHelp(name: "SESSION.GET", arguments: [ArgumentHelpNode(name: "id")]),
    CommandHelp(name: "SESSION.REVOKE", arguments: [ArgumentHelpNode(name: "token")]),
    CommandHelp(
      name: "CLIENT",
      subcommands: [
        CommandHelp(name: "client|list"),
        CommandHelp(name: "client|setname", arguments: [ArgumentHelpNode(name: "name")]),
      ]),
  ])

  @Test(arguments: [
    (["login.check"], "user product"), (["LOGIN.CHECK", "ana"], "product"),
    (["TIMER.STOP"], "user [WORKSPACE w] [AT time]"),
    (["TIMER.STOP", "ana", "at", "0"], "[WORKSPACE w]"), (["AS", "t", "TIMER.STOP", "ana"], "[WORKSPACE w] [AT time]"),
    (["MINLSN", "1", "AS", "t", "TIMER.STOP", "ana"], "[WORKSPACE w] [AT time]"),
    (["PRODUCT.ENABLE", "ana", "p"], "[ADMIN|REGULAR]"),
    (["USER.CREATE", "x", "PRODUCT", "p"], "[PRODUCT product [PRODUCT product ...]]"),
    (["CLIENT"], "LIST|SETNAME"), (["CLIENT", "setname"], "name"),
  ])
  func `hints name what may still follow`(words: [String], hint: String) {
    #expect(catalogue.hint(after: words) == hint)
  }

  @Test(arguments: [["LOGIN.CHECK", "a", "b"], ["NOPE"], [], ["AS", "t"], ["PRODUCT.ENABLE", "a", "p", "ADMIN"]])
  func `there is no hint if nothing follows or the command is unknown`(words: [String]) {
    #expect(catalogue.hint(after: words) == nil)
  }

  @Test(
    arguments: [
      ("ses", [], ["SESSION.GET", "SESSION.REVOKE"]), ("", ["help"], nil), ("l", ["AS", "token"], ["LOGIN.CHECK"]),
      ("l", ["MINLSN", "1", "AS", "token"], ["LOGIN.CHECK"]),
      ("s", ["CLIENT"], ["SETNAME"]), ("", ["TIMER.STOP", "ana"], ["AT", "WORKSPACE"]),
      ("", ["TIMER.STOP", "ana", "AT", "0"], ["WORKSPACE"]), ("r", ["PRODUCT.ENABLE", "a", "p"], ["REGULAR"]),
      ("x", ["NOPE"], []),
    ] as [(String, [String], [String]?)])
  func `completion offers names, subcommands and option words`(prefix: String, before: [String], found: [String]?) {
    #expect(catalogue.completions(of: prefix, after: before) == found ?? catalogue.names)
  }

  @Test(arguments: [
    "LOGIN.CHECK ana payroll", "SESSION.GET 5", "CLIENT LIST", "HELLO 3", "USER.GET gs_ana", "MINLSN 1 USER.GET ana",
    "COMMAND GETKEYS USER.GET ana", "MINLSN 1",
  ])
  func `lines without a secret are kept`(line: String) {
    #expect(HistoryFilter(catalogue: catalogue).mayKeep(line.split(separator: " ").map(String.init)))
  }

  @Test(arguments: [
    "AUTH app secret", "HELLO 3 AUTH app secret", "hello 3 auth app secret", "AS token TIMER.STOP ana",
    "LOGIN.PASSWORD ana p secret", "USER.CREATE ana PASSWORD secret", "SESSION.REVOKE token", "NOPE x password y",
    "NOPE x y", "",
    "SESSION.GET gs_\(String(repeating: "aB3-_", count: 6))xyz",
    "impersonate.end gs_\(String(repeating: "A", count: 33))",
    "NOPE gk_\(String(repeating: "9", count: 33))", "HELLO 3 AUTHX app secret", "HELLO app secret", "HELLO secret",
    "HELO 3 AUTH app secret", "AUHT app secret", "PASSWORD.SETT ana secret", "PASWORD.SET ana secret",
    "PASSWD.SET ana secret", "LOGINPASSWORD ana p secret", "PASSWORD SET ana secret", "USER.CREATE ana password=secret",
    "LOGIN.CHECK https://a:secret@b.test p", "secret", "MINLSN 1 PASSWORD.SET ana secret",
    "MINLSN 1 LOGIN.PASSWORD ana payroll secret", "minlsn 1 AS gs_x PASSWORD.CHANGE secret b",
    "MINLSN 1 LOGIN.TOTP c secret", "MINLSN 1 PASSWORD.REDEEM a secret", "COMMAND GETKEYS PASSWORD.SET ana secret",
    "command getkeysandflags AUTH secret", "MINLSN 1 USER.CREATE x PASSWORD secret", "MINLSN 1 AUTH secret",
    "AS gs_x MINLSN 1 PASSWORD.SET ana secret", "CONFIG SET requirepass secret",
  ])
  func `lines with a secret are not`(line: String) {
    #expect(!HistoryFilter(catalogue: catalogue).mayKeep(line.split(separator: " ").map(String.init)))
  }
}
