import GatehouseCore
import GatehouseStorage
import GatehouseWire
import Glibc
import Synchronization

/// What this server is among the nodes that share a log. Without replication it is alone, and stays so.
final class Node: Sendable {
  enum Role: UInt8, Sendable, AtomicRepresentable {
    /// There is no shared log.
    case alone
    /// It applies what the leader writes, and answers reads.
    case following
    /// It takes changes.
    case leading
    /// It has led, and must not answer anything any more.
    case deposed
  }

  /// What is known of the cluster.
  struct View: Sendable {
    var name = ""
    var address = NodeAddress(host: "", port: 0)
    /// Drawn by this process (`NodeEntry.instance`).
    var instance: UInt64 = 0
    /// The newest epoch that was seen.
    var epoch: UInt64 = 0
    /// Who leads; nil if nobody does, or nothing was heard yet.
    var leader: LeaderEntry?
    /// Where the cluster was led last, also while nobody leads.
    var lastLead: NodeAddress?
    /// The nodes as of the last look at the shared log, by name, and when that was, in `LeaseClock`'s time.
    var nodes: [NodeEntry] = []
    var lookedAt: UInt64 = 0
    /// Which of them have written their entries lately.
    var heard = NodesHeard()
    var tail: SharedTail?
    var keptBytes: UInt64 = 0
    /// The last frame that this node has.
    var index: UInt64 = 0
    /// What was cut off this node's log when it came back.
    var cut: CutTail?
    /// What went wrong last, and how often.
    var problem = ""
    var problems = 0
    /// How often this process came to lead, and was deposed.
    var takeovers = 0
    var depositions = 0
  }

  private let current = Atomic<Role>(.alone)
  /// Whether a reply may leave only while the leadership is sure. Read for every reply, so it is one relaxed load.
  private let isBound = Atomic<Bool>(false)
  /// When the news was asked for through which everything is applied, in `LeaseClock`'s time; 0 for never.
  private let newsAt = Atomic<UInt64>(0)
  /// Nanoseconds; 0 for any age.
  private let staleness: Atomic<UInt64>
  private let view: Mutex<View>
  /// Written once, before `isBound` is; read only if that is set. A lock would be taken for every reply of every lane.
  nonisolated(unsafe) private var leadership: (any Leadership)?

  init(_ configuration: ServerConfiguration) {
    staleness = Atomic(Self.nanoseconds(configuration.maxStaleness))
    view = Mutex(View())
  }

  private static func nanoseconds(_ duration: Duration) -> UInt64 { UInt64(duration.milliseconds) * 1_000_000 }

  func adopt(_ configuration: ServerConfiguration) {
    staleness.store(Self.nanoseconds(configuration.maxStaleness), ordering: .relaxed)
  }

  // MARK: The role

  var role: Role { current.load(ordering: .acquiring) }

  @inline(__always)
  var isFollowing: Bool { current.load(ordering: .relaxed) == .following }

  /// Whether there are other nodes, or may be.
  var isReplicated: Bool { role != .alone }

  var known: View { view.withLock { $0 } }

  func update(_ change: (inout View) -> Void) { view.withLock { change(&$0) } }

  /// The cluster is led at an address now.
  ///
  /// - Returns: where it was led before, if that was elsewhere; nil too if nothing was heard of it.
  func moveLead(to address: NodeAddress) -> NodeAddress? {
    view.withLock { view in
      let before = view.lastLead
      view.lastLead = address
      return before == address ? nil : before
    }
  }

  func follow() { current.store(.following, ordering: .releasing) }

  /// The node takes changes from now on. Called once at most.
  func lead(_ leadership: any Leadership) {
    self.leadership = leadership
    isBound.store(true, ordering: .releasing)
    current.store(.leading, ordering: .releasing)
    view.withLock {
      $0.epoch = leadership.epoch
      $0.takeovers += 1
    }
  }

  /// The node has led, and answers nothing from now on.
  func depose() { current.store(.deposed, ordering: .releasing) }

  /// What this node says of itself, but for how far it has got.
  var entry: NodeEntry {
    let view = known
    var entry = NodeEntry(
      name: view.name, host: view.address.host, port: view.address.port, version: Version.current)
    entry.instance = view.instance
    return entry
  }

  // MARK: Replies

  /// Whether replies may leave now. A leader must be sure that nobody else leads: it was perhaps stopped for longer than
  /// its lease since it made them.
  @inline(__always)
  var mayAnswer: Bool { isBound.load(ordering: .acquiring) ? isSure : true }

  private var isSure: Bool { role == .leading && LeaseClock.now() < leadership?.validUntil ?? 0 }

  // MARK: Staleness

  /// Everything is applied that was acknowledged before `asked`.
  func note(news asked: UInt64) { newsAt.store(asked, ordering: .releasing) }

  /// How old the news is in nanoseconds; nil if there never was any.
  var age: UInt64? {
    let asked = newsAt.load(ordering: .acquiring)
    guard asked > 0 else { return nil }
    let now = LeaseClock.now()
    return now > asked ? now - asked : 0
  }

  /// Why a follower does not answer a read now; nil if it does.
  var staleRefusal: Refusal? {
    let most = staleness.load(ordering: .relaxed)
    guard let age else { return .masterDown("no news of the leader yet; try again in a moment") }
    if most == 0 || age <= most { return nil }
    return .masterDown(
      "news is \(age / 1_000_000_000).\(age / 100_000_000 % 10) s old, and max-staleness is "
        + "\(DurationText.format(.milliseconds(Int64(most / 1_000_000)))); try again, or ask another node")
  }

  /// Why the node takes no changes.
  var readOnlyRefusal: Refusal {
    let view = known
    guard let leader = view.leader?.node, leader.name != view.name else {
      return Refusal(.readOnly, "no node leads now; try again in a moment")
    }
    return Refusal(.readOnly, "leader is \(NodeAddress(host: leader.host, port: leader.port).text)")
  }
}

extension LeaderEntry {
  /// Where clients reach it.
  var address: NodeAddress { NodeAddress(host: node.host, port: node.port) }
}

extension Refusal {
  static func masterDown(_ why: String) -> Refusal { Refusal(.masterDown, why) }
}

extension ServerConfiguration {
  /// The node's name among the others.
  func nodeName(port: Int) -> String {
    if let nodeName { return nodeName }
    var bytes = [CChar](repeating: 0, count: 256)
    gethostname(&bytes, bytes.count - 1)
    let name = bytes.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
    return "\(name.isEmpty ? "node" : name):\(port)"
  }

  /// Where clients reach the node: with TLS, if it listens for that.
  func nodeAddress(port: Int, tlsPort: Int) -> NodeAddress {
    if let announce, let address = NodeAddress(announce) { return address }
    return tlsPort > 0 ? NodeAddress(host: tlsHost, port: tlsPort) : NodeAddress(host: host, port: port)
  }

  /// How the shared log is reached; nil without one.
  var replicationSettings: ReplicationSettings? {
    guard let replication else { return nil }
    var settings = ReplicationSettings(address: replication)
    settings.user = replicationUser
    settings.passwordFile = replicationPasswordFile
    settings.authorityFile = replicationAuthority
    settings.certificateFile = replicationCertificate
    settings.keyFile = replicationKey
    settings.leaseMilliseconds = Int(replicationLease.milliseconds)
    settings.slowBytes = UInt64(replicationSlow)
    settings.mostBytes = UInt64(replicationMost)
    return settings
  }
}
