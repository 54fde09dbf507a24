internal import COpenSSL

/// The TLS state of one connection: records in, plain bytes out, and the other way round. It knows no socket.
///
/// Used by one thread, the one whose `TLSRoom` it was made with.
package final class TLSSession {
  private let raw: OpaquePointer
  private let room: TLSRoom
  /// Keeps certificate and key alive.
  private let context: TLSContext
  /// Whether the handshake is done, so that plain bytes can be sent.
  package private(set) var isEstablished = false

  /// - Parameter serverName: the client's side, of the server with this name or address; nil for the server's side.
  package init(_ context: TLSContext, serverName: String?, room: TLSRoom) {
    self.context = context
    self.room = room
    raw = SSL_new(context.raw)!
    let bio = room.makeBIO()
    SSL_set_bio(raw, bio, bio)
    guard let serverName else {
      SSL_set_accept_state(raw)
      return
    }
    // The certificate must be for the name, or for the address, which is no name to ask for.
    if X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(raw), serverName) != 1 {
      ERR_clear_error()
      SSL_set1_host(raw, serverName)
      serverName.withCString {
        _ = SSL_ctrl(
          raw, SSL_CTRL_SET_TLSEXT_HOSTNAME, Int(TLSEXT_NAMETYPE_host_name), UnsafeMutableRawPointer(mutating: $0))
      }
    }
    SSL_set_connect_state(raw)
  }

  deinit { SSL_free(raw) }

  // MARK: Receiving

  package enum Reception: Equatable {
    /// Everything that has arrived was read.
    case going
    /// The peer sends nothing more, but may still read.
    case ended
    /// The connection is of no more use. What is sealed, an alert, may still be sent.
    case failed(TLSError)
  }

  /// Reads the records that have arrived. What is to be sent because of them (handshake, alerts) is sealed afterwards.
  ///
  /// - Parameters:
  ///   - space: where plain bytes are put before they are handed over; at least 16 KiB, the size of a record.
  ///   - body: takes plain bytes; returns false if the connection is no longer wanted.
  package func receive(
    _ records: UnsafeRawBufferPointer, space: UnsafeMutableRawBufferPointer,
    _ body: (UnsafeRawBufferPointer) -> Bool
  ) -> Reception {
    assert(space.count >= 16 * 1024)
    room.arrived = records
    defer { room.arrived = UnsafeRawBufferPointer(start: nil, count: 0) }
    var count = 0
    var reception = Reception.going
    while true {
      let read = SSL_read(raw, space.baseAddress! + count, Int32(clamping: space.count - count))
      guard read > 0 else {
        reception = outcome(of: read)
        break
      }
      if !isEstablished { noteEstablished() }
      count += Int(read)
      if count == space.count {
        guard body(UnsafeRawBufferPointer(space)) else { return .going }
        count = 0
      } else if room.arrived.isEmpty, SSL_has_pending(raw) == 0 {
        // Another read would only find out that there is nothing.
        break
      }
    }
    if !isEstablished { noteEstablished() }
    if count > 0 { _ = body(UnsafeRawBufferPointer(rebasing: space[..<count])) }
    return reception
  }

  private func outcome(of result: Int32) -> Reception {
    switch SSL_get_error(raw, result) {
    case SSL_ERROR_WANT_READ, SSL_ERROR_WANT_WRITE: return .going
    case SSL_ERROR_ZERO_RETURN: return .ended
    default: return .failed(failure())
    }
  }

  private func failure() -> TLSError {
    let verification = SSL_get_verify_result(raw)
    let why = verification == Int(X509_V_OK) ? nil : X509_verify_cert_error_string(verification)
    let reason = TLSError.takeReason() ?? "the connection was closed"
    return TLSError(reason + (why.map { ": \(String(cString: $0))" } ?? ""))
  }

  private func noteEstablished() { isEstablished = SSL_is_init_finished(raw) == 1 }

  // MARK: Sending

  /// Begins the handshake as a client, whose first records are sealed.
  package func beginHandshake() {
    _ = SSL_do_handshake(raw)
    ERR_clear_error()
  }

  /// Encrypts bytes. Only after the handshake.
  ///
  /// - Returns: false if the connection is of no more use.
  package func seal(_ bytes: UnsafeRawBufferPointer) -> Bool {
    precondition(isEstablished, "plain bytes before the handshake is done")
    if bytes.isEmpty { return true }
    guard SSL_write(raw, bytes.baseAddress, Int32(clamping: bytes.count)) == Int32(clamping: bytes.count) else {
      ERR_clear_error()
      return false
    }
    return true
  }

  /// Seals the notice that nothing more is sent.
  package func sealEnd() {
    if isEstablished { _ = SSL_shutdown(raw) }
    ERR_clear_error()
  }

  /// Hands over what was sealed since the last call, if anything was.
  package func takeSealed(_ body: (borrowing SealedRecords) -> Void) { room.takeSealed(body) }

  // MARK: The peer

  /// The names in the peer's verified certificate: alternative names (DNS, URI, e-mail) and common names. None if it
  /// has none.
  package var peerNames: [String] {
    guard SSL_get_verify_result(raw) == Int(X509_V_OK), let certificate = SSL_get1_peer_certificate(raw) else {
      return []
    }
    defer { X509_free(certificate) }
    return CertificateNames.of(certificate)
  }

  /// `TLSv1.3`, for messages and tests.
  package var version: String { String(cString: SSL_get_version(raw)) }
}
