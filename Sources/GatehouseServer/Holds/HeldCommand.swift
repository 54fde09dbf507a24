import GatehouseCore
import GatehouseStorage
import GatehouseWire
import NIOCore
import Synchronization

/// A command over several owners: it takes them in ascending order, decides over all of them, appends one
/// record, applies it and lets them go.
///
/// The order is the same for everybody, so two such commands cannot wait for each other. What else wants a
/// taken partition waits in its queue. The directory comes last.
///
/// What a partition refers to in the directory, its lane must know of: before anything is let go, every lane reads
/// a directory at least as new as the one that was decided over. The reply leaves after that, so that whoever has
/// seen it finds the change on every connection.
struct HeldCommand: Sendable {
  enum Work: Sendable {
    case request(OwnedArguments, ConnectionFacts)
    /// Sessions whose time is up, with impersonations that end with them on other lanes.
    case expiry([SessionID])
  }

  let work: Work
  let owners: OwnerSet
  let version: ProtocolVersion

  func run(_ context: ServerContext) async -> EncodedReply {
    var owners = owners
    while true {
      let held = await context.take(owners)
      let result = await step(held, context)
      await context.release(held)
      switch result {
      case .needs(let more): owners = owners.union(more)
      case .done(let reply): return reply
      }
    }
  }

  private enum Step {
    case needs(OwnerSet)
    case done(EncodedReply)
  }

  /// All that happens between taking and letting go.
  private func step(_ owners: HeldOwners, _ context: ServerContext) async -> Step {
    do throws(Refusal) {
      let turn = try await context.makeTurn(over: owners)
      let result = decide(turn, owners, context)
      await context.publish(owners.directory?.state.view ?? turn.turn.directory)
      return result
    } catch {
      return .done(EncodedReply(error, version: version))
    }
  }

  /// Decides, logs and applies; nothing in it waits.
  private func decide(_ held: HeldTurn, _ owners: HeldOwners, _ context: ServerContext) -> Step {
    let turn = held.turn
    defer { turn.letGo() }
    switch work {
    case .expiry(let sessions):
      turn.beginExpiry(now: Clock.milliseconds())
      let outcome = turn.decideExpiry(sessions, home: nil, holding: owners.cells)
      return conclude(outcome, turn, owners, context, orPutBack: sessions)
    case .request(let request, let facts):
      return request.withView { request in
        var place: Int?
        if case .refused = turn.begin(request, on: facts, now: Clock.milliseconds(), place: &place) {
          return .done(EncodedReply(turn.reply, horizon: 0, version: version))
        }
        let outcome = turn.decide(holding: owners.cells, directory: owners.directory)
        return conclude(outcome, turn, owners, context)
      }
    }
  }

  /// - Parameter due: sessions that are to end later if the log does not take their end now.
  private func conclude(
    _ outcome: Outcome, _ turn: Turn, _ owners: HeldOwners, _ context: ServerContext, orPutBack due: [SessionID] = []
  ) -> Step {
    if case .needs(let more) = outcome { return .needs(more) }
    let isWrite = !turn.changes.isEmpty
    if isWrite {
      var record = ByteWriter()
      if let refusal = context.commit(turn, record: &record) {
        for cell in owners.cells {
          cell.state.putBack(due.filter { context.partitioning.partition(of: $0) == cell.index })
        }
        return .done(EncodedReply(refusal, version: version))
      }
      context.log.wake()
    }
    turn.noteSeen()
    return .done(EncodedReply(turn.reply, horizon: turn.horizon, isWrite: isWrite, version: version))
  }
}

/// A turn that one task uses between its suspensions.
struct HeldTurn: @unchecked Sendable {
  let turn: Turn
}

/// Owners that a command has taken.
struct HeldOwners: Sendable {
  let set: OwnerSet
  let cells: [HeldPartition]
  let directory: DirectoryCell?
}

extension ServerContext {
  func take(_ set: OwnerSet) async -> HeldOwners {
    var cells: [HeldPartition] = []
    cells.reserveCapacity(set.partitions.count)
    for index in set.partitions { cells.append(await partitions[index].take()) }
    let directory = set.directory ? await directory.take() : nil
    return HeldOwners(set: set, cells: cells, directory: directory)
  }

  func release(_ held: HeldOwners) async {
    if held.directory != nil { await directory.release() }
    for index in held.set.partitions.reversed() { await partitions[index].release() }
  }

  /// Has every lane read the directory at least as new as `view`. The first lane comes first, so that what it reads
  /// is never older than what another lane has decided over.
  func publish(_ view: Directory) async {
    guard publishedDirectory.load(ordering: .acquiring) < view.lsn else { return }
    for lane in lanes {
      try? await lane.loop.submit {
        lane.adopt(view)
        lane.dropForeignServices()
      }.get()
    }
    publishedDirectory.max(view.lsn, ordering: .acquiringAndReleasing)
  }

  /// The directory as the first lane reads it.
  func currentDirectory() async throws(Refusal) -> Directory {
    let lane = lanes[0]
    guard let found = try? await lane.loop.submit({ lane.directory }).get() else { throw .stopping }
    return found
  }

  /// A turn over owners that are held. The directory is read after they were taken, as they may refer to what is new
  /// in it.
  func makeTurn(over owners: HeldOwners) async throws(Refusal) -> HeldTurn {
    if let directory = owners.directory { return HeldTurn(turn: makeTurn(directory: directory.state.view)) }
    return HeldTurn(turn: makeTurn(directory: try await currentDirectory()))
  }
}

extension Refusal {
  /// The server ends, and what was asked comes too late.
  static var stopping: Refusal { Refusal(.busy, "the server is stopping") }
}
