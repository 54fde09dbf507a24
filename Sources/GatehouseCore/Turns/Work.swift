/// Work that a decision needs but must not do itself, because it takes long: reading files, hashing a password.
///
/// A decision asks for it with `Turn.outcome(of:)` and stops. The work is done off the thread while no owner is held;
/// then the command is decided again with the outcome. The state may have changed by then: if the decision now asks for
/// other work, that is done too.
///     let page = try turn.outcome(of: ReadTrail(about: user, count: 20)).get()
public protocol Work: Sendable, Equatable {
  associatedtype Outcome: Sendable
}

/// Work that was done, and its outcome.
public struct FinishedWork<Kind: Work>: Sendable {
  let work: Kind
  let outcome: Kind.Outcome

  public init(_ work: Kind, _ outcome: Kind.Outcome) {
    self.work = work
    self.outcome = outcome
  }
}

/// The work that was done for one command so far: the last of each kind, because a decision may need several kinds, such
/// as a password checked and sessions searched for.
public struct FinishedWorks: Sendable {
  private var works: [any Sendable] = []

  public init() {}

  public init(_ finished: any Sendable) { add(finished) }

  /// Adds work, in place of earlier work of its kind.
  public mutating func add(_ finished: any Sendable) {
    works.removeAll { type(of: $0) == type(of: finished) }
    works.append(finished)
  }

  var isEmpty: Bool { works.isEmpty }

  func last<Kind: Work>(_ kind: Kind.Type) -> FinishedWork<Kind>? {
    for work in works { if let found = work as? FinishedWork<Kind> { return found } }
    return nil
  }
}

extension Turn {
  /// The outcome of work. If it was not done yet, the decision stops, and starts over when it is.
  public func outcome<Kind: Work>(of work: Kind) throws(Halt) -> Kind.Outcome {
    guard let done = finishedWorks.last(Kind.self), done.work == work else { throw .work(work) }
    return done.outcome
  }

  /// Asks for work before the decision is made.
  public func need(_ work: any Work) {
    neededWork = work
    hasWork = true
  }

  /// Called when another command begins.
  func forgetWork() {
    neededWork = nil
    finishedWorks = FinishedWorks()
    hasWork = false
  }

  /// Gives the current command the outcomes of the work that it asked for.
  public func resume(with finished: FinishedWorks) {
    finishedWorks = finished
    hasWork = true
  }
}
