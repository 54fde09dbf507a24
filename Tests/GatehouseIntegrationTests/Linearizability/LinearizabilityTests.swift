import Foundation
import GatehouseTestSupport
import GatehouseWire
import Synchronization
import Testing

/// Concurrent clients get answers that some sequential order would also give.
///
/// Lists over all partitions are excluded: they leave partitions between slices, and show either state of what changes
/// meanwhile.
@Suite("Linearizability: concurrent clients", .serialized, .blocking)
struct LinearizabilityTests {
  /// One round of each layout by default; `GATEHOUSE_HISTORIES` sets another number.
  static let rounds = ProcessInfo.processInfo.environment["GATEHOUSE_HISTORIES"].flatMap { Int($0) } ?? 1
  static let clients = 10
  static let callsOfClient = 500
  static let people = 4

  /// An object and the calls to it.
  private struct Watched<Object: SequentialObject>: Sendable {
    let object: Object
    let history = History<Object>()
  }

  private struct World: Sendable {
    let companies: [Watched<Company>]
    let services: Watched<NameSet>
    let workspaces: Watched<NameSet>
    /// Tokens of sessions that were opened in each company.
    let tokens: [Collected<(token: String, id: Int64)>]

    init(_ round: Int) {
      companies = (0..<5).map { Watched(object: Company(name: "r\(round)c\($0)")) }
      tokens = companies.map { _ in Collected() }
      services = Watched(object: NameSet(kind: .service, prefix: "r\(round)-"))
      workspaces = Watched(object: NameSet(kind: .workspace, prefix: "r\(round)-"))
    }
  }

  @Test("all answers fit one order of the calls", arguments: Layout.several)
  func histories(layout: Layout) throws {
    let server = try TestServer(.init(layout))
    let gate = try server.client()
    let secret = try #require(try gate.fields("SERVICE.CREATE ops ADMIN SESSIONS TIMERS")["secret"])
    try gate.ok("WORKSPACE.SET main policy.delete.keep-tracked off policy.delete.needs-reason off")
    for round in 0..<Self.rounds {
      let world = World(round)
      for company in world.companies {
        try gate.ok("PRODUCT.CREATE \(company.object.product)")
        try gate.ok("POOL.SET \(company.object.product) * \(Company.seatsAtFirst)")
      }
      let seed = UInt64.random(in: 0...UInt64.max)
      try inParallel(Self.clients) { worker in
        let client = try server.client(.resp2)
        try client.ok("HELLO 3 AUTH ops \(secret)")
        var random = SeededRandom(seed: seed &+ UInt64(worker))
        for number in 0..<Self.callsOfClient {
          try Self.ask(client, world, "w\(worker)-\(number)", &random)
        }
      }
      for company in world.companies { try Self.check(company) }
      try Self.check(world.services)
      try Self.check(world.workspaces)
    }
  }

  // MARK: Asking

  private static func ask(_ client: Client, _ world: World, _ note: String, _ random: inout SeededRandom) throws {
    let chance = Int.random(in: 0..<100, using: &random)
    if chance < 8 { return try ask(client, world.services, isShrinking: true, &random) }
    if chance < 12 { return try ask(client, world.workspaces, isShrinking: false, &random) }
    let place = Int.random(in: 0..<world.companies.count, using: &random)
    let (company, history) = (world.companies[place].object, world.companies[place].history)
    let call = self.call(note, world.tokens[place].all, &random)
    try history.record(call) {
      let reply = try client.pipeline([company.words(of: call)])[0]
      let answer = company.answer(reply, to: call)
      if case .open = call, case .number(let id) = answer, let token = Fields(reply)?["session"] {
        world.tokens[place].add((token, id))
      }
      return answer
    }
  }

  private static func ask(
    _ client: Client, _ names: Watched<NameSet>, isShrinking: Bool, _ random: inout SeededRandom
  ) throws {
    let name = names.object.prefix + String(Int.random(in: 0..<(isShrinking ? 6 : 60), using: &random))
    let call: NameSet.Call =
      switch Int.random(in: 0..<4, using: &random) {
      case 0: .list
      case 1 where isShrinking: .remove(name)
      default: .add(name)
      }
    try names.history.record(call) {
      names.object.answer(try client.pipeline([names.object.words(of: call)])[0], to: call)
    }
  }

  private static func call(
    _ note: String, _ tokens: [(token: String, id: Int64)], _ random: inout SeededRandom
  ) -> Company.Call {
    let person = Int.random(in: 0..<people, using: &random)
    // Mostly recent ones: the others are over.
    let token = tokens.suffix(4).randomElement(using: &random)
    switch Int.random(in: 0..<24, using: &random) {
    case 0...2: return .create(person)
    case 3: return .delete(person)
    case 4...5: return .rename(person, (person + Int.random(in: 1..<people, using: &random)) % people)
    case 6: return .lock(person)
    case 7...8: return .unlock(person)
    case 9...10: return .enable(person)
    case 11: return .disable(person)
    case 12: return .buy(Int64.random(in: 1...Int64(people), using: &random))
    case 13: return .seats
    case 14: return .mayLogIn(person)
    case 15: return .sessions(person)
    case 16: return .start(person, note: note)
    case 17: return .stop(person)
    case 18: return .running(person)
    case 19: return token.map { .close(token: $0.token, $0.id) } ?? .seats
    case 20...21: return token.map { .look(token: $0.token, $0.id) } ?? .seats
    default: return .open(person)
    }
  }

  // MARK: Checking

  private static func check<Object: SequentialObject>(_ watched: Watched<Object>) throws {
    let history = watched.history.all
    var check = Linearizability(of: history, object: watched.object)
    switch check.check() {
    case .linearizable: break
    case .impossible(let way): Issue.record("\(watched.object): \(way)")
    case .undecided: Issue.record("\(watched.object): the search was given up after \(history.count) calls")
    }
  }

  @Test("one wrong answer in a company's history is detected")
  func plantedAnswers() throws {
    let server = try TestServer(.init(lanes: 2))
    let gate = try server.client()
    let company = Company(name: "one")
    let history = History<Company>()
    try gate.ok("PRODUCT.CREATE \(company.product)")
    try gate.ok("POOL.SET \(company.product) * \(Company.seatsAtFirst)")
    let calls: [Company.Call] = [
      .create(0), .create(1), .create(2), .mayLogIn(0), .disable(1), .seats, .open(0), .sessions(0),
      .start(1, note: "x"), .start(1, note: "y"), .running(1), .rename(1, 0), .rename(1, 3), .running(3), .stop(3),
    ]
    for call in calls {
      try history.record(call) { company.answer(try gate.pipeline([company.words(of: call)])[0], to: call) }
    }
    let entries = history.all
    func isLinearizable(_ entries: [HistoryEntry<Company.Call, Company.Answer>]) -> Bool {
      var check = Linearizability(of: entries, object: company)
      if case .linearizable = check.check() { return true }
      return false
    }
    #expect(isLinearizable(entries))
    for index in entries.indices {
      let entry = entries[index]
      let answers: [Company.Answer] = [
        .ok, .nothing, .number(0), .seats(bought: 2, used: 2), .text("z"), .error("NOSEATS"),
      ]
      for wrong in answers where wrong != entry.answer {
        var changed = entries
        changed[index] = HistoryEntry(entry.call, wrong, began: entry.began, ended: entry.ended)
        #expect(!isLinearizable(changed), "\(entry.call) → \(wrong)")
      }
    }
  }
}
