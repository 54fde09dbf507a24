@testable import GatehouseCore
import GatehouseTestSupport

/// Random commands from the command table: every command that decides or gathers, with words that fit the names of its
/// arguments, sometimes options, and some nonsense.
struct CommandGenerator {
  private var random: SeededRandom
  private let specs: [(spec: CommandSpec, weight: Int)]
  private let total: Int
  /// Tokens of opened sessions, newest last.
  var tokens: [String] = []
  private var keys = 0

  static let names = [
    "ana", "BEN", "Zoë", "ZOE\u{308}", "straße", "tom@acme.test", "x1", "x2", "x3", "Ünal", "ana2", "y",
  ]
  private static let products = ["payroll", "office", "acme/crm", "Main/payroll", "nothing"]
  private static let workspaces = ["main", "acme", "beta", "ACME", "nowhere"]
  private static let accounts = [
    "Widgets", "Gadgets", "ÜNAL", "acme/Crates", "Guest Account", "acme/guest account", "#2", "#9",
  ]
  private static let groups = ["Europe", "acme/Asia", "#1", "none"]

  init(seed: UInt64) {
    random = SeededRandom(seed: seed)
    specs = CommandTable.all.compactMap { spec in
      switch spec.body {
      case .decide, .gather: (spec, Self.weight(of: spec))
      case .server, .prefix, .minimum: nil
      }
    }
    total = specs.reduce(0) { $0 + $1.weight }
  }

  private static func weight(of spec: CommandSpec) -> Int {
    switch spec.name {
    case "EMPLOY.ADD", "EMPLOY.SET", "EMPLOY.END", "MANAGE.ADD": 4
    case "USER.CREATE", "SESSION.CREATE", "TIMER.START", "PRODUCT.ENABLE", "IMPERSONATE.START": 10
    case "TIMER.STOP", "ENTRY.CORRECT", "ROLE.GRANT", "WORKSPACE.MEMBER", "USER.STATUS", "USER.RENAME": 4
    case "WORKSPACE.CREATE", "PRODUCT.CREATE", "SERVICE.CREATE": 1
    default: 2
    }
  }

  mutating func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &random) < percent }
  mutating func number(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &random) }
  private mutating func pick<T>(_ values: [T]) -> T { values[Int.random(in: 0..<values.count, using: &random)] }

  /// The next command, and whether it has a key under which it may be repeated.
  mutating func next(_ core: CoreHarness) -> (words: [String], isKeyed: Bool) {
    var place = Int.random(in: 0..<total, using: &random)
    var spec = specs[0].spec
    for (candidate, weight) in specs {
      if place < weight {
        spec = candidate
        break
      }
      place -= weight
    }
    var words = [chance(5) ? spec.name.lowercased() : spec.name]
    var isKeyed = false
    let isSetting = spec.name == "USER.SET" || spec.name == "WORKSPACE.SET"
    for argument in spec.arguments {
      if isSetting, argument.token == nil {
        if argument.name == "user" || argument.name == "workspace" {
          words.append(value(of: argument.name, in: spec, core))
          words += setting(spec, core)
        }
        continue
      }
      guard let token = argument.token else {
        guard !argument.isOptional || chance(30) else { continue }
        for part in argument.parts.isEmpty ? [argument.name] : argument.parts {
          words.append(value(of: part, in: spec, core))
        }
        continue
      }
      guard chance(argument.isOptional ? optionChance(token) : 95) else { continue }
      words.append(token)
      if token == "IDEM" {
        // Few keys are used for two different commands.
        keys += chance(90) ? 1 : 0
        words.append("key\(keys)")
        isKeyed = true
      } else if argument.isCounted {
        words += ["2", "username", "status"]
      } else if !argument.parts.isEmpty {
        for part in argument.parts { words.append(value(of: part, in: spec, core)) }
      } else if argument.kind != .flag {
        words.append(value(of: argument.name, in: spec, core))
      }
    }
    if chance(70) { makeLikely(&words, spec, core) }
    if chance(2) { words.append("EXTRA") }
    if chance(30), let token = tokens.last { words = ["AS", chance(60) ? token : pick(tokens)] + words }
    return (words, isKeyed)
  }

  /// Random words are mostly refused. These fit the state, so that sequences get somewhere.
  private mutating func makeLikely(_ words: inout [String], _ spec: CommandSpec, _ core: CoreHarness) {
    guard words.count > 2 else { return }
    let live = core.cells.flatMap { cell in
      (1..<(cell.state.people.users.last + 1)).map { UserReference(id: cell.state.id($0), cell: cell.held, serial: $0) }
    }.filter { $0.row.status.mayLogIn }
    guard !live.isEmpty else { return }
    let user = pick(live)
    switch spec.name {
    case "SESSION.CREATE":
      let enabled = user.cell.state.people.allAccess(of: user.serial).filter(\.isEnabled)
      guard !enabled.isEmpty else { return }
      words[1] = user.username
      let view = core.directory.state.view
      words[2] = view.product(pick(enabled).product).map { view.productName($0) } ?? words[2]
    case "IMPERSONATE.START":
      let administrators = tokens.filter { isAdministrator($0, core) }
      guard !administrators.isEmpty else { return }
      words[1] = pick(administrators)
      words[2] = user.username
    case "ROLE.REVOKE":
      let grants = user.cell.state.people.grants(of: user.serial)
      guard !grants.isEmpty else { return }
      words[1] = user.username
      words[2] = pick(grants).role.name
    case "LICENCE.ASSIGN", "LICENCE.REMOVE": words[2] = "office"
    case "EMPLOY.ADD":
      words[1] = user.username
      words[2] = pick(["Widgets", "Gadgets", "acme/Crates"])
    case "EMPLOY.SET", "EMPLOY.END":
      guard let employment = user.employments.first else { return }
      words[1] = user.username
      words[2] = "#\(employment.account)"
    case "MANAGE.ADD", "MANAGE.REMOVE":
      guard words.count > 3 else { return }
      words[1] = user.username
      (words[2], words[3]) = pick([("ACCOUNT", pick(Self.accounts)), ("GROUP", pick(Self.groups))])
    case "USER.STATUS": words[2] = "active"
    case "USER.CREATEMANY":
      guard let fields = words.firstIndex(of: "FIELDS"), let rows = words.firstIndex(of: "ROWS") else { return }
      words[fields + 3] = "product"
      words.replaceSubrange(
        rows + 1...rows + 3, with: ["4", pick(Self.names), pick(Self.products), pick(Self.names), ""])
    default: break
    }
  }

  private func isAdministrator(_ token: String, _ core: CoreHarness) -> Bool {
    var token = token
    guard let id = token.withUTF8({ SecretText.session(of: .init($0)) }) else { return false }
    let cell = core.cells[core.partitioning.partition(of: id)]
    guard let slot = cell.state.slot(of: id), cell.state.sessions[slot].isLive(at: core.now) else { return false }
    return cell.state.sessions[slot].kind == .login
      && cell.state.people.users[Int(cell.state.sessions[slot].user)].roles.isPlain == false
  }

  private func optionChance(_ token: String) -> Int {
    switch token {
    case "IFVERSION", "CURSOR", "COUNT", "IDLE", "AT", "STATUS": 8
    case "IDEM", "WORKSPACE": 20
    case "REASON", "ACCEPT-BILLING": 60
    case "ACCOUNT", "GROUP": 12
    case "EMPLOYED", "ACCESS", "GRANT", "MANAGES": 5
    default: 15
    }
  }

  // MARK: Words

  private mutating func setting(_ spec: CommandSpec, _ core: CoreHarness) -> [String] {
    var words: [String] = []
    for _ in 0..<(chance(30) ? 2 : 1) {
      if spec.name == "USER.SET" {
        words += pair(core)
      } else {
        let policy = pick(Policies.all)
        let choices: [String] =
          switch policy.standard {
          case .flag: ["on", "off"]
          case .span: ["10m", "2s", "30d"]
          case .number: ["0", "1", "3"]
          case .zone: ["Pacific/Auckland", "UTC", "Mars/Olympus"]
          case .address: ["", "audit@acme.test", "nobody"]
          case .language: ["en", "cs", "pt-BR", "?"]
          default: policy.choices + ["first-last", ""]
          }
        words += pick([
          ["policy.\(policy.name)", pick(choices)], ["owner", user(core)], ["plan", pick(["free", "enterprise"])],
          ["subdomain", pick(["", "acme", "beta"])], ["profile", pick(["clockify", "actitime", "actionstep"])],
        ])
      }
    }
    return words
  }

  private mutating func pair(_ core: CoreHarness) -> [String] {
    pick([
      ["first", pick(["Ana", "", "Zoë"])], ["email", pick(["a@b.test", "", "c@d.test"])],
      ["authority", pick(["1", "0"])],
      ["initials", "AB"], ["hired", pick(["2020-01-01", ""])], ["released", pick(["2026-03-01", "2030-12-31", ""])],
      ["nothing", "x"], ["timezone", "Europe/Berlin"],
    ])
  }

  private mutating func user(_ core: CoreHarness) -> String {
    if chance(20) {
      let cell = core.cells[number(0...core.cells.count - 1)]
      if cell.state.people.users.last > 0 {
        return "#\((cell.state.id(number(1...cell.state.people.users.last)) as UserID).raw)"
      }
    }
    return pick(Self.names)
  }

  private mutating func id<Entity>(
    _ last: (borrowing PartitionState) -> Int, _ type: Entity.Type, _ core: CoreHarness
  ) -> String {
    let cell = core.cells[number(0...core.cells.count - 1)]
    let serial = number(0...max(1, last(cell.state)))
    return "\((cell.state.id(serial) as Identifier<Entity>).raw)"
  }

  private mutating func token() -> String {
    tokens.isEmpty || chance(10) ? "gs_nothing" : pick(Array(tokens.suffix(8)))
  }

  private mutating func value(of name: String, in spec: CommandSpec, _ core: CoreHarness) -> String {
    if chance(2) { return pick(["", "x y", "\u{7f}", "#", "-1", String(repeating: "a", count: 5000)]) }
    switch name {
    case "user", "actor", "target": return user(core)
    case "username": return pick(Self.names)
    case "product": return spec.name == "PRODUCT.CREATE" ? pick(["p1", "p2", "beta/p3"]) : pick(Self.products)
    case "workspace": return pick(Self.workspaces)
    case "name":
      switch spec.name {
      case "ACCOUNT.CREATE": return pick(["Widgets", "widgets", "Gadgets", "Ünal", "Guest Account"])
      case "GROUP.CREATE", "GROUP.RENAME": return pick(["Europe", "EUROPE", "Asia"])
      default: return pick(["beta", "gamma", "web", "app"])
      }
    case "type":
      return spec.name == "ACCOUNT.CREATE" ? pick(["PROVIDER", "customer"]) : pick(["*", "guest", "office"])
    case "account": return pick(Self.accounts)
    case "group": return pick(Self.groups)
    case "kind": return pick(["USER", "ACCOUNT", "GROUP", "THING"])
    case "managed": return pick([user(core), pick(Self.accounts), pick(Self.groups)])
    case "key":
      if spec.name.hasPrefix("APIKEY.") { return id({ $0.apiKeys.rows.last }, APIKeyEntity.self, core) }
      return spec.name == "ACCOUNT.SET" ? pick(["name", "type"]) : "x"
    case "seats": return "\(number(0...8))"
    case "role": return pick(["individual", "manager", "training-administrator", "super-administrator", "king"])
    case "status": return pick(["active", "inactive", "locked", "new", "pending", "deleted", "asleep"])
    case "token", "session-token", "actor-token": return token()
    case "password", "old", "new": return pick(["correct-horse", "battery-staple", "weak-one", "short"])
    case "session", "impersonation":
      return chance(60) ? token() : id({ $0.sessions.rows.last }, SessionEntity.self, core)
    case "id", "EXCEPT": return id({ $0.sessions.rows.last }, SessionEntity.self, core)
    case "entry": return id({ $0.time.entries.last }, EntryEntity.self, core)
    case "#id": return id({ $0.people.contacts.last }, ContactEntity.self, core)
    case "time": return "\(core.now + Milliseconds(number(-7_200_000...600_000)))"
    case "duration": return pick(["1s", "90s", "15m", "8h", "0", "soon"])
    case "version": return "\(number(1...3))"
    case "count", "n": return "\(number(1...3))"
    case "cursor": return pick(["0", "1-2", "1-2-3", "x"])
    case "field":
      return pick(["username", "status", "product", "created", "email", "role", "account", "group", "king"])
    case "op": return pick(["=", "!=", "<", "^=", "~=", "~"])
    case "value": return pick(["active", "deleted", "payroll", "a", "2026-01-01", "Widgets", "Europe", "provider"])
    case "permission": return pick(["user.read", "user.rename", "impersonate", "timer.stop", "workspace.plan", "fly"])
    case "plan": return pick(["free", "enterprise"])
    case "profile": return pick(["clockify", "actitime", "none"])
    case "from", "to", "until": return pick(["none", "none", "2020-01-01", "2031-01-01", "today"])
    case "state": return pick(["ADMIN", "REGULAR", "OFF", "on"])
    case "scope":
      return pick(["everywhere", "workspace", "account Widgets", "group Europe", "product payroll", "moon"])
    case "day": return pick(["2020-01-01", "2026-02-28", "2031-01-01", "today"])
    case "url": return pick(["https://example.com/h", "http://127.0.0.1/h", "http://example.com/"])
    case "change": return pick(["status-set", "user-created", "nothing"])
    case "moves", "failures", "lsn": return "\(number(0...3))"
    case "email": return pick(["a@b.test", "c@d.test"])
    default: return pick(["text", "Text of words", "ä"])
    }
  }
}
