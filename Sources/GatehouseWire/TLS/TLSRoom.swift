internal import COpenSSL

/// The memory between OpenSSL and the network, shared by all TLS connections of a thread: while a call into a session
/// lasts, OpenSSL reads the records that have arrived from here, and writes those that are to be sent.
///
/// So a connection needs no buffers of its own, and what has arrived is not copied before it is decrypted.
package final class TLSRoom {
  /// The records that have arrived and were not read yet; valid during one call only.
  var arrived = UnsafeRawBufferPointer(start: nil, count: 0)
  /// The records to be sent.
  var sealed: [UInt8] = []

  /// Room that a burst has made is kept up to this size.
  private static let kept = 256 * 1024

  package init() { sealed.reserveCapacity(64 * 1024) }

  /// Takes the records to be sent, if there are any.
  func takeSealed(_ body: (borrowing SealedRecords) -> Void) {
    if sealed.isEmpty { return }
    sealed.withUnsafeBytes { body(SealedRecords($0)) }
    sealed.removeAll(keepingCapacity: sealed.capacity <= Self.kept)
  }

  /// Reads for OpenSSL; nil if nothing is left.
  fileprivate func read(_ target: UnsafeMutableRawPointer, _ most: Int) -> Int? {
    let count = min(most, arrived.count)
    guard count > 0 else { return nil }
    target.copyMemory(from: arrived.baseAddress!, byteCount: count)
    arrived = UnsafeRawBufferPointer(rebasing: arrived[count...])
    return count
  }

  // MARK: OpenSSL's side

  /// A new BIO on this room, owned by the session that it is given to. The room must outlive it.
  func makeBIO() -> OpaquePointer {
    let bio = BIO_new(Self.method)!
    BIO_set_data(bio, Unmanaged.passUnretained(self).toOpaque())
    BIO_set_init(bio, 1)
    return bio
  }

  private static func of(_ bio: OpaquePointer?) -> TLSRoom {
    Unmanaged<TLSRoom>.fromOpaque(BIO_get_data(bio)!).takeUnretainedValue()
  }

  /// Made once; OpenSSL only reads it.
  nonisolated(unsafe) private static let method: OpaquePointer = {
    let method = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "gatehouse")!
    BIO_meth_set_read(method) { bio, target, most in
      gatehouse_bio_clear_retry(bio)
      guard let target, let count = TLSRoom.of(bio).read(target, Int(most)) else {
        gatehouse_bio_retry_read(bio)
        return -1
      }
      return Int32(count)
    }
    BIO_meth_set_write(method) { bio, bytes, count in
      TLSRoom.of(bio).sealed.append(contentsOf: UnsafeRawBufferPointer(start: bytes, count: Int(count)))
      return count
    }
    BIO_meth_set_ctrl(method) { _, command, _, _ in command == BIO_CTRL_FLUSH ? 1 : 0 }
    return method
  }()
}

/// Bytes that a TLS session has encrypted. Nothing outside this module can make them, and the socket of a TLS connection
/// takes nothing else: so nothing can be sent around TLS, not even by mistake.
package struct SealedRecords: ~Copyable {
  package let bytes: UnsafeRawBufferPointer

  init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }
}
