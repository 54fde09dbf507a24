import Testing

@testable import GatehouseCore

/// What a service may do, and that a session after `AS` adds nothing to it.
@Suite struct ServiceRightsTests {
  private let core = CoreHarness(partitions: 16)

  /// A line that passes the gates if the service has the right.
  private static func words(_ spec: CommandSpec) -> [String] {
    var words = spec.name.split(separator: "|").map(String.init)
    for argument in spec.arguments where !argument.isOptional {
      guard let token = argument.token else {
        words.append("1")
        continue
      }
      words.append(token)
      words += (0..<argument.valueCount + (argument.isCounted ? 1 : 0)).map { _ in "1" }
    }
    return words
  }

  /// Every command and subcommand, with each right alone: the gate is the same with and without AS.
  @Test(arguments: CommandTable.entries.map(\.name))
  func theGateIsTheSameWithAndWithoutAS(name: String) throws {
    let spec = try #require(CommandTable.entries.first { $0.name == name })
    guard !spec.isPrefix, spec.subcommands.isEmpty else { return }
    let words = Self.words(spec)
    for rights in [[], .read, .sessions, .timers, .admin, .all] as [ServiceRights] {
      let plain = core.refusalAtGate(words, rights: rights)
      let through = core.refusalAtGate(["AS", "gs_token"] + words, rights: rights)
      guard rights.isSuperset(of: spec.rights) || spec.isOpen else {
        #expect(plain?.hasPrefix("NOPERM the service right ") == true, "\(rights.names): \(plain ?? "passes")")
        #expect(through == plain, "\(rights.names)")
        continue
      }
      #expect(plain == nil, "\(rights.names)")
      let isForUsers = if case .service = spec.need { false } else { true }
      #expect(isForUsers ? through == nil : through?.hasPrefix("NOPERM a service's own authority") == true)
    }
  }

  @Test func aReaderWritesNothingThroughASession() {
    let payroll = core.seedProduct("payroll")
    core.seedUser("ana", products: [payroll])
    core.seedUser("tom", products: [payroll], roles: [.superAdministrator])
    let (own, administrator) = (core.logIn("ana", "payroll"), core.logIn("tom", "payroll"))
    let before = core.lsn
    core.connection = ConnectionFacts(id: 1, service: 1, rights: .read)
    #expect(core.run("TIMER.START ana", as: own).text == "NOPERM the service right TIMERS, to run TIMER.START")
    #expect(core.run("SESSION.REVOKE \(own)", as: own).text?.hasPrefix("NOPERM the service right SESSIONS") == true)
    #expect(
      core.run("USER.SET ana first Ana", as: administrator).text?.hasPrefix("NOPERM the service right ADMIN") == true)
    #expect(core.run("USER.GET ana", as: own)["username"].text == "ana")
    #expect(core.lsn == before)
    core.connection.rights = [.read, .timers]
    #expect(core.run("TIMER.START ana", as: own)["user"].integer == core.user("ana").map { Int64($0.id.raw) })
  }

  /// In an impersonation both must have the right in the workspace concerned.
  @Test func anImpersonationAdministersWhatBothDo() {
    let (acme, beta) = (core.seedWorkspace("acme"), core.seedWorkspace("beta"))
    let payroll = core.seedProduct("payroll")
    core.seedProduct("crm", workspace: beta)
    core.seedProduct("clock", workspace: acme)
    let ana = core.seedUser("ana", workspaces: [mainWorkspace, acme, beta], products: [payroll])
    let tom = core.seedUser("tom", workspaces: [mainWorkspace, acme], products: [payroll])
    core.seedUser("uma", products: [payroll], roles: [.trainingAdministrator])
    for workspace in [acme, beta] { core.seedUser("member\(workspace)", workspaces: [workspace]) }
    core.apply(WorkspaceSet(beta, key: "owner", old: "", new: "#\(ana.raw)"))
    core.apply(RoleGranted(tom, Grant(role: .trainingAdministrator, scope: .workspace(acme), isMain: false)))
    func start(_ actor: String) -> String {
      core.run("IMPERSONATE.START \(core.logIn(actor, "payroll")) ana REASON help WORKSPACE acme")["session"].text ?? ""
    }
    // The subject owns beta; the actor has no rights there.
    #expect(core.run("PRODUCT.ENABLE member\(beta) beta/crm", as: core.logIn("ana", "payroll")).text == "OK")
    #expect(
      core.run("PRODUCT.DISABLE member\(beta) beta/crm", as: start("tom")).text
        == "NOPERM the permission product.access")
    // The actor administers acme; the subject does not.
    #expect(
      core.run("PRODUCT.ENABLE member\(acme) acme/clock", as: start("tom")).text
        == "NOPERM the permission product.access")
    // An actor who administers everything administers beta too.
    #expect(core.run("PRODUCT.DISABLE member\(beta) beta/crm", as: start("uma")).text == "OK")
    // If the owner of acme impersonates an administrator of everything, only acme is administered.
    core.apply(WorkspaceSet(acme, key: "owner", old: "", new: "#\(tom.raw)"))
    core.apply(
      WorkspaceLeft(ana, beta, limits: .none),
      RoleGranted(ana, Grant(role: .trainingAdministrator, scope: .everywhere, isMain: false)))
    #expect(core.run("PRODUCT.ENABLE member\(beta) beta/crm", as: start("tom")).text == "NOTFOUND user member\(beta)")
    #expect(core.run("PRODUCT.ENABLE member\(acme) acme/clock", as: start("tom")).text == "OK")
  }
}
