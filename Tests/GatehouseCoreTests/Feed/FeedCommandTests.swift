import Testing

@testable import GatehouseCore

/// `FEED.READ` as a decision: what is read for whom, and what of it is shown.
@Suite("Feed")
struct FeedCommandTests {
  private let core = CoreHarness(partitions: 4)

  init() {
    for workspace in ["acme", "beta"] {
      core.run("WORKSPACE.CREATE \(workspace)")
      core.run("PRODUCT.CREATE \(workspace)/app")
    }
    core.run("USER.CREATE ann PRODUCT acme/app NOINVITE")
    core.run("USER.CREATE bea PRODUCT beta/app NOINVITE")
  }

  private func bind() { core.connection = ConnectionFacts(id: 2, service: 2, rights: .all, isBound: true) }

  @Test("B5: changes come in order, and the answer says where to go on")
  func order() {
    let all = core.run("FEED.READ 0 COUNT 3")
    #expect(all[0].text == "3" && all[1].items.map { $0["lsn"].integer } == [1, 2, 3])
    #expect(
      all[1][0].keys == ["lsn", "time", "type", "actor", "subject", "service", "command", "reason", "changes", "names"])
    #expect(all[1][0]["type"].text == "workspace-created" && all[1][0]["command"].text == "WORKSPACE.CREATE")
    let rest = core.run("FEED.READ 3")
    #expect(
      rest[0].text == "\(core.lsn)" && rest[1].items.map { $0["lsn"].integer } == (4...core.lsn).map { Int64($0) })
    #expect(core.run("FEED.READ \(core.lsn)")[1].items.isEmpty)
    #expect(core.run("FEED.READ $")[0].text == "\(core.lsn)")
    #expect(core.run("FEED.READ 999").isError)
    #expect(core.run("FEED.READ -1").text?.hasPrefix("ERR after-lsn is not a number") == true)
  }

  @Test("B5: TYPE chooses kinds of changes, and shows nothing else")
  func types() {
    let page = core.run("FEED.READ 0 TYPE user-created TYPE access-set")
    #expect(page[1].items.map { $0["type"].text } == ["user-created", "user-created"])
    #expect(
      page[1].items.allSatisfy { item in
        item["changes"].items.allSatisfy { ["user-created", "access-set"].contains($0["change"].text) }
      })
    #expect(
      core.run("FEED.READ 0 TYPE nothing").text?.hasPrefix(
        "ERR TYPE 'nothing' is no kind of change, such as status-set; kinds are access-set, ") == true)
  }

  @Test("B5, W4: a bound service sees its workspace, and gets on where there is nothing for it")
  func bound() throws {
    core.run("SERVICE.CREATE free ADMIN")
    core.run("SERVICE.CREATE portal ADMIN WORKSPACE acme")
    for number in 0..<5 { core.run("USER.SET bea first B\(number)") }
    let end = core.lsn
    bind()
    let page = core.run("FEED.READ 0")
    #expect(page[0].text == "\(end)")
    let shown = "\(page[1])"
    #expect(shown.contains("ann") && !shown.contains("bea") && !shown.contains("beta"))
    #expect(core.neededWork.count == 1)
    let after = core.run("FEED.READ 8")
    #expect(after[0].text == "\(end)" && after[1].items.isEmpty, "all of it was others' business")
    #expect(core.run("FEED.READ 0 WORKSPACE beta").text == "NOTFOUND workspace beta")
    core.connection = ConnectionFacts(id: 1, service: 1, rights: .all)
    let chosen = core.run("FEED.READ 0 WORKSPACE acme")
    #expect(chosen[1] == page[1], "a free service may look through the same eyes")
  }

  @Test("B5: a reader who waits is not answered for what is not for it")
  func readsOn() throws {
    core.run("SERVICE.CREATE free ADMIN")
    core.run("SERVICE.CREATE portal ADMIN WORKSPACE acme")
    for number in 0..<3 { core.run("USER.SET bea first B\(number)") }
    core.run("USER.SET ann first Ann")
    bind()
    let page = core.run("FEED.READ 8 COUNT 1 BLOCK 10s")
    let works = core.neededWork.compactMap { $0 as? ReadFeed }
    #expect(works.count > 1, "what was filtered out led on")
    #expect(works.allSatisfy { $0.after == 8 && $0.block == 10_000 })
    #expect(zip(works, works.dropFirst()).allSatisfy { ($0.start ?? 0) < ($1.start ?? 0) })
    #expect(page[1].items.map { $0["lsn"].integer } == [Int64(core.lsn)])
  }

  @Test("who may read the feed nowhere is refused")
  func refused() {
    let token = core.logIn("ann", "acme/app")
    #expect(core.run("FEED.READ 0", as: token).text == "NOPERM the permission feed.read")
    core.run("ROLE.GRANT ann training-administrator WORKSPACE acme")
    let page = core.run("FEED.READ 0", as: core.logIn("ann", "acme/app"))
    #expect(!page.isError && !"\(page)".contains("bea"))
  }
}
