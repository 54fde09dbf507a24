import Synchronization

@testable import GatehouseCore

/// Replaces the key store, which the core does not have: a key stream of SipHashes, and one more as the tag.
final class HarnessSeals: SealKeeper {
  private let gone = Mutex<Set<SealKey>>([])

  init(without keys: some Sequence<SealKey> = [SealKey]()) { destroy(keys) }

  func destroy(_ keys: some Sequence<SealKey>) { gone.withLock { $0.formUnion(keys) } }

  func seal(
    _ plain: UnsafeRawBufferPointer, under keys: SealedUnder, bound: UnsafeRawBufferPointer,
    into writer: inout ByteWriter
  ) -> Bool {
    guard let key = key(of: keys) else { return false }
    writer.fixed64(tag(key, plain, bound))
    for (index, byte) in plain.enumerated() { writer.byte(byte ^ Self.stream(key, index)) }
    return true
  }

  func open(
    _ sealed: UnsafeRawBufferPointer, under keys: SealedUnder, bound: UnsafeRawBufferPointer,
    into writer: inout ByteWriter
  ) throws(CodingError) -> Bool {
    guard let key = key(of: keys) else { return false }
    var reader = ByteReader(sealed)
    let tag = try reader.fixed64()
    let plain = reader.restBytes.enumerated().map { $1 ^ Self.stream(key, $0) }
    guard plain.withUnsafeBytes({ self.tag(key, $0, bound) }) == tag else { throw reader.failure("a wrong tag") }
    plain.withUnsafeBytes { writer.raw($0) }
    return true
  }

  func isDestroyed(_ key: SealKey) -> Bool { gone.withLock { $0.contains(key) } }

  func destroyed(_ kind: SealKey.Kind, of partition: Int, through last: Int) -> [Int] {
    // The harness has up to 64 partitions, and every test as many as its ids show.
    gone.withLock { gone in
      (0..<(last + 1)).filter { serial in
        gone.contains { $0.kind == kind && $0.raw == UInt64(serial) << UInt64(bits) | UInt64(partition) }
      }
    }
  }

  /// The bits of the partition in an id.
  nonisolated(unsafe) var bits = 0

  private func key(of keys: SealedUnder) -> HashKey? {
    let isGone = gone.withLock { gone in keys.keys.contains { gone.contains($0) } }
    if isGone { return nil }
    var writer = ByteWriter()
    for key in keys.keys { SealKeyForm.write(key, to: &writer) }
    return HashKey(low: writer.withBytes { sipHash($0, key: HashKey(low: 5, high: 6)) }, high: 7)
  }

  private static func stream(_ key: HashKey, _ index: Int) -> UInt8 {
    withUnsafeBytes(of: index) { UInt8(truncatingIfNeeded: sipHash($0, key: key)) }
  }

  private func tag(_ key: HashKey, _ plain: UnsafeRawBufferPointer, _ bound: UnsafeRawBufferPointer) -> UInt64 {
    var writer = ByteWriter()
    writer.block(bound)
    writer.block(plain)
    return writer.withBytes { sipHash($0, key: key) }
  }
}
