import Testing

@testable import GatehouseCore

/// L19 and the invariant "what takes a right away ends what rests on it, in the same record", where those concerned live
/// in many partitions.
@Suite struct LosingRightsOfManyTests {
  private let core = CoreHarness(partitions: 16)

  init() {
    for line in [
      "WORKSPACE.CREATE acme", "PRODUCT.CREATE acme/app", "PRODUCT.CREATE payroll",
      "ROLE.DEFINE support WORKSPACE acme user.read impersonate",
      "USER.CREATE ann WORKSPACE acme PRODUCT acme/app NOINVITE",
    ] {
      let answer = core.run(line)
      precondition(!answer.isError, "\(line): \(answer)")
    }
    for name in ["cleo", "carl", "cora"] { makeHolder(name) }
  }

  private func makeHolder(_ name: String) {
    core.run("USER.CREATE \(name) WORKSPACE acme PRODUCT acme/app NOINVITE")
    let granted = core.run("ROLE.GRANT \(name) support WORKSPACE acme")
    precondition(!granted.isError, "\(granted)")
  }

  private func impersonate(_ actor: String) -> Answer {
    core.run("IMPERSONATE.START \(core.logIn(actor, "acme/app")) ann WORKSPACE acme REASON help")
  }

  private func texts() -> [String] {
    core.changes.map { ChangeText($0, in: core.directory.state.view).description }.sorted()
  }

  private func id(_ name: String) -> UInt64 { core.user(name)?.id.raw ?? 0 }

  private func trail(of name: String) -> [String] {
    core.run("AUDIT.LIST USER \(name)")[1].items.map { "\($0["command"])" }
  }

  @Test(arguments: [false, true])
  func droppingARoleNamesItsHoldersAndEndsWhatRestedOnIt(_ isGrouped: Bool) {
    let sessions = ["cleo", "cora"].map { impersonate($0) }
    let line = "ROLE.DROP support WORKSPACE acme"
    let answer = isGrouped ? core.runTogether([line])[0] : core.run(line)
    #expect(answer.text == "OK")
    let record = core.records.last?.parts.first
    #expect(record?.header.command == "ROLE.DROP")
    let changes = record?.changes ?? []
    #expect(changes.count == 1 + 3 + 2)
    #expect(
      changes.map { ChangeText($0, in: core.directory.state.view).description }.contains {
        $0.hasPrefix("role-revoked user #\(id("cleo")), role: support in workspace acme → ")
      })
    #expect(Set(changes.compactMap { $0.as(RoleRevoked.self)?.user.raw }) == Set(["cleo", "carl", "cora"].map(id)))
    #expect(
      Set(changes.compactMap { $0.as(SessionEnded.self).map { Int64($0.session.raw) } })
        == Set(sessions.compactMap { $0["id"].integer }))
    for name in ["cleo", "carl", "cora"] { #expect(core.run("ROLE.LIST \(name)").items.isEmpty) }
    // A role of the same name is another matter.
    core.run("ROLE.DEFINE support WORKSPACE acme user.read impersonate")
    for session in sessions { #expect(core.run("SESSION.CHECK \(session["session"])").isNull) }
    for name in ["cleo", "carl", "cora"] {
      #expect(!core.run("PERMISSION.LIST \(name)").items.contains { $0["permission"].text == "impersonate" })
    }
    core.expectReplicated()
    #expect(Invariants.check(core.cells, core.wholeDirectory) == [])
  }

  @Test func narrowingARoleNamesItsHoldersAndEndsWhatRestedOnIt() {
    let session = impersonate("cleo")
    #expect(core.run("ROLE.DEFINE support WORKSPACE acme user.read").text == "OK")
    let narrowed = texts().filter { $0.hasPrefix("role-narrowed") }
    #expect(
      narrowed
        == ["cleo", "carl", "cora"].map {
          "role-narrowed user #\(id($0)), role: support in workspace acme, permissions: user.read impersonate → user.read"
        }.sorted())
    #expect(
      core.changes.compactMap { $0.as(SessionEnded.self)?.session.raw }.map(Int64.init) == [session["id"].integer])
    core.expectReplicated()
    // What gives more takes nothing from anybody.
    #expect(core.run("ROLE.DEFINE support WORKSPACE acme user.read impersonate").text == "OK")
    #expect(core.changes.count == 1 && core.neededWork.isEmpty)
  }

  /// Who gets the role while it is looked for is found all the same, and so is a session that begins meanwhile.
  @Test func whatComesMeanwhileIsFound() {
    var isNew = true
    core.whileSearching = { partition in
      guard partition == 15, isNew else { return }
      isNew = false
      for name in ["late", "later", "latest"] { self.makeHolder(name) }
      _ = self.impersonate("late")
    }
    #expect(core.run("ROLE.DROP support WORKSPACE acme").text == "OK")
    #expect(core.changes.count { $0.as(RoleRevoked.self) != nil } == 6)
    #expect(core.changes.count { $0.as(SessionEnded.self) != nil } == 1)
    core.whileSearching = nil

    isNew = true
    core.run("USER.SET ann released 2026-02-01")
    core.whileSearching = { partition in
      guard partition == 15, isNew else { return }
      isNew = false
      _ = self.core.logIn("ann", "acme/app")
    }
    #expect(core.run("WORKSPACE.SET acme policy.login.within-employment on").integer == 1)
    #expect(core.changes.compactMap { $0.as(SessionEnded.self)?.cause } == [.employmentEnded])
    core.whileSearching = nil
    core.expectReplicated()
  }

  /// L19: the trail of each holder has the record.
  @Test func theTrailOfAHolderHasIt() {
    core.run("ROLE.DEFINE support WORKSPACE acme user.read")
    core.run("ROLE.DROP support WORKSPACE acme")
    for part in core.records.suffix(2).flatMap(\.parts) {
      for name in ["cleo", "carl", "cora"] {
        #expect(part.keys.contains(RecordKey.of(UserID(raw: id(name)))), "\(part.header.command) \(name)")
      }
    }
  }

  /// The main role passes on as where it is revoked (L11).
  @Test func aHolderKeepsAMainRole() {
    core.run("ROLE.GRANT carl manager WORKSPACE acme")
    #expect(core.run("USER.GET carl")["main-role"].text == "support")
    core.run("ROLE.DROP support WORKSPACE acme")
    #expect(core.run("USER.GET carl")["main-role"].text == "manager")
    core.expectReplicated()
  }
}
