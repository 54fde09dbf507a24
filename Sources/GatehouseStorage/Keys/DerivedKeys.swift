/// Derives keys, and remembers the way to the last one of each kind and partition: the next one shares most of it, so that
/// deriving the keys of people in order takes two hashes each instead of 52.
struct DerivedKeys: ~Copyable, Sendable {
  private struct Way: Sendable {
    var path: KeyPath
    /// The depth of the node from which it starts.
    let base: Int
    /// The keys from there to the leaf.
    var keys: ContiguousArray<KeyBytes>

    init(from node: PuncturedKeys.Node, to path: KeyPath) {
      self.path = path
      base = node.depth
      keys = []
      keys.reserveCapacity(KeyPath.depth + 1 - node.depth)
      keys.append(node.key)
      descend()
    }

    /// - Returns: the key at the end of the way; nil if the way to `path` does not start where this one does.
    mutating func move(to path: KeyPath) -> KeyBytes? {
      let shared = path.shared(with: self.path)
      guard shared >= base else { return nil }
      keys.removeLast(KeyPath.depth - shared)
      self.path = path
      descend()
      return leaf
    }

    var leaf: KeyBytes { keys[keys.count - 1] }

    private mutating func descend() {
      while base + keys.count <= KeyPath.depth { keys.append(leaf.child(path.bit(below: base + keys.count - 1))) }
    }
  }

  private var ways: [UInt64: Way] = [:]

  /// The key of a path; nil if it was destroyed.
  mutating func key(of path: KeyPath, in keys: PuncturedKeys) -> KeyBytes? {
    if let key = ways[path.group]?.move(to: path) { return key }
    guard let node = keys.node(above: path) else { return nil }
    let way = Way(from: node, to: path)
    ways[path.group] = way
    return way.leaf
  }

  /// Forgets all ways, which may lead to keys that were destroyed.
  mutating func forget() { ways = [:] }
}
