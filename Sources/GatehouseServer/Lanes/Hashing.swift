import Crypto
import GatehouseCore

/// SHA-256 as the core wants it.
func sha256(_ bytes: UnsafeRawBufferPointer) -> GatehouseCore.Digest {
  var hasher = SHA256()
  hasher.update(bufferPointer: bytes)
  return hasher.finalize().withUnsafeBytes { digest in
    GatehouseCore.Digest(
      digest.loadUnaligned(fromByteOffset: 0, as: UInt64.self),
      digest.loadUnaligned(fromByteOffset: 8, as: UInt64.self),
      digest.loadUnaligned(fromByteOffset: 16, as: UInt64.self),
      digest.loadUnaligned(fromByteOffset: 24, as: UInt64.self))
  }
}

/// Fills a buffer with random bits fit for secrets, from BoringSSL's generator.
func fillRandom(_ buffer: UnsafeMutableRawBufferPointer) {
  SymmetricKey(size: SymmetricKeySize(bitCount: buffer.count * 8)).withUnsafeBytes { buffer.copyMemory(from: $0) }
}
