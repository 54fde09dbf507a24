import GatehouseCore
import GatehouseStorage
import Synchronization

/// `ROLE` and `NODE.…`: what the node is, and who leads.
extension Connection {
  /// In the forms of Redis.
  func role() {
    let picture = ClusterPicture(lane.services)
    let durable = lane.services.log.durableLSN
    answer {
      switch picture.role {
      case .alone, .leading:
        $0.array(3)
        $0.text("master")
        $0.integer(durable)
        $0.array(picture.followers.count)
        for node in picture.followers {
          $0.array(3)
          $0.text(node.host)
          $0.text("\(node.port)")
          $0.text("\(node.lsn)")
        }
      case .following, .deposed:
        $0.array(5)
        $0.text("slave")
        $0.text(picture.leader?.host ?? "")
        $0.integer(picture.leader?.port ?? 0)
        $0.text(picture.leader == nil ? "connect" : "connected")
        $0.integer(durable)
      }
    }
  }

  func nodeCommand(_ command: ServerCommand.Node, _ request: Arguments) {
    switch command {
    case .list: answer { $0.nodes(ClusterPicture(self.lane.services)) }
    case .hash: hashOfChain(request)
    case .keys: keys()
    case .promote: promote(request)
    case .resign: resign()
    case .leave: leave()
    case .backup: beginBackup()
    case .read: readBackup(request)
    case .release: releaseBackup(request)
    }
  }

  private func hashOfChain(_ request: Arguments) {
    var wanted: LSN?
    if request.count > 1 {
      guard let lsn = LSN(request.string(1)) else { return refuse(.syntax("NODE.HASH takes the number of a record")) }
      wanted = lsn
    }
    let lsn = wanted
    later { context in
      let durable = context.log.durableLSN
      var reply = Reply()
      if let lsn, lsn > durable {
        reply.error(Refusal.masterDown("record \(lsn) is not here yet, only those through \(durable)").text)
        return (reply, 0)
      }
      do {
        let head = try await onOwnThread {
          let history = History(context.folder, keys: RecordIndex.keys(of: context.folder))
          let last = lsn ?? durable
          return last == 0 ? try history.head(through: 0) : try history.headOfFrame(through: last)
        }
        reply.map(2)
        reply.text("lsn")
        reply.integer(head.lsn)
        reply.text("hash")
        reply.text("\(head.hash)")
      } catch {
        reply.error(context.refusal(for: error, of: "NODE.HASH").text)
      }
      return (reply, 0)
    }
  }

  private func keys() {
    later { context in
      let lsn = context.log.durableLSN
      let store = context.folder.keys
      let summary = try? await onOwnThread(priority: .low) { store?.summary }
      let cipher = context.folder.cipher
      let ring = cipher.ring
      var reply = Reply()
      reply.map(10)
      reply.text("lsn")
      reply.integer(lsn)
      reply.given("store", (store?.id).map { "\($0)" })
      reply.given("generation", summary.map { Int64(clamping: $0.generation) })
      reply.given("nodes", summary.map { Int64(clamping: $0.nodeCount) })
      reply.given("destroyed", summary.map { "\($0.destroyed)" })
      reply.given("keys", summary.map { "\($0.keys)" })
      reply.given("ring", ring.map { "\($0.id)" })
      reply.given("master", cipher.masterID)
      reply.given("data-key", ring.map { _ in Int64(cipher.currentNumber) })
      reply.given("data-keys", ring.map { $0.dataKeys.map(String.init).joined(separator: " ") })
      return (reply, 0)
    }
  }

  // MARK: Who leads

  private static let noNodes = Refusal.rule(
    "nodes", "this server shares its log with no other", instead: "start it with --replication")

  private func promote(_ request: Arguments) {
    guard let replicator = lane.services.replicator.withLock({ $0 }) else { return refuse(Self.noNodes) }
    let name = request.string(1)
    var isForced = false
    if request.count > 2 {
      guard request.string(2).uppercased() == "FORCE" else {
        return refuse(.syntax("syntax error; NODE.PROMOTE takes FORCE or nothing behind the name"))
      }
      isForced = true
    }
    let picture = ClusterPicture(lane.services)
    guard picture.nodes.contains(where: { $0.name == name }) else {
      return refuse(
        .notFound(
          "node '\(name.prefix(128))'; those that were heard of are "
            + picture.nodes.map(\.name).joined(separator: ", ")))
    }
    if picture.role == .leading, picture.own.name == name { return answer { $0.ok() } }
    if isForced {
      guard picture.own.name == name else {
        return refuse(
          .rule("nodes", "FORCE is asked of the node that is to lead", instead: "connect to \(name), and ask there"))
      }
      return answer(once: { await replicator.force() })
    }
    answer(once: { await replicator.requestHandover(to: name) })
  }

  /// Answers `OK`, or why it does not happen.
  ///
  /// - Parameter work: returns why it does not.
  private func answer(once work: @escaping @Sendable () async -> String?) {
    later { _ in
      var reply = Reply()
      if let why = await work() { reply.error(Refusal(.busy, why).text) } else { reply.ok() }
      return (reply, 0)
    }
  }

  private func resign() {
    guard let replicator = lane.services.replicator.withLock({ $0 }) else { return refuse(Self.noNodes) }
    let picture = ClusterPicture(lane.services)
    guard picture.role == .leading else {
      return refuse(.rule("nodes", "this node does not lead", instead: "ask \(picture.leader?.name ?? "the leader")"))
    }
    guard !picture.followers.isEmpty else {
      return refuse(.rule("nodes", "there is no other node that could lead", instead: "start one first"))
    }
    answer(once: { await replicator.prepareHandover(to: nil, isAnswered: true) })
  }

  private func leave() {
    guard lane.services.replicator.withLock({ $0 }) != nil else { return refuse(Self.noNodes) }
    answer { $0.ok() }
    // A server that stops writes everything, gives up the lead and takes its name off.
    serverFacts.stop()
  }
}

extension Reply {
  fileprivate mutating func given(_ name: String, _ value: String?) {
    text(name)
    if let value { text(value) } else { null() }
  }

  fileprivate mutating func given(_ name: String, _ value: Int64?) {
    text(name)
    if let value { integer(value) } else { null() }
  }

  /// `NODE.LIST`.
  mutating func nodes(_ picture: ClusterPicture) {
    if picture.role == .alone { return array(0) }
    let end = max(picture.view.tail?.lsn ?? 0, picture.own.lsn)
    array(picture.nodes.count)
    for node in picture.nodes {
      let isLeader = node.name == picture.leader?.name
      map(12)
      text("name")
      text(node.name)
      text("host")
      text(node.host)
      text("port")
      integer(node.port)
      text("role")
      text(isLeader ? "leader" : "follower")
      text("self")
      flag(node.name == picture.own.name)
      text("candidate")
      flag(node.isCandidate)
      text("epoch")
      integer(picture.view.epoch)
      text("lsn")
      integer(node.lsn)
      text("lag")
      integer(isLeader ? 0 : end - min(end, node.lsn))
      text("index")
      integer(node.index)
      text("snapshot")
      integer(node.snapshotLSN)
      text("version")
      text(node.version)
    }
  }
}
