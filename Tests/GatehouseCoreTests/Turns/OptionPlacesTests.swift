import Testing

@testable import GatehouseCore

/// Options stand after the positional words in any order, and where the last of those repeat, before and between them.
@Suite struct OptionPlacesTests {
  private let core = CoreHarness()

  init() {
    core.run("WORKSPACE.CREATE acme")
    core.run("USER.CREATE ana NOINVITE")
  }

  /// The commands whose last words repeat and that have options: a new one needs a line below.
  @Test func theseCommandsRepeatTheirLastWords() {
    let names = CommandTable.entries.filter { $0.isVariadic && !$0.options.isEmpty }.map(\.name)
    #expect(
      Set(names) == [
        "ACCOUNT.SET", "CONTACT.SEARCH", "CONTACT.SET", "GROUP.ADD", "GROUP.REMOVE",
        "PERMISSION.CHECK", "ROLE.DEFINE", "USER.BULK", "USER.PROVISION", "USER.SEARCH", "USER.SET", "WORKSPACE.SET",
      ])
  }

  @Test(arguments: [
    "ROLE.DEFINE clerk WORKSPACE acme user.read user.status", "ROLE.DEFINE clerk user.read WORKSPACE acme user.status",
    "ROLE.DEFINE clerk user.read user.status WORKSPACE acme",
    "ROLE.DEFINE clerk REASON why WORKSPACE acme user.read user.status IDEM k",
  ])
  func aRoleIsDefined(_ line: String) {
    #expect(core.run(line).text == "OK", "\(line)")
    let role = core.directory.state.view.roles[0]
    #expect(role.permissions == PermissionSet([.userRead, .userStatus]))
    #expect(role.workspace == core.directory.state.view.workspaceID("acme"))
  }

  @Test(arguments: [
    ("USER.SET ana first Ana REASON why last Lima", 2),
    ("USER.SET ana first DRYRUN", 1), ("WORKSPACE.SET acme plan gold REASON why subdomain acme", 2),
  ])
  func pairsAreSet(_ line: String, count: Int64) {
    #expect(core.run(line).integer == count, "\(line)")
    if line.contains("REASON") { #expect(core.records.last?.first.header.reason == "why") }
  }

  private static let paired = CommandTable.entries.filter { $0.wordsOfRepetition == 2 }

  @Test func theseCommandsTakePairs() {
    #expect(
      Set(Self.paired.map(\.name)) == [
        "ACCOUNT.SET", "CONTACT.SET", "USER.BULK", "USER.PROVISION", "USER.SET", "WORKSPACE.SET",
      ])
  }

  /// A value may be any text: none of the options that the command has is found in the place of one.
  @Test(arguments: paired.map(\.name))
  func aValueMayBeSpelledLikeAnOption(_ name: String) throws {
    let spec = try #require(Self.paired.first { $0.name == name })
    for token in spec.options.compactMap(\.token) {
      for spelling in [token, token.lowercased()] {
        let fixed = (0..<spec.fixed).map { "w\($0)" }
        let pairs = ["a", spelling, "b", spelling, "c", "x"]
        let given = OwnedArguments([name] + fixed + pairs + ["REASON", "why"]).withView { view in
          var command: Int?
          let connection = ConnectionFacts(id: 1, service: 1, rights: .all)
          _ = core.turn.begin(view, on: connection, now: core.now, commandIndex: &command)
          return (core.turn.positional.map { view.string($0) }, core.turn.reason)
        }
        #expect(given.0 == fixed + pairs && given.1 == "why", "\(spelling)")
      }
    }
  }

  /// The same with what is kept in the end.
  @Test func valuesSpelledLikeOptionsAreKept() {
    #expect(core.run("USER.SET ana first Reason last Reason phone DRYRUN department idem").integer == 4)
    let ana = core.run("USER.GET ana")
    #expect(ana["first"].text == "Reason" && ana["last"].text == "Reason")
    #expect(ana["phone"].text == "DRYRUN" && ana["department"].text == "idem")
    #expect(core.run("USER.BULK SET department x last WHERE IDS 1 ana")["changed"].integer == 1)
    #expect(core.run("USER.GET ana")["last"].text == "WHERE")
    #expect(core.run("FIELD.DEFINE dryrun text").isError)
    core.run("FIELD.DEFINE shirt text")
    #expect(core.run("CONTACT.SET #\(ana["contact"]) shirt IDEM last REASON REASON because").integer == 2)
    #expect("\(core.run("USER.GET ana")["fields"])" == "{shirt: IDEM}")
    core.run("ACCOUNT.CREATE Widgets CUSTOMER")
    #expect(core.run("ACCOUNT.SET Widgets type provider name Reason").integer == 2)
    #expect(core.run("ACCOUNT.GET Reason")["type"].text == "provider")
  }

  @Test func whatMustBeThereIsMissed() {
    #expect(
      core.run("ROLE.DEFINE clerk WORKSPACE acme").text
        == "ERR name the permissions that the role gives, or a LABEL; PERMISSION.LIST names them")
    #expect(
      core.run("USER.SET ana first Ana REASON why last").text
        == "ERR every field needs a value: field value [field value …]")
    #expect(
      core.run("ROLE.LIST ana extra").text?.hasPrefix("ERR wrong number of arguments for 'role.list'") == true)
  }

  /// Where nothing was named, the refusal says where it was looked for and how to name another place.
  @Test func whatIsNotFoundInMainSaysSo() {
    core.run("ROLE.DEFINE clerk WORKSPACE acme user.read")
    core.run("PRODUCT.CREATE acme/app")
    #expect(core.run("ROLE.DROP clerk").text == "NOTFOUND role clerk; WORKSPACE w names that of a workspace")
    #expect(core.run("ROLE.DROP clerc WORKSPACE acme").text == "NOTFOUND role clerc")
    #expect(
      core.run("ROLE.GRANT ana clerk").text?.hasSuffix("; WORKSPACE w names that of a workspace") == true)
    #expect(
      core.run("SESSION.CREATE ana app").text == "REFUSED login: unknown-product")
    #expect(
      core.run("POOL.LIST app").text
        == "NOTFOUND product app; it was looked for in main: workspace/product names that of another workspace")
    #expect(core.run("POOL.LIST acme/ap").text == "NOTFOUND product acme/ap")
  }

  /// `IFVERSION` stands in the usage of the commands that compare it, and the others refuse it.
  @Test(arguments: CommandTable.entries.filter { $0.effect == .write && $0.mandatory.isEmpty }.map(\.name))
  func aVersionIsTakenWhereTheUsageSaysSo(_ name: String) throws {
    let spec = try #require(CommandTable.entries.first { $0.name == name })
    let words = [name] + (0..<spec.required).map { "w\($0)" } + ["IFVERSION", "1"]
    #expect(OwnedArguments(words).withView { spec.takes($0) } == spec.usage.contains("[IFVERSION version]"))
  }

  @Test func theseCommandsCompareAVersion() {
    let names = CommandTable.entries.filter { $0.usage.contains("IFVERSION") }.map(\.name)
    #expect(names.contains("USER.SET") && names.contains("ENTRY.CORRECT") && names.contains("WORKSPACE.MEMBER"))
    for name in ["USER.CREATE", "USER.BULK", "TIMER.START", "SESSION.CREATE", "ROLE.DEFINE", "USER.GET", "PING"] {
      #expect(!names.contains(name), "\(name)")
    }
  }
}
