import GatehouseCore
import Logging

/// Work that a decision needs and the server can do.
protocol ServerWork: Work where Outcome == Result<Product, Refusal> {
  associatedtype Product: Sendable

  /// Does the work, on a thread that may block. Errors it throws become error replies.
  ///
  /// - Parameter lastWrite: the caller's last record, which the result must take into account.
  func perform(_ context: ServerContext, after lastWrite: LSN) throws -> Product
}

extension ServerContext {
  /// Does the work that a decision needs.
  ///
  /// - Returns: what to resume the decision with.
  func perform(_ work: any Work, after lastWrite: LSN) async -> any Sendable {
    guard let work = work as? any ServerWork else { preconditionFailure("nobody knows how to do \(work)") }
    return await finish(work, after: lastWrite)
  }

  private func finish<Kind: ServerWork>(_ work: Kind, after lastWrite: LSN) async -> any Sendable {
    let outcome = await workPool.run { [self] in
      do {
        return Result<Kind.Product, Refusal>.success(try work.perform(self, after: lastWrite))
      } catch let refusal as Refusal {
        return .failure(refusal)
      } catch {
        logger.error("a command's work could not be done", metadata: ["work": "\(Kind.self)", "error": "\(error)"])
        // The error may name files of the machine, which only the operator may see.
        return .failure(.syntax("the work for this could not be done; the server's log says why"))
      }
    }
    return FinishedWork(work, outcome ?? .failure(Refusal(.busy, "too much of this is under way; try again")))
  }
}
