/// Work that a decision needs and must not do itself, for it takes long: reading files, hashing a password.
///
/// A decision asks for it with `Turn.outcome(of:)`, and stops there. The work is done off the thread, while no owner is
/// held; then the command is decided again, and is given the outcome. Much may have changed by then: where the decision
/// asks for other work than was done, that is done too.
///
///     let page = try turn.outcome(of: ReadTrail(about: user, count: 20)).get()
public protocol Work: Sendable, Equatable {
  associatedtype Outcome: Sendable
}

/// Work that was done, and what came of it.
public struct FinishedWork<Kind: Work>: Sendable {
  let work: Kind
  let outcome: Kind.Outcome

  public init(_ work: Kind, _ outcome: Kind.Outcome) {
    self.work = work
    self.outcome = outcome
  }
}

extension Turn {
  /// What came of work. Where it was not done yet, the decision stops, and begins again when it is.
  public func outcome<Kind: Work>(of work: Kind) throws(Halt) -> Kind.Outcome {
    guard let done = finishedWork as? FinishedWork<Kind>, done.work == work else { throw .work(work) }
    return done.outcome
  }

  /// Another command begins.
  func forgetWork() {
    neededWork = nil
    finishedWork = nil
    hasWork = false
  }

  /// Gives the command that was begun what came of the work it has asked for.
  public func resume(with finished: any Sendable) {
    finishedWork = finished
    hasWork = true
  }
}
