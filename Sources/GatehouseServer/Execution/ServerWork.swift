import GatehouseCore
import Logging

/// Work that a decision needs and the server can do.
protocol ServerWork: Work where Outcome == Result<Product, Refusal> {
  associatedtype Product: Sendable

  /// The threads on which it is done.
  static func pool(of context: ServerContext) -> WorkPool

  /// Does the work, on a thread that may block. Errors it throws become error replies.
  ///
  /// - Parameter lastWrite: the caller's last record, which the result must take into account.
  func perform(_ context: ServerContext, after lastWrite: LSN) throws -> Product
}

extension ServerWork {
  static func pool(of context: ServerContext) -> WorkPool { context.workPool }
}

extension ServerContext {
  /// Does the work that a decision needs.
  ///
  /// - Parameters:
  ///   - ticket: with which a reader of the feed can be released.
  ///   - mayWait: whether the work may wait for something to happen.
  /// - Returns: what to resume the decision with, and for how many nanoseconds of the time nothing was done but wait.
  func perform(
    _ work: any Work, after lastWrite: LSN, _ ticket: FeedReaders.Ticket? = nil, mayWait: Bool = true
  ) async -> (finished: any Sendable, waited: UInt64) {
    if let work = work as? ReadFeed {
      return await read(work, after: lastWrite, ticket, mayWait: mayWait)
    }
    if let work = work as? WaitForRecord {
      let start = Clock.nanoseconds()
      return (await perform(work), Clock.nanoseconds(since: start))
    }
    if let work = work as? HashPasswords { return (await work.perform(self), 0) }
    guard let work = work as? any ServerWork else { preconditionFailure("nobody knows how to do \(work)") }
    return (await finish(work, after: lastWrite), 0)
  }

  /// Does work on a thread of its pool, and says there with what to resume the decision. It needs no task, because each
  /// that begins and goes on wakes another thread.
  func begin<Kind: ServerWork>(
    _ work: Kind, after lastWrite: LSN, then finish: @escaping @Sendable (any Sendable) -> Void
  ) {
    let pool = Kind.pool(of: self)
    taskBegins()
    pool.run { [self] in
      result(of: work, after: lastWrite)
    } then: { [self] outcome in
      finish(FinishedWork(work, outcome ?? .failure(surplus(of: pool))))
      taskEnds()
    }
  }

  private func finish<Kind: ServerWork>(_ work: Kind, after lastWrite: LSN) async -> any Sendable {
    let pool = Kind.pool(of: self)
    let outcome = await pool.run { [self] in result(of: work, after: lastWrite) }
    return FinishedWork(work, outcome ?? .failure(surplus(of: pool)))
  }

  /// What to answer where a pool has taken no more work.
  func surplus(of pool: WorkPool) -> Refusal {
    guard pool === passwordPool else { return Refusal(.busy, "too much of this is under way; try again") }
    facts.limits.add(.passwordQueue)
    return Refusal(
      .busy,
      "\(ClientLimit.passwordQueue.name): more passwords wait to be hashed than may wait, or are hashed within a second;"
        + " try again")
  }

  /// Does work on this thread, which may block.
  func result<Kind: ServerWork>(of work: Kind, after lastWrite: LSN = 0) -> Result<Kind.Product, Refusal> {
    do {
      return .success(try work.perform(self, after: lastWrite))
    } catch {
      return .failure(refusal(for: error, of: "\(Kind.self)"))
    }
  }

  /// What to answer where work could not be done.
  func refusal(for error: any Error, of work: String) -> Refusal {
    if let refusal = error as? Refusal { return refusal }
    logger.error("a command's work could not be done", metadata: ["work": "\(work)", "error": "\(error)"])
    // The error may name files of the machine, which only the operator may see.
    return .syntax("the work for this could not be done; the server's log says why")
  }
}
