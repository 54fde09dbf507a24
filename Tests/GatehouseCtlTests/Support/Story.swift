import Foundation
import GatehouseTestSupport

/// A few days in a small company, with every kind of change that the log can have, sent to a server in three chapters,
/// between which it may be stopped.
struct Story {
  /// A fixed time in the past, from which times in the story are counted.
  static let start: Int64 = 1_767_258_000_000
  static let chapters = 3

  static func tell(_ chapter: Int, to gate: Client) throws {
    switch chapter {
    case 0: try foundation(gate)
    case 1: try work(gate)
    default: try changes(gate)
    }
  }

  /// The company, its products and its people.
  private static func foundation(_ gate: Client) throws {
    try gate.ok("PRODUCT.CREATE payroll")
    try gate.ok("POOL.SET payroll office 5")
    try gate.ok("POOL.SET payroll office 6")
    try gate.ok("PRODUCT.CREATE planner")
    try gate.ok("WORKSPACE.CREATE studio PLAN pro")
    try gate.ok("WORKSPACE.SET studio plan enterprise")
    try gate.ok("PRODUCT.CREATE studio/clock")
    for (name, first) in [("ana", "Ana"), ("bo", "Bo"), ("cy", "Cy"), ("dora", "Dóra"), ("eli", "Eli")] {
      try gate.ok(
        "USER.CREATE \(name) FIRST \(first) LAST Silva EMAIL \(name)@acme.example PRODUCT payroll LICENCE payroll office"
      )
    }
    try gate.ok("USER.CREATE sam FIRST Sam PRODUCT payroll LICENCE payroll office ROLE super-administrator")
    try gate.ok("WORKSPACE.MEMBER studio ana")
    try gate.ok("WORKSPACE.MEMBER studio bo")
    try gate.ok("ROLE.GRANT bo training-administrator MAIN")
    try gate.ok("PRODUCT.ENABLE ana planner ADMIN")
    try gate.ok("USER.SET ana first Anna department Sales initials AS")
  }

  /// Sessions, timers, and an impersonation.
  private static func work(_ gate: Client) throws {
    let ana = try gate.fields("SESSION.CREATE ana payroll IDLE 8s")["session"] ?? ""
    let bo = try gate.fields("SESSION.CREATE bo payroll")["id"] ?? ""
    let boss = try gate.fields("SESSION.CREATE sam payroll")["session"] ?? ""
    try gate.ok("IMPERSONATE.START \(boss) ana PRODUCT payroll REASON 'a forgotten timer'")
    try gate.ok("TIMER.START ana PROJECT audit NOTE 'first draft' AT \(start)")
    try gate.ok("TIMER.STOP ana AT \(start + 7_200_000)")
    try gate.ok("TIMER.START bo AT \(start) IDEM start-of-bo")
    let entry = try gate.fields("ENTRY.ADD ana START \(start) END \(start + 3_600_000) PROJECT review")["entry"] ?? ""
    try gate.ok("ENTRY.CORRECT \(entry) END \(start + 5_400_000) NOTE longer REASON 'forgot the meeting'")
    let extra = try gate.fields("ENTRY.ADD bo START \(start) END \(start + 60_000)")["entry"] ?? ""
    try gate.ok("ENTRY.DELETE \(extra)")
    // A use is logged once it is an eighth of the idle limit later.
    pause(.milliseconds(1_200))
    try gate.ok("SESSION.CHECK \(ana)")
    try gate.ok("SESSION.REVOKE \(bo)")
  }

  /// The changes at the end.
  private static func changes(_ gate: Client) throws {
    try gate.ok("USER.RENAME cy cyrus@acme.example")
    try gate.ok("USER.STATUS dora inactive REASON 'on leave'")
    try gate.ok("PRODUCT.DISABLE dora payroll")
    try gate.ok("USER.DELETE eli REASON 'left the company'")
    try gate.ok("ROLE.REVOKE bo training-administrator")
    try gate.ok("WORKSPACE.MEMBER studio bo REMOVE")
    let service = try gate.fields("SERVICE.CREATE portal READ SESSIONS TIMERS ADMIN")
    // From the first service on, everybody must authenticate.
    try gate.ok("AUTH", "portal", service["secret"] ?? "")
    try gate.ok("SERVICE.CREATE temporary READ")
    try gate.ok("SERVICE.DELETE temporary")
    try gate.ok("TIMER.START ana WORKSPACE studio PROJECT logo AT \(start + 86_400_000)")
  }

  /// Commands after a compaction, so that archive, snapshots and log each have records of their own.
  static func tellEpilogue(to gate: Client) throws {
    try gate.ok("TIMER.STOP ana WORKSPACE studio AT \(start + 90_000_000)")
    try gate.ok(
      "USER.CREATE finn FIRST Finn LAST Jansen EMAIL finn.jansen@acme.example DEPARTMENT Training "
        + "TIMEZONE Europe/Amsterdam HIRED 2025-01-30 PRODUCT payroll LICENCE payroll office")
    try gate.ok("USER.STATUS dora active")
    // Without a service the next server answers everybody on the machine. A service's own connection ends with it.
    _ = try? gate.reply("SERVICE.DELETE portal")
  }

  /// The last commands, for a server without services.
  static func tellPostscript(to gate: Client) throws {
    try gate.ok("ENTRY.ADD finn START \(start) END \(start + 1_800_000) NOTE 'first day'")
    try gate.ok("USER.SET finn department Training")
  }
}
