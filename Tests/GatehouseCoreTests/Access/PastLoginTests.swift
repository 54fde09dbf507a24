import Testing

@testable import GatehouseCore

/// B1: a login as it would have been decided at another moment.
@Suite struct PastLoginTests {
  let core = CoreHarness(partitions: 4)

  private func rules(_ user: String, _ product: String, _ moment: Milliseconds, as token: String? = nil) -> Answer {
    let line = "LOGIN.EXPLAIN \(user) \(product) AT \(moment)"
    return token.map { core.run(line, as: $0) } ?? core.run(line)
  }

  private func refused(_ user: String, _ moment: Milliseconds, _ product: String = "crm") -> [String] {
    rules(user, product, moment).items.filter { $0["passed"].integer == 0 }.compactMap { $0["rule"].text }
  }

  private func detail(_ rule: String, _ user: String, _ moment: Milliseconds, _ product: String = "crm") -> String? {
    rules(user, product, moment).items.first { $0["rule"].text == rule }?["detail"].text
  }

  /// Runs commands, and returns a moment after them.
  private func after(_ lines: String...) -> Milliseconds {
    for line in lines {
      let answer = core.run(line)
      #expect(!answer.isError, "\(line): \(answer)")
    }
    core.now += 1000
    defer { core.now += 1000 }
    return core.now
  }

  @Test("B1: the past is what the log says of the person then") func thePerson() {
    let begin = after("PRODUCT.CREATE crm", "WORKSPACE.SET main policy.login.within-employment on")
    let made = after("USER.CREATE eva NOINVITE")
    let enabled = after("PRODUCT.ENABLE eva crm")
    let locked = after("USER.STATUS eva locked")
    let hired = after("USER.STATUS eva active", "USER.SET eva hired 2030-01-01")
    let disabled = after("PRODUCT.DISABLE eva crm")
    #expect(refused("eva", begin).first == "unknown-user")
    #expect(refused("eva", made) == ["product-disabled"])
    #expect(refused("eva", enabled) == [])
    #expect(refused("eva", locked) == ["status-locked"])
    #expect(refused("eva", hired) == ["outside-employment"])
    #expect(refused("eva", disabled) == ["product-disabled", "outside-employment"])
  }

  @Test("B1: product, licence types and policies are those of then") func theDirectory() {
    let begin = after("USER.CREATE eva NOINVITE", "USER.SET eva hired 2030-01-01")
    let made = after("PRODUCT.CREATE crm", "PRODUCT.ENABLE eva crm")
    let pooled = after("POOL.SET crm office 3")
    let more = after("POOL.SET crm guest 3", "LICENCE.ASSIGN eva crm guest")
    let asked = after("WORKSPACE.SET main policy.login.within-employment on")
    let zoned = after("WORKSPACE.SET main policy.timezone Europe/Prague")
    let lifted = after("WORKSPACE.SET main policy.login.within-employment off", "POOL.SET crm guest 9")
    #expect(refused("eva", begin).prefix(1) == ["unknown-product"])
    #expect(detail("unknown-product", "eva", begin) == "no product has this name")
    #expect(refused("eva", made) == [])
    #expect(detail("no-licence", "eva", made) == "the product needs no licence")
    #expect(refused("eva", pooled) == ["no-licence"])
    #expect(detail("no-licence", "eva", more) == "licence guest")
    #expect(refused("eva", more) == [])
    #expect(refused("eva", asked) == ["outside-employment"])
    #expect(detail("outside-employment", "eva", asked)?.hasSuffix("in UTC, the workspace's time zone") == true)
    let prague = detail("outside-employment", "eva", zoned)
    #expect(prague?.hasSuffix("in Europe/Prague, the workspace's time zone") == true)
    #expect(refused("eva", lifted) == [])
    #expect(detail("outside-employment", "eva", lifted) == "not asked by the workspace")
  }

  @Test("B1, B7: the limits of access and membership are those of then") func theLimits() {
    let (soon, late) = (core.now + 10_000_000, core.now + 20_000_000)
    let open = after(
      "WORKSPACE.CREATE acme", "PRODUCT.CREATE acme/app", "USER.CREATE eva NOINVITE",
      "WORKSPACE.MEMBER acme eva", "PRODUCT.ENABLE eva acme/app")
    let limited = after("WORKSPACE.MEMBER acme eva UNTIL \(late)", "PRODUCT.ENABLE eva acme/app FROM \(soon)")
    let left = after("WORKSPACE.MEMBER acme eva REMOVE")
    #expect(refused("eva", open, "acme/app") == [])
    #expect(detail("product-disabled", "eva", limited, "acme/app") == "not yet open, from \(TimeText.text(of: soon))")
    #expect(detail("product-disabled", "eva", left, "acme/app") == "disabled")
    let back = after(
      "WORKSPACE.MEMBER acme eva", "PRODUCT.ENABLE eva acme/app FROM none", "WORKSPACE.MEMBER acme eva UNTIL \(late)")
    let gone = after("WORKSPACE.MEMBER acme eva REMOVE")
    #expect(
      detail("product-disabled", "eva", back, "acme/app")
        == "enabled; a member of acme until \(TimeText.text(of: late))")
    #expect(refused("eva", gone, "acme/app") == ["product-disabled"])
  }

  @Test("B1: a name means who had it then, else who has it today") func names() {
    let first = after("PRODUCT.CREATE crm", "USER.CREATE eva NOINVITE PRODUCT crm")
    let eva = core.user("eva")!.id.raw
    let renamed = after("USER.RENAME eva ivy")
    let reused = after("USER.CREATE eva NOINVITE", "USER.STATUS eva locked")
    let other = core.user("eva")!.id.raw
    let moved = after("USER.RENAME eva zoe")
    func id(_ name: String, _ moment: Milliseconds) -> String? { detail("unknown-user", name, moment) }
    #expect(id("eva", first) == "user #\(eva)")
    #expect(id("ivy", first) == "user #\(eva)")
    #expect(id("EVA", renamed) == "no user has this name")
    #expect(id("ivy", renamed) == "user #\(eva)")
    #expect(id("eva", reused) == "user #\(other)")
    #expect(refused("eva", reused).contains("status-locked"))
    #expect(id("zoe", reused) == "user #\(other)")
    #expect(id("eva", moved) == "no user has this name")
    #expect(id("#\(other)", renamed) == "no user has this name")
  }

  @Test("B1: the name of a deleted user that was given again") func reusedNames() {
    let first = after("PRODUCT.CREATE crm", "USER.CREATE eva NOINVITE PRODUCT crm")
    let eva = core.user("eva")!.id.raw
    let gone = after("USER.DELETE eva REASON gone")
    _ = after("USER.CREATE eva NOINVITE")
    let last = after("USER.RENAME eva ivy")
    #expect(detail("unknown-user", "eva", first) == "user #\(eva)")
    #expect(refused("eva", first) == [])
    #expect(detail("status-deleted", "eva", gone) == "status deleted")
    // Nobody else has it any more.
    #expect(detail("unknown-user", "eva", last) == "user #\(eva)")
    #expect(detail("status-deleted", "eva", last) == "status deleted")
  }

  @Test("B1, L13: who was merged is themself before, and leads to the other after") func merged() {
    let before = after(
      "PRODUCT.CREATE crm", "USER.CREATE eva NOINVITE PRODUCT crm", "USER.CREATE ivy NOINVITE PRODUCT crm")
    let (eva, ivy) = (core.user("eva")!.id.raw, core.user("ivy")!.id.raw)
    let merged = after("USER.MERGE eva ivy")
    let lsn = core.lsn
    let parted = after("UNDO \(lsn)")
    #expect(detail("unknown-user", "ivy", before) == "user #\(ivy)")
    #expect(refused("ivy", before) == [])
    #expect(detail("unknown-user", "ivy", merged) == "user #\(eva)")
    #expect(detail("unknown-user", "#\(ivy)", merged) == "user #\(eva)")
    #expect(detail("unknown-user", "ivy", parted) == "user #\(ivy)")
  }

  @Test("L6: of who was anonymised since the decision is told, and not the dates or the name") func anonymised() {
    let hired = after(
      "PRODUCT.CREATE crm", "WORKSPACE.SET main policy.login.within-employment on",
      "USER.CREATE eva NOINVITE PRODUCT crm", "USER.SET eva hired 2030-01-01")
    let begun = after("USER.SET eva hired 2020-01-01")
    let id = core.user("eva")!.id.raw
    let cleared = after("USER.ANONYMISE eva")
    #expect(refused("#\(id)", hired) == ["outside-employment"])
    #expect(detail("outside-employment", "#\(id)", hired) == "cannot be told: the days were anonymised")
    #expect(refused("#\(id)", begun) == [])
    #expect(detail("outside-employment", "#\(id)", cleared)?.hasPrefix("hired -, released -; it is ") == true)
    #expect(detail("unknown-user", "eva", begun) == "no user has this name")
  }

  @Test("W4: an old name tells who asks only of the people they know, and only where they may ask") func rights() {
    let first = after(
      "WORKSPACE.CREATE acme", "WORKSPACE.CREATE beta", "PRODUCT.CREATE acme/app", "PRODUCT.CREATE beta/app",
      "USER.CREATE ann NOINVITE PRODUCT acme/app", "ROLE.GRANT ann training-administrator WORKSPACE acme",
      "USER.CREATE bea NOINVITE PRODUCT beta/app", "USER.CREATE al NOINVITE PRODUCT acme/app")
    let token = core.logIn("ann", "acme/app")
    _ = after("USER.RENAME bea mia", "USER.RENAME al ian")
    func known(_ name: String) -> String? {
      rules(name, "acme/app", first, as: token).items.first { $0["rule"].text == "unknown-user" }?["detail"].text
    }
    let (bea, al) = (core.user("mia")!.id.raw, core.user("ian")!.id.raw)
    #expect(known("al") == "user #\(al)")
    #expect(known("bea") == "no user has this name")
    #expect(known("#\(bea)") == "no user has this name")
    let individual = core.logIn("ian", "acme/app")
    #expect(rules("ian", "acme/app", first, as: individual).text?.hasPrefix("NOPERM the permission user.read") == true)
  }

  @Test("B1: the future is what the dates say") func theFuture() {
    let now = after("PRODUCT.CREATE crm", "USER.CREATE eva NOINVITE")
    core.run("PRODUCT.ENABLE eva crm UNTIL \(core.now + 10_000)")
    #expect(refused("eva", now) == ["product-disabled"])
    #expect(refused("eva", core.now + 5000) == [])
    #expect(refused("eva", core.now + 20_000) == ["product-disabled"])
  }

  @Test("B1: one look at the log suffices, unless the name was another's") func looks() {
    let first = after("PRODUCT.CREATE crm", "USER.CREATE eva NOINVITE PRODUCT crm")
    _ = after("USER.RENAME eva ivy")
    _ = rules("ivy", "crm", first)
    #expect(core.neededWork.count == 2)
    _ = rules("#\(core.user("ivy")!.id.raw)", "crm", first)
    #expect(core.neededWork.count == 1)
    _ = rules("eva", "crm", first)
    #expect(core.neededWork.count == 2)
  }
}
