import GatehouseTestSupport
import GatehouseWire

/// A company as a sequential object: a few usernames, a product with a seat pool, sessions and running timers. Its
/// calls involve the partitions of names, people and tokens, the directory, and the gate, which counts the seats.
struct Company: SequentialObject {
  /// A name that is unique on the server.
  let name: String

  var product: String { "\(name)-portal" }

  func username(_ person: Int) -> String { "\(name)-\(person)" }

  // MARK: State

  enum Standing: Hashable { case active, locked, deleted }

  struct Person: Hashable {
    var id: Int64
    var standing = Standing.active
    var isEnabled = true
    var timer: String?
    var sessions: Set<Int64> = []
  }

  struct State: Hashable {
    var bought: Int64
    /// By their names' numbers.
    var people: [Int: Person] = [:]
    /// Those who are deleted and whose names somebody else got since, the last one last.
    var former: [Int: [Person]] = [:]

    /// Gives a name to somebody instead of its last holder, who is deleted.
    mutating func give(_ name: Int, to person: Person) {
      if let last = people[name] { former[name, default: []].append(last) }
      people[name] = person
    }

    /// Takes a name from its holder, and returns it to the one before.
    mutating func take(_ name: Int) {
      people[name] = former[name]?.popLast()
      if former[name]?.isEmpty == true { former[name] = nil }
    }

    var used: Int64 { people.values.reduce(0) { $0 + ($1.isEnabled ? 1 : 0) } }
  }

  static let seatsAtFirst: Int64 = 2

  var initial: State { State(bought: Self.seatsAtFirst) }

  // MARK: Calls

  enum Call: Sendable {
    case create(Int), delete(Int), rename(Int, Int), lock(Int), unlock(Int)
    case enable(Int), disable(Int), buy(Int64), seats
    case mayLogIn(Int), open(Int), look(token: String, Int64), close(token: String, Int64), sessions(Int)
    case start(Int, note: String), stop(Int), running(Int)
  }

  enum Answer: Sendable, Hashable {
    case ok, nothing
    case number(Int64)
    case numbers(Set<Int64>)
    case seats(bought: Int64, used: Int64)
    case text(String)
    /// The text before the advice at its end.
    case error(String)
  }

  func words(of call: Call) -> [String] {
    switch call {
    case .create(let person): ["USER.CREATE", username(person), "PRODUCT", product]
    case .delete(let person): ["USER.DELETE", username(person)]
    case .rename(let old, let new): ["USER.RENAME", username(old), username(new)]
    case .lock(let person): ["USER.STATUS", username(person), "locked"]
    case .unlock(let person): ["USER.STATUS", username(person), "active"]
    case .enable(let person): ["PRODUCT.ENABLE", username(person), product]
    case .disable(let person): ["PRODUCT.DISABLE", username(person), product]
    case .buy(let seats): ["POOL.SET", product, "*", String(seats)]
    case .seats: ["POOL.LIST", product]
    case .mayLogIn(let person): ["LOGIN.CHECK", username(person), product]
    case .open(let person): ["SESSION.CREATE", username(person), product]
    case .look(let token, _): ["SESSION.CHECK", token]
    case .close(let token, _): ["SESSION.REVOKE", token]
    case .sessions(let person): ["SESSION.LIST", username(person)]
    case .start(let person, let note): ["TIMER.START", username(person), "NOTE", note]
    case .stop(let person): ["TIMER.STOP", username(person)]
    case .running(let person): ["TIMER.CURRENT", username(person)]
    }
  }

  func answer(_ reply: RESPValue, to call: Call) -> Answer {
    if let error = reply.errorText {
      // Who has the seats is not part of the model.
      let rule = error.prefix { $0 != ";" }
      return .error(String(rule.firstRange(of: " by ").map { rule[..<$0.lowerBound] } ?? rule))
    }
    if reply.isNull { return .nothing }
    let fields = Fields(reply)
    return switch call {
    case .create, .open: .number(fields?.integer("id") ?? -1)
    case .close: .number(reply.integer ?? -1)
    case .look: .text(fields?["username"] ?? "?")
    case .start, .stop, .running: .text(fields?["note"] ?? "?")
    case .mayLogIn: .text(reply.string ?? "?")
    case .sessions: .numbers(Set(reply.items.compactMap { Fields($0)?.integer("id") }))
    case .seats:
      reply.items.first.flatMap { Fields($0) }
        .map { .seats(bought: $0.integer("bought") ?? -1, used: $0.integer("used") ?? -1) } ?? .nothing
    case .delete, .rename, .lock, .unlock, .enable, .disable, .buy: reply.string == "OK" ? .ok : .text("\(reply)")
    }
  }
}
