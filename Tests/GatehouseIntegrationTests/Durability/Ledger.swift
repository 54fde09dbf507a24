import GatehouseTestSupport
import GatehouseWire

/// What one client of the kill test did, what the server acknowledged, and the one command whose answer never came
/// because the server was killed.
///
/// Each ledger owns its people, so what is known of them is exact: after a restart the server must show everything
/// acknowledged, with the command in doubt done completely or not at all.
struct Ledger {
  /// The state of a person as the server shows it.
  struct View: Equatable {
    var enabled = true
    var sessions: Set<String> = []
    /// The note of the running timer.
    var running: String?
    /// The notes of the finished entries.
    var finished: Set<String> = []
  }

  enum Step {
    case create(String)
    case createSession(String)
    case revoke(String, session: String)
    case startTimer(String, note: String)
    case stopTimer(String)
    case disable(String)
    case enable(String)
    case rename(String, to: String)

    var words: [String] {
      switch self {
      case .create(let name): ["USER.CREATE", name, "PRODUCT", "payroll"]
      case .createSession(let name): ["SESSION.CREATE", name, "payroll", "TTL", "1h"]
      case .revoke(_, let session): ["SESSION.REVOKE", session]
      case .startTimer(let name, let note): ["TIMER.START", name, "NOTE", note]
      case .stopTimer(let name): ["TIMER.STOP", name]
      case .disable(let name): ["PRODUCT.DISABLE", name, "payroll"]
      case .enable(let name): ["PRODUCT.ENABLE", name, "payroll"]
      case .rename(let name, let new): ["USER.RENAME", name, new]
      }
    }
  }

  let worker: Int
  private(set) var people: [String: View] = [:]
  /// Names that were given up and must lead nowhere.
  private(set) var gone: Set<String> = []
  private var doubtful: Step?
  private var touched: Set<String> = []
  private var recent: [String] = []
  private var created = 0
  private var notes = 0
  private var random: SeededRandom

  init(worker: Int, seed: UInt64) {
    self.worker = worker
    random = SeededRandom(seed: seed)
  }

  var enabledCount: Int { people.values.count { $0.enabled } }

  // MARK: Working

  /// Sends commands until the connection breaks; an error reply fails the test.
  mutating func work(on client: Client) throws {
    while true {
      let step = nextStep()
      doubtful = step
      guard let reply = try? client.pipeline([step.words])[0] else { return }
      if let error = reply.errorText {
        throw TestFailure("\(step.words.joined(separator: " ")) was answered with the error “\(error)”")
      }
      var session: String?
      if case .createSession = step { session = Fields(reply)?["id"] }
      apply(step, session: session)
      doubtful = nil
    }
  }

  private mutating func nextStep() -> Step {
    guard let name = recent.randomElement(using: &random), let view = people[name],
      Int.random(in: 0..<8, using: &random) > 0
    else {
      created += 1
      return .create("w\(worker)-\(created)")
    }
    switch Int.random(in: 0..<10, using: &random) {
    case 0 where view.enabled: return .disable(name)
    case 1: return .rename(name, to: "\(name)'")
    case 2...4 where view.running == nil && view.finished.count < 40:
      notes += 1
      return .startTimer(name, note: "note \(notes)")
    case 5...6 where view.running != nil: return .stopTimer(name)
    case 7:
      if let session = view.sessions.randomElement(using: &random) { return .revoke(name, session: session) }
      fallthrough
    default:
      if !view.enabled { return .enable(name) }
      if view.running != nil { return .stopTimer(name) }
      return .createSession(name)
    }
  }

  private mutating func apply(_ step: Step, session: String?) {
    for (name, view) in outcome(of: step, session: session) {
      touched.insert(name)
      if let view {
        if people.updateValue(view, forKey: name) == nil { recent.append(name) }
        gone.remove(name)
      } else {
        people[name] = nil
        gone.insert(name)
        recent.removeAll { $0 == name }
      }
    }
    // Working on few people at a time gives each of them a longer history.
    if recent.count > 6 { recent.removeFirst(recent.count - 6) }
  }

  /// The views after a step, by name; nil for a name that no longer exists.
  private func outcome(of step: Step, session: String?) -> [String: View?] {
    switch step {
    case .create(let name): return [name: View()]
    case .createSession(let name): return changed(name) { $0.sessions.insert(session ?? "?") }
    case .revoke(let name, let session): return changed(name) { $0.sessions.remove(session) }
    case .startTimer(let name, let note): return changed(name) { $0.running = note }
    case .stopTimer(let name):
      return changed(name) {
        $0.finished.insert($0.running!)
        $0.running = nil
      }
    case .disable(let name):
      return changed(name) {
        $0.enabled = false
        $0.sessions = []
      }
    case .enable(let name): return changed(name) { $0.enabled = true }
    case .rename(let name, let new): return [name: View?.none, new: people[name]]
    }
  }

  private func changed(_ name: String, _ change: (inout View) -> Void) -> [String: View?] {
    var view = people[name]!
    change(&view)
    return [name: view]
  }

  // MARK: Checking

  /// Finds out from the server whether the command in doubt took effect, then compares.
  ///
  /// - Parameter everybody: compare all people, not only those changed since the last time.
  mutating func check(against client: Client, everybody: Bool) throws {
    if let step = doubtful { try settle(step, client) }
    doubtful = nil
    let names = everybody ? Set(people.keys).union(gone) : touched
    touched = []
    let shown = try Self.views(of: Array(names), client)
    for name in names where shown[name]! != people[name] {
      throw TestFailure(
        "\(name): acknowledged \(people[name].map { "\($0)" } ?? "gone"), "
          + "but after the restart there is \(shown[name]!.map { "\($0)" } ?? "nobody")")
    }
  }

  private mutating func settle(_ step: Step, _ client: Client) throws {
    var session: String?
    let before = people
    let names = Array(outcome(of: step, session: nil).keys)
    let shown = try Self.views(of: names, client)
    if names.allSatisfy({ shown[$0]! == before[$0] }) { return touched.formUnion(names) }
    if case .createSession(let name) = step {
      // Its id was never received; it is the unknown one.
      let unknown = (shown[name]??.sessions ?? []).subtracting(before[name]?.sessions ?? [])
      session = unknown.count == 1 ? unknown.first : nil
    }
    apply(step, session: session)
    for name in names where shown[name]! != people[name] {
      throw TestFailure(
        "\(step.words.joined(separator: " ")) was in doubt: expected \(name) to be as before, "
          + "\(before[name].map { "\($0)" } ?? "nobody"), or as after, \(people[name].map { "\($0)" } ?? "nobody"), "
          + "but there is \(shown[name]!.map { "\($0)" } ?? "nobody")")
    }
  }

  /// Each person as the server shows it, nil for an unknown one; requested in one pipeline.
  private static func views(of names: [String], _ client: Client) throws -> [String: View?] {
    var result: [String: View?] = [:]
    for start in stride(from: 0, to: names.count, by: 200) {
      let part = names[start..<min(start + 200, names.count)]
      let replies = try client.pipeline(
        part.flatMap { name in
          [
            ["LOGIN.CHECK", name, "payroll"], ["SESSION.LIST", name], ["TIMER.CURRENT", name], ["ENTRY.LIST", name],
          ]
        })
      for (index, name) in part.enumerated() {
        result[name] = .some(try view(of: name, Array(replies[index * 4..<index * 4 + 4])))
      }
    }
    return result
  }

  private static func view(of name: String, _ replies: [RESPValue]) throws -> View? {
    let login = replies[0].scalarText
    if login == "DENY unknown-user" { return nil }
    guard login == "ALLOW" || login == "DENY product-disabled" else {
      throw TestFailure("LOGIN.CHECK \(name) payroll was answered with \(replies[0])")
    }
    var view = View(enabled: login == "ALLOW")
    view.sessions = Set(replies[1].items.compactMap { Fields($0)?["id"] })
    view.running = replies[2].isNull ? nil : Fields(replies[2])?["note"]
    let entries = replies[3].items.count == 2 ? replies[3].items[1].items : []
    view.finished = Set(entries.compactMap { Fields($0)?["note"] })
    guard view.finished.count == entries.count else { throw TestFailure("\(name) has an entry twice: \(replies[3])") }
    return view
  }
}
