package import GatehouseCore

extension Partitioning {
  /// The partitioning that a folder was created with.
  package init(_ manifest: Manifest) {
    let words = manifest.hashKey.bytes.withUnsafeBytes {
      ($0.loadUnaligned(fromByteOffset: 0, as: UInt64.self), $0.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
    }
    self.init(count: manifest.partitionCount, key: HashKey(low: words.0, high: words.1))
  }
}

extension Manifest {
  /// The secret from which, together with random bits, the tokens of idempotent commands are derived.
  package var tokenSecret: Digest { secretKey.bytes.withUnsafeBytes { sha256($0) } }
}
