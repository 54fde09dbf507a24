import GatehouseCore
import Testing

@testable import GatehouseStorage

/// Destroying a key leaves all others as they were, and no way to the one.
@Suite struct PuncturedKeysTests {
  private static let root = KeyBytes(a: 1, b: 2, c: 3, d: 4)

  private func path(_ kind: SealKey.Kind = .user, _ partition: Int = 3, _ serial: UInt64) throws -> KeyPath {
    try #require(KeyPath(kind, partition: partition, serial: serial))
  }

  /// Derives a key step by step, without the cache.
  private func derived(_ path: KeyPath, _ keys: PuncturedKeys) -> KeyBytes? {
    guard var node = keys.node(above: path) else { return nil }
    while node.depth < KeyPath.depth { node = node.child(path.bit(below: node.depth)) }
    #expect(node.path == path.bits)
    return node.key
  }

  @Test("destroyed keys of a range are made anew, at random; all others stay as they were")
  func renewal() throws {
    var random = SystemRandomNumberGenerator()
    var keys = PuncturedKeys(root: Self.root)
    let serials: [UInt64] = [1, 5, 6, 7, 9, 64, 65, 1 << 20, UInt64(UInt32.max)]
    let all = try [UInt64](0...70).map { try path(.user, 3, $0) } + serials.map { try path(.user, 3, $0) }
    let before = all.map { derived($0, keys) }
    for serial in serials {
      let path = try path(.user, 3, serial)
      _ = keys.destroy(path.bits...path.bits)
    }
    let other = try path(.contact, 3, 9)
    _ = keys.destroy(other.bits...other.bits)
    let range = try path(.user, 3, 6).bits...path(.user, 3, UInt64(UInt32.max)).bits
    let isRenewed = keys.renew(range) { KeyBytes(random: &random) }
    #expect(isRenewed)
    for (path, old) in zip(all, before) {
      if path.serial == 1 || path.serial == 5 {
        #expect(derived(path, keys) == nil, "\(path) is outside of the range")
      } else if serials.contains(path.serial) {
        #expect(derived(path, keys) != nil && derived(path, keys) != old, "\(path)")
      } else {
        #expect(derived(path, keys) == old, "\(path)")
      }
    }
    #expect(derived(other, keys) == nil)
    #expect(PuncturedKeys(keys.nodes) == keys, "its nodes are in no order")
    #expect(!keys.renew(range) { KeyBytes(random: &random) })
  }

  @Test("a random run of punctures: each key is that of the root until it is destroyed, and then underivable")
  func property() throws {
    var random = SystemRandomNumberGenerator()
    let whole = PuncturedKeys(root: Self.root)
    var keys = whole
    var cache = DerivedKeys()
    var gone: Set<UInt64> = []
    var paths: [KeyPath] = []
    for kind in SealKey.Kind.allCases {
      for partition in [0, 1, 255, 65_535] {
        for serial in [0, 1, 2, 3, 4, 5, 6, 7, 8, 100, 1 << 20, UInt64(UInt32.max)] {
          paths.append(try path(kind, partition, serial))
        }
      }
    }
    for path in paths.shuffled(using: &random).prefix(120) {
      let isDestroyed = keys.destroy(path.bits...path.bits)
      let isDestroyedAgain = keys.destroy(path.bits...path.bits)
      #expect(isDestroyed && !isDestroyedAgain)
      cache.forget()
      gone.insert(path.bits)
      for other in paths.shuffled(using: &random).prefix(20) + [path] {
        let expected = gone.contains(other.bits) ? nil : derived(other, whole)
        #expect(derived(other, keys) == expected)
        let cached = cache.key(of: other, in: keys)
        #expect(cached == expected)
      }
      #expect(PuncturedKeys(keys.nodes) == keys, "the nodes are in no order")
    }
    // Nothing above a destroyed key is kept.
    for node in keys.nodes { #expect(!gone.contains { $0 >= node.first && $0 <= node.last }) }
  }

  @Test("a new store has one node; one person adds at most one for each bit, neighbours add few") func size() throws {
    var keys = PuncturedKeys(root: Self.root)
    #expect(keys.nodes.count == 1)
    let first = try path(.user, 3, 100)
    _ = keys.destroy(first.bits...first.bits)
    #expect(keys.nodes.count == KeyPath.depth)
    let neighbour = try path(.user, 3, 101)
    _ = keys.destroy(neighbour.bits...neighbour.bits)
    #expect(keys.nodes.count == KeyPath.depth - 1)
    // All of a thousand people in a row leave no more than their edges.
    for serial in UInt64(1)...1000 {
      let path = try path(.user, 3, serial)
      _ = keys.destroy(path.bits...path.bits)
    }
    #expect(keys.nodes.count < 2 * KeyPath.depth)
  }

  @Test("a range is destroyed at once, and told again") func ranges() throws {
    var keys = PuncturedKeys(root: Self.root)
    let first = try path(.answers, 0, 0), last = try path(.answers, 0, 20_000)
    let isDestroyed = keys.destroy(first.bits...last.bits)
    #expect(isDestroyed)
    #expect(keys.nodes.count <= 2 * KeyPath.depth)
    #expect(derived(last, keys) == nil)
    let next = try path(.answers, 0, 20_001)
    #expect(derived(next, keys) != nil)
    var told: [UInt64] = []
    keys.forEachDestroyed(in: (last.bits - 2)...(next.bits + 5)) { told.append($0) }
    #expect(told == [last.bits - 2, last.bits - 1, last.bits])
  }

  @Test("two stores are compared by what is destroyed and by what is left") func comparison() throws {
    let paths = try [path(.user, 3, 100), path(.user, 3, 101), path(.contact, 0, 1)]
    var one = PuncturedKeys(root: Self.root)
    var other = one
    let whole = (one.remainder, one.fingerprint)
    for path in paths { _ = one.destroy(path.bits...path.bits) }
    #expect(one.remainder != whole.0 && one.fingerprint != whole.1)
    for path in paths.reversed() { _ = other.destroy(path.bits...path.bits) }
    #expect(one.remainder == other.remainder && one.fingerprint == other.fingerprint, "in whatever order")
    // Other keys, of which the same are destroyed.
    var foreign = PuncturedKeys(root: Self.root.child(0))
    for path in paths { _ = foreign.destroy(path.bits...path.bits) }
    #expect(foreign.remainder == one.remainder && foreign.fingerprint != one.fingerprint)
    let last = try path(.answers, 0, 7)
    _ = other.destroy(last.bits...last.bits)
    #expect(one.remainder != other.remainder)
  }

  @Test("ids that cannot be have no path") func impossible() {
    #expect(KeyPath(.user, partition: 1 << 16, serial: 1) == nil)
    #expect(KeyPath(.user, partition: 1, serial: 1 << 32) == nil)
  }
}
