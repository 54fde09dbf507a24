import GatehouseStorage

/// A node's entry among the others while it starts: it fetches its folder or restores its data, and will need the frames of
/// the shared log from then on. The entry keeps the leader from deleting them, for as long as the node lives and the shared
/// log has room (`TruncationPlan`).
///
/// It is also the first to learn that another node has the name.
final class StartPresence: Sendable {
  private let shared: any SharedLog
  private let predecessor: StartPresence?
  private let task: Task<Void, Never>

  /// - Parameters:
  ///   - entry: of the node.
  ///   - index: of the last frame that the node has or fetches.
  ///   - predecessor: that of the fetch, which this one replaces without a gap.
  ///   - onRefusal: called if the name is another live node's.
  init(
    _ shared: any SharedLog, _ entry: NodeEntry, at index: UInt64, after predecessor: StartPresence? = nil,
    onRefusal: @escaping @Sendable (SharedLogError) -> Void
  ) {
    self.shared = shared
    self.predecessor = predecessor
    var changed = entry
    changed.index = index
    changed.isCandidate = false
    let entry = changed
    task = Task {
      await predecessor?.stop()
      while !Task.isCancelled {
        var hasName = false
        do throws(SharedLogError) {
          hasName = try await shared.announce(entry)
        } catch {
          // Anything else is found, and told, by whoever starts the node.
          if case .nameTaken = error { return onRefusal(error) }
        }
        try? await Task.sleep(for: hasName ? Self.renewalPause : Self.claimPause)
      }
    }
  }

  private static let renewalPause = Duration.seconds(1)
  private static let claimPause = Duration.milliseconds(200)

  private func stop() async {
    task.cancel()
    await task.value
  }

  /// Announces nothing more: whoever has the shared log goes on with that.
  func end() async {
    await stop()
    await predecessor?.leave()
  }

  /// The node does not start: takes the entry away.
  func leave() async {
    await end()
    await shared.leave()
  }
}
