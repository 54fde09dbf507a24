import GatehouseCore
import GatehouseWire

/// How a user who is there compares with a row that would create one: what decides whether an import that was
/// interrupted can be run again.
struct ExistingUser {
  /// What differs in fields that `USER.SET` sets, and whether the status does.
  private(set) var fields: [String] = []
  /// What differs besides, and the command that changes it.
  private(set) var others: [(what: String, command: String)] = []
  /// Why the server would not set the fields.
  private(set) var refusal: String?

  /// Whether the user has everything that the row says, and perhaps more.
  var isSame: Bool { fields.isEmpty && others.isEmpty && refusal == nil }

  /// What the server answers about a user.
  struct Shown {
    /// The answer to `USER.GET`.
    let user: RESPValue
    /// That of `USER.SET` or `USER.BULK … DRYRUN` with what the row says; nil if it says nothing. The server compares,
    /// because it knows the form in which values are stored.
    let trial: RESPValue?
    /// Those of `EMPLOY.LIST` and `MANAGE.LIST`; nil if the row says nothing about it.
    let employments: RESPValue?
    let managed: RESPValue?

    var error: String? { [user, trial, employments, managed].compactMap { $0?.errorText }.first }
  }

  init(_ row: PersonRow, _ requests: PersonRequests, _ shown: Shown) throws(RowFault) {
    if let error = shown.error {
      refusal = error
      return
    }
    fields = Self.changed(shown.trial)
    let workspace = requests.settings.workspace
    if shown.user["home"]?.string != workspace.caseFolded { others.append(("home", "USER.MOVEHOME")) }
    let ties = try requests.ties(row)
    if let account = row.text(.account), !Self.isAccount(account, shown.user["account"]?.string ?? "", workspace) {
      others.append(("account", "EMPLOY.ADD"))
    }
    if !ties.employments.isEmpty, !Self.isEmployed(ties, shown.employments) {
      others.append(("employments", "EMPLOY.ADD and EMPLOY.SET"))
    }
    let accesses = shown.user["products"]?.elements ?? []
    func access(_ product: String) -> RESPValue? {
      let product = product.caseFolded
      let names = ["\(workspace.caseFolded)/\(product)", product].map {
        $0.hasPrefix("main/") ? String($0.dropFirst(5)) : $0
      }
      for name in names {
        if let found = accesses.first(where: { $0["product"]?.string == name }) { return found }
      }
      return nil
    }
    if ties.accesses.contains(where: { !Self.isOpen($0, access($0.product)) }) {
      others.append(("products", "PRODUCT.ENABLE"))
    }
    if ties.licences.contains(where: { access($0.product)?["licence"]?.string != $0.type.caseFolded }) {
      others.append(("licences", "LICENCE.ASSIGN"))
    }
    let grants = shown.user["roles"]?.elements ?? []
    if !ties.roles.allSatisfy({ Self.isHeld($0, ties, grants, workspace) }) { others.append(("roles", "ROLE.GRANT")) }
    // Links to users are made after all rows, also those of users who are there: so an interrupted import goes on.
    if !ties.managed.allSatisfy({ $0.kind == .user || Self.isManaged($0, ties, shown.managed) }) {
      others.append(("manages", "MANAGE.ADD"))
    }
    let kept = shown.user["provisioned"]?.pairs ?? []
    let isKept = ties.provisioned.allSatisfy { value in
      kept.contains {
        $0.key.string == "\(workspace.caseFolded)/\(value.attribute)" && $0.value.string == value.value
      }
    }
    if !isKept { others.append(("provisioned", "USER.PROVISION")) }
  }

  // MARK: Comparing

  /// Whether a name means the account that is shown, which has its workspace in front unless that is `main`.
  private static func isAccount(_ name: String, _ shown: String, _ workspace: String) -> Bool {
    [name, "\(workspace)/\(name)"].contains { $0.caseFolded == shown.caseFolded }
  }

  private static func isEmployed(_ ties: PersonTies, _ shown: RESPValue?) -> Bool {
    ties.employments.allSatisfy { employment in
      let held = shown?.elements?.first { ties.isSame($0["account"]?.string ?? "", employment.account) }
      guard let held else { return false }
      let isMain = ties.main.map { ties.isSame($0, employment.account) } ?? false
      return (!isMain || held["main"]?.integer == 1)
        && (employment.days == .open
          || isDay(employment.days.from, held["from"]) && isDay(employment.days.until, held["to"]))
    }
  }

  private static func isOpen(_ access: AccessValue, _ shown: RESPValue?) -> Bool {
    guard let shown else { return false }
    if access.isAdministrator, shown["admin"]?.integer != 1 { return false }
    if access.isOff { return shown["enabled"]?.integer != 1 }
    if access.limits == .open { return shown["enabled"]?.integer == 1 }
    return isWithin(access.limits, shown)
  }

  private static func isHeld(_ role: RoleValue, _ ties: PersonTies, _ grants: [RESPValue], _ workspace: String) -> Bool
  {
    let wanted = ties.scope(of: role).split(separator: " ", maxSplits: 1).map(String.init)
    return grants.contains { grant in
      guard grant["role"]?.string == role.role.caseFolded, let scope = grant["scope"]?.string else { return false }
      let held = scope.split(separator: " ", maxSplits: 1).map(String.init)
      guard held.first == wanted.first else { return false }
      let name = wanted.count > 1 ? wanted[1] : workspace
      guard held.count < 2 || ties.isSame(held[1], name) else { return false }
      return role.limits == .open || isWithin(role.limits, grant)
    }
  }

  private static func isManaged(_ value: ManagedValue, _ ties: PersonTies, _ shown: RESPValue?) -> Bool {
    shown?.elements?.contains { link in
      link["kind"]?.string == value.kind.rawValue && ties.isSame(link["name"]?.string ?? "", value.name)
    } ?? false
  }

  // MARK: Days and times

  private static func isDay(_ text: String?, _ shown: RESPValue?) -> Bool {
    guard let text else { return shown?.isNull != false }
    let held = shown?.string.flatMap { TimeText.dayNumber($0) }
    if let number = TimeText.dayNumber(text) { return held == number }
    // A time means a day in a zone that only the server knows.
    guard let held, let time = TimeText.time(text) else { return false }
    return (-zoneMost...day + zoneMost).contains(time - Milliseconds(held) * day)
  }

  private static func isWithin(_ limits: CellRange, _ shown: RESPValue) -> Bool {
    func isEnd(_ text: String?, _ name: String, later: Milliseconds) -> Bool {
      guard let text else { return shown[name]?.isNull != false }
      return isTime(text, shown[name]?.integer, later: later)
    }
    return isEnd(limits.from, "from", later: 0) && isEnd(limits.until, "until", later: day)
  }

  private static let day: Milliseconds = 86_400_000
  /// How far a zone is from UTC at most: only the server knows the one in which the days of a person are.
  private static let zoneMost: Milliseconds = 14 * 3_600_000

  /// Whether a text means a time: a day means the time at which it begins in some zone, `later` than in UTC.
  private static func isTime(_ text: String, _ shown: Milliseconds?, later: Milliseconds) -> Bool {
    guard let shown else { return false }
    if let number = TimeText.dayNumber(text) {
      return abs(shown - (Milliseconds(number) * day + later)) <= zoneMost
    }
    return TimeText.time(text) == shown
  }

  /// The names of the fields that a dry run would change.
  private static func changed(_ trial: RESPValue?) -> [String] {
    (trial?["changes"]?.elements ?? []).flatMap { change -> [String] in
      let parts = change["fields"]?.elements ?? []
      if let field = parts.first(where: { $0["name"]?.string == "field" }) { return [field["new"]?.string ?? ""] }
      return change["change"]?.string?.hasSuffix("-set") == true ? parts.compactMap { $0["name"]?.string } : []
    }
  }
}
