/// What carries a connection's bytes: the lane's socket (`LaneSocket`), memory in tests, and later perhaps a TLS
/// channel. All bytes go through it, so nothing can bypass the encryption.
///
/// It reports events to its connection, on the lane's thread:
///
/// | call | when |
/// | --- | --- |
/// | `received` | bytes have arrived, and reading is on |
/// | `inputEnded` | the client has closed its sending side; it may still read |
/// | `hasRoom` | more can be sent, after a `send` that did not take all; again if it returned true |
/// | `close` | the transport has failed |
protocol Transport: AnyObject {
  /// The socket's descriptor, for `CLIENT LIST`; -1 if there is none.
  var descriptor: Int32 { get }

  /// Sends as many bytes as possible without blocking.
  ///
  /// - Returns: how many bytes were taken, from the first on. If it was not all of them, `hasRoom` is called later.
  func send(_ bytes: UnsafeRawBufferPointer) -> Int

  /// Turns reading on or off. While it is off, bytes stay in the kernel. It is on at first.
  func setReading(_ isOn: Bool)

  /// Closes at once. The kernel still sends what was taken, if it can. No event is reported after this.
  func close()

  /// Bytes that were taken but not yet acknowledged by the peer's TCP.
  var unacknowledged: Int { get }
}
