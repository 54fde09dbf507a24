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

extension Turn {
  /// The outcome of work. If it was not done yet, the decision stops, and starts over when it is.
  public func outcome<Kind: Work>(of work: Kind) throws(Halt) -> Kind.Outcome {
    guard let done = finishedWork as? FinishedWork<Kind>, done.work == work else { throw .work(work) }
    return done.outcome
  }

  /// Called when another command begins.
  func forgetWork() {
    neededWork = nil
    finishedWork = nil
    hasWork = false
  }

  /// Gives the current command the outcome of the work that it asked for.
  public func resume(with finished: any Sendable) {
    finishedWork = finished
    hasWork = true
  }
}
