import GatehouseTestSupport

/// The answers of a company, and its state changes.
extension Company {
  func next(_ state: State, _ call: Call, _ answer: Answer) -> State? {
    // The server may choose any new id.
    switch (call, answer) {
    case (.create, .number(let id)): return created(state, call, id)
    case (.open, .number(let id)): return opened(state, call, id)
    default: break
    }
    var after = state
    return expected(&after, call) == answer ? after : nil
  }

  private func created(_ state: State, _ call: Call, _ id: Int64) -> State? {
    var after = state
    guard case .create(let person) = call, refusal(of: person, in: state) == nil, !hasSeatMissing(state),
      id > 0, !state.people.values.contains(where: { $0.id == id })
    else { return nil }
    after.give(person, to: Person(id: id))
    return after
  }

  private func opened(_ state: State, _ call: Call, _ id: Int64) -> State? {
    var after = state
    guard case .open(let person) = call, loginRule(person, state) == nil,
      id > 0, !state.people.values.contains(where: { $0.sessions.contains(id) })
    else { return nil }
    after.people[person]!.sessions.insert(id)
    return after
  }

  private func nobody(_ person: Int) -> Answer { .error("NOTFOUND user \(username(person))") }

  /// Applies a call, if its answer is known in advance.
  private func expected(_ state: inout State, _ call: Call) -> Answer {
    switch call {
    case .create(let person): return refusal(of: person, in: state) ?? (hasSeatMissing(state) ? noSeats(state) : .ok)
    case .open(let person): return loginRule(person, state).map { .error("REFUSED login: \($0)") } ?? .ok
    case .mayLogIn(let person): return .text(loginRule(person, state).map { "DENY \($0)" } ?? "ALLOW")
    case .buy(let seats):
      guard seats >= state.used else { return .error("REFUSED pool: * has \(state.used) seats in use") }
      state.bought = seats
      return .ok
    case .seats: return .seats(bought: state.bought, used: state.used)
    case .look(_, let id):
      return state.people.first { $0.value.sessions.contains(id) }.map { .text(username($0.key)) } ?? .nothing
    case .close(_, let id):
      guard let owner = state.people.first(where: { $0.value.sessions.contains(id) }) else { return .number(0) }
      state.people[owner.key]!.sessions.remove(id)
      return .number(1)
    case .rename(let old, let new):
      guard let person = state.people[old] else { return nobody(old) }
      if person.standing == .deleted { return Self.deleted }
      if let refusal = refusal(of: new, in: state) { return refusal }
      state.take(old)
      state.give(new, to: person)
      return .ok
    case .delete(let person), .lock(let person), .unlock(let person), .enable(let person), .disable(let person):
      guard let found = state.people[person] else { return nobody(person) }
      if found.standing == .deleted { return Self.deleted }
      return change(&state, person, call)
    case .sessions(let person):
      return state.people[person].map { .numbers($0.sessions) } ?? nobody(person)
    case .start(let person, let note):
      guard let found = state.people[person] else { return nobody(person) }
      if found.standing == .deleted { return .error("REFUSED status: the login of \(username(person)) is deleted") }
      if found.timer != nil { return .error("CONFLICT timer-running") }
      state.people[person]!.timer = note
      return .text(note)
    case .stop(let person):
      guard let found = state.people[person] else { return nobody(person) }
      guard let note = found.timer else { return .error("NOTFOUND timer of \(username(person)) in main") }
      state.people[person]!.timer = nil
      return .text(note)
    case .running(let person):
      guard let found = state.people[person] else { return nobody(person) }
      return found.timer.map { .text($0) } ?? .nothing
    }
  }

  /// Calls that concern one existing login.
  private func change(_ state: inout State, _ person: Int, _ call: Call) -> Answer {
    if case .enable = call, !state.people[person]!.isEnabled, hasSeatMissing(state) { return noSeats(state) }
    switch call {
    case .delete:
      state.people[person] = Person(id: state.people[person]!.id, standing: .deleted, isEnabled: false)
    case .lock:
      state.people[person]!.standing = .locked
      state.people[person]!.sessions = []
    case .unlock: state.people[person]!.standing = .active
    case .enable: state.people[person]!.isEnabled = true
    default:
      state.people[person]!.isEnabled = false
      state.people[person]!.sessions = []
    }
    return .ok
  }

  private static let deleted = Answer.error("REFUSED status: the user is deleted")

  /// Why a name is not available.
  private func refusal(of name: Int, in state: State) -> Answer? {
    guard let owner = state.people[name], owner.standing != .deleted else { return nil }
    return .error("CONFLICT username: \(username(name)) belongs to user #\(owner.id)")
  }

  private func hasSeatMissing(_ state: State) -> Bool { state.used + 1 > state.bought }

  private func noSeats(_ state: State) -> Answer { .error("NOSEATS * bought \(state.bought), used \(state.used)") }

  /// Why somebody may not log in.
  private func loginRule(_ person: Int, _ state: State) -> String? {
    guard let found = state.people[person] else { return "unknown-user" }
    return switch found.standing {
    case .deleted: "status-deleted"
    case .locked: "status-locked"
    case .active: found.isEnabled ? nil : "product-disabled"
    }
  }
}
