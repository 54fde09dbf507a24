package import GatehouseCore

extension Partitioning {
  /// The spread that a folder was made with.
  package init(_ manifest: Manifest) {
    let words = manifest.hashKey.bytes.withUnsafeBytes {
      ($0.loadUnaligned(fromByteOffset: 0, as: UInt64.self), $0.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
    }
    self.init(count: manifest.partitionCount, key: HashKey(low: words.0, high: words.1))
  }
}

extension Manifest {
  /// What the tokens of idempotent commands are made of, beside random bits.
  package var tokenSecret: Digest { secretKey.bytes.withUnsafeBytes { sha256($0) } }
}
