import GatehouseStorage

@testable import GatehouseReplication

/// What clients were told, over all nodes, and what must not be. It belongs to the thread of the simulated world.
final class SimulatedLedger: @unchecked Sendable {
  private unowned let etcd: SimulatedEtcd
  private unowned let world: SimulatedWorld
  private let keys: LogKeys
  /// Every acknowledged frame, by its index.
  private(set) var acknowledged: [UInt64: [UInt8]] = [:]
  /// The greatest acknowledged index, and since when.
  private(set) var greatest: [(at: UInt64, index: UInt64)] = [(0, 0)]
  /// Through which frame every node has the log on its disk.
  var least: () -> UInt64 = { 0 }
  private(set) var faults: [String] = []
  private(set) var reads = 0
  private(set) var leaderships = 0

  init(_ etcd: SimulatedEtcd, _ world: SimulatedWorld, _ keys: LogKeys) {
    self.etcd = etcd
    self.world = world
    self.keys = keys
  }

  var last: UInt64 { greatest[greatest.count - 1].index }

  func fault(_ text: String) {
    if faults.count < 5 { faults.append("at \(world.now / 1_000_000) ms: \(text)") }
  }

  func began(_ node: String, _ epoch: UInt64) { leaderships += 1 }

  func acknowledge(_ index: UInt64, _ bytes: [UInt8], by node: String, epoch: UInt64) {
    if let other = acknowledged[index], other != bytes {
      fault("\(node) acknowledged another frame \(index) than somebody before")
    }
    // A frame that was truncated since is no contradiction.
    if let pair = etcd.pairs[keys.frame(index)], let stored = try? StoredFrame(pair, as: "frame"), stored.parts == 0 {
      if stored.frame != bytes { fault("\(node) (epoch \(epoch)) acknowledged frame \(index), and etcd has another") }
    } else if let tail = tail, tail < index {
      fault("\(node) (epoch \(epoch)) acknowledged frame \(index), and etcd ends with \(tail)")
    }
    acknowledged[index] = bytes
    if index > last { greatest.append((world.now, index)) }
  }

  private var tail: UInt64? { (try? StoredTail(etcd.pairs[keys.tail], as: "tail"))?.tail.index }

  /// A leader answers a read from what it has acknowledged itself.
  func read(_ index: UInt64, by node: String, epoch: UInt64) {
    reads += 1
    guard index < last else { return }
    fault("\(node) (epoch \(epoch)) answered a read from frame \(index), after \(last) was acknowledged")
  }

  /// A follower says that it has everything that was acknowledged before a time of the world.
  func current(_ index: UInt64, at time: UInt64, by node: String) {
    let known = greatest.last { $0.at < time }?.index ?? 0
    guard index < known else { return }
    fault("\(node) says that it is current with frame \(index), and \(known) was acknowledged before")
  }

  /// Checks a node's log against what was acknowledged.
  func check(_ frames: [SharedFrame], of node: String) {
    for (at, frame) in frames.enumerated() {
      if frame.index != UInt64(at + 1) { return fault("\(node) has frame \(frame.index) in place \(at + 1)") }
      if let told = acknowledged[frame.index], told != frame.bytes { fault("\(node) has another frame \(frame.index)") }
    }
  }
}
