import Synchronization

/// The requests to fronts, by route: counts by status, and times. Routes are patterns of the router such as
/// `/scim/v2/Users/{id}`, so there are only as many series as the program has routes.
package final class RequestFigures: Sendable {
  package struct Route: Hashable, Sendable {
    package let method: String
    package let pattern: String

    package init(method: String, pattern: String) {
      self.method = method
      self.pattern = pattern
    }
  }

  struct Line: Sendable {
    var statuses: [Int: UInt64] = [:]
    var nanoseconds: UInt64 = 0
    var times = LatencyHistogram()

    var count: UInt64 { statuses.values.reduce(0, +) }

    mutating func add(_ status: Int, _ nanoseconds: UInt64?) {
      statuses[status, default: 0] += 1
      guard let nanoseconds else { return }
      self.nanoseconds += nanoseconds
      times.add(nanoseconds)
    }
  }

  /// Guards against a front that would make up routes.
  private static let mostRoutes = 1000
  private static let otherRoute = Route(method: "other", pattern: "other")

  private let lines = Mutex<[Route: Line]>([:])
  private let underWay = Atomic<Int>(0)

  init() {}

  package func began() { underWay.add(1, ordering: .relaxed) }

  /// A request was answered.
  package func ended(_ route: Route, status: Int, nanoseconds: UInt64) {
    underWay.subtract(1, ordering: .relaxed)
    count(route, status: status, nanoseconds: nanoseconds)
  }

  /// A request was refused before it was known what it asks for.
  package func refused(status: Int) {
    count(Route(method: "none", pattern: "none"), status: status, nanoseconds: nil)
  }

  private func count(_ route: Route, status: Int, nanoseconds: UInt64?) {
    lines.withLock { lines in
      // Nearly always the route is known, and looked up only once.
      if lines[route]?.add(status, nanoseconds) != nil { return }
      let route = lines.count < Self.mostRoutes ? route : Self.otherRoute
      lines[route, default: Line()].add(status, nanoseconds)
    }
  }

  var inProgress: Int { underWay.load(ordering: .relaxed) }

  /// By route, in the order of their patterns.
  var all: [(route: Route, line: Line)] {
    lines.withLock { $0.map { ($0.key, $0.value) } }
      .sorted { ($0.0.pattern, $0.0.method) < ($1.0.pattern, $1.0.method) }
  }

  func reset() { lines.withLock { $0 = [:] } }
}
