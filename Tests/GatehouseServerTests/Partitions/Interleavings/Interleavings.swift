import Foundation

/// A model checker: runs a few threads under every interleaving of their steps (like CHESS and Loom), depth first, each
/// time from the start. A state whose continuations were all tried is not entered again; states are equal if the
/// machine is, and if each thread has done and seen the same.
///
/// The threads are real, with one running at a time, so the code itself is explored and not a model of it.
final class Interleavings: @unchecked Sendable {
  /// The threads' code, over a machine that is new for each run.
  struct Scenario {
    var bodies: [() -> Void]
    /// The error after all have ended; nil if there is none.
    var verdict: () -> String? = { nil }
  }

  struct Outcome {
    /// The number of runs.
    var runs = 0
    var states = 0
    /// A possible error, and the steps that lead to it.
    var fault: String?
  }

  /// More runs than this mean that the test is too large.
  private static let mostRuns = 400_000

  var machine: SteppedMachine
  private let fresh: SteppedMachine
  /// The running thread.
  private(set) var running = 0

  private var workers: [Worker] = []
  private let hasEnded = DispatchSemaphore(value: 0)
  /// How many threads have not reached their first step yet.
  private var starting = 0
  /// The run is abandoned: its threads run to their ends.
  private var isGivenUp = false
  private var granted: Int?

  private var outcome = Outcome()
  private var seen: Set<Int> = []
  /// The choices of this run: which event was chosen, of how many.
  private var path: [(choice: Int, of: Int)] = []
  private var depth = 0
  private var story: [(event: SteppedMachine.Event, step: SteppedMachine.Step?)] = []

  private init(_ machine: SteppedMachine) {
    fresh = machine
    self.machine = machine
  }

  /// - Parameters:
  /// - isBuffered: whether stores are delayed, see `SteppedMachine`.
  ///   - patience: how often each sleeper times out, see `SteppedMachine`.
  ///   - scenario: sets up each run.
  static func explore(
    threads: Int, isBuffered: Bool, patience: Int?, _ scenario: (Interleavings) -> Scenario
  ) -> Outcome {
    let explorer = Interleavings(SteppedMachine(threads: threads, isBuffered: isBuffered, patience: patience))
    explorer.workers = (0..<threads).map { Worker(index: $0, explorer) }
    defer { for worker in explorer.workers { worker.end() } }
    repeat {
      guard explorer.outcome.runs < mostRuns else {
        explorer.outcome.fault = "not all orders were tried within \(mostRuns) runs"
        break
      }
      explorer.run(scenario(explorer))
    } while explorer.outcome.fault == nil && explorer.turnBack()
    explorer.outcome.states = explorer.seen.count
    return explorer.outcome
  }

  // MARK: A run

  private func run(_ scenario: Scenario) {
    outcome.runs += 1
    depth = 0
    isGivenUp = false
    story.removeAll(keepingCapacity: true)
    starting = workers.count
    for (worker, body) in zip(workers, scenario.bodies) { worker.body = body }
    workers[0].go.signal()
    hasEnded.wait()
    if !isGivenUp, let wrong = scenario.verdict() { fail(wrong) }
    machine = fresh
  }

  /// Selects the next untried choices; false if there are none.
  private func turnBack() -> Bool {
    while let last = path.popLast() {
      if last.choice + 1 < last.of {
        path.append((last.choice + 1, last.of))
        return true
      }
    }
    return false
  }

  private func fail(_ what: String) {
    let way = story.map { event, step in "\(event) \(step.map { "\($0)" } ?? "")" }.joined(separator: "\n")
    outcome.fault = "\(what)\n\(way)"
  }

  // MARK: The threads' side

  /// One step of the running thread; other threads may run first.
  func take(_ step: SteppedMachine.Step) -> UInt {
    let thread = running
    if isGivenUp { return Self.answerOfRunGivenUp(step) }
    machine.announce(step, of: thread)
    if starting > 1 {
      starting -= 1
      workers[thread + 1].go.signal()
      return awaitTurn(thread) ?? Self.answerOfRunGivenUp(step)
    }
    switch advance(thread) {
    case .own(let answer): return answer
    case .other: return awaitTurn(thread) ?? Self.answerOfRunGivenUp(step)
    case .none: return Self.answerOfRunGivenUp(step)
    }
  }

  /// The running thread's view of a cell that nobody else changes; not a step.
  func look(at cell: Int) -> UInt { isGivenUp ? 0 : machine.look(at: cell, running) }

  /// The running thread increments plain memory.
  func count(datum: Int) { machine.count(datum: datum, running) }

  /// The answers of an abandoned run: all locks are free and nobody sleeps.
  private static func answerOfRunGivenUp(_ step: SteppedMachine.Step) -> UInt {
    if case .take = step { 1 } else { 0 }
  }

  /// - Returns: the answer of the thread's step; nil if the run was abandoned.
  private func awaitTurn(_ thread: Int) -> UInt? {
    workers[thread].go.wait()
    running = thread
    return isGivenUp ? nil : machine.step(thread, sleeper: granted)
  }

  private enum Turn {
    /// The running thread continues, and its step returns this.
    case own(UInt)
    /// Another thread runs now.
    case other
    /// No thread runs: the run is over or was abandoned.
    case none
  }

  /// Performs chosen events until one is a thread's step.
  private func advance(_ thread: Int) -> Turn {
    while let event = choose(running: thread) {
      switch event {
      case .flush(let other): machine.flush(other)
      case .patienceEnds(let other): machine.wakeByItself(other)
      case .step(let other, let sleeper):
        if case .sleep = machine.next(of: other) {
          _ = machine.step(other, sleeper: nil)
        } else if other == thread {
          return .own(machine.step(thread, sleeper: sleeper)!)
        } else {
          granted = sleeper
          workers[other].go.signal()
          return .other
        }
      }
    }
    return .none
  }

  /// - Returns: nil if the run is over or abandoned.
  private func choose(running thread: Int) -> SteppedMachine.Event? {
    if let fault = machine.fault { return giveUp(fault) }
    if machine.hasEnded { return nil }
    let events = machine.events(running: thread)
    if events.isEmpty { return giveUp("threads wait for ever") }
    if depth == path.count {
      if events.count > 1, !seen.insert(machine.state).inserted { return giveUp(nil) }
      path.append((0, events.count))
    }
    let event = events[path[depth].choice]
    depth += 1
    if case .step(let other, _) = event {
      story.append((event, machine.next(of: other)))
    } else {
      story.append((event, nil))
    }
    return event
  }

  private func giveUp(_ fault: String?) -> SteppedMachine.Event? {
    if let fault { fail(fault) }
    isGivenUp = true
    return nil
  }

  fileprivate func begin(_ thread: Int) { running = thread }

  fileprivate func finish(_ thread: Int) {
    machine.announce(nil, of: thread)
    workers[thread].body = nil
    if !isGivenUp, case .other = advance(thread) { return }
    if let other = workers.first(where: { $0.body != nil }) { other.go.signal() } else { hasEnded.signal() }
  }
}

/// A thread with its part of each run.
private final class Worker: @unchecked Sendable {
  let go = DispatchSemaphore(value: 0)
  var body: (() -> Void)?
  private var isEnding = false

  init(index: Int, _ explorer: Interleavings) {
    let thread = Thread { [self, unowned explorer] in
      while true {
        go.wait()
        if isEnding { return }
        explorer.begin(index)
        body?()
        explorer.finish(index)
      }
    }
    thread.start()
  }

  func end() {
    isEnding = true
    go.signal()
  }
}
