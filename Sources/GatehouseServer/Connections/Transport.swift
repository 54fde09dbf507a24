/// What carries a connection's bytes: a socket (`PlainTransport`), TLS over one (`TLSTransport`), or memory in tests. A
/// connection has nothing else to send with, so nothing can bypass the encryption.
protocol Transport: AnyObject {
  /// Starts to report events to the connection, which owns the transport.
  ///
  /// - Returns: false if the kernel has no memory for it.
  func open(_ user: any TransportUser) -> Bool

  /// The socket's descriptor, for `CLIENT LIST`; -1 if there is none.
  var descriptor: Int32 { get }

  /// Sends as many bytes as possible without blocking.
  ///
  /// - Returns: how many bytes were taken, from the first on. If it was not all of them, `hasRoom` is called later, and
  ///   the others must be sent again.
  func send(_ bytes: UnsafeRawBufferPointer) -> Int

  /// Turns reading on or off. While it is off, bytes stay in the kernel. It is on at first.
  func setReading(_ isOn: Bool)

  /// Closes at once. The kernel still sends what was taken, if it can. No event is reported after this.
  func close()

  /// Bytes that were taken but not yet acknowledged by the peer's TCP.
  var unacknowledged: Int { get }

  /// Bytes of memory that the transport holds for the client, besides what it has not taken.
  var heldBytes: Int { get }

  /// Whether the client can be told anything: with TLS, whether the handshake is done.
  var isEstablished: Bool { get }

  /// The names in the client's certificate, if it has shown one that is believed.
  var peerNames: [String] { get }
}

extension Transport {
  var heldBytes: Int { 0 }
  var isEstablished: Bool { true }
  var peerNames: [String] { [] }
}

/// Whoever a transport or a socket reports to, on the lane's thread: a connection, or TLS in between.
protocol TransportUser: AnyObject {
  /// Bytes have arrived, and reading is on.
  func received(_ bytes: UnsafeRawBufferPointer)

  /// The client has closed its sending side; it may still read.
  func inputEnded()

  /// More can be sent, after a `send` that did not take all.
  ///
  /// - Returns: whether it is to be called again.
  func hasRoom() -> Bool

  /// The transport has failed.
  func close()
}
