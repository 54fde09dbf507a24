package import GatehouseCore
internal import Glibc

/// The log that the nodes of a cluster share. An engine on several machines keeps it, which syncs before it acknowledges
/// and compares the writer's epoch in every append.
///
/// One node leads: it writes every frame to its own files and to the shared log, and acknowledges a record once both have
/// it. The others follow: they take the frames as they are, write them to files of their own and apply them. So every node
/// has a whole data folder, the hash chain is the same everywhere, and the shared log needs to keep only what some node
/// does not have yet.
///
/// The epoch is the fence: whoever leads raises it, and from then on no append of an older epoch succeeds. The lease only
/// says who leads, and how long a leader may believe that it still does.
package protocol SharedLog: AnyObject, Sendable {
  /// What the shared log is like now, read so that nothing acknowledged before is missing.
  func status() async throws(SharedLogError) -> SharedLogStatus

  /// Begins the shared log where a folder's log ends. Throws `.exists` if it was begun already.
  func begin(at tail: SharedTail) async throws(SharedLogError)

  /// Says what this node is and how far it has got, until `leave` or until its lease ends. Called whenever that changes,
  /// and about every second; more often while it returns false.
  ///
  /// - Returns: whether the node has its name. False while an entry stands that another process has made under it, which
  ///   was perhaps this node before it was killed: such an entry ends with its lease.
  /// - Throws: `.nameTaken` once that entry was renewed again and again, so that its node lives.
  func announce(_ node: NodeEntry) async throws(SharedLogError) -> Bool

  /// Frames after an index, in order and without a gap; as many as fit into a few megabytes, none if there are none yet.
  /// Throws `.truncated` if some of them are not kept any more.
  func frames(after index: UInt64) async throws(SharedLogError) -> [SharedFrame]

  /// Hands out what happens, from the frame after an index on: first what is there already, then what comes. It ends only
  /// with the task, by throwing `.truncated`, or by throwing on what `handle` throws; whatever else goes wrong, it connects
  /// again and goes on without a gap.
  ///
  /// - Parameters:
  ///   - index: the last frame that is known; `.max` for no frames at all, which is how a leader listens.
  ///   - handle: called for one piece of news after the other.
  func follow(after index: UInt64, _ handle: @escaping @Sendable (SharedNews) async throws -> Void) async throws

  /// Becomes the leader if nobody is, and raises the epoch.
  ///
  /// - Parameters:
  ///   - replaced: the epoch of a leader that is to be replaced although its lease has not ended. It can append nothing
  ///     from then on. It may still answer reads for a moment, which this call waits for.
  ///   - least: the new epoch is greater than this one, too.
  /// - Returns: nil if somebody else leads, or the task was cancelled.
  func lead(
    as node: NodeEntry, replacing replaced: UInt64?, above least: UInt64
  ) async throws(SharedLogError) -> (any Leadership)?

  /// Asks the leader to hand over to a node (`SharedNews.handover`). The answer is in the `status`. A request that the
  /// leader has not taken yet is replaced; while one is taken, no other can be made.
  func requestHandover(to node: String) async throws(SharedLogError) -> HandoverRequest

  /// Answers a request, or withdraws it.
  ///
  /// - Parameters:
  ///   - request: as it was seen.
  ///   - answer: nil withdraws it.
  /// - Returns: false if it is not as it was seen any more, so that nothing was changed. Whoever tries again after a lost
  ///   answer learns what became of the first attempt.
  func settle(_ request: HandoverRequest, _ answer: HandoverRequest.Answer?) async throws(SharedLogError) -> Bool

  /// Deletes the frames through an index, which no node needs any more. It works also while the engine has no space.
  func truncate(through index: UInt64) async throws(SharedLogError)

  /// Has the engine forget what it keeps of earlier states, so that it can use the space again. It works also while the
  /// engine has no space.
  func compact() async throws(SharedLogError)

  /// Takes the node's entry away. Called last.
  func leave() async
}

/// The right to write the shared log, from the moment it was given until another node has a newer epoch.
package protocol Leadership: AnyObject, Sendable {
  /// Greater than that of every frame before.
  var epoch: UInt64 { get }

  /// The end of the shared log when the leadership began: what the leader must have applied before it writes.
  var tail: SharedTail { get }

  /// Until when, in `LeaseClock`'s time, nobody else can have become the leader by an ended lease. Nothing that a
  /// command has read may leave the server after that. Lock-free, since it is asked for every reply.
  var validUntil: UInt64 { get }

  /// The sink for `LogWriter`, made once. It is fenced: it throws `LogFault.fenced` as soon as the leadership is over, and
  /// `LogFault.full` while the shared log has no room.
  ///
  /// A sync of unknown outcome is resolved by reading the tail, never by guessing, and `sync` returns only then.
  func makeSink() -> sending any LogSink

  /// How many bytes of frames the shared log keeps, and how much it may keep.
  var room: (kept: UInt64, limit: UInt64) { get }

  /// Returns once the leadership is over for good, with the reason: somebody else leads, or nothing was heard of the engine
  /// until one more lease after `validUntil` had passed. From then on the sink throws `LogFault.fenced` in any call, also in
  /// one that still waits for an outcome.
  func end() async -> String

  /// Gives it up, so that another node can lead at once. Everything must be written, and nothing may follow.
  func resign() async
}

/// The end of the shared log.
package struct SharedTail: Sendable, Equatable {
  /// The index of the last frame; 0 if there is none. Frames without records, such as clean ends, count.
  package var index: UInt64
  /// The last record.
  package var lsn: LSN
  /// The last frame's hash in the chain.
  package var hash: Hash128
  /// The epoch of the writer of the last frame.
  package var epoch: UInt64

  package init(index: UInt64, lsn: LSN, hash: Hash128, epoch: UInt64) {
    self.index = index
    self.lsn = lsn
    self.hash = hash
    self.epoch = epoch
  }
}

package struct SharedFrame: Sendable, Equatable {
  package var index: UInt64
  /// Header and stored body, as the leader wrote them.
  package var bytes: [UInt8]

  package init(index: UInt64, bytes: [UInt8]) {
    self.index = index
    self.bytes = bytes
  }
}

/// A piece of news of the shared log.
package enum SharedNews: Sendable, Equatable {
  /// The next frames.
  case frames([SharedFrame])
  /// Everything was handed out that was acknowledged before `asked`, in `LeaseClock`'s time. Comes several times a
  /// second, also if nothing happens.
  case current(asked: UInt64)
  /// Who leads now; nil if nobody does.
  case leader(LeaderEntry?)
  /// The leader is asked to hand over. Told again to whoever connects anew, until it is answered.
  case handover(HandoverRequest)
}

/// A request that the leader of an epoch hands over to a node.
package struct HandoverRequest: Sendable, Equatable {
  package enum Answer: Sendable, Equatable {
    /// The leader has not seen it yet.
    case pending
    /// The leader writes what it has accepted, and hands over then.
    case taken
    /// It does not happen, and this is why.
    case refused(String)
  }

  package var node: String
  package var epoch: UInt64
  /// Tells two requests apart; 0 if an earlier version has made it.
  package var number: UInt64
  package var answer: Answer

  package init(node: String, epoch: UInt64, number: UInt64, answer: Answer = .pending) {
    self.node = node
    self.epoch = epoch
    self.number = number
    self.answer = answer
  }

  /// Whether it may still happen.
  package var isOpen: Bool { if case .refused = answer { false } else { true } }

  /// Whether two are the same request, whatever the answer.
  package func isSame(as other: HandoverRequest) -> Bool {
    node == other.node && epoch == other.epoch && number == other.number
  }
}

package struct LeaderEntry: Sendable, Equatable {
  package var node: NodeEntry
  package var epoch: UInt64

  package init(node: NodeEntry, epoch: UInt64) {
    self.node = node
    self.epoch = epoch
  }
}

/// What a node says of itself.
package struct NodeEntry: Sendable, Equatable {
  /// Its name, unique in the cluster.
  package var name: String
  /// Where clients reach it.
  package var host: String
  package var port: Int
  package var version: String
  /// The last frame that it has written and synced, the last record in it, and that frame's hash.
  package var index: UInt64 = 0
  package var lsn: LSN = 0
  package var hash = Hash128.zero
  /// Through which record its newest verified snapshot goes.
  package var snapshotLSN: LSN = 0
  /// Whether it may become the leader by itself.
  package var isCandidate = true
  /// Drawn by each process, so that two of one name are told apart; 0 from an earlier version.
  package var instance: UInt64 = 0

  package init(name: String, host: String, port: Int, version: String) {
    self.name = name
    self.host = host
    self.port = port
    self.version = version
  }
}

package struct SharedLogStatus: Sendable {
  package var epoch: UInt64
  /// Nil if the shared log was not begun yet.
  package var tail: SharedTail?
  package var leader: LeaderEntry?
  /// The nodes whose leases have not ended, by name.
  package var nodes: [NodeEntry]
  /// By name: what grows whenever the node writes its entry.
  package var revisions: [String: Int64]
  /// The first frame that is kept; one more than the tail's index if none is.
  package var firstIndex: UInt64
  package var keptBytes: UInt64
  /// The last request to hand over, if there was any.
  package var handover: HandoverRequest?
  /// What is wrong with keys without which nodes can go on. Each text names the key.
  package var oddities: [String]

  package init(
    epoch: UInt64, tail: SharedTail?, leader: LeaderEntry?, nodes: [NodeEntry], revisions: [String: Int64] = [:],
    firstIndex: UInt64, keptBytes: UInt64, handover: HandoverRequest? = nil, oddities: [String] = []
  ) {
    self.epoch = epoch
    self.tail = tail
    self.leader = leader
    self.nodes = nodes
    self.revisions = revisions
    self.firstIndex = firstIndex
    self.keptBytes = keptBytes
    self.handover = handover
    self.oddities = oddities
  }
}

package enum SharedLogError: Error, Equatable {
  /// The engine cannot be reached, or has no majority. Trying again may help.
  case unreachable(String)
  /// The engine refuses: wrong credentials, certificate, version. Trying again does not help; the text says what to do.
  case refused(String)
  /// The engine has no space, and takes nothing until an operator has made room. Trying again helps then.
  case full(String)
  /// The shared log was begun already.
  case exists
  /// It was not begun yet.
  case missing
  /// Frames from this index on are wanted, and the first that is kept is `first`.
  case truncated(wanted: UInt64, first: UInt64)
  /// What is stored there cannot be understood, or is of another folder.
  case damaged(String)
  /// A live node has this node's name.
  case nameTaken(name: String, by: String)
}

extension SharedLogError: CustomStringConvertible {
  package var description: String {
    switch self {
    case .unreachable(let why): "the shared log cannot be reached: \(why)"
    case .refused(let why): "the shared log refuses: \(why)"
    case .full(let why): "the shared log has no space: \(why)"
    case .exists: "the shared log was begun already"
    case .missing: "there is no shared log yet: start the node that has the data without --follow first"
    case .truncated(let wanted, let first):
      "frame \(wanted) is wanted, and the shared log keeps only those from \(first) on: copy another "
        + "node's folder here, or give fetch-service, as which this node fetches it by itself"
    case .damaged(let what): "the shared log is damaged: \(what)"
    case .nameTaken(let name, let address):
      "a node at \(address) has the name \"\(name)\" already, and lives: give this one a name of its own with --node, or "
        + "stop the other one first"
    }
  }
}

/// Opens shared logs. The program has one if it was built with the trait `Replication`.
package protocol SharedLogProvider: Sendable {
  /// - Parameter folderID: the folder's id, under which the engine keeps the log.
  func open(_ settings: ReplicationSettings, folderID: Hash128) async throws(SharedLogError) -> any SharedLog

  /// The folders whose logs the engine keeps; at most the first few.
  func folders(_ settings: ReplicationSettings) async throws(SharedLogError) -> [Hash128]
}

/// The time of leases, in nanoseconds. It goes on while the machine is suspended, when other nodes do not wait.
package enum LeaseClock {
  package static func now() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_BOOTTIME, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
  }
}

/// How the shared log is reached.
package struct ReplicationSettings: Sendable, Equatable {
  /// `etcd://host:port,host:port` or `etcds://…` for TLS.
  package var address: String
  package var user: String?
  package var passwordFile: String?
  package var authorityFile: String?
  package var certificateFile: String?
  package var keyFile: String?
  /// For how many milliseconds a leader that is not heard of is still the leader.
  package var leaseMilliseconds: Int = 5_000
  /// How many bytes the shared log keeps before writes slow down, and before they are refused.
  package var slowBytes: UInt64 = 512 << 20
  package var mostBytes: UInt64 = 1 << 30

  package init(address: String) { self.address = address }
}
