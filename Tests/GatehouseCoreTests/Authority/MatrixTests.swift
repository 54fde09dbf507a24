import Testing

@testable import GatehouseCore

/// The whole of *Who may do what*: every permission, over every scope, for every kind of principal, in two workspaces
/// that share people. The expectations are written from the rules, independently of the code.
@Suite struct MatrixTests {
  // MARK: The oracle

  /// The power of a principal, by the roles in the rules.
  enum Power: CustomStringConvertible {
    case individual, manager
    case productAdministrator
    case training(everywhere: Bool)
    case superior(everywhere: Bool)
    case owner
    /// A training administrator of the product acme/app only. The superior powers are over everything or over one
    /// workspace.
    case trainingOfProduct
    /// Over the account acme/Widgets, or the group acme/Europe that it is in.
    case managerOfAccounts(byGroup: Bool)
    /// With the role over acme, and a management link to the account.
    case managerByLink
    case trainingOfAccounts(byGroup: Bool)

    var description: String {
      switch self {
      case .individual: "individual"
      case .manager: "manager"
      case .productAdministrator: "product administrator"
      case .training(let everywhere): "training administrator" + (everywhere ? "" : " of acme")
      case .superior(let everywhere): "super administrator" + (everywhere ? "" : " of acme")
      case .owner: "owner of acme"
      case .trainingOfProduct: "training administrator of acme/app"
      case .managerOfAccounts(let byGroup): "manager of the " + (byGroup ? "group" : "account")
      case .managerByLink: "manager by a link"
      case .trainingOfAccounts(let byGroup): "training administrator of the " + (byGroup ? "group" : "account")
      }
    }

    var isEverywhere: Bool {
      switch self {
      case .training(let everywhere), .superior(let everywhere): everywhere
      case .individual, .manager, .productAdministrator, .owner, .trainingOfProduct, .managerOfAccounts, .managerByLink,
        .trainingOfAccounts:
        false
      }
    }
  }

  /// The user whom a command is about. All but `stranger` are members of acme.
  enum Target: String, CaseIterable {
    /// At home in acme.
    case local
    /// At home in beta, and a member of acme.
    case shared
    /// A super administrator everywhere, at home in acme.
    case root
    /// A member of beta only.
    case stranger
    /// At home in acme, and employed by another account than the others.
    case former

    var isAtHome: Bool { self == .local || self == .root || self == .former }
    var isMember: Bool { self != .stranger }
    /// Whether the account acme/Widgets employs them today.
    var isEmployed: Bool { self == .local || self == .shared || self == .root }
  }

  /// W2: permissions that concern a user's identity.
  static let identity: Set<Permission> = [
    .contactSet, .userSet, .authoritySet, .userRename, .userStatus, .userDelete, .userMove, .credentialSet,
  ]
  /// Permissions that no administrator of people has: they decide the workspace's security, and what it pays.
  static let reserved: Set<Permission> = [
    .authoritySet, .productCreate, .poolSet, .securitySet, .workspaceTransfer, .roleDefine,
  ]
  /// L10: what an individual may of their own, and bookings; the fields of the contact only as far as people set them of
  /// themselves.
  static let ofManagers: Set<Permission> = [
    .userRead, .contactSet, .sessionRead, .sessionRevoke, .timeRead, .timerStop, .entryCorrect, .linkWrite,
  ]
  /// What is about a workspace as a whole, which no power over some of its people gives.
  static let ofWorkspace: Set<Permission> = [
    .poolRead, .poolSet, .productCreate, .userCreate, .workspaceSet, .securitySet, .workspaceTransfer,
  ]
  static let ofServer: Set<Permission> = [.workspaceCreate, .workspacePlan, .serviceManage]

  /// Whether a power allows an act on a target in acme.
  static func holds(_ power: Power, _ act: Act, over target: Target?) -> Bool {
    let permission = act.permission
    if ofServer.contains(permission) {
      if case .superior(everywhere: true) = power { return true }
      return false
    }
    if let target, !power.isEverywhere {
      if act.isOfHome ? !target.isAtHome : !target.isMember { return false }
    }
    switch power {
    case .individual, .manager: return false
    case .productAdministrator:
      return target != .root && act.isOfApp
        && [.productAccess, .licenceAssign, .userRead, .contactSet, .poolRead].contains(permission)
    case .trainingOfProduct: return target != .root && act.isOfApp && !reserved.contains(permission)
    case .managerOfAccounts, .managerByLink:
      guard ofManagers.contains(permission), permission != .contactSet || act.isPersonal else { return false }
      return act.isOverAccounts(target)
    case .trainingOfAccounts:
      return !reserved.contains(permission) && !ofWorkspace.contains(permission) && act.isOverAccounts(target)
    case .training: return target != .root && !reserved.contains(permission)
    case .superior(everywhere: true): return true
    // Only the operator changes the identity of a super administrator of everything.
    case .superior(everywhere: false), .owner: return target != .root || !identity.contains(permission)
    }
  }

  // MARK: The commands

  struct Act: CustomTestStringConvertible {
    let permission: Permission
    /// With `T` for the target, and a different name for each thing that is created.
    let line: String

    /// Whether the act belongs to the product acme/app: acts on the product itself and, because all products share the
    /// people (T1, T8), reading people and editing their contacts.
    var isOfApp: Bool { line.contains("acme/app") || [.userRead, .contactSet].contains(permission) }

    /// Whether the home alone decides: a user's identity, and how many keys there are.
    var isOfHome: Bool { identity.contains(permission) || line.hasPrefix("APIKEY.COUNT") }

    /// Whether it changes what people set of themselves.
    var isPersonal: Bool { line.hasPrefix("USER.SET T first") }

    /// Whether it lies in what power over the account acme/Widgets gives: it is about somebody whom the account employs today,
    /// or about the account.
    func isOverAccounts(_ target: Target?) -> Bool {
      if line.hasPrefix("ROLE.GRANT"), !line.contains("acme/Widgets") { return false }
      guard let target else { return line.contains("acme/Widgets") }
      return target.isEmployed && target != .root
    }

    var isAboutSomebody: Bool { line.contains("T") && line.split(separator: " ").contains("T") }
    var testDescription: String { line }

    init(_ permission: Permission, _ line: String) {
      self.permission = permission
      self.line = line
    }
  }

  static let acts: [Act] = [
    Act(.userRead, "USER.GET T"), Act(.userRead, "ROLE.LIST T"), Act(.userRead, "LOGIN.EXPLAIN T acme/app"),
    Act(.userRead, "PERMISSION.LIST T"),
    Act(.contactSet, "USER.SET T department X"), Act(.userSet, "USER.SET T initials X"),
    Act(.authoritySet, "USER.SET T authority 1"), Act(.userRename, "USER.RENAME T other@name.test"),
    Act(.userStatus, "USER.STATUS T inactive"), Act(.userDelete, "USER.DELETE T REASON x"),
    Act(.sessionRead, "SESSION.LIST T"), Act(.sessionRevoke, "SESSION.REVOKEALL T"),
    Act(.timerStop, "TIMER.START T WORKSPACE acme"), Act(.timeRead, "TIMER.CURRENT T WORKSPACE acme"),
    Act(.timeRead, "ENTRY.LIST T"), Act(.entryCorrect, "ENTRY.ADD T START 1 END 2 WORKSPACE acme"),
    Act(.productAccess, "PRODUCT.ENABLE T acme/app"), Act(.productAccess, "PRODUCT.DISABLE T acme/app"),
    Act(.licenceAssign, "LICENCE.ASSIGN T acme/app office"), Act(.licenceAssign, "LICENCE.REMOVE T acme/app"),
    Act(.productAccess, "PRODUCT.ENABLE T acme/tool"), Act(.licenceAssign, "LICENCE.ASSIGN T acme/tool office"),
    Act(.poolRead, "POOL.LIST acme/tool"), Act(.poolSet, "POOL.SET acme/tool office 7"),
    Act(.memberManage, "WORKSPACE.MEMBER acme T"), Act(.roleGrant, "ROLE.GRANT T individual WORKSPACE acme"),
    Act(.roleGrant, "ROLE.GRANT T individual PRODUCT acme/app"),
    Act(.roleGrant, "ROLE.GRANT T individual PRODUCT acme/tool"),
    Act(.roleGrant, "ROLE.GRANT T individual ACCOUNT acme/Widgets"), Act(.contactSet, "USER.SET T first X"),
    Act(.employmentManage, "EMPLOY.ADD T acme/Widgets"), Act(.employmentManage, "MANAGE.ADD T ACCOUNT acme/Widgets"),
    Act(.linkWrite, "LINK.ADD T delegate c1 WORKSPACE acme"), Act(.userRead, "EMPLOY.LIST T"),
    Act(.userRead, "ACCOUNT.GET acme/Widgets"),
    Act(.accountManage, "ACCOUNT.SET acme/Widgets type provider"),
    Act(.accountManage, "ACCOUNT.CREATE Other CUSTOMER WORKSPACE acme"),
    Act(.accountManage, "ACCOUNT.SET acme/Gadgets type provider"),
    Act(.userCreate, "USER.CREATE fay WORKSPACE acme"), Act(.productCreate, "PRODUCT.CREATE acme/other"),
    Act(.poolRead, "POOL.LIST acme/app"), Act(.poolSet, "POOL.SET acme/app office 7"),
    Act(.workspaceSet, "WORKSPACE.SET acme policy.timer.notify-stopped on"),
    Act(.securitySet, "WORKSPACE.SET acme policy.session.ttl 1h"),
    Act(.securitySet, "WORKSPACE.SET acme subdomain acme"),
    Act(.workspaceTransfer, "WORKSPACE.TRANSFER acme local"), Act(.workspacePlan, "WORKSPACE.SET acme plan enterprise"),
    Act(.credentialSet, "TOTP.ENROL T"), Act(.credentialSet, "TOTP.DISABLE T"), Act(.credentialSet, "TOTP.GET T"),
    Act(.credentialSet, "PASSWORD.GET T"),
    Act(.credentialSet, "APIKEY.CREATE T"), Act(.credentialSet, "APIKEY.LIST T"),
    Act(.credentialSet, "APIKEY.DEACTIVATEALL T"), Act(.userRead, "APIKEY.COUNT T"),
    Act(.workspaceCreate, "WORKSPACE.CREATE gamma"), Act(.serviceManage, "SERVICE.LIST"),
  ]

  static let powers: [Power] = [
    .individual, .manager, .productAdministrator, .training(everywhere: false), .training(everywhere: true),
    .superior(everywhere: false), .superior(everywhere: true), .owner, .trainingOfProduct,
    .managerOfAccounts(byGroup: false), .managerOfAccounts(byGroup: true), .managerByLink,
    .trainingOfAccounts(byGroup: false), .trainingOfAccounts(byGroup: true),
  ]

  // MARK: The world

  private static func world() -> CoreHarness {
    let core = CoreHarness(partitions: 2)
    for workspace in ["acme", "beta"] {
      core.run("WORKSPACE.CREATE \(workspace)")
      core.run("PRODUCT.CREATE \(workspace)/app")
    }
    core.run("PRODUCT.CREATE acme/tool")
    for product in ["acme/app", "acme/tool"] { core.run("POOL.SET \(product) office 6") }
    core.run("USER.CREATE local WORKSPACE acme LICENCE acme/app office")
    core.run("USER.CREATE root WORKSPACE acme ROLE super-administrator")
    core.run("USER.CREATE another ROLE super-administrator")
    core.run("USER.CREATE shared PRODUCT beta/app")
    core.run("USER.CREATE stranger PRODUCT beta/app")
    core.run("LICENCE.ASSIGN shared acme/app office")
    core.run("PRODUCT.ENABLE shared acme/app")
    core.run("USER.CREATE former WORKSPACE acme LICENCE acme/app office")
    for account in ["Widgets", "Gadgets"] { core.run("ACCOUNT.CREATE \(account) CUSTOMER WORKSPACE acme") }
    core.run("ACCOUNT.CREATE Widgets CUSTOMER WORKSPACE beta")
    core.run("GROUP.CREATE Europe WORKSPACE acme")
    core.run("GROUP.ADD acme/Europe Widgets")
    for user in ["local", "shared", "root"] { core.run("EMPLOY.ADD \(user) acme/Widgets") }
    core.run("EMPLOY.ADD former acme/Widgets TO 2026-02-28")
    core.run("EMPLOY.ADD former acme/Gadgets")
    for user in ["shared", "stranger"] { core.run("EMPLOY.ADD \(user) beta/Widgets") }
    for user in ["root", "shared"] { core.run("TIMER.START \(user) WORKSPACE acme") }
    for user in ["root", "shared"] { core.run("TIMER.STOP \(user) WORKSPACE acme") }
    return core
  }

  /// Creates a user with a power, and logs in.
  private static func actor(_ power: Power, _ core: CoreHarness, name: String = "actor") -> String {
    core.run("USER.CREATE \(name) WORKSPACE acme LICENCE acme/app office ACCOUNT Widgets")
    switch power {
    case .individual: core.run("ROLE.GRANT \(name) individual")
    case .manager: core.run("ROLE.GRANT \(name) manager WORKSPACE acme")
    case .productAdministrator: core.run("PRODUCT.ENABLE \(name) acme/app ADMIN")
    case .training(let everywhere):
      core.run("ROLE.GRANT \(name) training-administrator \(everywhere ? "" : "WORKSPACE acme")")
    case .superior(let everywhere):
      core.run("ROLE.GRANT \(name) super-administrator \(everywhere ? "" : "WORKSPACE acme")")
    case .owner: core.run("WORKSPACE.SET acme owner \(name)")
    case .trainingOfProduct: core.run("ROLE.GRANT \(name) training-administrator PRODUCT acme/app")
    case .managerOfAccounts(let byGroup):
      core.run("ROLE.GRANT \(name) manager \(byGroup ? "GROUP acme/Europe" : "ACCOUNT acme/Widgets")")
    case .managerByLink:
      core.run("ROLE.GRANT \(name) manager WORKSPACE acme")
      core.run("MANAGE.ADD \(name) ACCOUNT acme/Widgets")
    case .trainingOfAccounts(let byGroup):
      core.run("ROLE.GRANT \(name) training-administrator \(byGroup ? "GROUP acme/Europe" : "ACCOUNT acme/Widgets")")
    }
    return core.logIn(name, "acme/app")
  }

  /// Whether a command passed the permission check, whatever else refused it.
  private static func isAllowed(_ answer: Answer) -> Bool {
    // Login questions about an unknown user are answered as if the user did not exist.
    guard case .error(let text) = answer else { return answer[0]["detail"].text != "no user has this name" }
    return !text.hasPrefix("NOPERM ") && !text.hasPrefix("NOTFOUND user") && !text.hasPrefix("NOTFOUND account")
  }

  private static func line(_ act: Act, _ target: Target?) -> String {
    act.line.split(separator: " ").map { $0 == "T" ? target?.rawValue ?? "" : String($0) }.joined(separator: " ")
  }

  private static func targets(of act: Act) -> [Target?] { act.isAboutSomebody ? Target.allCases : [nil] }

  // MARK: The tests

  @Test(arguments: acts)
  func usersByThemselves(act: Act) {
    for power in Self.powers {
      for target in Self.targets(of: act) {
        let core = Self.world()
        let token = Self.actor(power, core)
        let before = core.lsn
        let answer = core.run(Self.line(act, target), as: token)
        let isRight = Self.holds(power, act, over: target)
        #expect(
          Self.isAllowed(answer) == isRight,
          "\(power), \(Self.line(act, target)): \(answer), but it is \(isRight ? "allowed" : "not allowed")")
        if !isRight { #expect(core.lsn == before, "\(power), \(Self.line(act, target)): something was changed") }
      }
    }
  }

  /// The least of all: an impersonation may do what both the subject and the actor may do.
  @Test(arguments: acts)
  func impersonations(act: Act) {
    let pairs: [(actor: Power, subject: Power)] = [
      (.training(everywhere: true), .individual), (.training(everywhere: true), .productAdministrator),
      (.superior(everywhere: true), .training(everywhere: true)),
      (.superior(everywhere: true), .training(everywhere: false)),
      (.training(everywhere: false), .productAdministrator), (.owner, .training(everywhere: false)),
      (.owner, .trainingOfProduct), (.training(everywhere: true), .managerOfAccounts(byGroup: false)),
      (.training(everywhere: false), .managerByLink), (.owner, .trainingOfAccounts(byGroup: true)),
      (.trainingOfAccounts(byGroup: false), .individual),
      (.trainingOfAccounts(byGroup: true), .managerOfAccounts(byGroup: false)),
    ]
    for (actor, subject) in pairs {
      for isBound in [false, true] {
        for target in Self.targets(of: act) {
          let core = Self.world()
          if isBound { core.run("WORKSPACE.SET acme subdomain bound") }
          _ = Self.actor(subject, core, name: "subject")
          let login = Self.actor(actor, core)
          let started = core.run("IMPERSONATE.START \(login) subject WORKSPACE acme REASON help")
          guard let token = started["session"].text else {
            Issue.record("\(actor) as \(subject): \(started)")
            continue
          }
          let line = Self.line(act, target)
          let answer = core.run(line, as: token)
          var isRight =
            Self.holds(actor, act, over: target) && Self.holds(subject, act, over: target)
          // Some things are refused in every impersonation, whatever the rights.
          if answer.text?.hasPrefix("REFUSED impersonation: ") == true { continue }
          // K4: outside acme nothing is in reach: neither the identity of people of beta nor their data.
          if isBound, let target {
            let isSeenOnly =
              [.userRead, .sessionRead, .sessionRevoke].contains(act.permission) || act.line == "ENTRY.LIST T"
            if act.isOfHome ? !target.isAtHome : isSeenOnly && !target.isMember {
              isRight = false
            }
          }
          if isBound, Self.ofServer.contains(act.permission) { isRight = false }
          #expect(
            Self.isAllowed(answer) == isRight,
            "\(actor) as \(subject), bound \(isBound), \(line): \(answer), but it is \(isRight ? "allowed" : "not allowed")"
          )
        }
      }
    }
  }

  /// W3, W6: in acme, a service bound to it has the rights of a super administrator of acme, and elsewhere none. A user
  /// who asks through it may do what both may: the least of all.
  @Test(arguments: acts)
  func boundServices(act: Act) {
    for power in [nil] + Self.powers.map(Optional.some) {
      for target in Self.targets(of: act) {
        let core = Self.world()
        let token = power.map { Self.actor($0, core) }
        core.run("SERVICE.CREATE free ADMIN")
        core.run("SERVICE.CREATE portal READ SESSIONS TIMERS ADMIN WORKSPACE acme")
        core.connection = ConnectionFacts(id: 2, service: 2, rights: .all, isBound: true)
        let before = core.lsn
        let line = Self.line(act, target)
        let answer = token.map { core.run(line, as: $0) } ?? core.run(line)
        let isRight =
          Self.holds(.superior(everywhere: false), act, over: target)
          && power.map { Self.holds($0, act, over: target) } ?? true
        let who = "\(power.map { "\($0)" } ?? "nobody") through a service of acme, \(line)"
        #expect(
          Self.isAllowed(answer) == isRight, "\(who): \(answer), but it is \(isRight ? "allowed" : "not allowed")")
        if !isRight { #expect(core.lsn == before, "\(who): something was changed") }
      }
    }
  }

  /// Everybody may act on themselves without a grant, except on data set by the employer and on their own rights.
  @Test func oneself() {
    let allowed = [
      "USER.GET actor", "USER.SET actor first A phone 1", "SESSION.LIST actor", "SESSION.REVOKEALL actor EXCEPT 1",
      "TIMER.START actor WORKSPACE acme", "TIMER.STOP actor WORKSPACE acme", "ENTRY.LIST actor", "ROLE.LIST actor",
      "ENTRY.ADD actor START 1 END 2 WORKSPACE acme", "LOGIN.CHECK actor acme/app", "PERMISSION.LIST actor",
      "EMPLOY.LIST actor", "MANAGE.LIST actor", "LINK.ADD actor booking b1 WORKSPACE acme",
    ]
    let refused = [
      "USER.SET actor department X", "USER.SET actor initials X", "USER.RENAME actor x", "USER.STATUS actor inactive",
      "USER.DELETE actor REASON x", "ROLE.GRANT actor super-administrator", "PRODUCT.ENABLE actor beta/app",
      "LICENCE.REMOVE actor acme/app", "WORKSPACE.MEMBER acme actor REMOVE", "LOGIN.EXPLAIN actor acme/app",
      "LINK.ADD actor delegate c1 WORKSPACE acme",
    ]
    for power in [Power.individual, .manager] {
      let core = Self.world()
      var token = Self.actor(power, core)
      for line in allowed {
        #expect(Self.isAllowed(core.run(line, as: token)), "\(power), \(line)")
        if line.hasPrefix("SESSION.REVOKEALL") { token = core.logIn("actor", "acme/app") }
      }
      for line in refused { #expect(core.run(line, as: token).text?.hasPrefix("NOPERM ") == true, "\(power), \(line)") }
    }
  }
}
