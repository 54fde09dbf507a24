/// What carries a connection's bytes: a socket of its lane (`LaneSocket`), in tests a piece of memory, one day a TLS
/// channel. All bytes go through it, so none can go around an encryption.
///
/// It tells its connection what happens, on the lane's thread:
///
/// | call | when |
/// | --- | --- |
/// | `received` | bytes have come, and reading is on |
/// | `inputEnded` | the client sends no more; it may still read |
/// | `hasRoom` | more can be sent, after a `send` that did not take everything; again, where it says that it needs more |
/// | `close` | the transport has failed |
protocol Transport: AnyObject {
  /// The number of its socket, for `CLIENT LIST`; -1 where there is none.
  var descriptor: Int32 { get }

  /// Takes what can be sent now.
  ///
  /// - Returns: how many bytes were taken, from the first on. Where not all were, `hasRoom` is called later.
  func send(_ bytes: UnsafeRawBufferPointer) -> Int

  /// Reads from the client, or leaves what it sends where it is. It is on to begin with.
  func setReading(_ isOn: Bool)

  /// Closes at once. What was taken is still sent where the kernel can; nothing is called any more.
  func close()

  /// Bytes that were taken and that the client's system has not acknowledged.
  var unacknowledged: Int { get }
}
