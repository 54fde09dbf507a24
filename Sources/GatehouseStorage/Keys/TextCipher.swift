internal import COpenSSL
internal import GatehouseCore

/// AES-256-GCM for short texts with a key each, by libcrypto.
///
/// swift-crypto puts each text, nonce and tag into buffers of its own, which takes four times as long (2.7 instead of 0.6 µs for
/// a hundred bytes); every change of a person is sealed.
enum TextCipher {
  static let nonceSize = 12
  static let tagSize = 16

  /// Looked up once: it takes longer than to encrypt. It is never changed or freed. The library context of its own has the
  /// standard provider, whatever the machine's `openssl.cnf` says.
  private nonisolated(unsafe) static let algorithm: OpaquePointer = {
    guard let found = EVP_CIPHER_fetch(OSSL_LIB_CTX_new(), "AES-256-GCM", nil) else {
      preconditionFailure("libcrypto has no AES-256-GCM")
    }
    return found
  }()

  /// Appends the nonce, the encrypted text and the tag.
  static func seal(
    _ plain: UnsafeRawBufferPointer, _ key: KeyBytes, nonce: UnsafeRawBufferPointer,
    authenticating bound: UnsafeRawBufferPointer, into writer: inout ByteWriter
  ) {
    precondition(nonce.count == nonceSize && fits(plain) && fits(bound))
    withUnsafeTemporaryAllocation(byteCount: plain.count + tagSize, alignment: 8) { target in
      let context = begin(key, nonce, isSealing: 1)
      defer { EVP_CIPHER_CTX_free(context) }
      var count: Int32 = 0
      let text = target.assumingMemoryBound(to: UInt8.self).baseAddress
      let tag = target.baseAddress.map { $0 + plain.count }
      guard EVP_CipherUpdate(context, nil, &count, bytes(bound), Int32(bound.count)) == 1,
        EVP_CipherUpdate(context, text, &count, bytes(plain), Int32(plain.count)) == 1,
        EVP_CipherFinal_ex(context, text, &count) == 1,
        EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, Int32(tagSize), tag) == 1
      else { preconditionFailure("a text could not be sealed") }
      writer.raw(nonce)
      writer.raw(UnsafeRawBufferPointer(target))
    }
  }

  /// Appends the text of what `seal` has written.
  ///
  /// - Returns: false if it was not sealed under this key, or was changed, or belongs to something else. Nothing is appended
  ///   then.
  static func open(
    _ sealed: UnsafeRawBufferPointer, _ key: KeyBytes, authenticating bound: UnsafeRawBufferPointer,
    into writer: inout ByteWriter
  ) -> Bool {
    guard sealed.count >= nonceSize + tagSize, fits(sealed), fits(bound) else { return false }
    let nonce = UnsafeRawBufferPointer(rebasing: sealed.prefix(nonceSize))
    let text = UnsafeRawBufferPointer(rebasing: sealed.dropFirst(nonceSize).dropLast(tagSize))
    let tag = UnsafeMutableRawPointer(mutating: UnsafeRawBufferPointer(rebasing: sealed.suffix(tagSize)).baseAddress)
    // One byte more, so that it has an address.
    return withUnsafeTemporaryAllocation(byteCount: text.count + 1, alignment: 8) { target in
      let context = begin(key, nonce, isSealing: 0)
      defer { EVP_CIPHER_CTX_free(context) }
      var count: Int32 = 0
      let plain = target.assumingMemoryBound(to: UInt8.self).baseAddress
      guard EVP_CipherUpdate(context, nil, &count, bytes(bound), Int32(bound.count)) == 1,
        EVP_CipherUpdate(context, plain, &count, bytes(text), Int32(text.count)) == 1,
        EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, Int32(tagSize), tag) == 1,
        EVP_CipherFinal_ex(context, plain, &count) == 1
      else {
        // The lanes' TLS must not take it for an error of its own.
        ERR_clear_error()
        return false
      }
      writer.raw(UnsafeRawBufferPointer(rebasing: target.prefix(text.count)))
      return true
    }
  }

  private static func begin(_ key: KeyBytes, _ nonce: UnsafeRawBufferPointer, isSealing: Int32) -> OpaquePointer? {
    let context = EVP_CIPHER_CTX_new()
    let isBegun = key.withBytes { EVP_CipherInit_ex2(context, algorithm, bytes($0), bytes(nonce), isSealing, nil) }
    precondition(isBegun == 1, "AES-GCM refuses a key of 256 bits")
    return context
  }

  private static func bytes(_ buffer: UnsafeRawBufferPointer) -> UnsafePointer<UInt8>? {
    buffer.assumingMemoryBound(to: UInt8.self).baseAddress
  }

  /// Whether libcrypto can count the bytes.
  private static func fits(_ buffer: UnsafeRawBufferPointer) -> Bool { buffer.count < Int(Int32.max) }
}
