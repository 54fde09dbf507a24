internal import COpenSSL
internal import Glibc

/// Certificate, key and trust, read from files once: what new TLS connections are made with. Immutable, so all threads
/// share it; a connection keeps the one that it began with.
///
/// OpenSSL and not swift-nio-ssl: connections live on loops of our own and not in NIO channels. Taking a batch of 16
/// requests in and their replies out cost 4.2 µs with `NIOSSLServerHandler` in an `EmbeddedChannel` and 2.3 µs with
/// OpenSSL on memory (measured in one process, AES-256-GCM). The distribution keeps OpenSSL up to date without a new
/// build of ours.
package final class TLSContext: @unchecked Sendable {
  // Safe to share: OpenSSL counts references to it atomically, and nothing changes it after `init`.
  let raw: OpaquePointer
  /// When the own certificate ends, in unix seconds; nil if there is none.
  package private(set) var expires: Int64?

  /// Whether a server asks its clients for certificates.
  package enum ClientCertificates: Sendable {
    case ignored
    /// A client may give none; one that is given must be valid.
    case optional
    case required
  }

  /// What a server listens with.
  ///
  /// - Parameters:
  ///   - certificate: a PEM file: the server's certificate, then those between it and the root.
  ///   - key: a PEM file of its private key, not encrypted.
  ///   - authorities: a PEM file of the authorities whose client certificates are believed.
  /// - Throws: `TLSError`, which names the file and what is wrong with it.
  package init(
    certificate: String, key: String, authorities: String?, clients: ClientCertificates, now: Int64
  ) throws(TLSError) {
    raw = SSL_CTX_new(TLS_server_method())!
    try use(certificate, key, now)
    if let authorities, clients != .ignored {
      try Self.readable(authorities, "the file of authorities")
      guard SSL_CTX_load_verify_file(raw, authorities) == 1, let names = SSL_load_client_CA_file(authorities) else {
        throw Self.error("the file of authorities \(authorities) holds no certificates in PEM form")
      }
      SSL_CTX_set_client_CA_list(raw, names)
      let refusesNone = clients == .required ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0
      SSL_CTX_set_verify(raw, SSL_VERIFY_PEER | refusesNone, nil)
      // Without one, OpenSSL fails a handshake in which a client offers a session of before.
      SSL_CTX_set_session_id_context(raw, [1], 1)
    }
    setUp()
  }

  /// What a client connects with.
  ///
  /// - Parameters:
  ///   - authorities: a PEM file of the authorities whose servers are believed; nil for those of the system.
  ///   - certificate: a PEM file of the client's certificate, with `key`, if it has one.
  package init(authorities: String?, certificate: String?, key: String?, now: Int64) throws(TLSError) {
    raw = SSL_CTX_new(TLS_client_method())!
    if let authorities {
      try Self.readable(authorities, "the file of authorities")
      guard SSL_CTX_load_verify_file(raw, authorities) == 1 else {
        throw Self.error("the file of authorities \(authorities) holds no certificates in PEM form")
      }
    } else {
      SSL_CTX_set_default_verify_paths(raw)
    }
    switch (certificate, key) {
    case (let certificate?, let key?): try use(certificate, key, now)
    case (nil, nil): break
    case (_?, nil): throw TLSError("a certificate needs its private key too")
    case (nil, _?): throw TLSError("a private key needs its certificate too")
    }
    SSL_CTX_set_verify(raw, SSL_VERIFY_PEER, nil)
    setUp()
  }

  deinit { SSL_CTX_free(raw) }

  private func setUp() {
    SSL_CTX_ctrl(raw, SSL_CTRL_SET_MIN_PROTO_VERSION, Int(TLS1_2_VERSION), nil)
    SSL_CTX_set_options(raw, gatehouse_tls_options)
    // Every connection does a whole handshake: a ticket would go on vouching for a client whose authority is no longer
    // believed. Connections live long, so handshakes are rare.
    SSL_CTX_set_num_tickets(raw, 0)
    SSL_CTX_ctrl(raw, SSL_CTRL_SET_SESS_CACHE_MODE, Int(SSL_SESS_CACHE_OFF), nil)
    // An idle connection keeps no record buffers: they would take 34 KB of each.
    SSL_CTX_ctrl(raw, SSL_CTRL_MODE, Int(SSL_MODE_RELEASE_BUFFERS), nil)
  }

  // MARK: The own certificate

  private func use(_ certificate: String, _ key: String, _ now: Int64) throws(TLSError) {
    try Self.readable(certificate, "the certificate file")
    try Self.readable(key, "the key file")
    guard SSL_CTX_use_certificate_chain_file(raw, certificate) == 1, let own = SSL_CTX_get0_certificate(raw) else {
      throw Self.error("the certificate file \(certificate) holds no certificate in PEM form that can be used")
    }
    let file = BIO_new_file(key, "r")
    defer { BIO_free_all(file) }
    // Without a callback OpenSSL would ask the terminal for a passphrase.
    guard let secret = PEM_read_bio_PrivateKey(file, nil, { _, _, _, _ in 0 }, nil) else {
      throw Self.error("the key file \(key) holds no private key in PEM form without a passphrase")
    }
    defer { EVP_PKEY_free(secret) }
    guard X509_check_private_key(own, secret) == 1, SSL_CTX_use_PrivateKey(raw, secret) == 1 else {
      ERR_clear_error()
      throw TLSError(
        "the key in \(key) does not match the certificate in \(certificate); give the two that were made together")
    }
    let (begins, ends) = (Self.seconds(X509_get0_notBefore(own)), Self.seconds(X509_get0_notAfter(own)))
    if let ends, ends <= now {
      throw TLSError("the certificate in \(certificate) expired on \(Self.date(ends)); get a new one")
    }
    if let begins, begins > now {
      throw TLSError("the certificate in \(certificate) is not valid before \(Self.date(begins)); is the clock right?")
    }
    expires = ends
  }

  private static func readable(_ path: String, _ what: String) throws(TLSError) {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      throw TLSError("\(what) \(path) cannot be read (\(String(cString: strerror(errno))))")
    }
    close(descriptor)
  }

  private static func error(_ text: String) -> TLSError {
    TLSError(text + (TLSError.takeReason().map { " (\($0))" } ?? ""))
  }

  private static func seconds(_ time: UnsafePointer<ASN1_TIME>?) -> Int64? {
    var parts = tm()
    guard let time, ASN1_TIME_to_tm(time, &parts) == 1 else { return nil }
    return Int64(timegm(&parts))
  }

  private static func date(_ seconds: Int64) -> String {
    var (time, parts) = (time_t(seconds), tm())
    gmtime_r(&time, &parts)
    func two(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
    return "\(parts.tm_year + 1900)-\(two(parts.tm_mon + 1))-\(two(parts.tm_mday))"
  }
}
