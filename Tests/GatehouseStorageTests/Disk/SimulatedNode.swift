import GatehouseStorage

/// What a power failure does to unsynced data.
enum SurvivalPolicy: CaseIterable {
  case keepAll
  case dropAll
  /// Each write survives completely, partly or not at all, in no order.
  case mixed
  /// Like `mixed`, but sectors being written contain garbage.
  case garbled
}

/// A file or directory of a `SimulatedDisk`: its visible content, its durable content, and the operations in between.
struct SimulatedNode {
  enum FileOperation {
    case write(offset: Int, bytes: [UInt8])
    case resize(Int)
  }

  let isDirectory: Bool
  var content: [UInt8] = []
  var durable: [UInt8] = []
  var pending: [FileOperation] = []
  var lockHolder: ObjectIdentifier?
  var entries: [String: Int] = [:]
  var durableEntries: [String: Int] = [:]
  /// Each element is atomic; for example, a rename is one element.
  var pendingEntries: [[String: Int?]] = []

  init() { isDirectory = false }

  init(directory entries: [String: Int]) {
    isDirectory = true
    self.entries = entries
    durableEntries = entries
  }

  mutating func changeEntries(_ change: [String: Int?]) {
    Self.apply(change, to: &entries)
    pendingEntries.append(change)
  }

  mutating func perform(_ operation: FileOperation) {
    Self.apply(operation, to: &content)
    pending.append(operation)
  }

  mutating func sync() {
    for operation in pending { Self.apply(operation, to: &durable) }
    pending = []
  }

  /// Pending data never become durable, but reads still show them.
  mutating func failSync() { pending = [] }

  mutating func forgetCached() {
    content = durable
    for operation in pending { Self.apply(operation, to: &content) }
  }

  func survivor(_ policy: SurvivalPolicy, garbage: Int, using random: inout SplitMix64) -> SimulatedNode {
    var bytes = durable
    for operation in pending { Self.survive(operation, policy, garbage: garbage, in: &bytes, using: &random) }
    var names = durableEntries
    for change in pendingEntries where policy == .keepAll || (policy != .dropAll && Bool.random(using: &random)) {
      Self.apply(change, to: &names)
    }
    var node = isDirectory ? SimulatedNode(directory: names) : SimulatedNode()
    node.content = bytes
    node.durable = bytes
    return node
  }

  private static func apply(_ change: [String: Int?], to entries: inout [String: Int]) {
    for (name, node) in change { entries[name] = node }
  }

  private static func apply(_ operation: FileOperation, to bytes: inout [UInt8]) {
    switch operation {
    case .resize(let size):
      if size < bytes.count {
        bytes.removeLast(bytes.count - size)
      } else {
        bytes += [UInt8](repeating: 0, count: size - bytes.count)
      }
    case .write(let offset, let new):
      if bytes.count < offset + new.count {
        bytes += [UInt8](repeating: 0, count: offset + new.count - bytes.count)
      }
      bytes.withUnsafeMutableBytes { bytes in
        new.withUnsafeBytes { UnsafeMutableRawBufferPointer(rebasing: bytes[offset...]).copyMemory(from: $0) }
      }
    }
  }

  private static func survive(
    _ operation: FileOperation, _ policy: SurvivalPolicy, garbage: Int, in bytes: inout [UInt8],
    using random: inout SplitMix64
  ) {
    switch policy {
    case .keepAll: return apply(operation, to: &bytes)
    case .dropAll: return
    case .mixed, .garbled: break
    }
    guard case .write(let offset, let new) = operation else {
      if Bool.random(using: &random) { apply(operation, to: &bytes) }
      return
    }
    guard !new.isEmpty else { return }
    let end = offset + new.count
    let unit = Bool.random(using: &random) ? 512 : 4096
    for block in (offset / unit)...((end - 1) / unit) where Bool.random(using: &random) {
      let low = max(offset, block * unit)
      let high = min(end, (block + 1) * unit)
      apply(.write(offset: low, bytes: Array(new[low - offset..<high - offset])), to: &bytes)
    }
    guard policy == .garbled else { return }
    for sector in (offset / garbage)...((end - 1) / garbage) where random.next() % 4 == 0 {
      let high = min((sector + 1) * garbage, bytes.count)
      guard sector * garbage < high else { continue }
      for index in sector * garbage..<high { bytes[index] = UInt8(truncatingIfNeeded: random.next()) }
    }
  }
}
