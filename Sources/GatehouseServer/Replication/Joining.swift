import GatehouseCore
import GatehouseStorage
import Logging

/// A node's place in the shared log, as of its start.
struct Membership: Sendable {
  let shared: any SharedLog
  /// Nil if the shared log is still to be begun, with what this folder has.
  let place: Rejoining.Place?
  /// Until the replicator runs.
  var presence: StartPresence?

  /// Begins the shared log, if there is none, once the folder's log is open.
  func begin(_ context: ServerContext) async throws -> Replicator {
    guard place == nil else { return Replicator(context, shared, after: place?.index ?? 0, presence: presence) }
    let end = context.log.end
    do throws(SharedLogError) {
      try await shared.begin(at: SharedTail(index: 0, lsn: end.lsn, hash: end.hash, epoch: context.log.epoch))
    } catch {
      throw StartFailure.configuration(
        error == .exists
          ? "another node has begun the shared log in this moment: start this one again" : "\(error)")
    }
    try context.folder.noteShared()
    context.logger.notice("the shared log was begun with what this node has", metadata: ["lsn": "\(end.lsn)"])
    return Replicator(context, shared, after: 0)
  }
}

/// Compares a folder with the shared log before it is opened.
struct Joining {
  let folder: DataFolder
  let provider: any SharedLogProvider
  let settings: ReplicationSettings
  let follow: ServerConfiguration.Follow
  let logger: Logger

  private static let pause = Duration.milliseconds(300)

  /// Waits for the engine if it cannot be reached: without it nobody knows whether this folder's log is that of the others.
  ///
  /// - Parameter mustStop: asked while it waits.
  /// - Throws: `Rejoining.Refusal` if the folder cannot go on with the shared log.
  func run(now: UInt64, unless mustStop: () -> Bool) async throws -> Membership {
    var told: SharedLogError?
    while true {
      do {
        return try await attempt(now)
      } catch let error as SharedLogError {
        guard case .unreachable = error else { throw StartFailure.configuration("\(error)") }
        if error != told { logger.warning("\(error); trying again", metadata: ["address": "\(settings.address)"]) }
        told = error
      }
      if mustStop() { throw CancellationError() }
      try await Task.sleep(for: Self.pause)
    }
  }

  private func attempt(_ now: UInt64) async throws -> Membership {
    let shared = try await provider.open(settings, folderID: folder.manifest.folderID)
    let status = try await shared.status()
    guard let tail = status.tail else {
      if follow == .yes { throw SharedLogError.missing }
      // An engine that has lost its data must not make an old folder the truth.
      if follow == .no, folder.logMark?.isShared ?? false {
        throw StartFailure.configuration(
          "the log in \(folder.path) was shared, and there is no shared log any more at \(settings.address). If another one "
            + "was meant, give its address. If it is lost for good, compare the nodes' folders with `gatehousectl verify`, and "
            + "start the one with the newest record with --follow begin; the others join it if they have its last frame, "
            + "and else begin as copies of its folder")
      }
      return Membership(shared: shared, place: nil)
    }
    let place = try await Rejoining(folder, shared, status, tail).run(now: now)
    // On a full disk this fails, and the server should still start and answer reads.
    try? folder.noteShared()
    if let cut = place.cut {
      logger.error(
        "records that no other node has were cut off this node's log, and kept: nobody was told that they are durable",
        metadata: [
          "first": "\(cut.firstLSN)", "last": "\(cut.lastLSN)", "frames": "\(cut.frames)", "kept": "\(cut.path)",
        ])
    }
    return Membership(shared: shared, place: place)
  }
}

extension ServerContext {
  /// Closes the connections of all but subscribers once what they have asked is answered.
  func dismissClients() {
    for lane in lanes {
      lane.loop.execute {
        for connection in lane.connections.values where connection.subscriptions.isEmpty { connection.dismiss() }
      }
    }
  }

  /// Closes all connections at once, without what waits for them.
  func dropConnections() async {
    for lane in lanes {
      await lane.loop.submit { for connection in lane.connections.values { connection.close() } }
    }
  }
}
