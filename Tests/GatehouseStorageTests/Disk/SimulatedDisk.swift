import GatehouseStorage
import Glibc
import Synchronization

/// A disk in memory that, when its power fails, forgets everything not made durable by a sync: it drops, reorders and
/// tears unsynced writes, fills sectors with garbage, and loses directory entries, all depending on one seed.
///
/// Power can fail before any modifying operation (`powerOff(before:)`): from then on every call fails with `EIO`.
/// `survivor(seed:)` is then the disk that the next start finds.
final class SimulatedDisk: Disk {
  struct State {
    var nodes: [SimulatedNode] = [SimulatedNode(directory: [:])]
    /// The number of modifying operations so far.
    var operations = 0
    var fileSyncs = 0
    var powerOffBefore = Int.max
    var isOff = false
    var failingSync = Int.max
    var failingSyncCode = EIO
    var capacity = Int.max
  }

  let state: Mutex<State>

  init() { state = Mutex(State()) }

  private init(nodes: [SimulatedNode]) { state = Mutex(State(nodes: nodes)) }

  /// The number of modifying operations so far.
  var operations: Int { state.withLock(\.operations) }
  var isOff: Bool { state.withLock(\.isOff) }

  /// Cuts the power before the operation with this number, counted from 0 since the disk was created.
  func powerOff(before operation: Int) { state.withLock { $0.powerOffBefore = operation } }
  func powerOff() { state.withLock { $0.isOff = true } }

  /// The n-th sync of a file, from 0, fails with `EIO`. The data never become durable, but reads still show them and
  /// later syncs succeed, as on real disks.
  func failSync(_ number: Int) { state.withLock { $0.failingSync = number } }

  /// The next sync of a file fails with another error, in the same way.
  func failNextSync(code: Int32) {
    state.withLock {
      $0.failingSync = $0.fileSyncs
      $0.failingSyncCode = code
    }
  }

  /// The total size of all files.
  var usedBytes: Int { state.withLock(\.usedBytes) }

  /// Limits the total size of all files.
  func setCapacity(_ bytes: Int) { state.withLock { $0.capacity = bytes } }

  /// The disk that a start after a power failure finds.
  /// - Parameter garbage: the sector size within which an interrupted write may leave garbage.
  func survivor(seed: UInt64, garbage: Int = 512) -> SimulatedDisk {
    var random = SplitMix64(seed: seed)
    let policy = SurvivalPolicy.allCases.randomElement(using: &random)!
    let nodes = state.withLock { $0.nodes.map { $0.survivor(policy, garbage: garbage, using: &random) } }
    return SimulatedDisk(nodes: nodes)
  }

  /// The same disk without loss, for a killed process on a machine that stayed up.
  func afterKill(capacity: Int = .max) -> SimulatedDisk {
    let disk = SimulatedDisk(
      nodes: state.withLock {
        $0.nodes.map { node in
          var node = node
          node.lockHolder = nil
          return node
        }
      })
    disk.setCapacity(capacity)
    return disk
  }

  /// The content of a file as seen by readers.
  func content(_ path: String) throws(DiskError) -> [UInt8] {
    try state.withLock { state throws(DiskError) in state.nodes[try state.find(path, "open")].content }
  }

  /// Replaces a file's content durably, to damage it.
  func setContent(_ path: String, _ content: [UInt8]) throws(DiskError) {
    try state.withLock { state throws(DiskError) in
      let node = try state.find(path, "open")
      state.nodes[node].content = content
      state.nodes[node].durable = content
      state.nodes[node].pending = []
    }
  }

  // MARK: Disk

  func open(_ path: String, _ mode: OpenMode) throws(DiskError) -> any DiskFile {
    try state.withLock { state throws(DiskError) in
      try state.checkPower("open", path)
      if mode == .create {
        let (parent, name) = try state.parent(of: path, "open")
        guard state.nodes[parent].entries[name] == nil else {
          throw DiskError(call: "open", path: path, code: EEXIST)
        }
        try state.willChange("open", path)
        state.nodes.append(SimulatedNode())
        state.nodes[parent].changeEntries([name: state.nodes.count - 1])
        return SimulatedFile(self, node: state.nodes.count - 1, path: path, mode: mode)
      }
      let node = try state.find(path, "open")
      guard !state.nodes[node].isDirectory else { throw DiskError(call: "open", path: path, code: EISDIR) }
      return SimulatedFile(self, node: node, path: path, mode: mode)
    }
  }

  func list(_ directory: String) throws(DiskError) -> [String] {
    try state.withLock { state throws(DiskError) in
      try state.checkPower("opendir", directory)
      let node = try state.find(directory, "opendir")
      guard state.nodes[node].isDirectory else { throw DiskError(call: "opendir", path: directory, code: ENOTDIR) }
      return Array(state.nodes[node].entries.keys)
    }
  }

  func createDirectory(_ path: String) throws(DiskError) {
    try state.withLock { state throws(DiskError) in
      let (parent, name) = try state.parent(of: path, "mkdir")
      guard state.nodes[parent].entries[name] == nil else {
        throw DiskError(call: "mkdir", path: path, code: EEXIST)
      }
      try state.willChange("mkdir", path)
      state.nodes.append(SimulatedNode(directory: [:]))
      state.nodes[parent].changeEntries([name: state.nodes.count - 1])
    }
  }

  func rename(_ path: String, to target: String) throws(DiskError) {
    try state.withLock { state throws(DiskError) in
      let node = try state.find(path, "rename")
      let (parent, name) = try state.parent(of: path, "rename")
      let (targetParent, targetName) = try state.parent(of: target, "rename")
      try state.willChange("rename", path)
      guard (parent, name) != (targetParent, targetName) else { return }
      if parent == targetParent {
        state.nodes[parent].changeEntries([name: nil, targetName: node])
      } else {
        state.nodes[targetParent].changeEntries([targetName: node])
        state.nodes[parent].changeEntries([name: nil])
      }
    }
  }

  func remove(_ path: String) throws(DiskError) {
    try state.withLock { state throws(DiskError) in
      let node = try state.find(path, "remove")
      guard state.nodes[node].entries.isEmpty else { throw DiskError(call: "remove", path: path, code: ENOTEMPTY) }
      let (parent, name) = try state.parent(of: path, "remove")
      try state.willChange("remove", path)
      state.nodes[parent].changeEntries([name: nil])
    }
  }

  func syncDirectory(_ path: String) throws(DiskError) {
    try state.withLock { state throws(DiskError) in
      let node = try state.find(path, "fsync")
      try state.willChange("fsync", path)
      state.nodes[node].durableEntries = state.nodes[node].entries
      state.nodes[node].pendingEntries = []
    }
  }

  func realPath(_ path: String) -> String? { exists(path) ? path : nil }

  func exists(_ path: String) -> Bool {
    state.withLock { state in
      do throws(DiskError) {
        _ = try state.find(path, "access")
        return true
      } catch {
        return false
      }
    }
  }

  func status(_ path: String) throws(DiskError) -> FileStatus {
    try state.withLock { state throws(DiskError) in
      try state.checkPower("stat", path)
      return state.status(of: try state.find(path, "stat"))
    }
  }

  func openDirectory(_ path: String) throws(DiskError) -> any DiskFile {
    try state.withLock { state throws(DiskError) in
      try state.checkPower("open", path)
      let node = try state.find(path, "open")
      guard state.nodes[node].isDirectory else { throw DiskError(call: "open", path: path, code: ENOTDIR) }
      return SimulatedFile(self, node: node, path: path, mode: .read)
    }
  }

  func freeBytes(_ path: String) throws(DiskError) -> UInt64 {
    try state.withLock { state throws(DiskError) in
      try state.checkPower("statvfs", path)
      return state.capacity == .max ? 1 << 40 : UInt64(max(0, state.capacity - state.usedBytes))
    }
  }
}

extension SimulatedDisk.State {
  /// The total size of files that still have a name.
  var usedBytes: Int {
    var used = 0
    var left = [0]
    while let node = left.popLast() {
      used += nodes[node].content.count
      left += nodes[node].entries.values
    }
    return used
  }

  /// Nodes are never reused, so a node's number serves as inode number.
  func status(of node: Int) -> FileStatus {
    FileStatus(
      identity: .init(device: 1, inode: UInt64(node)), size: UInt64(nodes[node].content.count),
      mode: nodes[node].isDirectory ? 0o700 : 0o600)
  }

  func checkPower(_ call: String, _ path: String) throws(DiskError) {
    if isOff { throw DiskError(call: call, path: path, code: EIO) }
  }

  /// Counts a modifying operation, or cuts the power before it.
  mutating func willChange(_ call: String, _ path: String) throws(DiskError) {
    if operations >= powerOffBefore { isOff = true }
    try checkPower(call, path)
    operations += 1
  }

  func find(_ path: String, _ call: String) throws(DiskError) -> Int {
    var node = 0
    for name in path.split(separator: "/") where name != "." {
      guard let next = nodes[node].entries[String(name)] else {
        throw DiskError(call: call, path: path, code: nodes[node].isDirectory ? ENOENT : ENOTDIR)
      }
      node = next
    }
    return node
  }

  func parent(of path: String, _ call: String) throws(DiskError) -> (Int, String) {
    (try find(DiskPath.parent(of: path), call), DiskPath.name(of: path))
  }
}

/// Small, fast and the same everywhere, so that a failed test can be repeated.
struct SplitMix64: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
