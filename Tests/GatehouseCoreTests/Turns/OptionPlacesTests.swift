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
        "ACCOUNT.SET", "CONTACT.SEARCH", "CONTACT.SET", "GROUP.ADD", "GROUP.REMOVE", "ROLE.DEFINE", "USER.BULK",
        "USER.SEARCH", "USER.SET", "WORKSPACE.SET",
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

  @Test func whatMustBeThereIsMissed() {
    #expect(
      core.run("ROLE.DEFINE clerk WORKSPACE acme").text == "ERR wrong number of arguments for 'role.define' command")
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
        == "NOTFOUND product; it was looked for in main: workspace/product names that of another workspace")
    #expect(core.run("POOL.LIST acme/ap").text == "NOTFOUND product")
  }
}
