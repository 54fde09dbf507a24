internal import GatehouseCore

/// 32 bytes that only cryptography looks at.
struct KeyBytes: Sendable, Equatable, BitwiseCopyable, CustomStringConvertible, CustomReflectable {
  var a: UInt64
  var b: UInt64
  var c: UInt64
  var d: UInt64

  static let size = 32

  init(a: UInt64, b: UInt64, c: UInt64, d: UInt64) { (self.a, self.b, self.c, self.d) = (a, b, c, d) }

  init(loading bytes: UnsafeRawBufferPointer) {
    precondition(bytes.count >= Self.size)
    a = bytes.loadUnaligned(fromByteOffset: 0, as: UInt64.self)
    b = bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self)
    c = bytes.loadUnaligned(fromByteOffset: 16, as: UInt64.self)
    d = bytes.loadUnaligned(fromByteOffset: 24, as: UInt64.self)
  }

  func withBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
    try withUnsafeBytes(of: self, body)
  }

  /// One of the two keys that follow from this one.
  func child(_ bit: UInt64) -> KeyBytes {
    var state = HashState()
    withBytes { state.update($0) }
    withUnsafeBytes(of: UInt8(truncatingIfNeeded: bit)) { state.update($0) }
    return state.finish { KeyBytes(loading: $0) }
  }

  var description: String { "(\(Self.size) secret bytes)" }
  var customMirror: Mirror { Mirror(self, children: []) }
}

/// The place of a key among all that there can be: kind, partition and serial number, which are the path to it in a
/// binary tree. Ids of one partition follow each other, so that those that exist share most of their paths.
struct KeyPath: Sendable, Equatable {
  /// The bits of a path: 4 of the kind, 16 of the partition, 32 of the serial number.
  static let depth = 52
  static let serialBits = 32
  private static let partitionBits = 16

  let bits: UInt64

  init(bits: UInt64) { self.bits = bits }

  /// nil if there can be no such key.
  init?(_ kind: SealKey.Kind, partition: Int, serial: UInt64) {
    guard partition >> Self.partitionBits == 0, serial >> UInt64(Self.serialBits) == 0 else { return nil }
    bits =
      (UInt64(kind.rawValue) << UInt64(Self.partitionBits) | UInt64(partition)) << UInt64(Self.serialBits) | serial
  }

  init?(_ key: SealKey, _ partitioning: Partitioning) {
    switch key.kind {
    case .contact, .user, .approval:
      let id = UserID(raw: key.raw)
      self.init(key.kind, partition: partitioning.partition(of: id), serial: UInt64(partitioning.serial(of: id)))
    case .answers, .webhook: self.init(key.kind, partition: 0, serial: key.raw)
    }
  }

  /// What all keys of a kind and partition share.
  var group: UInt64 { bits >> UInt64(Self.serialBits) }

  var serial: UInt64 { bits & (1 << UInt64(Self.serialBits) - 1) }

  /// The bit that selects the child of a node at a depth.
  func bit(below depth: Int) -> UInt64 { bits >> UInt64(Self.depth - 1 - depth) & 1 }

  /// How many leading bits two paths share.
  func shared(with other: KeyPath) -> Int {
    let difference = bits ^ other.bits
    return difference == 0 ? Self.depth : difference.leadingZeroBitCount - (UInt64.bitWidth - Self.depth)
  }
}

/// All keys that can be derived, as the nodes of a tree above them: a puncturable pseudorandom function (Goldreich,
/// Goldwasser and Micali: each node's key gives those of its two children by a hash; Green and Miers: a key is destroyed by
/// replacing the node above it by the nodes beside its path).
///
/// It begins with one random node, the root. So a new person costs no write, and the store grows only with those who were
/// forgotten: by at most 52 nodes each, in practice by a dozen, and by fewer where neighbours were forgotten, too.
struct PuncturedKeys: Sendable, Equatable {
  struct Node: Sendable, Equatable {
    /// The path to the node; bits below its depth are 0.
    var path: UInt64
    var depth: Int
    var key: KeyBytes

    var first: UInt64 { path }
    var last: UInt64 { path | (1 << UInt64(KeyPath.depth - depth) - 1) }

    func child(_ bit: UInt64) -> Node {
      Node(path: path | bit << UInt64(KeyPath.depth - 1 - depth), depth: depth + 1, key: key.child(bit))
    }
  }

  /// In order, none below another.
  private(set) var nodes: ContiguousArray<Node>

  init(root: KeyBytes) { nodes = [Node(path: 0, depth: 0, key: root)] }

  /// - Returns: nil if they are not in order, or one is below another.
  init?(_ nodes: ContiguousArray<Node>) {
    for node in nodes {
      guard (0...KeyPath.depth).contains(node.depth), node.path >> UInt64(KeyPath.depth) == 0,
        node.path & (node.last ^ node.path) == 0
      else { return nil }
    }
    for (node, next) in zip(nodes, nodes.dropFirst()) where node.last >= next.first { return nil }
    self.nodes = nodes
  }

  /// The node from which a key is derived; nil if the key was destroyed.
  func node(above path: KeyPath) -> Node? {
    let index = firstIndex(endingAtOrAfter: path.bits)
    guard index < nodes.count, nodes[index].first <= path.bits else { return nil }
    return nodes[index]
  }

  /// A hash of which keys are left, whatever they are.
  var remainder: Hash128 {
    var state = HashState()
    var end: UInt64?
    for node in nodes {
      // Neighbours are one range, however the tree divides it.
      if let last = end, node.first != last + 1 { state.update(number: last) }
      if end.map({ node.first != $0 + 1 }) ?? true { state.update(number: node.first) }
      end = node.last
    }
    if let end { state.update(number: end) }
    return state.finish { Hash128(loading: $0) }
  }

  /// A hash of all keys. They are random, and each is hashed by itself first, so it tells nothing of them.
  var fingerprint: Hash128 {
    var state = HashState()
    for node in nodes {
      state.update(number: node.path)
      state.update(number: UInt64(node.depth))
      // Other than what is derived from the key: those are its children 0 and 1.
      node.key.child(2).withBytes { state.update($0) }
    }
    return state.finish { Hash128(loading: $0) }
  }

  /// Destroys all keys of a range.
  /// - Returns: whether any of them was there.
  mutating func destroy(_ range: ClosedRange<UInt64>) -> Bool {
    let first = firstIndex(endingAtOrAfter: range.lowerBound)
    var end = first
    var kept: [Node] = []
    while end < nodes.count, nodes[end].first <= range.upperBound {
      Self.split(nodes[end], without: range, into: &kept)
      end += 1
    }
    if first == end { return false }
    nodes.replaceSubrange(first..<end, with: kept)
    return true
  }

  private static func split(_ node: Node, without range: ClosedRange<UInt64>, into kept: inout [Node]) {
    if range.contains(node.first), range.contains(node.last) { return }
    if node.last < range.lowerBound || node.first > range.upperBound { return kept.append(node) }
    split(node.child(0), without: range, into: &kept)
    split(node.child(1), without: range, into: &kept)
  }

  /// Calls `body` with each destroyed path of a range, in order.
  func forEachDestroyed(in range: ClosedRange<UInt64>, _ body: (UInt64) -> Void) {
    forEachGap(in: range) { gap in for path in gap { body(path) } }
  }

  /// Calls `body` with each run of destroyed paths of a range, in order.
  private func forEachGap(in range: ClosedRange<UInt64>, _ body: (Range<UInt64>) -> Void) {
    var next = range.lowerBound
    var index = firstIndex(endingAtOrAfter: next)
    while next <= range.upperBound {
      let gapEnd = index < nodes.count ? min(nodes[index].first, range.upperBound + 1) : range.upperBound + 1
      if next < gapEnd { body(next..<gapEnd) }
      guard index < nodes.count else { return }
      next = max(next, nodes[index].last + 1)
      index += 1
    }
  }

  /// Gives the destroyed paths of a range new keys, which have nothing to do with the old ones.
  ///
  /// - Parameter draw: draws a random key.
  /// - Returns: whether there were any.
  mutating func renew(_ range: ClosedRange<UInt64>, _ draw: () -> KeyBytes) -> Bool {
    var renewed: [Node] = []
    forEachGap(in: range) { gap in
      var next = gap.lowerBound
      while next < gap.upperBound {
        // The largest subtree that begins here and ends in the gap.
        let room = UInt64.bitWidth - 1 - (gap.upperBound - next).leadingZeroBitCount
        let height = min(next.trailingZeroBitCount, room, KeyPath.depth)
        renewed.append(Node(path: next, depth: KeyPath.depth - height, key: draw()))
        next += 1 << UInt64(height)
      }
    }
    if renewed.isEmpty { return false }
    nodes.append(contentsOf: renewed)
    nodes.sort { $0.path < $1.path }
    return true
  }

  /// The index of the first node that ends at a path or later.
  private func firstIndex(endingAtOrAfter bits: UInt64) -> Int {
    var low = 0
    var high = nodes.count
    while low < high {
      let middle = (low + high) / 2
      if nodes[middle].last < bits { low = middle + 1 } else { high = middle }
    }
    return low
  }
}

extension HashState {
  fileprivate mutating func update(number: UInt64) { withUnsafeBytes(of: number.littleEndian) { update($0) } }
}
