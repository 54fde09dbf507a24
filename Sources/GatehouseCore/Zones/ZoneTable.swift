/// A time zone with its name.
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

/// The time zones that decisions know: an immutable value made from the system's database outside the core.
///
/// Only decisions use it. Records contain what was decided, so the log means the same under any database.
public final class ZoneTable: Sendable {
  private let zones: [String: Zone]

  /// A table with only UTC: for state over which nothing is decided.
  public static let utcOnly = ZoneTable([])

  public init(_ zones: [Zone]) {
    var byName = ["utc": Zone.utc]
    for zone in zones { byName[zone.name.lowercased()] = zone }
    self.zones = byName
  }

  public var count: Int { zones.count }

  /// The zone with this name, in any case.
  public func zone(_ name: String) -> Zone? { zones[name.lowercased()] }
}

/// The zone that defines a person's days, and why it was chosen.
public struct PersonalZone: Sendable {
  public enum Source: Sendable, Equatable {
    case person
    case workspace
    /// The person's zone is in no table, so the workspace's is used.
    case workspaceInstead(of: String)
  }

  public let zone: Zone
  public let source: Source

  /// - Parameter name: the person's own zone; empty if there is none.
  init(of name: String, elseOf workspace: Workspace, _ zones: ZoneTable) {
    if let own = zones.zone(name) {
      (zone, source) = (own, .person)
    } else {
      zone = zones.zone(workspace.policies.timezone) ?? .utc
      source = name.isEmpty ? .workspace : .workspaceInstead(of: name)
    }
  }

  /// The reason in words, to follow the zone's name.
  public var reason: String {
    switch source {
    case .person: "the person's time zone"
    case .workspace: "the workspace's time zone"
    case .workspaceInstead(let name): "the workspace's time zone, because the person's, \(name), is unknown"
    }
  }
}

extension People {
  /// The zone of a contact's dates: its own, else the workspace's.
  public func zone(ofContact contact: Int, elseOf workspace: Workspace, _ zones: ZoneTable) -> PersonalZone {
    PersonalZone(of: text(.timezone, of: contact), elseOf: workspace, zones)
  }
}

/// The days that it may be somewhere in the world.
public enum Days {
  static let milliseconds: Milliseconds = 86_400_000

  /// The local days in all zones at a point in time: UTC's day and its neighbours, because no zone was ever 16 hours
  /// away from UTC. If the answer is the same for all of them, nobody's zone need be looked up.
  public static func possible(at time: Milliseconds) -> ClosedRange<Int32> {
    let day = ZoneRules.utc.day(at: time)
    return day - 1...day + 1
  }
}
