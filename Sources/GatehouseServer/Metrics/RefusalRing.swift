import GatehouseCore
import Synchronization

/// The refused logins of one lane: the newest in a ring of fixed size, and counts by reason and product.
///
/// Each lane has its own ring, so that its lock is contended only while `REFUSALS.LIST` or `INFO` reads it. A refusal
/// allocates nothing, except for the first one of a product.
final class RefusalRing: RefusalKeeper {
  private struct State {
    var slots: ContiguousArray<RefusedLogin>
    var next = 0
    /// How many slots have been filled.
    var used = 0
    var counts = RefusalCounts()
  }

  private let state: Mutex<State>

  /// - Parameter size: how many refusals are kept; with 0 they are only counted.
  init(size: Int) {
    state = Mutex(State(slots: ContiguousArray(repeating: RefusedLogin(), count: size)))
  }

  func keep(_ refusal: RefusedLogin) {
    state.withLock { state in
      state.counts.add(refusal)
      guard !state.slots.isEmpty else { return }
      state.slots[state.next] = refusal
      state.next = state.next + 1 == state.slots.count ? 0 : state.next + 1
      state.used = min(state.used + 1, state.slots.count)
    }
  }

  /// The kept refusals since a time, newest first.
  func refusals(since time: Milliseconds) -> [RefusedLogin] {
    state.withLock { state in
      var found: [RefusedLogin] = []
      for age in 0..<state.used {
        let index = state.next - 1 - age
        let refusal = state.slots[index < 0 ? index + state.slots.count : index]
        if refusal.time >= time { found.append(refusal) }
      }
      return found
    }
  }

  /// Drops what is kept of users who were forgotten, and names that nobody had: a name that somebody gave up may be among
  /// them. The counts stay.
  func forget(_ users: Set<UserID>) {
    state.withLock { state in
      for index in state.slots.indices {
        let user = state.slots[index].user
        if user == .none || users.contains(user) { state.slots[index].forget() }
      }
    }
  }

  var counts: RefusalCounts { state.withLock { $0.counts } }

  var kept: Int { state.withLock { $0.used } }

  func resetCounts() { state.withLock { $0.counts = RefusalCounts() } }
}

/// Counts of refused logins, by reason and product.
struct RefusalCounts: Sendable {
  typealias Reasons = [LoginDenial: UInt64]

  /// How many products are counted separately. There may be a million products, and monitoring must not get a series
  /// for each.
  private static let mostProducts = 1000

  private(set) var reasons: Reasons = [:]
  private(set) var products: [ProductID: Reasons] = [:]
  /// The refusals of all further products.
  private(set) var others: Reasons = [:]

  /// The refusals that name no product, or none that exists.
  var unnamed: Reasons {
    var rest = reasons
    for named in products.values + [others] {
      for (denial, count) in named { rest[denial, default: 0] -= count }
    }
    return rest
  }

  var total: UInt64 { reasons.values.reduce(0, +) }

  mutating func add(_ refusal: RefusedLogin) {
    reasons[refusal.denial, default: 0] += 1
    if refusal.product != 0 { add(1, refusal.denial, of: refusal.product) }
  }

  mutating func add(_ other: RefusalCounts) {
    for (denial, count) in other.reasons { reasons[denial, default: 0] += count }
    for (product, reasons) in other.products {
      for (denial, count) in reasons { add(count, denial, of: product) }
    }
    for (denial, count) in other.others { others[denial, default: 0] += count }
  }

  private mutating func add(_ count: UInt64, _ denial: LoginDenial, of product: ProductID) {
    if products[product] != nil || products.count < Self.mostProducts {
      products[product, default: [:]][denial, default: 0] += count
    } else {
      others[denial, default: 0] += count
    }
  }
}

extension ReadRefusals: ServerWork {
  func perform(_ context: ServerContext, after lastWrite: LSN) -> [RefusedLogin] {
    let all = context.refusals.flatMap { $0.refusals(since: since) }
    return all.enumerated().sorted { ($1.element.time, $0.offset) < ($0.element.time, $1.offset) }.map(\.element)
  }
}

extension ServerContext {
  /// The counts of all lanes together.
  var refusalCounts: RefusalCounts {
    var sum = RefusalCounts()
    for ring in refusals { sum.add(ring.counts) }
    return sum
  }
}
