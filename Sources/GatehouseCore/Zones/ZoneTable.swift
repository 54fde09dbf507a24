/// A time zone under the name by which people give it.
public struct Zone: Sendable {
  /// As the database spells it: `Europe/Prague`. An alias keeps its own name.
  public let name: String
  public let rules: ZoneRules

  public static let utc = Zone(name: "UTC", rules: .utc)

  public init(name: String, rules: ZoneRules) {
    self.name = name
    self.rules = rules
  }
}

/// The time zones that decisions know of: a value that never changes, made from the system's database outside the core.
///
/// Only decisions look into it. Records carry what was decided, so the log means the same under any database.
public final class ZoneTable: Sendable {
  private let zones: [String: Zone]

  /// A table that knows UTC only: for state that nothing is decided over.
  public static let utcOnly = ZoneTable([])

  public init(_ zones: [Zone]) {
    var byName = ["utc": Zone.utc]
    for zone in zones { byName[zone.name.lowercased()] = zone }
    self.zones = byName
  }

  public var count: Int { zones.count }

  /// The zone of a name in any case.
  public func zone(_ name: String) -> Zone? { zones[name.lowercased()] }
}

/// The zone whose calendar tells a person's days, and why that one.
public struct PersonalZone: Sendable {
  public enum Source: Sendable, Equatable {
    case person
    case workspace
    /// The person's zone, as it is recorded, stands in no table, so that the workspace's counts.
    case workspaceInstead(of: String)
  }

  public let zone: Zone
  public let source: Source

  /// - Parameter name: the person's own zone; empty where none is recorded.
  init(of name: String, elseOf workspace: Workspace, _ zones: ZoneTable) {
    if let own = zones.zone(name) {
      (zone, source) = (own, .person)
    } else {
      zone = zones.zone(workspace.policies.timezone) ?? .utc
      source = name.isEmpty ? .workspace : .workspaceInstead(of: name)
    }
  }

  /// In words, after the zone's name.
  public var reason: String {
    switch source {
    case .person: "the person's time zone"
    case .workspace: "the workspace's time zone"
    case .workspaceInstead(let name): "the workspace's time zone, as the person's, \(name), is not known"
    }
  }
}

extension People {
  /// The zone in whose days a contact's dates are meant: their own, else the workspace's.
  public func zone(ofContact contact: Int, elseOf workspace: Workspace, _ zones: ZoneTable) -> PersonalZone {
    PersonalZone(of: text(.timezone, of: contact), elseOf: workspace, zones)
  }
}

/// What day it may be somewhere.
public enum Days {
  static let milliseconds: Milliseconds = 86_400_000

  /// The days that the calendars of all zones show at a moment: that of UTC and those beside it, as no zone was ever
  /// 16 hours away from UTC. What is the same on all of them needs no look at anybody's zone.
  public static func possible(at time: Milliseconds) -> ClosedRange<Int32> {
    let day = ZoneRules.utc.day(at: time)
    return day - 1...day + 1
  }
}
