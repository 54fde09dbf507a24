import GatehouseCore
import GatehouseStorage
import Glibc
import Logging
import Synchronization

/// A server's place among the nodes that share a log.
extension GatehouseServer {
  /// How often a folder is fetched that the shared log has left behind again by the time it is here.
  private static let mostFetches = 3

  /// The data folder, opened, and its place in the shared log. A node without a folder that only joins fetches another's
  /// first, and so does one that was away for too long, if the settings say how.
  ///
  /// - Parameter existing: the folder that is there.
  func enter(_ existing: DataFolder?, _ key: MasterKey?) async throws -> (folder: DataFolder, Membership?) {
    noteNode()
    var presence: StartPresence?
    do {
      return try await enter(existing, key, &presence)
    } catch {
      await presence?.leave()
      throw error
    }
  }

  /// - Parameter presence: of the last fetch.
  private func enter(
    _ existing: DataFolder?, _ key: MasterKey?, _ presence: inout StartPresence?
  ) async throws -> (folder: DataFolder, Membership?) {
    var folder = existing
    if folder == nil, configuration.follow == .yes {
      presence = try await fetch(nil, key)
      folder = try openFolder(key)
    }
    var fetches = 0
    while true {
      let entered = try folder ?? makeFolder(key)
      do {
        return (entered, try await join(entered, after: presence))
      } catch {
        entered.close()
        guard case Rejoining.Refusal.behind = error, configuration.mayFetchAnew else { throw error }
        guard fetches < Self.mostFetches else {
          throw StartFailure.configuration(
            "the shared log has left behind each of \(fetches) folders that were fetched, because more was written "
              + "meanwhile than it keeps for a node that fetches: raise replication-slow and replication-most on the node "
              + "that leads, or start this one when less is written (\(error))")
        }
        await presence?.leave()
        presence = nil
        let aside = "\(entered.path).aside-\(UInt64(clamping: facts.clock.milliseconds))"
        logger.error(
          "this node was away for too long, and fetches another node's folder; its own is kept",
          metadata: ["reason": "\(error)", "kept": "\(aside)"])
        presence = try await fetch(entered.manifest.folderID, key, keeping: aside)
        fetches += 1
      }
      folder = try openFolder(key)
    }
  }

  private func fetch(
    _ folderID: Hash128?, _ key: MasterKey?, keeping aside: String? = nil
  ) async throws -> StartPresence? {
    guard let (settings, provider) = try replication() else { preconditionFailure("only nodes fetch folders") }
    return try await FolderFetch(
      configuration: configuration, provider: provider, settings: settings, key: key, entry: facts.node.entry,
      logger: logger, mustStop: { [stopping] in stopping.isOver }, onRefusal: onRefusal
    ).run(folderID, keeping: aside)
  }

  /// Stops a start under a name that another node has.
  private var onRefusal: @Sendable (SharedLogError) -> Void {
    { [stopping] in stopping.end(.misconfigured("\($0)")) }
  }

  /// How the log is shared; nil if it is not.
  private func replication() throws -> (settings: ReplicationSettings, provider: any SharedLogProvider)? {
    guard let settings = configuration.replicationSettings else { return nil }
    guard let provider else {
      throw StartFailure.configuration(
        "this program cannot share its log: build it with `swift build --traits Replication`, or start it without "
          + "--replication")
    }
    return (settings, provider)
  }

  private func noteNode() {
    let (configuration, facts) = (configuration, facts)
    let port = facts.port.load(ordering: .relaxed)
    let tlsPort = facts.tlsPort.load(ordering: .relaxed)
    facts.node.update { [instance] in
      $0.instance = instance
      $0.name = configuration.nodeName(port: port)
      $0.address = configuration.nodeAddress(port: port, tlsPort: tlsPort)
    }
  }

  /// Finds the place of the folder in the shared log; nil without replication.
  private func join(_ folder: DataFolder, after presence: StartPresence?) async throws -> Membership? {
    guard let (settings, provider) = try replication() else { return nil }
    facts.node.follow()
    let joining = Joining(
      folder: folder, provider: provider, settings: settings, follow: configuration.follow, logger: logger)
    var membership = try await joining.run(now: UInt64(clamping: facts.clock.milliseconds)) { [stopping] in
      stopping.isOver
    }
    if let place = membership.place {
      membership.presence = StartPresence(
        membership.shared, facts.node.entry, at: place.index, after: presence, onRefusal: onRefusal)
    }
    let place = membership.place
    facts.node.update {
      $0.index = place?.index ?? 0
      $0.cut = place?.cut
    }
    return membership
  }
}
