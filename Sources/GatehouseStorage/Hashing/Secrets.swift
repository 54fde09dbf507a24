internal import Crypto
package import GatehouseCore
internal import Glibc

/// SHA-256, for the core.
package func sha256(_ bytes: UnsafeRawBufferPointer) -> GatehouseCore.Digest {
  var state = HashState()
  state.update(bytes)
  return state.finish { digest in
    GatehouseCore.Digest(
      digest.loadUnaligned(fromByteOffset: 0, as: UInt64.self),
      digest.loadUnaligned(fromByteOffset: 8, as: UInt64.self),
      digest.loadUnaligned(fromByteOffset: 16, as: UInt64.self),
      digest.loadUnaligned(fromByteOffset: 24, as: UInt64.self))
  }
}

/// HMAC-SHA1, for the core: authenticator apps know no other. It rests on SHA-1 being hard to invert, not on collisions.
package func hmacSHA1(_ key: UnsafeRawBufferPointer, _ message: UnsafeRawBufferPointer) -> [UInt8] {
  var mac = HMAC<Insecure.SHA1>(key: SymmetricKey(data: key))
  mac.update(data: message)
  return Array(mac.finalize())
}

/// Fills a buffer from the kernel's random generator, in one read. swift-crypto and the standard library ask it for
/// eight bytes at a time, which was an eighth of the cost of opening a session.
package func fillRandom(_ buffer: UnsafeMutableRawBufferPointer) {
  var filled = 0
  while filled < buffer.count {
    let count = read(randomDevice, buffer.baseAddress! + filled, buffer.count - filled)
    if count > 0 {
      filled += count
    } else {
      precondition(count < 0 && errno == EINTR, "no random bits from the kernel")
    }
  }
}

private let randomDevice: Int32 = {
  let device = open("/dev/urandom", O_RDONLY | O_CLOEXEC)
  precondition(device >= 0, "/dev/urandom cannot be opened")
  return device
}()
