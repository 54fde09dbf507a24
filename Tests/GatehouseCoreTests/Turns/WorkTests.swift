import GatehouseTestSupport
import Testing

@testable import GatehouseCore

/// A kind of work for this test.
@Suite("Work of decisions")
struct WorkTests {
  private struct Square: Work {
    typealias Outcome = Int
    let number: Int
  }

  private struct Spell: Work {
    typealias Outcome = String
    let number: Int
  }

  private final class NothingOutside: CounterReader, RefusalKeeper {
    func keep(_ refusal: RefusedLogin) {}

    func used(_ pools: [SeatKey], directory: LSN) -> (seats: [Int], lsn: LSN)? { (pools.map { _ in 0 }, 0) }
    func counters(beside directory: LSN) -> Counters? { Counters() }
  }

  private let turn: Turn

  init() {
    let directory = DirectoryState(created: 0)
    let outside = NothingOutside()
    turn = Turn(
      partitioning: Partitioning(count: 4, key: HashKey(low: 1, high: 2)), directory: directory.view,
      counters: outside, refusals: outside, folderSecret: Digest(1, 1, 1, 1),
      entropy: Entropy(fill: { _ in }, digest: CoreHarness.digest), digest: CoreHarness.digest,
      hmacSHA1: CoreHarness.hmacSHA1)
  }

  private func decide(_ body: (Turn) throws(Halt) -> Void) -> Outcome {
    turn.attempt { () throws(Halt) in try body(turn) }
  }

  @Test("a decision stops at the work it needs without changes, and continues with its outcome")
  func once() throws {
    func body(_ turn: Turn) throws(Halt) {
      turn.emit(SessionEnded(SessionID(raw: 1), UserID(raw: 1), .revoked, actorSession: nil, product: 3, workspace: 2))
      turn.reply.integer(try turn.outcome(of: Square(number: 21)))
    }
    guard case .needsWork = decide(body) else {
      Issue.record("it did not stop")
      return
    }
    #expect(turn.changes.isEmpty)
    let work = try #require(turn.neededWork as? Square)
    turn.resume(with: FinishedWorks(FinishedWork(work, 441)))
    guard case .decided = decide(body) else {
      Issue.record("it did not go on")
      return
    }
    #expect(Answer(turn.reply) == .integer(441) && turn.changes.count == 1)
  }

  @Test("the outcome of other work is not used")
  func otherWork() throws {
    turn.resume(with: FinishedWorks(FinishedWork(Square(number: 1), 1)))
    guard case .needsWork = decide({ (turn) throws(Halt) in _ = try turn.outcome(of: Square(number: 3)) }) else {
      Issue.record("it took the outcome of other work")
      return
    }
    #expect(turn.neededWork as? Square == Square(number: 3))
    guard case .needsWork = decide({ (turn) throws(Halt) in _ = try turn.outcome(of: Spell(number: 1)) }) else {
      Issue.record("it took the outcome of another kind of work")
      return
    }
    #expect(turn.neededWork as? Spell == Spell(number: 1))
  }

  @Test("a decision that needs two kinds of work gets both")
  func twoKinds() throws {
    func body(_ turn: Turn) throws(Halt) {
      turn.reply.integer(try turn.outcome(of: Square(number: 3)))
      turn.reply.reset()
      turn.reply.text(try turn.outcome(of: Spell(number: 9)))
    }
    var works = FinishedWorks()
    var needed: [any Work] = []
    while case .needsWork = decide(body) {
      let work = try #require(turn.neededWork)
      needed.append(work)
      try #require(needed.count <= 2, "it asks for the same again")
      if let square = work as? Square { works.add(FinishedWork(square, 9)) }
      if let spell = work as? Spell { works.add(FinishedWork(spell, "nine")) }
      turn.resume(with: works)
    }
    #expect(needed.count == 2 && Answer(turn.reply) == .text("nine"))
  }

  @Test("the next command does not get the outcome")
  func forgotten() {
    turn.resume(with: FinishedWorks(FinishedWork(Square(number: 1), 1)))
    OwnedArguments(["PING"]).withView { words in
      var commandIndex: Int?
      _ = turn.begin(words, on: ConnectionFacts(id: 1, service: 0, rights: .all), now: 0, commandIndex: &commandIndex)
    }
    #expect(turn.finishedWorks.isEmpty && turn.neededWork == nil)
  }
}
