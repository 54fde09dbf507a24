/// What many people have in common, and by which lists and counts select them.
struct Facet: Hashable, Sendable {
  private let code: UInt64

  private init(_ kind: UInt64, _ value: some BinaryInteger) { code = kind << 56 | UInt64(value) }

  static func status(_ status: Status) -> Facet { Facet(1, status.rawValue) }
  /// A membership, of whatever time.
  static func workspace(_ id: WorkspaceID) -> Facet { Facet(2, id) }
  /// Access that is enabled, at whatever time it is open.
  static func product(_ id: ProductID) -> Facet { Facet(3, id) }
  /// A grant, in whatever scope and at whatever time.
  static func role(_ role: Role) -> Facet { Facet(4, role.number) }
  /// The main account of today in a workspace, the Guest Account where nobody employs the person there. Only where the
  /// days of the employments leave no doubt.
  static func mainAccount(_ id: AccountID) -> Facet { Facet(6, id) }
  /// The days of the employments leave a doubt.
  static let dated = Facet(7, 0)
  /// Something of the person has time limits, so that only a look at the row tells what holds now.
  static let limited = Facet(5, 0)
}

/// Which rows of a table have which facets.
///
/// It follows from the rows, and neither log nor snapshot contains it. Rows are filed a few at a time, by the upkeep of
/// the lanes or by the next list. From then on it is exact: a change of a filed row files it anew, which costs well
/// under a microsecond, and nothing while a partition has not been filed, as after a start. Logins, sessions and timers
/// change no facet.
public struct FacetIndex: Sendable {
  private(set) var sets: [Facet: SerialSet] = [:]
  /// Rows up to this one are filed.
  private(set) var last = 0

  /// When the newest of the filed rows was created.
  private var newest = Milliseconds.min
  /// By how much a row can be older than one before it: two threads create people at once, and a clock may be set.
  private(set) var disorder: Milliseconds = 0

  subscript(facet: Facet) -> SerialSet? { sets[facet] }

  /// Files the row after the last one.
  /// - Parameter created: when it was created; nil if it is not in use.
  mutating func fileNext(_ facets: [Facet], created: Milliseconds?) {
    last += 1
    if let created {
      newest = max(newest, created)
      disorder = max(disorder, newest - created)
    }
    for facet in facets { sets[facet, default: .empty].insert(last) }
  }

  /// Files a row anew.
  mutating func refile(_ serial: Int, from old: [Facet], to new: [Facet]) {
    for facet in old where !new.contains(facet) {
      sets[facet]?.remove(serial)
      if sets[facet]?.isEmpty ?? false { sets[facet] = nil }
    }
    for facet in new where !old.contains(facet) { sets[facet, default: .empty].insert(serial) }
  }
}
