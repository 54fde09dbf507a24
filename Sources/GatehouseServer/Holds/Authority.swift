import GatehouseCore
import GatehouseWire

/// On whose authority a command runs that begins in no single partition.
struct Authority: Sendable {
  let request: OwnedArguments
  let facts: ConnectionFacts
  let version: ProtocolVersion
  let now: Milliseconds

  /// Why it may not run.
  struct Refused: Error {
    let reply: EncodedReply
  }

  /// As `principal`, for a command that shows what no workspace bounds: an impersonation that is bound to one (K4)
  /// does not reach that far.
  func overEverything(_ context: ServerContext) async -> Result<Principal?, Refused> {
    let found = await principal(context)
    guard case .success(.user(let user)?) = found, user.boundTo != nil else { return found }
    let refusal = Refusal.noPermission("an impersonation outside its workspace")
    return .failure(Refused(reply: EncodedReply(refusal, version: version)))
  }

  /// Finds out on whose authority the command runs.
  func principal(_ context: ServerContext) async -> Result<Principal?, Refused> {
    var owners = OwnerSet()
    while true {
      let taken = await context.take(owners)
      let step = await resolve(taken, context)
      await context.release(taken)
      switch step {
      case .needs(let more): owners = owners.union(more)
      case .found(let principal): return .success(principal)
      case .refused(let reply): return .failure(Refused(reply: reply))
      }
    }
  }

  private enum Resolution {
    case needs(OwnerSet)
    case found(Principal?)
    case refused(EncodedReply)
  }

  private func resolve(_ taken: HeldOwners, _ context: ServerContext) async -> Resolution {
    do throws(Refusal) {
      let held = try await context.makeTurn(over: taken)
      let resolution = resolve(held.turn, taken)
      // Other lanes go on with what was found.
      await context.publish(held.turn.directory)
      return resolution
    } catch {
      return .refused(EncodedReply(error, version: version))
    }
  }

  private func resolve(_ turn: Turn, _ taken: HeldOwners) -> Resolution {
    request.withView { request in
      var place: Int?
      if case .refused = turn.begin(request, on: facts, now: now, place: &place) {
        return .refused(EncodedReply(turn.reply, horizon: 0, version: version))
      }
      defer { turn.letGo() }
      guard turn.authorityPartition != nil else { return .found(nil) }
      if case .needs(let more) = turn.decideAuthority(holding: taken.cells) { return .needs(more) }
      if turn.reply.isError { return .refused(EncodedReply(turn.reply, horizon: 0, version: version)) }
      turn.noteSeen()
      return .found(turn.principal)
    }
  }
}
